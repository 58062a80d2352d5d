//! Packets with their times -> reports, which must be the same however the packets were shared out.

use std::time::Duration;

use crate::config::{FragmentLimits, Limits};
use crate::fuzz::input::{Input, LINKS, moment, packet};
use crate::packet::{Frame, Moment};
use crate::report::Event;
use crate::report::Input as Inputs;
use crate::report::schema::Report;
use crate::{Config, Inspector, Keep, Packet};

/// Small, so that what happens at a bound is seen. Those that are shared out among shards are not reached: which
/// connections, and which servers, come first is another thing in each of them.
pub(super) const LIMITS: Limits = Limits {
    connections: 1 << 20,
    openings: 1 << 20,
    servers: 1 << 13,
    kept: 6,
    reassembly: 2_000,
    handshake: 3_000,
    lookups: 4,
    kept_lookups: 3,
    dns_message: 300,
    names: 3,
    calls: 3,
    calls_in_all: 1 << 20,
    idle: Duration::from_secs(3_600),
    unanswered: Duration::from_secs(130),
    fragments: FragmentLimits {
        datagrams: 3,
        datagram_octets: 1 << 16,
        datagram_fragments: 8,
        octets: 8_000,
        timeout: Duration::from_secs(30),
        _more: (),
    },
    closed: Duration::from_secs(60),
    held: 256 << 20,
    certificates: 128 << 20,
    _more: (),
};

/// Makes all work happen on the thread that calls this: a fuzzer runs one for each core. Once in a program, first of all.
pub fn one_thread() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread();
    assert!(pool.build_global().is_ok(), "the pool is there already");
}

/// The first byte says how packets are shared out; each packet is a byte of its link type and file, one of how much is
/// missing of it, two of time, two of its length, and its bytes.
pub fn packets(data: &[u8]) {
    let mut input = Input(data);
    let how = input.u8();
    let mut at = moment(1);
    let mut packets = Vec::new();
    while !input.is_empty() {
        let (what, more, time, length) = (input.u8(), input.u8(), input.later(at.time), input.u16());
        let frame = Frame::new(u16::from(what >> 6 & 1), packets.len() as u64 + 1);
        at = Moment { time, frame };
        let interface = u16::from(what >> 4 & 3);
        let link = what & 0x0f;
        assert!(LINKS.len() <= 16);
        packets.push(Packet { interface, ..packet(link, more, at, input.up_to(length.into())) });
    }
    check(&packets, how);
}

/// Inspects packets one by one, and shared out, and watched; what is reported must be the same.
pub(super) fn check(packets: &[Packet<'_>], how: u8) {
    let config = Config { keep: Keep::All, limits: LIMITS, ..Config::default() };
    let expected = run(packets, 1, config.clone());
    assert_eq!(expected.capture.packets, packets.len() as u64);
    assert_eq!(expected.summary.connections, expected.summary.verdicts.values().sum::<u64>());
    let shards = usize::from(how & 3) + 1;
    let batch = [2, 3, 7, 1_000][usize::from(how >> 2 & 3)];
    let watch = how & 0x10 != 0;
    let shared = run(packets, batch, Config { shards, watch, ..config.clone() });
    if how & 0x20 != 0 {
        // Too little room for what connections hold together: which of them it goes to is not the same in all shards.
        let limits = Limits { held: 200, certificates: 600, ..LIMITS };
        run(packets, batch, Config { shards, watch, limits, ..config });
    }
    let (expected, shared) = (json(&expected), json(&shared));
    assert!(
        expected == shared,
        "{shards} shards, batches of {batch}{} differ:\n{expected}\n{shared}",
        if watch { ", watched" } else { "" }
    );
}

fn run(packets: &[Packet<'_>], batch: usize, config: Config) -> Report {
    let watch = config.watch;
    let mut inspector = Inspector::new(config);
    for packets in packets.chunks(batch) {
        inspector.observe_batch(packets);
        if watch {
            // Time that has passed already passes once more.
            inspector.clock().into_iter().for_each(|clock| inspector.advance(clock));
            inspector.take_events().iter().for_each(event_holds);
        }
    }
    if watch {
        inspector.close();
        inspector.take_events().iter().for_each(event_holds);
    }
    let inspection = inspector.finish();
    let _ = (inspection.groups(&Inputs::default()), inspection.left_out());
    inspection.report(&Inputs::default())
}

fn event_holds(event: &Event) {
    if let Event::Notice(notice) = event {
        assert!(!notice.verdict().code.is_empty());
    }
}

fn json(report: &Report) -> String {
    serde_json::to_string(report).unwrap_or_default()
}
