//! Each webhook's own `timeoutSeconds` is the deadline of its calls.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{inspect, only, read, recordings, report, webhook, worst};
use hookscope::cluster::Cluster;
use hookscope::{Config, Keep};
use serde_json::Value;

/// Objects in which only the webhook of this recording is left, with another `timeoutSeconds`.
fn with_timeout(name: &str, seconds: u64) -> Value {
    let name = format!("{name}.lab.io");
    let mut objects = only(recordings(), |it| it == name);
    webhook(&mut objects, &name)["timeoutSeconds"] = seconds.into();
    objects
}

#[test]
fn slow_is_what_takes_more_than_half_of_the_webhooks_deadline() {
    for (seconds, code) in [(10, "slow"), (14, "slow"), (15, "ok"), (30, "ok")] {
        let report = report("slow/slow-7s.pcap", &with_timeout("slow-7s", seconds));
        let verdict = &worst(&report).verdict;
        assert_eq!((verdict.code, verdict.deadline_s), (code, Some(seconds as f64)), "{seconds} s");
    }
}

#[test]
fn an_own_threshold_counts_more() {
    let cluster = Some(Arc::new(Cluster::new(read(&with_timeout("slow-7s", 30)))));
    let slow = Some(Duration::from_secs(6));
    let report = inspect("slow/slow-7s.pcap", Config { keep: Keep::All, cluster, slow, ..Config::default() });
    assert_eq!(worst(&report).verdict.code, "slow");
}

#[test]
fn whoever_gives_up_past_the_webhooks_deadline_kept_it() {
    // The client leaves 3.4 s into the call or so: no whole second.
    let codes = [30, 10, 4, 2, 1].map(|seconds| {
        let report = report("client-aborted/client-aborted.pcap", &with_timeout("client-aborted", seconds));
        let verdict = &worst(&report).verdict;
        (seconds, verdict.code, verdict.deadline_s)
    });
    assert_eq!(
        codes,
        [
            (30, "client-aborted", Some(30.0)),
            (10, "client-aborted", Some(10.0)),
            (4, "client-aborted", Some(4.0)),
            (2, "deadline-exceeded", Some(2.0)),
            (1, "deadline-exceeded", Some(1.0)),
        ]
    );
}

#[test]
fn of_webhooks_that_share_a_server_the_longest_deadline_counts() {
    let mut objects = only(recordings(), |it| ["slow-7s.lab.io", "pmtud-works.lab.io"].contains(&it));
    for (other, code) in [(5, "slow"), (10, "slow"), (30, "ok")] {
        webhook(&mut objects, "pmtud-works.lab.io")["timeoutSeconds"] = other.into();
        let report = report("slow/slow-7s.pcap", &objects);
        let connection = worst(&report);
        assert_eq!(connection.verdict.code, code, "{other} s");
        assert_eq!(connection.cluster.as_ref().unwrap().webhooks.len(), 2);
    }
}

#[test]
fn a_server_of_no_webhook_has_the_configured_deadline() {
    let cluster = Some(Arc::new(Cluster::new(read(&with_timeout("ok-tls12", 30)))));
    let deadline = Duration::from_secs(20);
    let report =
        inspect("slow/slow-7s.pcap", Config { keep: Keep::All, cluster, deadline, ..Config::default() });
    assert_eq!((worst(&report).verdict.code, worst(&report).verdict.deadline_s), ("ok", Some(20.0)));
}
