//! No false alarm: captures in which nothing failed raise no failure, however they are bent.
//!
//! Losses, retransmissions and path MTU discovery are part of a healthy network; so are captures that show packets
//! several times, in fragments, or out of order.

mod common;

use common::{Fixture, Recording};
use hookscope::report::schema::Report;
use hookscope_testkit::Capture;
use hookscope_testkit::transform::{
    Duplicates, FragmentOrder, Link, Outer, Overlay, Tunnel, any_and_vxlan, duplicate_all, fragment_ip, nest,
    relink, segments_of, shift_sequence_numbers, snap, swap_neighbours,
};

/// A name and what it does to a capture.
type Bending = (&'static str, fn(&Capture) -> Capture);

const BENDINGS: [Bending; 18] = [
    ("as it is", Capture::clone),
    ("SLL", |capture| relink(capture, Link::LinuxSll)),
    ("raw IP", |capture| relink(capture, Link::Raw)),
    ("QinQ", |capture| relink(capture, Link::QinQ(1, 2))),
    ("VXLAN in IPIP", |capture| {
        nest(capture, &[(Tunnel::Vxlan { port: 4789, vni: 3 }, Outer::V4), (Tunnel::IpInIp, Outer::V4)])
    }),
    ("GRE over IPv6", |capture| {
        nest(capture, &[(Tunnel::Gre { key: Some(1), checksum: true, ethernet: true }, Outer::V6)])
    }),
    ("segments of 100", |capture| segments_of(capture, 100)),
    ("fragments", |capture| fragment_ip(capture, 576, FragmentOrder::Forward)),
    ("fragments, the last first", |capture| fragment_ip(capture, 576, FragmentOrder::Reverse)),
    ("sequence numbers that wrap", |capture| shift_sequence_numbers(capture, u32::MAX / 2, u32::MAX - 700)),
    ("bridged", |capture| duplicate_all(capture, Duplicates::default())),
    ("routed", |capture| duplicate_all(capture, Duplicates { delay_us: 300, routed: true })),
    ("twice routed", |capture| {
        let routed = Duplicates { delay_us: 20, routed: true };
        duplicate_all(&duplicate_all(capture, routed), Duplicates { delay_us: 7, routed: true })
    }),
    ("overlay", |capture| any_and_vxlan(capture, Overlay::default())),
    ("overlay on a slow host", |capture| {
        any_and_vxlan(capture, Overlay { delay_us: 400, ..Overlay::default() })
    }),
    ("cut to 128 octets", |capture| snap(capture, 128)),
    ("overlay, cut to 160 octets", |capture| snap(&any_and_vxlan(capture, Overlay::default()), 160)),
    ("neighbours swapped", swap_neighbours_close),
];

/// Neighbours that are close to each other, as interfaces with several queues swap them.
fn swap_neighbours_close(capture: &Capture) -> Capture {
    let is_close = capture.records.chunks_exact(2).map(|pair| pair[1].time_ns - pair[0].time_ns < 20_000);
    let swapped = swap_neighbours(capture);
    let mut bent = capture.clone();
    for (pair, close) in is_close.enumerate() {
        if close {
            bent.records[2 * pair..2 * pair + 2].clone_from_slice(&swapped.records[2 * pair..2 * pair + 2]);
        }
    }
    bent
}

/// What failed in a report, in words.
fn failures(report: &Report) -> Vec<String> {
    let connections = report.connections.iter().map(|one| (&one.server, &one.verdict));
    let calls = report
        .connections
        .iter()
        .flat_map(|one| one.calls.iter().map(move |call| (&one.server, &call.verdict)));
    let lookups = report.lookups.iter().map(|one| (&one.name, &one.verdict));
    let all = connections.chain(calls).chain(lookups).filter(|(_, verdict)| verdict.severity == "failure");
    all.map(|(who, verdict)| format!("{who}: {} – {}", verdict.code, verdict.summary)).collect()
}

#[test]
fn healthy_captures_raise_no_failure() {
    let mut alarms = Vec::new();
    let healthy: Vec<_> = Fixture::all().into_iter().filter(|fixture| fixture.folder == "ok").collect();
    assert!(healthy.len() > 9);
    for fixture in healthy {
        let Some(capture) = fixture.read().to_capture() else { continue };
        for (name, bend) in BENDINGS {
            let report = Recording::of(&bend(&capture)).report_all();
            let failures = failures(&report);
            let summary = &report.summary;
            if !failures.is_empty() || summary.failed_connections + summary.failed_calls > 0 {
                alarms.push(format!("{fixture}, {name}: {failures:?}"));
            }
        }
    }
    assert!(alarms.is_empty(), "{}", alarms.join("\n"));
}
