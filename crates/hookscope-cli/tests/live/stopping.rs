//! When it stops, and what it says then.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::network::{INTERFACE, Network, fixture, pcap};

const OK: &str = "ok/ok-tls13.pcap";
const REFUSED: &str = "rst-before-response/";

fn failing() -> std::path::PathBuf {
    let mut paths: Vec<_> = fixture(REFUSED).read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "pcap"));
    paths.sort();
    paths.remove(0)
}

#[test]
fn after_a_number_of_packets() {
    let Some(network) = Network::new() else { return };
    let live = network.live(&["--count", "10", "--format", "json"]);
    network.replay_at_full_speed(&fixture(OK));
    let left = live.left();
    assert_eq!(left.status, Some(0), "{}", left.err);
    let report: serde_json::Value = serde_json::from_str(&left.out).unwrap();
    assert_eq!(report["capture"]["packets"], 10);
}

#[test]
fn after_a_time() {
    let Some(network) = Network::new() else { return };
    let begun = Instant::now();
    let left = network.live(&["--duration", "1500ms"]).left();
    assert_eq!(left.status, Some(0));
    let after = begun.elapsed();
    assert!(after > Duration::from_millis(1400) && after < Duration::from_secs(5), "{after:?}");
}

#[test]
fn at_the_first_failure() {
    let Some(network) = Network::new() else { return };
    let live = network.live(&["--until-failure"]);
    network.replay(&fixture(OK));
    network.replay(&failing());
    let left = live.left();
    assert_eq!(left.status, Some(1), "{}", left.err);
    assert!(left.out.contains("✗ rst-before-response"), "{}", left.out);
    assert!(left.out.contains("What to do next"), "{}", left.out);
}

#[test]
fn at_a_signal_with_the_report() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let Some(network) = Network::new() else { return };
        let live = network.live(&[]);
        network.replay_at_full_speed(&fixture(OK));
        sleep(Duration::from_millis(300));
        live.signal(signal);
        let left = live.left();
        assert_eq!(left.status, Some(0), "{signal}: {}", left.err);
        assert!(left.out.contains("Nothing failed"), "{signal}: {}", left.out);
    }
}

#[test]
fn when_its_reader_has_seen_enough() {
    let Some(network) = Network::new() else { return };
    let mut command = network.command("sh");
    let live =
        format!("{} live -i {INTERFACE} | grep -m 1 rst-before-response", env!("CARGO_BIN_EXE_hookscope"));
    let mut child = command.args(["-c", &live]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    sleep(Duration::from_millis(1000));
    network.replay_at_full_speed(&failing());
    sleep(Duration::from_millis(1000));
    // The next line meets nobody.
    network.replay_at_full_speed(&fixture("connection-refused/").read_dir().unwrap().find_map(pcap).unwrap());
    let begun = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if begun.elapsed() > Duration::from_secs(10) => {
                network.run(&["sh", "-c", "kill $(ip netns pids $(ip netns identify))"]);
                panic!("it does not end");
            }
            None => sleep(Duration::from_millis(50)),
        }
    };
    assert!(status.success());
}

#[test]
fn when_the_interface_goes_away() {
    let Some(network) = Network::new() else { return };
    let live = network.live(&[]);
    network.replay_at_full_speed(&failing());
    network.run(&["ip", "link", "del", INTERFACE]);
    let left = live.left();
    assert_eq!(left.status, Some(1), "{}", left.err);
    assert!(left.err.contains("near is gone, and the capture ends"), "{}", left.err);
    assert!(left.out.contains("rst-before-response"), "{}", left.out);
}

#[test]
fn when_the_interface_goes_down() {
    let Some(network) = Network::new() else { return };
    let live = network.live(&[]);
    network.run(&["ip", "link", "set", INTERFACE, "down"]);
    let left = live.left();
    assert_eq!(left.status, Some(0), "{}", left.err);
    assert!(left.err.contains("near went down, and the capture ends; --wait"), "{}", left.err);
}

#[test]
fn not_when_it_is_to_wait() {
    let Some(network) = Network::new() else { return };
    network.run(&["ip", "link", "set", INTERFACE, "down"]);
    let live = network.start(&["live", "-i", INTERFACE, "--wait"]);
    live.wait_for_error("near: the interface is down");
    network.run(&["ip", "link", "set", INTERFACE, "up"]);
    live.wait_for_error("capturing from near");
    network.run(&["ip", "link", "set", INTERFACE, "down"]);
    live.wait_for_error("near went down: waiting");
    network.run(&["ip", "link", "set", INTERFACE, "up"]);
    live.wait_for_error("near is up again");
    network.replay_at_full_speed(&failing());
    live.wait_for("rst-before-response");
    assert_eq!(live.stop().status, Some(1));
}

#[test]
fn not_when_it_is_to_wait_for_another_interface_of_that_name() {
    let Some(network) = Network::new() else { return };
    let live = network.live(&["--wait"]);
    network.run(&["ip", "link", "del", INTERFACE]);
    live.wait_for_error("near is gone: waiting");
    network.add_interfaces();
    live.wait_for_error("near is up again");
    network.replay_at_full_speed(&failing());
    live.wait_for("rst-before-response");
    assert_eq!(live.stop().status, Some(1));
}

#[test]
fn never_begins_where_it_cannot() {
    let Some(network) = Network::new() else { return };
    // The test is root's, and so is its file; who captures is nobody.
    let of_root = network.path("of-root.pcapng");
    std::fs::write(&of_root, "").unwrap();
    for (args, complaint) in [
        (
            &["live", "-i", INTERFACE, "--write", &of_root][..],
            "of-root.pcapng: cannot be written: Permission denied (os error 13); it is written as nobody, once",
        ),
        (&["live", "-i", "nowhere0"], "nowhere0: no such interface; there are far, lo, near, any"),
        (&["live", "-i", INTERFACE, "tcp portt 443"], "the filter is not understood: syntax error"),
        (&["live", "-i", INTERFACE, "--write", "/nowhere/e.pcapng"], "/nowhere/e.pcapng: cannot be written"),
        (
            &["live", "-i", INTERFACE, "--metrics", "192.0.2.1:9478"],
            "metrics cannot be served at 192.0.2.1:9478",
        ),
    ] {
        let left = network.start(args).left();
        assert_eq!((left.status, left.out.as_str()), (Some(2), ""), "{args:?}: {}", left.err);
        assert!(left.err.contains(complaint), "{args:?}: {}", left.err);
    }
    let left = network.start(&["live", "-i", INTERFACE, "tcp portt 443"]).left();
    assert!(left.err.ends_with("\n  tcp portt 443\n      ^\n"), "{}", left.err);
}
