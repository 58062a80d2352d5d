//! Links, tunnels and interfaces around the packets change nothing that is said of the connections within.
//!
//! Compared is all that a report says of connections, lookups and servers, to the last count; where a link cannot
//! carry every packet, and where frames have other numbers, only counts and verdicts. Exceptions stand beside the
//! transformation, each with its reason. `HOOKSCOPE_CAPTURES=DIR` adds captures of your own; see
//! `common/conclusions.rs`.

mod common;

use common::conclusions::{conclusions, hold, samples};
use common::{Recording, difference, json};
use hookscope::report::schema::{Capture as Read, Connection, Report};
use hookscope_testkit::Capture;
use hookscope_testkit::transform::{
    Duplicates, Link, Outer, Overlay, Tunnel, any_and_vxlan, duplicate_all, nest, relink,
};

const LINKS: [Link; 8] = [
    Link::Ethernet,
    Link::Vlan(7),
    Link::QinQ(7, 8),
    Link::LinuxSll,
    Link::LinuxSll2,
    Link::Raw,
    Link::Null,
    Link::Loop,
];

/// Every tunnel over either IP version: IP in IP is IPIP, SIT, and IPv4 and IPv6 in IPv6.
fn tunnels() -> Vec<(Tunnel, Outer)> {
    let gre = |key, checksum, ethernet| Tunnel::Gre { key, checksum, ethernet };
    let kinds = [
        Tunnel::Vxlan { port: 4789, vni: 42 },
        Tunnel::Vxlan { port: 8472, vni: 1 },
        Tunnel::Vxlan { port: 14_789, vni: 0xff_ffff },
        Tunnel::Geneve { vni: 1, options: vec![0; 8], ethernet: true },
        Tunnel::Geneve { vni: 7, options: vec![], ethernet: false },
        gre(None, false, false),
        gre(Some(5), true, false),
        gre(Some(5), false, true),
        gre(None, true, true),
        Tunnel::IpInIp,
    ];
    kinds.into_iter().flat_map(|kind| [(kind.clone(), Outer::V4), (kind, Outer::V6)]).collect()
}

/// A report without what it says of the file: links, octets and packets that are no TCP.
fn text(report: &Report) -> String {
    let mut report = report.clone();
    report.capture = Read::default();
    json(&report)
}

/// Counts and verdict of each connection, by its endpoints.
fn counts(report: &Report) -> Vec<String> {
    let both = |sides: hookscope::report::schema::PerSide| [sides.client, sides.server];
    let connection = |one: &Connection| {
        let calls: Vec<_> = one
            .calls
            .iter()
            .map(|call| (call.request_bytes, call.response_bytes, call.verdict.code))
            .collect();
        format!(
            "{} {} {} packets {:?} bytes {:?} syn {} {} rst {:?} fin {:?} again {:?} calls {calls:?}",
            one.client,
            one.server,
            one.verdict.code,
            both(one.packets),
            both(one.bytes),
            one.syn,
            one.syn_ack,
            both(one.rst),
            both(one.fin),
            both(one.retransmissions),
        )
    };
    let mut counts: Vec<_> = report.connections.iter().map(connection).collect();
    counts.sort();
    counts
}

/// Segments of TCP in a report, without copies.
fn segments(report: &Report) -> u64 {
    report.connections.iter().map(|one| one.packets.client + one.packets.server).sum()
}

/// Holds the whole report of every sample against that of the transformed one.
#[track_caller]
fn assert_same(what: &str, transform: impl Fn(&Capture) -> Capture) {
    hold(samples().iter(), &[], |sample| {
        let bent = transform(&sample.capture);
        let after = Recording::of(&bent).report_all();
        let (before, after) = if bent.records.len() == sample.capture.records.len() {
            (text(&sample.report), text(&after))
        } else {
            let said = |report| format!("{:#?}{:#?}", counts(report), conclusions(report));
            (said(&sample.report), said(&after))
        };
        (before != after).then(|| format!("{what} {}", difference(&before, &after)))
    });
}

#[test]
fn every_link_type() {
    for link in LINKS {
        assert_same(&format!("{link:?}"), |capture| relink(capture, link));
    }
}

#[test]
fn every_tunnel_behind_every_link() {
    for (index, tunnel) in tunnels().into_iter().enumerate() {
        let link = LINKS[index % LINKS.len()];
        let how = format!("{tunnel:?} {link:?}");
        assert_same(&how, |capture| nest(&relink(capture, link), std::slice::from_ref(&tunnel)));
        assert_same(&how, |capture| nest(capture, std::slice::from_ref(&tunnel)));
    }
}

#[test]
fn every_tunnel_in_every_other() {
    let tunnels = tunnels();
    for (index, inner) in tunnels.iter().enumerate() {
        // Each pair for a third of the samples would do; a stride that shares no factor with them meets all kinds.
        for outer in tunnels.iter().cycle().skip(index).step_by(7).take(3) {
            let pair = [inner.clone(), outer.clone()];
            assert_same(&format!("{pair:?}"), |capture| nest(capture, &pair));
        }
    }
}

/// Holds counts and verdicts of every sample against those of the one in which every packet shows twice, and sees that
/// exactly the second ones were left out.
#[track_caller]
fn assert_counted_once(what: &str, exceptions: &[&str], transform: impl Fn(&Capture) -> Capture) {
    hold(samples().iter(), exceptions, |sample| {
        let after = Recording::of(&transform(&sample.capture)).report_all();
        let said = |report| format!("{:#?}\n{:#?}", counts(report), conclusions(report));
        let (before, now) = (said(&sample.report), said(&after));
        if before != now {
            return Some(format!("{what} {}", difference(&before, &now)));
        }
        let expected = segments(&sample.report) + 2 * sample.report.capture.duplicates;
        let found = after.capture.duplicates;
        (found != expected).then(|| format!("{what}: {found} duplicates, not {expected}"))
    });
}

#[test]
fn packets_seen_on_two_interfaces() {
    for duplicates in [
        Duplicates::default(),
        Duplicates { delay_us: 20, routed: true },
        Duplicates { delay_us: 0, routed: false },
        Duplicates { delay_us: 300, routed: true },
    ] {
        assert_counted_once(&format!("{duplicates:?}"), &[], |capture| duplicate_all(capture, duplicates));
    }
}

#[test]
fn packets_seen_plain_and_in_an_overlay() {
    for (port, delay_us) in [(8472, 4), (4789, 0), (14_789, 90)] {
        let overlay = Overlay { port, delay_us, ..Overlay::default() };
        assert_counted_once(&format!("{overlay:?}"), &[], |capture| any_and_vxlan(capture, overlay));
    }
}

#[test]
fn packets_that_arrive_in_an_overlay() {
    let overlay = Overlay::default();
    hold(samples().iter(), &[], |sample| {
        let host = sample.report.connections.first()?.client.parse::<std::net::SocketAddr>().ok()?.ip();
        let doubled = any_and_vxlan(&sample.capture, Overlay { host: Some(host), ..overlay });
        let (before, after) = (counts(&sample.report), counts(&Recording::of(&doubled).report_all()));
        (before != after).then(|| format!("\n  - {before:#?}\n  + {after:#?}"))
    });
}
