//! What is said while packets come, by whom, and without which privileges.

use std::time::Duration;

use hookscope_testkit::{Capture, Conversation, tls};
use serde_json::Value;

use crate::network::{INTERFACE, Network, fixture};

#[test]
fn a_client_that_gives_up_is_told_of_within_half_a_second() {
    let Some(network) = Network::new() else { return };
    let live = network.live(&[]);
    let sent = network.replay(&fixture("deadline-exceeded/deadline-10s.pcap"));
    let (told, line) = live.wait_for("deadline-exceeded");
    let late = told.saturating_duration_since(sent);
    assert!(late < Duration::from_millis(500), "{late:?} after the last packet: {line}");
    assert!(line.contains("✗ deadline-exceeded  webhook-service.metallb-system.svc"), "{line}");
    let left = live.stop();
    assert_eq!(left.status, Some(1));
    assert!(left.out.contains("What to do next"), "{}", left.out);
    // The report follows, and no second line.
    assert!(!left.out.contains("· id 0 ·") && !left.out.contains("after all"), "{}", left.out);
}

#[test]
fn what_waits_is_told_of_at_the_deadline_that_was_given() {
    let Some(network) = Network::new() else { return };
    let live = network.live(&["--deadline", "3s"]);
    // SYNs of up to 20 s; nothing comes back.
    let begun = std::time::Instant::now();
    let replay = network.replay_in_background(&fixture("syn-unanswered/syn-drop.pcap"), false);
    let (told, _) = live.wait_for("syn-unanswered");
    let after = told.duration_since(begun);
    assert!(after > Duration::from_secs(3) && after < Duration::from_millis(3_900), "{after:?}");
    drop(replay);
    assert_eq!(live.stop().status, Some(1));
}

#[test]
fn programs_get_an_object_a_line() {
    let Some(network) = Network::new() else { return };
    let live = network.live(&["--format", "ndjson", "--summary-every", "1s"]);
    network.replay(&fixture("connection-refused/").read_dir().unwrap().find_map(pcap).unwrap());
    std::thread::sleep(Duration::from_millis(1200));
    let left = live.stop();
    let lines: Vec<Value> = left.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &'static str| lines.iter().filter(move |line| line["type"] == kind).collect::<Vec<_>>();
    assert_eq!(of("connection").len(), 1, "{}", left.out);
    let connection = of("connection")[0];
    assert_eq!(connection["verdict"]["code"], "connection-refused");
    assert_eq!((&connection["revises"], &connection["is_over"]), (&Value::Null, &Value::Bool(false)));
    assert!(of("pulse").iter().any(|pulse| pulse["failed_connections"] == 1), "{}", left.out);
    assert_eq!(of("capture")[0]["files"][0], INTERFACE);
    assert_eq!(of("summary")[0]["failed_connections"], 1);
    assert_eq!(lines.last().unwrap()["type"], "summary");
}

fn pcap(entry: std::io::Result<std::fs::DirEntry>) -> Option<std::path::PathBuf> {
    let path = entry.unwrap().path();
    path.extension().is_some_and(|kind| kind == "pcap").then_some(path)
}

/// A field of what Linux says of each thread of a process.
fn status(id: u32, field: &str) -> Vec<String> {
    let threads = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
    let statuses =
        threads.map(|thread| std::fs::read_to_string(thread.unwrap().path().join("status")).unwrap());
    let value = |text: String| {
        let line = text.lines().find(|line| line.starts_with(field)).unwrap().to_owned();
        line.split_once(':').unwrap().1.trim().to_owned()
    };
    statuses.map(value).collect()
}

#[test]
fn once_it_captures_it_has_no_privileges() {
    let Some(network) = Network::new() else { return };
    let live = network.live(&["--metrics", "127.0.0.1:9478", "--threads", "2"]);
    let id = live.id();
    assert!(status(id, "Uid").len() > 3, "it has threads");
    for field in ["Uid", "Gid"] {
        for ids in status(id, field) {
            assert!(ids.split_whitespace().all(|id| id != "0"), "{field}: {ids}");
        }
    }
    for field in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        for set in status(id, field) {
            assert_eq!(u64::from_str_radix(&set, 16), Ok(0), "{field}");
        }
    }
    assert!(status(id, "NoNewPrivs").iter().all(|set| set == "1"));
    assert!(status(id, "Groups").iter().all(|groups| !groups.split_whitespace().any(|group| group == "0")));
    assert_eq!(live.stop().status, Some(0));
}

#[test]
fn it_becomes_whom_it_is_told_to() {
    let Some(network) = Network::new() else { return };
    let live = network.live(&["--user", "daemon"]);
    let uid = status(live.id(), "Uid");
    assert!(uid.iter().all(|ids| ids.split_whitespace().all(|id| id == "1")), "{uid:?}");
    live.stop();
    let live = network.start(&["live", "-i", INTERFACE, "--user", "nobody-of-that-name"]);
    live.wait_for_error("there is no user 'nobody-of-that-name'");
    assert_eq!(live.left().status, Some(2));
}

#[test]
fn what_the_kernel_dropped_is_reported_and_makes_verdicts_less_certain() {
    let Some(network) = Network::new() else { return };
    let flood: Vec<Capture> = (0..3_000_u16)
        .map(|number| {
            let client = format!("10.1.{}.{}:40000", number / 250, number % 250);
            let story = Conversation::new(&client, "10.244.9.9:9443").handshake().tls13_handshake("a.b.svc");
            story.client(&tls::application_data(15_000)).server(&tls::application_data(300)).capture()
        })
        .collect();
    let path = network.path("flood.pcap");
    std::fs::write(&path, Capture::merge(&flood).to_pcap()).unwrap();

    let live = network.live(&["--deadline", "6s", "--format", "ndjson"]);
    let replay = network.replay_in_background(&fixture("syn-unanswered/syn-drop.pcap"), false);
    std::thread::sleep(Duration::from_millis(500));
    live.signal("-STOP");
    network.replay_at_full_speed(path.as_ref());
    live.signal("-CONT");
    let (_, line) = live.wait_for("syn-unanswered");
    let told: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(told["verdict"]["certainty"], "inferred", "{line}");
    assert!(told["verdict"]["summary"].as_str().unwrap().contains("were dropped by the capture"), "{line}");
    drop(replay);
    let left = live.stop();
    assert!(left.err.contains("packets were dropped by the kernel"), "{}", left.err);
    let capture = left.out.lines().find(|line| line.starts_with("{\"type\":\"capture\"")).unwrap();
    assert!(capture.contains("packets were dropped by the kernel"), "{capture}");
}
