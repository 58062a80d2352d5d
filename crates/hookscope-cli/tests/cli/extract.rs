//! `hookscope extract`: the packets of chosen connections, with what the verdicts say of them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::{DEADLINE, OK, Said, Scratch, fixture, hookscope, run, said};

/// A path for one test, with nothing there.
fn out(name: &str) -> Scratch {
    let scratch = Scratch::new(name, b"");
    fs::remove_file(&scratch.0).unwrap();
    scratch
}

fn report(path: &str) -> Value {
    serde_json::from_str(&run(&["--format", "json", "--all", path]).out).unwrap()
}

/// The comments of a capture as tshark reads them, by frame; nothing where there is no tshark.
fn comments(path: &str) -> Option<Vec<(u64, String)>> {
    let fields = ["-T", "fields", "-e", "frame.number", "-e", "frame.comment", "-Y", "frame.comment"];
    let Ok(output) = Command::new("tshark").args(["-r", path]).args(fields).output() else {
        eprintln!("no tshark here: comments are looked for in the bytes only");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| line.split_once('\t').unwrap());
    Some(lines.map(|(frame, comment)| (frame.parse().unwrap(), comment.to_owned())).collect())
}

#[test]
fn failed_connections_keep_their_verdict_and_bear_it_as_comments() {
    let out = out("extract-failed.pcapng");
    let Said { status, out: stdout, err } = run(&["extract", &fixture(DEADLINE), "-w", out.path()]);
    assert_eq!((status, stdout.as_str()), (Some(1), ""), "{err}");
    let (before, after) = (report(&fixture(DEADLINE)), report(out.path()));
    let failed: Vec<&Value> = before["connections"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["verdict"]["severity"] == "failure")
        .collect();
    let kept = after["connections"].as_array().unwrap();
    assert_eq!(kept.len(), failed.len());
    for (is, was) in kept.iter().zip(failed) {
        for field in ["client", "server", "server_name", "start", "end", "packets", "bytes"] {
            assert_eq!(is[field], was[field], "{field}");
        }
        assert_eq!(is["verdict"]["code"], was["verdict"]["code"]);
        assert_eq!(is["verdict"]["summary"], was["verdict"]["summary"]);
    }
    let bytes = fs::read(out.path()).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("hookscope: deadline-exceeded: request"));
    if let Some(comments) = comments(out.path()) {
        let evidence = after["connections"][0]["verdict"]["evidence"].as_array().unwrap();
        let frames: Vec<u64> = evidence.iter().map(|one| one["frame"].as_u64().unwrap()).collect();
        assert_eq!(comments.iter().map(|(frame, _)| *frame).collect::<Vec<_>>(), frames);
        assert!(comments.iter().all(|(_, comment)| comment.contains("deadline-exceeded")));
    }
}

#[test]
fn connections_are_chosen_by_id_and_by_code() {
    let out = out("extract-chosen.pcapng");
    let incident = fixture("incident/incident.pcap.zst");
    let before = report(&incident);
    let connections = before["connections"].as_array().unwrap();
    let chosen = connections.last().unwrap();
    let id = chosen["id"].to_string();
    run(&["extract", &incident, "-w", out.path(), "--connection", &id]);
    let after = report(out.path());
    assert_eq!(after["connections"].as_array().unwrap().len(), 1);
    assert_eq!(after["connections"][0]["client"], chosen["client"]);
    assert_eq!(after["connections"][0]["packets"], chosen["packets"]);

    let code =
        connections.iter().find(|one| one["verdict"]["severity"] == "failure").unwrap()["verdict"]["code"]
            .as_str()
            .unwrap();
    run(&["extract", &incident, "-w", out.path(), "--code", code]);
    let after = report(out.path());
    let expected = connections.iter().filter(|one| one["verdict"]["code"] == code).count();
    let kept = after["connections"].as_array().unwrap();
    assert_eq!(kept.iter().filter(|one| one["verdict"]["code"] == code).count(), expected);
    assert_eq!(kept.len(), expected);
}

#[test]
fn failed_lookups_leave_their_packets() {
    let out = out("extract-lookup.pcapng");
    let capture = fs::read_dir(fixture("dns-nxdomain")).unwrap().next().unwrap().unwrap().path();
    let capture: PathBuf = if capture.extension().is_some_and(|kind| kind == "json") {
        capture.with_extension("pcap")
    } else {
        capture
    };
    run(&["extract", capture.to_str().unwrap(), "-w", out.path(), "--code", "dns-nxdomain"]);
    let lookups = report(out.path())["lookups"].clone();
    assert_eq!(lookups[0]["verdict"]["code"], "dns-nxdomain");
}

#[test]
fn a_pipe_can_be_read_and_written() {
    let file = fs::File::open(fixture(DEADLINE)).unwrap();
    let output = hookscope(&["extract", "-", "-w", "-", "--failed"]).stdin(file).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let copy = Scratch::new("extract-piped.pcapng", &output.stdout);
    assert_eq!(report(copy.path())["summary"]["failed_connections"], 1);
}

#[test]
fn where_nothing_matches_nothing_is_written() {
    let out = out("extract-nothing.pcapng");
    let Said { status, err, .. } = run(&["extract", &fixture(OK), "-w", out.path()]);
    assert_eq!((status, err.as_str()), (Some(0), "hookscope: nothing matches, so nothing is written\n"));
    assert!(!out.0.exists());
}

#[test]
fn what_does_not_exist_cannot_be_extracted() {
    let out = out("extract-bad.pcapng");
    let refused = |args: &[&str]| {
        let Said { status, err, .. } = said(hookscope(&["extract"]).args(args));
        assert_eq!(status, Some(2), "{args:?}: {err}");
        assert!(!out.0.exists());
        err
    };
    let ok = fixture(OK);
    assert!(refused(&[&ok, "-w", out.path(), "--connection", "99"]).contains("no connection 99"));
    assert!(refused(&[&ok, "-w", out.path(), "--code", "nonsense"]).contains("no code 'nonsense'"));
    assert!(refused(&[&ok]).contains("--write"));
    assert!(
        refused(&[&fixture(DEADLINE), "-w", "/nowhere/x.pcapng"])
            .contains("/nowhere/x.pcapng: cannot be written")
    );
}
