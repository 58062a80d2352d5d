//! The packets of what fails are written, with what the verdicts say of them.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use hookscope_testkit::{Capture, Conversation, tls};
use serde_json::Value;

use crate::network::{Network, fixture};

fn report(path: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_hookscope"))
        .args(["--format", "json", "--all", path])
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_signal_in_the_middle_leaves_a_whole_capture_with_comments() {
    let Some(network) = Network::new() else { return };
    let path = network.path("evidence.pcapng");
    let live = network.live(&["--write", &path, "--deadline", "2s"]);
    network.replay_at_full_speed(&fixture("ok/ok-tls13.pcap"));
    let replay = network.replay_in_background(&fixture("syn-unanswered/syn-drop.pcap"), false);
    live.wait_for("syn-unanswered");
    sleep(Duration::from_millis(1200));
    assert!(!std::path::Path::new(&path).exists(), "a file has its name when it is whole");
    let left = live.stop();
    drop(replay);
    assert_eq!(left.status, Some(1), "{}", left.err);
    assert!(left.out.contains("syn-unanswered") && left.out.contains("What to do next"), "{}", left.out);
    assert!(left.err.contains(&path), "{}", left.err);

    let evidence = report(&path);
    let connections = evidence["connections"].as_array().unwrap();
    assert!(!connections.is_empty());
    assert!(
        connections
            .iter()
            .all(|one| one["server"] != "10.244.1.1:9443" || one["verdict"]["severity"] == "failure")
    );
    let tshark = Command::new("tshark").args(["-r", &path, "-T", "fields", "-e", "frame.comment"]).output();
    match tshark {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let comments = String::from_utf8(output.stdout).unwrap();
            assert!(comments.contains("hookscope: syn-unanswered: first SYN"), "{comments}");
        }
        Err(error) => eprintln!("tshark: {error}: comments are looked for in the bytes only"),
    }
    let bytes = std::fs::read(&path).unwrap();
    let comment = b"hookscope: syn-unanswered: first SYN";
    assert!(bytes.windows(comment.len()).any(|part| part == comment));
}

#[test]
fn files_take_turns_within_the_room_that_was_given() {
    let Some(network) = Network::new() else { return };
    // Each connection is refused after a request of 30 kB.
    let connection = |port: u16| {
        Conversation::new(&format!("10.0.0.10:{port}"), "10.244.1.1:9443")
            .at_ms(i64::from(port))
            .handshake()
            .tls13_handshake("hook.default.svc")
            .client(&tls::application_data(15_000))
            .client(&tls::application_data(15_000))
            .server_rst()
            .capture()
    };
    let captures: Vec<Capture> = (40_000..40_012).map(connection).collect();
    let sent = network.path("sent.pcap");
    std::fs::write(&sent, Capture::merge(&captures).to_pcap()).unwrap();
    let path = network.path("turns.pcapng");
    let live = network.live(&["--write", &path, "--rotate", "64KiB", "--keep", "3"]);
    network.replay_at_full_speed(sent.as_ref());
    sleep(Duration::from_millis(2000));
    let left = live.stop();
    let folder = std::path::Path::new(&path).parent().unwrap();
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "pcapng"));
    assert_eq!(files.len(), 3, "{}", left.err);
    for file in files {
        assert!(file.metadata().unwrap().len() <= 64 << 10);
        let evidence = report(file.to_str().unwrap());
        assert_eq!(evidence["capture"]["truncated"], false);
        assert!(evidence["summary"]["verdicts"]["rst-before-response"].as_u64() >= Some(1), "{evidence}");
    }
}
