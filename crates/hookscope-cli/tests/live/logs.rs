//! kube-apiserver's log beside running traffic: read for the final report, by whoever may not read it any more.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use hookscope::time::Timestamp;
use serde_json::Value;

use crate::network::{Left, Live, Network, fixture};

/// kube-apiserver's line of a call that failed just now.
fn line(webhook: &str, url: &str, error: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let now = Timestamp::from_nanos(now.try_into().unwrap()).to_string();
    // 2026-11-22T15:34:37.530257… is written W1122 15:34:37.530257.
    let stamp = format!("{}{} {}", &now[5..7], &now[8..10], &now[11..26]);
    format!(
        "W{stamp}   25545 dispatcher.go:153] Failed calling webhook, failing closed {webhook}: failed calling webhook \
         \"{webhook}\": failed to call webhook: Post \"{url}\": {error}\n"
    )
}

fn write(path: &str, mode: u32, text: &str) {
    fs::File::options().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Waits for the verdict on a call that runs into its deadline, and logs it.
fn log_the_failure(network: &Network, live: &Live, log: &str, mode: u32) {
    network.replay(&fixture("deadline-exceeded/deadline-10s.pcap"));
    live.wait_for("deadline-exceeded");
    let url = "https://webhook-service.metallb-system.svc:443/sleep/15s?timeout=10s";
    write(log, mode, &line("deadline-10s.lab.io", url, "context deadline exceeded"));
}

fn logged(left: &Left) -> Vec<Value> {
    let lines = left.out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["type"] == "log").collect()
}

#[test]
fn each_line_of_the_log_is_explained_in_the_final_report() {
    let Some(network) = Network::new() else { return };
    let log = network.path("kube-apiserver.log");
    // Root's alone: it is opened before it runs as nobody.
    write(&log, 0o600, "");
    let live = network.live(&["--format", "ndjson", "--log", &log]);
    log_the_failure(&network, &live, &log, 0o600);
    let left = live.stop();
    let lines = logged(&left);
    assert_eq!(lines.len(), 1, "{}\n{}", left.out, left.err);
    assert_eq!(
        (&lines[0]["webhook"], &lines[0]["agrees"]),
        (&"deadline-10s.lab.io".into(), &true.into()),
        "{}",
        left.out
    );
    assert_eq!(lines[0]["verdict"]["code"], "deadline-exceeded", "{}", left.out);
    assert!(lines[0]["connection"].is_u64() && lines[0]["outside"] == false, "{}", left.out);
    assert_eq!(left.status, Some(1));
}

#[test]
fn a_log_that_was_rotated_is_read_on_as_far_as_it_may_be() {
    let Some(network) = Network::new() else { return };
    let log = network.path("kube-apiserver.log");
    write(&log, 0o600, "");
    let live = network.live(&["--format", "ndjson", "--log", &log, "--deadline", "10s"]);
    log_the_failure(&network, &live, &log, 0o600);
    fs::rename(&log, Path::new(&log).with_extension("1")).unwrap();
    let refused = line("refused.lab.io", "https://a.b.svc:443/?timeout=10s", "context deadline exceeded");
    write(&log, 0o600, &refused);
    let left = live.stop();
    let lines = logged(&left);
    assert_eq!(lines.len(), 1, "{}\n{}", left.out, left.err);
    assert!(
        lines[0]["file"].is_null() || lines[0]["file"].as_str().unwrap().ends_with("(before it was rotated)")
    );
    assert!(
        left.err.contains("it was rotated, and the file that took its place cannot be read"),
        "{}",
        left.err
    );
}

#[test]
fn a_log_that_cannot_be_read_is_refused_at_the_start() {
    let Some(network) = Network::new() else { return };
    for (log, reason) in [(network.path("none.log"), "No such file"), ("-".to_owned(), "No such file")] {
        let live = network.start(&["live", "-i", crate::network::INTERFACE, "--log", &log]);
        live.wait_for_error(reason);
        assert_eq!(live.left().status, Some(2));
    }
}
