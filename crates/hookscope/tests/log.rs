//! kube-apiserver's own log of the recordings under `fixtures/`, held against their packets: each failed call is tied to
//! its connection and explained by its labelled code, and no other one is. `data/apiserver.log` is that of the captures
//! that show one thing each, `data/incident.apiserver.log` that of the incident.

mod common;

use std::collections::BTreeSet;
use std::path::PathBuf;

use common::{Fixture, Recording, fixtures_root, json};
use hookscope::log::{Log, Reader};
use hookscope::report::schema::{LogLine, Report};
use hookscope::{Config, Inspector};
use hookscope_testkit::Rng;

fn text(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Log {
    let mut reader = Reader::default();
    reader.file("apiserver.log");
    lines.for_each(|line| reader.line(line.as_bytes(), false));
    reader.end().unwrap();
    reader.finish()
}

fn report(recording: &Recording, log: &Log) -> Report {
    let mut inspector = Inspector::new(Config { retain: log.retain(), shards: 3, ..Config::default() });
    for packet in &recording.packets {
        inspector.observe(&packet.packet());
    }
    let report = inspector.finish().report_with(&recording.input, log);
    // With a log, too, what is written can be read back.
    let text = json(&report);
    assert!(json(&serde_json::from_str(&text).unwrap()) == text);
    report
}

fn incident() -> Recording {
    let fixture = Fixture::all().into_iter().find(|fixture| fixture.folder == "incident").unwrap();
    fixture.read()
}

/// The incident's webhooks that fail, and how.
const INCIDENT: [(&str, &str, usize); 6] = [
    ("inc-badca.lab.io", "tls-certificate-rejected", 38),
    ("inc-badca12.lab.io", "tls-bad-certificate", 45),
    ("inc-dropped.lab.io", "syn-unanswered", 53),
    ("inc-refused.lab.io", "connection-refused", 46),
    ("inc-resets.lab.io", "rst-before-response", 41),
    ("inc-slowone.lab.io", "deadline-exceeded", 21),
];

fn hold_incident(lines: &[LogLine], what: &str) {
    let mut connections = BTreeSet::new();
    for (webhook, code, count) in INCIDENT {
        let own: Vec<_> = lines.iter().filter(|line| line.webhook == webhook).collect();
        assert_eq!(own.len(), count, "{what}: {webhook}");
        for line in own {
            assert_eq!(line.verdict.code, code, "{what}: line {}: {line:#?}", line.line);
            assert!(line.agrees && !line.outside, "{what}: line {}: {line:#?}", line.line);
            assert!(connections.insert((line.connection.unwrap(), line.call)), "{what}: line {}", line.line);
        }
    }
}

#[test]
fn each_failed_call_of_the_incident_is_explained() {
    let log = text("incident.apiserver.log");
    let report = report(&incident(), &read(log.lines()));
    assert_eq!(report.log.len(), 244);
    hold_incident(&report.log, "as it is");
    for line in &report.log {
        let connection = report.connections.iter().find(|it| Some(it.id) == line.connection).unwrap();
        if let Some((_, rest)) = line.error.split_once("read tcp ") {
            assert_eq!(rest.split("->").next(), Some(connection.client.as_str()), "line {}", line.line);
        }
    }
}

/// Headers of klog, moved by whole minutes.
fn in_zone(log: &str, minutes: i64) -> String {
    let moved = log.lines().map(|line| {
        let (month_day, rest) = (&line[1..5], &line[6..]);
        let seconds = rest[0..2].parse::<i64>().unwrap() * 60 + rest[3..5].parse::<i64>().unwrap();
        let total = seconds + minutes;
        let day = month_day[2..].parse::<i64>().unwrap() + total.div_euclid(1440);
        let total = total.rem_euclid(1440);
        format!("{}{}{day:02} {:02}:{:02}{}", &line[..1], &month_day[..2], total / 60, total % 60, &rest[5..])
    });
    moved.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_zone_of_a_log_is_found_by_what_fits() {
    let (incident, log) = (incident(), text("incident.apiserver.log"));
    for (minutes, name) in [(330, "UTC+05:30"), (-480, "UTC-08:00"), (60, "UTC+01:00")] {
        let moved = in_zone(&log, minutes);
        let report = report(&incident, &read(moved.lines()));
        hold_incident(&report.log, name);
        assert!(
            report.capture.warnings.iter().any(|warning| warning.contains(name)),
            "{:?}",
            report.capture.warnings
        );
    }
    // Without ports that tell, by time and error alone.
    let moved = in_zone(&log, 120);
    let dropped = report(&incident, &read(moved.lines().filter(|line| line.contains("inc-dropped"))));
    assert!(dropped.log.iter().all(|line| line.verdict.code == "syn-unanswered" && line.agrees));
}

#[test]
fn prefixes_parts_and_json_change_nothing() {
    let (incident, log) = (incident(), text("incident.apiserver.log"));
    let at = |line: &str| format!("2026-{}-{}T{}Z", &line[1..3], &line[3..5], &line[6..21]);
    let containerd = |line: &str| {
        let (front, back) = line.split_at(line.len() / 2);
        let at = at(line);
        vec![format!("{at} stderr P {front}"), format!("{at} stderr F {back}")]
    };
    let docker = |line: &str| {
        let log = serde_json::json!({"log": format!("{line}\n"), "stream": "stderr", "time": at(line)});
        vec![log.to_string()]
    };
    let journal = |line: &str| vec![format!("Nov 22 15:27:36 node kube-apiserver[25545]: {line}")];
    let kinds: [(&str, Vec<String>); 3] = [
        ("containerd", log.lines().flat_map(containerd).collect()),
        ("docker", log.lines().flat_map(docker).collect()),
        ("journald", log.lines().flat_map(journal).collect()),
    ];
    for (kind, wrapped) in kinds {
        let report = report(&incident, &read(wrapped.iter().map(String::as_str)));
        hold_incident(&report.log, kind);
    }
}

#[test]
fn the_order_of_lines_changes_nothing() {
    let (incident, log) = (incident(), text("incident.apiserver.log"));
    let mut lines: Vec<&str> = log.lines().filter(|line| line.starts_with('W')).collect();
    Rng::new(7).shuffle(&mut lines);
    hold_incident(&report(&incident, &read(lines.into_iter())).log, "shuffled");
}

/// A labelled capture: its fixture, its code, and the webhook that failed in it.
fn labelled() -> Vec<(String, String, String)> {
    let table = text("messages.tsv");
    let rows =
        table.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect::<Vec<_>>());
    let rows = rows.filter(|row| row[1] != "-" && !row[0].contains('/'));
    let rows = rows.map(|row| {
        let webhook = format!("{}.lab.io", row[0].split('.').next().unwrap());
        (row[1].to_owned(), row[3].to_owned(), webhook)
    });
    rows.collect()
}

#[test]
fn each_line_of_the_log_is_tied_in_its_own_capture_and_outside_of_all_others() {
    let log = text("apiserver.log");
    let log = read(log.lines());
    let labelled = labelled();
    assert!(labelled.len() > 55);
    for (fixture, code, webhook) in labelled {
        let recording = Recording::read(&fixtures_root().join(&fixture));
        let report = report(&recording, &log);
        let (own, others): (Vec<_>, Vec<_>) = report.log.iter().partition(|line| line.webhook == webhook);
        for line in &own {
            assert_eq!((line.verdict.code, line.outside), (code.as_str(), false), "{fixture}: {line:#?}");
            assert!(line.agrees, "{fixture}: {line:#?}");
        }
        assert!(!own.is_empty() || code == "ok", "{fixture}");
        for line in others {
            assert!(line.outside && line.connection.is_none() && !line.agrees, "{fixture}: {line:#?}");
            assert!(line.verdict.summary.contains("outside the capture's time"), "{fixture}: {line:#?}");
        }
    }
}

const HEAD: &str = "W1122 15:34:37.550000   1 dispatcher.go:153] Failed calling webhook, failing closed x.io: failed calling webhook \"x.io\": failed to call webhook: ";
const DEADLINE: &str = "deadline-exceeded/deadline-10s.pcap";

fn lines_about(fixture: &str, lines: &[String]) -> Vec<LogLine> {
    let recording = Recording::read(&fixtures_root().join(fixture));
    report(&recording, &read(lines.iter().map(String::as_str))).log
}

#[test]
fn where_packets_and_log_disagree_both_are_shown() {
    let url = "Post \"https://webhook-service.metallb-system.svc:443/sleep/15s?timeout=10s\"";
    let log = lines_about(DEADLINE, &[format!("{HEAD}{url}: EOF")]);
    assert_eq!((log[0].verdict.code, log[0].agrees), ("deadline-exceeded", false));
    assert!(log[0].connection.is_some());
    assert_eq!(log[0].error, "EOF");
    assert_eq!(log[0].verdict.apiserver_error.as_deref(), Some("context deadline exceeded"));
}

#[test]
fn where_nothing_was_sent_that_is_said_with_what_it_means() {
    let head = HEAD.replace("37.55", "36.55");
    for (error, word) in [
        ("no endpoints available for service \"gone\"", "ready"),
        ("service \"gone\" not found", "does not exist"),
        ("No agent available", "egress proxy"),
        ("dial tcp 10.96.0.99:443: connect: connection refused", "no packet of it"),
    ] {
        let log =
            lines_about(DEADLINE, &[format!("{head}Post \"https://gone.ns.svc:443/?timeout=5s\": {error}")]);
        let line = &log[0];
        assert_eq!((line.verdict.class.name(), line.verdict.code), ("not-sent", "nothing-sent"), "{error}");
        assert!(line.verdict.summary.contains(word), "{error}: {}", line.verdict.summary);
        assert!(!line.verdict.hints.is_empty() && line.connection.is_none() && !line.outside, "{error}");
    }
}

#[test]
fn a_call_that_began_before_the_capture_is_not_said_to_be_unsent() {
    let line = HEAD.replace("15:34:37.55", "15:34:30.00");
    let log = lines_about(
        DEADLINE,
        &[format!("{line}Post \"https://other.ns.svc:443/?timeout=10s\": context deadline exceeded")],
    );
    assert_eq!((log[0].verdict.code, log[0].outside), ("capture-incomplete", false));
}

#[test]
fn logs_of_several_apiservers_are_told_apart() {
    let mut reader = Reader::default();
    let log = text("apiserver.log");
    for name in ["a.log", "b.log"] {
        reader.file(name);
        log.lines()
            .filter(|line| (name == "a.log") == line.contains("deadline-10s.lab.io"))
            .for_each(|line| reader.line(line.as_bytes(), false));
        reader.end().unwrap();
    }
    let recording = Recording::read(&fixtures_root().join(DEADLINE));
    let report = report(&recording, &reader.finish());
    let tied: Vec<_> = report.log.iter().filter(|line| line.connection.is_some()).collect();
    assert_eq!(tied.len(), 1);
    assert_eq!(tied[0].file.as_deref(), Some("a.log"));
}
