//! What the cluster's objects add to a report, and what is said of objects that cannot be read.

use std::process::Stdio;

use crate::support::{OK, Scratch, fixture, hookscope, run, said};
use serde_json::Value;

/// The objects of `fixtures/incident`.
fn objects() -> String {
    fixture("../crates/hookscope-cluster/tests/objects/incident.json")
}

fn incident(args: &[&str]) -> crate::support::Said {
    run(&[args, &["--cluster", &objects(), &fixture("incident/incident.pcap.zst")]].concat())
}

#[test]
fn webhooks_come_first_then_service_pod_and_node() {
    let text = incident(&[]).out;
    for part in [
        "✗  53 of 57  syn-unanswered            inc-dropped.lab.io  webhook-service.metallb-system.svc",
        "✗ inc-dropped.lab.io  10.244.1.1:10250  syn-unanswered\n  webhook-service.metallb-system.svc:10250 · pod \
         metallb-system/webhook-service-7d9f · node worker-1\n",
        "✗ inc-refused.lab.io  10.244.1.1:9999  connection-refused\n  kyverno-svc.kyverno.svc:9999 · pod",
        "it is issued by CN=other-ca\n  (key id b41b27b4b5012eba…); the caBundle of inc-badca12.lab.io trusts CN=lab-ca",
        "compare its issuer with the caBundle of inc-badca.lab.io, which trusts CN=lab-ca",
        "Objects of the cluster\n\n✗ inc-refused.lab.io  target-port-not-listening\n",
        "✓ inc-healthy.lab.io    10.244.1.1:9443 ",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let quiet = incident(&["-q"]).out;
    assert!(quiet.lines().count() == 6 && quiet.contains("inc-slowone.lab.io"), "{quiet}");
}

#[test]
fn json_has_the_webhooks_and_ndjson_a_line_for_them() {
    let report: Value = serde_json::from_str(&incident(&["--format", "json"]).out).unwrap();
    assert_eq!(report["cluster"]["webhooks"].as_array().unwrap().len(), 8);
    assert_eq!(report["cluster"]["webhooks"][0]["name"], "inc-badca.lab.io");
    assert!(
        report["cluster"]["findings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["code"] == "target-port-not-listening")
    );
    let lines = incident(&["--format", "ndjson"]).out;
    assert_eq!(lines.lines().filter(|line| line.starts_with(r#"{"type":"cluster","webhooks":["#)).count(), 1);
    let without: Value =
        serde_json::from_str(&run(&["--format", "json", "--all", &fixture(OK)]).out).unwrap();
    assert!(without["cluster"].is_null() && without["connections"][0]["cluster"].is_null());
}

#[test]
fn webhooks_are_found_by_their_own_name() {
    for (name, count) in [("inc-dropped.lab.io", 1), ("*.lab.io", 6), ("kyverno-svc.kyverno.svc", 2)] {
        assert_eq!(incident(&["-q", "--name", name]).out.lines().count(), count, "{name}");
    }
}

#[test]
fn failures_that_are_ignored_are_said_to_be() {
    let text = std::fs::read_to_string(objects()).unwrap();
    let ignoring = Scratch::new("cluster-ignoring.json", text.replace("\"Fail\"", "\"Ignore\"").as_bytes());
    let said = run(&["--cluster", ignoring.path(), &fixture("incident/incident.pcap.zst")]);
    let words = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words.matches("failurePolicy: Ignore, requests go on without it").count(), 6, "{}", said.out);
    assert!(!said.out.contains("fail-policy-own-namespace"), "{}", said.out);
    assert!(!incident(&[]).out.contains("failurePolicy: Ignore"));
}

#[test]
fn objects_may_come_from_standard_input_once() {
    let capture = fixture(OK);
    let input = std::fs::File::open(objects()).unwrap();
    let mut command = hookscope(&["--format", "json", "--all", "--cluster", "-", &capture]);
    let report: Value = serde_json::from_str(&said(command.stdin(Stdio::from(input))).out).unwrap();
    assert_eq!(report["cluster"]["webhooks"].as_array().unwrap().len(), 8);
    let twice = run(&["--cluster", "-", "-"]);
    assert_eq!(twice.status, Some(2));
    assert!(twice.err.contains("can be read only once"), "{}", twice.err);
}

#[test]
fn what_cannot_be_read_is_named_with_its_place() {
    let bad = Scratch::new("cluster-bad.yaml", b"kind: List\nitems:\n- a: [b\n");
    let binary = Scratch::new("cluster-binary.json", b"{\"kind\":\n\"\xff\"}");
    for (path, place) in [
        (bad.path(), ":"),
        (binary.path(), ":2: not UTF-8"),
        ("/nonexistent.json", ": no such file; check what --cluster names"),
    ] {
        let said = run(&["--cluster", path, &fixture(OK)]);
        assert_eq!((said.status, said.out.as_str()), (Some(2), ""), "{path}");
        assert!(said.err.starts_with(&format!("hookscope: {path}{place}")), "{}", said.err);
    }
}

#[test]
fn a_file_that_the_environment_names_is_said_to_be_its() {
    let said = said(hookscope(&[&fixture(OK)]).env("HOOKSCOPE_CLUSTER", "/nonexistent.json"));
    assert_eq!((said.status, said.out.as_str()), (Some(2), ""));
    assert!(said.err.contains("check what HOOKSCOPE_CLUSTER names"), "{}", said.err);
}

#[test]
fn broken_objects_are_warnings_and_the_others_count() {
    let text = r#"{"kind": "Service", "apiVersion": "v1", "metadata": {"namespace": "a", "name": "b"}, "spec": {"ports": 7}}"#;
    let file = Scratch::new("cluster-broken.json", text.repeat(8).as_bytes());
    let said = run(&["--format", "json", "--cluster", file.path(), "--cluster", &objects(), &fixture(OK)]);
    assert_eq!(said.status, Some(0));
    let report: Value = serde_json::from_str(&said.out).unwrap();
    let warnings = report["capture"]["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 6);
    let first = warnings[0].as_str().unwrap();
    assert!(first.contains(":1: Service a/b (document 1) is left out: spec.ports: invalid type"), "{first}");
    assert_eq!(warnings[5], "3 more objects of the cluster are left out");
    let empty = Scratch::new("cluster-empty.yaml", b"kind: Secret\nmetadata: {name: x}\n");
    let said = run(&["--cluster", empty.path(), &fixture(OK)]);
    assert!(said.out.contains("no object that is of use in"), "{}", said.out);
}

#[test]
fn objects_of_another_cluster_are_noticed() {
    let said = run(&["--cluster", &objects(), &fixture("ok/ipv6-ok.pcap")]);
    assert!(said.out.contains("! no connection is to one of the 8 webhooks in the objects"), "{}", said.out);
    assert!(!incident(&[]).out.contains("no connection is to one of"));
}

#[test]
fn an_own_deadline_takes_the_place_of_the_option() {
    let report: Value =
        serde_json::from_str(&incident(&["--format", "json", "--deadline", "25s"]).out).unwrap();
    let deadlines =
        report["connections"].as_array().unwrap().iter().map(|it| it["verdict"]["deadline_s"].as_f64());
    assert!(deadlines.into_iter().all(|it| it == Some(10.0)));
}
