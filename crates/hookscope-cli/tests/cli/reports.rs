//! Reports of real captures: what goes where, in which form, and what the options change.

use std::io::Read;

use crate::support::{DEADLINE, OK, SYN_DROP, Scratch, fixture, hookscope, run, said};
use serde_json::Value;

fn json(args: &[&str], capture: &str) -> Value {
    let capture = fixture(capture);
    let said = run(&[args, &["--format", "json", &capture]].concat());
    assert_eq!(said.err, "");
    serde_json::from_str(&said.out).unwrap()
}

#[test]
fn the_exit_status_says_whether_something_failed() {
    for (capture, status) in [(OK, 0), (DEADLINE, 1), (SYN_DROP, 1)] {
        for format in ["text", "json", "ndjson"] {
            let said = run(&["--format", format, &fixture(capture)]);
            assert_eq!((said.status, said.err.as_str()), (Some(status), ""), "{capture} {format}");
        }
    }
    assert_eq!(run(&["-q", &fixture(OK)]).out, "");
    assert_eq!(run(&["-q", &fixture(DEADLINE)]).out.lines().count(), 1);
}

#[test]
fn quiet_says_on_standard_error_that_there_was_nothing_to_judge() {
    let idle = run(&["-q", &fixture("idle/story-idle.pcap")]);
    assert_eq!((idle.status, idle.out.as_str()), (Some(0), ""));
    assert!(idle.err.contains("no webhook call was seen: 1 connection without a request"), "{}", idle.err);
    let header = std::fs::read(fixture(OK)).unwrap()[..24].to_vec();
    let empty = Scratch::new("quiet-empty.pcap", &header);
    let empty = run(&["-q", empty.0.to_str().unwrap()]);
    assert_eq!((empty.status, empty.out.as_str()), (Some(0), ""));
    assert!(empty.err.contains("no TCP connection was seen"), "{}", empty.err);
}

#[test]
fn a_report_names_the_cause_the_proof_and_the_next_step() {
    let text = run(&[&fixture(DEADLINE)]).out;
    for part in [
        "✗ webhook-service.metallb-system.svc  10.244.1.1:9443  deadline-exceeded",
        "The server did not answer within the deadline of 10 s",
        "▶ 10.001 s  #14 ",
        "the client gives up and closes",
        "data after the client closed – the answer, too late",
        "request 1, 1,156 bytes",
        "kubectl -n metallb-system logs $(kubectl -n metallb-system get pods -o name",
        "hookscope explain deadline-exceeded",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let healthy = run(&[&fixture(OK)]).out;
    assert!(healthy.contains("✓ Nothing failed. Every call was answered in time."), "{healthy}");
    assert!(healthy.contains("webhook-service.metallb-system.svc"), "{healthy}");
}

#[test]
fn several_files_are_one_capture_and_frames_say_of_which() {
    let (first, second) = (fixture(DEADLINE), fixture(OK));
    let said = run(&["--format", "json", "--all", &first, &second]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["capture"]["packets"], 17 + 23);
    let starts: Vec<&str> =
        report["connections"].as_array().unwrap().iter().map(|it| it["start"].as_str().unwrap()).collect();
    assert!(starts.is_sorted() && starts.len() == 3, "{starts:?}");
    let text = run(&[&first, &second]).out;
    assert!(text.starts_with("deadline-10s.pcap, ok-tls13.pcap  40 packets"), "{text}");
    assert!(text.contains("frame of deadline-10s.pcap"), "{text}");
}

#[test]
fn ndjson_is_an_object_a_line_in_order() {
    let said = run(&["--format", "ndjson", "--all", &fixture(DEADLINE), &fixture(OK)]);
    let lines: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    let expected = ["capture", "connection", "connection", "connection", "endpoint", "endpoint", "summary"];
    assert_eq!(kinds, expected);
    let healthy = run(&["--format", "ndjson", &fixture(OK)]).out;
    assert!(!healthy.contains(r#""type":"connection""#), "{healthy}");
}

#[test]
fn the_deadline_and_the_slow_threshold_decide() {
    let deadline = |args: &[&str]| json(args, DEADLINE)["connections"][0]["verdict"].clone();
    assert_eq!(
        (&deadline(&[])["code"], &deadline(&[])["deadline_s"]),
        (&"deadline-exceeded".into(), &10.0.into())
    );
    // Ten seconds are a whole number of seconds, whatever the deadline is said to be.
    assert_eq!(deadline(&["--deadline", "3s"])["deadline_s"], 10.0);

    let slow = |args: &[&str]| json(args, OK)["summary"]["verdicts"].clone();
    assert_eq!(slow(&[]), serde_json::json!({"ok": 1}));
    assert_eq!(slow(&["--slow", "1ms"]), serde_json::json!({"slow-tls-handshake": 1}));
    assert_eq!(slow(&["--deadline", "2ms"]), serde_json::json!({"slow-tls-handshake": 1}));
}

#[test]
fn filters_leave_other_servers_out() {
    let connections = |args: &[&str]| json(args, DEADLINE)["summary"]["connections"].as_u64().unwrap();
    assert_eq!(connections(&[]), 2);
    assert_eq!(connections(&["--port", "9443"]), 1);
    assert_eq!(connections(&["--port", "9443", "--port", "9475"]), 2);
    assert_eq!(connections(&["--server", "10.244.0.0/16"]), 2);
    assert_eq!(connections(&["--server", "10.244.1.1:9475"]), 1);
    assert_eq!(connections(&["--name", "*.metallb-system.svc"]), 1);
}

#[test]
fn filters_that_let_nothing_pass_are_named_as_the_reason() {
    let reason = "The filters leave none of the 2 connections.";
    for filter in [["--server", "192.0.2.0/24"], ["--name", "*.kyverno.svc"], ["--port", "1"]] {
        let filtered = |more: &[&str]| run(&[&filter, more, &[&fixture(DEADLINE)]].concat());
        let text = filtered(&[]);
        assert!(text.out.contains(reason) && text.err.is_empty(), "{}{}", text.out, text.err);
        assert!(!text.out.contains("No TCP connection"), "{}", text.out);
        for option in ["--server takes", "--name must", "--port takes"] {
            let [given, _] = filter;
            assert_eq!(text.out.contains(option), option.starts_with(given), "{option}: {}", text.out);
        }
        let quiet = filtered(&["-q"]);
        assert!(quiet.out.is_empty() && quiet.err.contains(reason), "{}{}", quiet.out, quiet.err);
        let json = filtered(&["--format", "json"]);
        let report: Value = serde_json::from_str(&json.out).unwrap();
        assert!(report["summary"]["connections"] == 0 && json.err.contains(reason), "{}", json.err);
    }
    let other_name = run(&["--name", "*.kyverno.svc", &fixture(SYN_DROP)]).out;
    assert!(other_name.contains("to servers without a known name"), "{other_name}");
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    for format in ["text", "json", "ndjson"] {
        let with = |threads| {
            let files = [fixture(DEADLINE), fixture(OK), fixture(SYN_DROP)];
            run(&["--format", format, "--all", "--threads", threads, &files[0], &files[1], &files[2]]).out
        };
        assert_eq!(with("1"), with("2"), "{format}");
    }
}

#[test]
fn lines_fit_the_page_unless_they_are_to_be_copied() {
    for columns in [80, 120] {
        let said = said(hookscope(&[&fixture(DEADLINE)]).env("COLUMNS", columns.to_string()));
        for line in said.out.lines() {
            let copied = ["kubectl", "Wireshark"].iter().any(|it| line.contains(it));
            assert!(copied || line.chars().count() <= columns, "{columns}: {line}");
        }
    }
}

#[test]
fn colour_is_for_terminals_or_on_request() {
    let coloured = |args: &[&str], var: Option<(&str, &str)>| {
        let capture = fixture(DEADLINE);
        said(hookscope(&[args, &[&capture]].concat()).envs(var)).out.contains('\u{1b}')
    };
    assert!(!coloured(&[], None));
    assert!(coloured(&["--color", "always"], None));
    assert!(coloured(&[], Some(("CLICOLOR_FORCE", "1"))));
    assert!(coloured(&["--color", "always"], Some(("NO_COLOR", "1"))));
    assert!(!coloured(&["--color", "never"], Some(("CLICOLOR_FORCE", "1"))));
    assert!(!coloured(&["--format", "json", "--color", "always"], None));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    for args in [&["-v"][..], &["--format", "json"], &["--format", "ndjson"]] {
        let capture = fixture(DEADLINE);
        let mut child = hookscope(&[args, &[&capture]].concat()).spawn().unwrap();
        drop(child.stdout.take());
        let mut complaint = String::new();
        child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
        assert_eq!((child.wait().unwrap().code(), complaint.as_str()), (Some(1), ""), "{args:?}");
    }
}

#[test]
fn times_are_in_utc_unless_the_local_zone_is_asked_for() {
    let in_zone = |args: &[&str], zone: &str| {
        let capture = fixture(DEADLINE);
        said(hookscope(&[args, &[&capture]].concat()).env("TZ", zone))
    };
    let (tokyo, utc) = ("JST-9", "UTC0");
    assert_eq!(in_zone(&[], tokyo).out, in_zone(&[], utc).out);
    assert_eq!(in_zone(&["--local-time", "--utc"], tokyo).out, in_zone(&[], utc).out);
    let local = in_zone(&["--local-time"], tokyo);
    assert_eq!(local.err, "");
    assert!(local.out.contains("\n2026-11-23 00:34:27 – 00:34:37 JST\n"), "{}", local.out);
    assert!(local.out.contains("Example  00:34:27.528 JST · "), "{}", local.out);
    // What is to be copied into a command, and what programs read, is in UTC.
    assert!(local.out.contains("--since-time=2026-11-22T15:34:27Z"), "{}", local.out);
    let json = ["--format", "json", "--local-time"];
    assert_eq!(in_zone(&json, tokyo).out, in_zone(&json, utc).out);
    let unknown = in_zone(&["--local-time"], "Nowhere/Nowhere");
    assert!(unknown.err.contains("the local time zone is not known"), "{}", unknown.err);
    assert_eq!((unknown.out, unknown.status), (in_zone(&[], utc).out, Some(1)));
}
