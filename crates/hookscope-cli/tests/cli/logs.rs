//! `--log`: each failed call that kube-apiserver's log names is explained by its packets.

use std::io::Write;
use std::path::Path;

use crate::support::{Scratch, fixture, hookscope, run, said};

/// kube-apiserver's own log of the same recordings as the fixtures, and what hookscope has to make of its lines.
fn log(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hookscope/tests/data").join(name);
    path.to_str().unwrap().to_owned()
}

fn report(args: &[&str]) -> serde_json::Value {
    let json = run(&[&["--format", "json"], args].concat());
    serde_json::from_str(&json.out).unwrap_or_else(|error| panic!("{args:?}: {error}: {}", json.err))
}

const DEADLINE: &str = "deadline-exceeded/deadline-10s.pcap";

#[test]
fn a_failed_call_is_tied_to_its_connection() {
    let report = report(&[&fixture(DEADLINE), "--log", &log("apiserver.log")]);
    let lines = report["log"].as_array().unwrap();
    let tied: Vec<_> = lines.iter().filter(|line| !line["connection"].is_null()).collect();
    assert_eq!(tied.len(), 1, "{tied:#?}");
    assert_eq!(tied[0]["webhook"], "deadline-10s.lab.io");
    assert_eq!(tied[0]["error"], "context deadline exceeded");
    assert_eq!(tied[0]["verdict"]["code"], "deadline-exceeded");
    assert_eq!(tied[0]["connection"], report["connections"][0]["id"]);
    assert_eq!((&tied[0]["agrees"], &tied[0]["outside"]), (&true.into(), &false.into()));
    assert!(lines.iter().filter(|line| line["connection"].is_null()).all(|line| line["outside"] == true));
}

/// The incident's webhooks that fail, and how many of the calls that its log names.
const INCIDENT: [(&str, &str, usize); 6] = [
    ("inc-badca.lab.io", "tls-certificate-rejected", 38),
    ("inc-badca12.lab.io", "tls-bad-certificate", 45),
    ("inc-dropped.lab.io", "syn-unanswered", 53),
    ("inc-refused.lab.io", "connection-refused", 46),
    ("inc-resets.lab.io", "rst-before-response", 41),
    ("inc-slowone.lab.io", "deadline-exceeded", 21),
];

#[test]
fn with_the_clusters_objects_each_line_is_tied_to_a_connection_of_its_own_webhook() {
    let objects =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../hookscope-cluster/tests/objects/incident.json");
    let capture = fixture("incident/incident.pcap.zst");
    let report =
        report(&[&capture, "--log", &log("incident.apiserver.log"), "--cluster", objects.to_str().unwrap()]);
    let lines = report["log"].as_array().unwrap();
    assert_eq!(lines.len(), 244);
    for (webhook, code, count) in INCIDENT {
        let own: Vec<_> = lines.iter().filter(|line| line["webhook"] == webhook).collect();
        assert_eq!(own.len(), count, "{webhook}");
        for line in own {
            assert_eq!((&line["verdict"]["code"], &line["agrees"]), (&code.into(), &true.into()), "{line:#}");
            let connections = report["connections"].as_array().unwrap();
            let connection = connections.iter().find(|it| it["id"] == line["connection"]).unwrap();
            let webhooks = connection["cluster"]["webhooks"].as_array().unwrap();
            assert!(webhooks.contains(&webhook.into()), "{line:#}: {connection:#}");
        }
    }
}

#[test]
fn the_text_report_tells_what_was_logged() {
    for width in ["80", "120"] {
        let args = [&fixture(DEADLINE), "--log", &log("apiserver.log")];
        let said = said(hookscope(&args).env("COLUMNS", width));
        assert_eq!((said.status, said.err.as_str()), (Some(1), ""));
        let (_, section) = said.out.split_once("What kube-apiserver logged").unwrap();
        assert!(section.contains("✗ deadline-10s.lab.io  1 call  deadline-exceeded"), "{section}");
        assert!(section.contains("logged outside of the capture's time"), "{section}");
        let width: usize = width.parse().unwrap();
        assert!(section.lines().all(|line| line.chars().count() <= width), "{section}");
    }
}

#[test]
fn a_call_without_packets_is_a_failure_of_its_own() {
    let line = "W1122 15:28:40.100000   1 dispatcher.go:153] Failed calling webhook, failing open gone.io: failed calling webhook \"gone.io\": failed to call webhook: Post \"https://gone.ns.svc:443/?timeout=10s\": service \"gone\" not found\n";
    let log = Scratch::new("unsent.log", line.as_bytes());
    let args = [&fixture("ok/ok-tls13.pcap"), "--log", log.path()];
    let text = run(&args);
    assert_eq!(text.status, Some(1), "{}", text.out);
    assert!(text.out.contains("✗ gone.io  1 call  nothing-sent"), "{}", text.out);
    assert!(text.out.contains("failing open"), "{}", text.out);
    assert!(text.out.contains("1 failed call, of which no packet was seen"), "{}", text.out);
    assert!(!text.out.contains("\n\n\nWhat kube-apiserver logged"), "{}", text.out);
    assert!(!text.out.contains("Nothing failed"), "{}", text.out);
    let entry = &report(&args)["log"][0];
    assert_eq!(
        (&entry["verdict"]["class"], &entry["verdict"]["code"]),
        (&"not-sent".into(), &"nothing-sent".into())
    );
    assert_eq!((&entry["connection"], &entry["fails_open"]), (&serde_json::Value::Null, &true.into()));
    assert_eq!(run(&[args[0], "--log", log.path(), "-q"]).out, "✗  1  nothing-sent  gone.io\n");
}

#[test]
fn logs_are_read_compressed_and_from_a_pipe() {
    let plain = std::fs::read(log("apiserver.log")).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&plain).unwrap();
    let packed = Scratch::new("apiserver.log.gz", &encoder.finish().unwrap());
    let capture = fixture(DEADLINE);
    let expected = report(&[&capture, "--log", &log("apiserver.log")])["log"].clone();
    assert_eq!(report(&[&capture, "--log", packed.path()])["log"], expected);
    let stdin = std::fs::File::open(log("apiserver.log")).unwrap();
    let piped = said(hookscope(&["--format", "json", &capture, "--log", "-"]).stdin(stdin));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&piped.out).unwrap()["log"], expected);
    let twice = run(&["-", "--log", "-"]);
    assert!(twice.err.contains("only once"), "{}", twice.err);
}

#[test]
fn what_is_no_log_is_refused_with_its_place() {
    let capture = fixture(DEADLINE);
    let refused = |path: &str| {
        let said = run(&[&capture, "--log", path]);
        assert_eq!((said.status, said.out.as_str()), (Some(2), ""), "{path}");
        said.err
    };
    let missing = refused("/nonexistent/kube.log");
    assert!(missing.starts_with("hookscope: /nonexistent/kube.log: no such file; check what --log names"));
    let error = refused(&capture);
    assert!(error.contains("deadline-10s.pcap:1: no log of kube-apiserver's"), "{error}");
    let bad = [&std::fs::read(log("apiserver.log")).unwrap()[..], b"\n\xff\xfe\n"].concat();
    let bad = Scratch::new("bad.log", &bad);
    let said = run(&["--format", "json", &capture, "--log", bad.path()]);
    assert_eq!(said.status, Some(1));
    assert!(said.err.contains("not UTF-8"), "{}", said.err);
    assert!(said.err.contains("bad.log:"), "{}", said.err);
}
