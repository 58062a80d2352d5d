//! Bending a capture without changing what its packets mean does not change what is concluded from it.
//!
//! Compared are the verdict's code and the number of calls of each connection, known by its two endpoints. Exceptions
//! stand beside the transformation, each with its reason.

mod common;

use common::stories::{self, Story};
use common::{Fixture, Recording, is_pending};
use hookscope::report::schema::Report;
use hookscope_testkit::transform::{
    Duplicates, FragmentOrder, Link, Outer, Overlay, Tunnel, any_and_vxlan, duplicate_all, fragment_ip, nest,
    one_byte_segments, relink, segments_of, shift_sequence_numbers,
};
use hookscope_testkit::{Capture, Record, link};

/// Endpoints, code, number of calls.
type Conclusion = (String, String, &'static str, usize);

fn conclusions(report: &Report) -> Vec<Conclusion> {
    let connection = |one: &hookscope::report::schema::Connection| {
        (one.client.clone(), one.server.clone(), one.verdict.code, one.calls.len())
    };
    let lookup =
        |one: &hookscope::report::schema::Lookup| (one.client.clone(), one.name.clone(), one.verdict.code, 0);
    let connections = report.connections.iter().map(connection);
    let mut all: Vec<_> = connections.chain(report.lookups.iter().map(lookup)).collect();
    all.sort();
    all
}

fn conclude(capture: &Capture) -> Vec<Conclusion> {
    conclusions(&Recording::of(capture).report_all())
}

/// Every fixture that is one capture of moderate size, and every story, with its name.
fn captures() -> Vec<(String, Capture)> {
    let recorded = Fixture::small().into_iter().filter(|fixture| !fixture.is_pending());
    let recorded = recorded.filter(|fixture| !fixture.file.starts_with("story-"));
    let recorded = recorded.filter_map(|fixture| Some((fixture.to_string(), fixture.read().to_capture()?)));
    let told = stories::all().into_iter().filter(|story| !is_pending(story.code));
    let told = told.map(|story: Story| (format!("{}/{}", story.code, story.file_name()), story.capture()));
    recorded.chain(told).collect()
}

/// Holds the conclusions of every capture, but for those in `exceptions`, against those of the transformed one.
#[track_caller]
fn assert_invariant(exceptions: &[&str], transform: impl Fn(&Capture) -> Capture) {
    let mut failures = Vec::new();
    let mut unneeded: Vec<_> = exceptions.to_vec();
    for (name, capture) in captures() {
        let (before, after) = (conclude(&capture), conclude(&transform(&capture)));
        if before == after {
            continue;
        }
        match unneeded.iter().position(|exception| *exception == name) {
            Some(place) => drop(unneeded.remove(place)),
            None => failures.push(format!("{name}:\n  - {before:?}\n  + {after:?}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(unneeded.is_empty(), "these need no exception any more: {unneeded:?}");
}

#[test]
fn one_octet_in_each_segment() {
    assert_invariant(&[&JOINED_LATE[..], &without_sizes(1)].concat(), one_byte_segments);
}

const RECORD_HEADER: usize = 5;

/// Captures that join a connection in the middle. There records are found where a segment begins with the header of
/// one; where no segment holds a whole header, none is.
const JOINED_LATE: [&str; 2] =
    ["icmp-host-unreachable/icmp-host-unreachable.pcap", "syn-unanswered/synack-drop-return.pcap"];

/// An MTU black hole shows by the sizes of segments: the large one vanishes, the small one arrives. Cut to no more than
/// the small one, of so many octets here, all have one size.
const SMALL_SEGMENTS: [(&str, usize); 2] =
    [("mtu-blackhole/mtu-blackhole.pcap", 82), ("mtu-blackhole/story-mtu-blackhole.pcap", 400)];

fn without_sizes(size: usize) -> Vec<&'static str> {
    SMALL_SEGMENTS.iter().filter(|&&(_, small)| size <= small).map(|&(name, _)| name).collect()
}

#[test]
fn segments_of_any_size() {
    for size in [2, 8, 100, 536] {
        let joined_late = if size < RECORD_HEADER { &JOINED_LATE[..] } else { &[] };
        assert_invariant(&[joined_late, &without_sizes(size)].concat(), |capture| segments_of(capture, size));
    }
}

/// Networks and interfaces with several queues reorder packets that are close to one another; to swap a packet with one
/// of ten seconds later would be another story.
const CLOSE_NS: i64 = 1_000_000;

#[test]
fn neighbouring_packets_of_one_sender_swapped() {
    for (first, exceptions) in [(0, &[][..]), (1, &RST_AHEAD)] {
        assert_invariant(exceptions, |capture| {
            swap_pairs(capture, first, |one, other| one.sender == other.sender)
        });
    }
}

#[test]
fn neighbouring_packets_swapped_unless_one_is_the_effect_of_the_other() {
    for (first, exceptions) in [(0, &[][..]), (1, &RST_AHEAD)] {
        assert_invariant(exceptions, |capture| swap_pairs(capture, first, |one, other| !other.answers(one)));
    }
}

/// Here a RST overtakes the client's alert. It ends the connection when it is seen: it may come from somebody
/// between, who does not know what else is on its way.
const RST_AHEAD: [&str; 1] = ["formats/zstd.pcap.zst"];

/// Swaps the TCP packets of each pair of close neighbours that `may` be swapped, from the `first` packet on. The times
/// stay where they are.
fn swap_pairs(capture: &Capture, first: usize, may: impl Fn(&Tcp, &Tcp) -> bool) -> Capture {
    let mut swapped = capture.clone();
    for pair in swapped.records[first..].chunks_exact_mut(2) {
        let [one, other] = pair else { unreachable!() };
        let close = other.time_ns - one.time_ns <= CLOSE_NS;
        let tcp = Tcp::of(capture.link_type, one).zip(Tcp::of(capture.link_type, other));
        if close && tcp.is_some_and(|(one, other)| may(&one, &other)) {
            std::mem::swap(one, other);
            std::mem::swap(&mut one.time_ns, &mut other.time_ns);
        }
    }
    swapped
}

/// What the TCP header of an Ethernet frame without tags says.
struct Tcp {
    sender: Vec<u8>,
    seq: u32,
    ack: u32,
    flags: u8,
    /// Sequence numbers that the segment occupies.
    length: u32,
}

impl Tcp {
    fn of(link_type: u16, record: &Record) -> Option<Self> {
        let data = &record.data;
        let word = |at: usize| Some(u16::from_be_bytes(data.get(at..at + 2)?.try_into().unwrap()));
        let (protocol, sender, tcp, end) = match word(12)? {
            0x0800 => (*data.get(23)?, 26..30, 14 + usize::from(data[14] & 15) * 4, 14 + word(16)?),
            0x86dd => (*data.get(20)?, 22..38, 54, 54 + word(18)?),
            _ => return None,
        };
        let long = |at: usize| Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().unwrap()));
        let flags = *data.get(tcp + 13)?;
        let payload = usize::from(end) - tcp - usize::from(data[tcp + 12] >> 4) * 4;
        let tcp = Self {
            sender: [&data[sender], &data[tcp..tcp + 2]].concat(),
            seq: long(tcp + 4)?,
            ack: long(tcp + 8)?,
            flags,
            length: payload as u32 + u32::from(flags & 1) + u32::from(flags >> 1 & 1),
        };
        (link_type == link::ETHERNET && protocol == 6).then_some(tcp)
    }

    /// Whether this segment says something because the other one arrived. A mere acknowledgment does not.
    fn answers(&self, other: &Self) -> bool {
        let says = self.length > 0 || self.flags & 0x04 != 0;
        self.sender != other.sender && says && self.ack == other.seq.wrapping_add(other.length)
    }
}

#[test]
fn sequence_numbers_that_wrap() {
    // The last octets before the wrap lie in the handshake, in the request, in the response, or behind.
    for before in [1, 100, 700, 1_500] {
        assert_invariant(&[], |capture| {
            let (client, server) = initial_sequence_numbers(capture);
            let to_wrap = |initial: u32| 0_u32.wrapping_sub(before).wrapping_sub(initial);
            shift_sequence_numbers(capture, to_wrap(client), to_wrap(server))
        });
    }
}

/// The sequence numbers of the first SYN and SYN-ACK; zero where there is none.
fn initial_sequence_numbers(capture: &Capture) -> (u32, u32) {
    let headers = || capture.records.iter().filter_map(|record| Tcp::of(capture.link_type, record));
    let number = |flags: u8| headers().find(|tcp| tcp.flags & 0x12 == flags).map_or(0, |tcp| tcp.seq);
    (number(0x02), number(0x12))
}

#[test]
fn every_link_type() {
    let links = [
        Link::Ethernet,
        Link::Vlan(7),
        Link::QinQ(7, 8),
        Link::LinuxSll,
        Link::LinuxSll2,
        Link::Raw,
        Link::Null,
        Link::Loop,
    ];
    for link in links {
        assert_invariant(&[], |capture| relink(capture, link));
    }
}

#[test]
fn every_tunnel() {
    let tunnels = [
        vec![(Tunnel::Vxlan { port: 4789, vni: 42 }, Outer::V4)],
        vec![(Tunnel::Vxlan { port: 8472, vni: 1 }, Outer::V6)],
        vec![(Tunnel::Geneve { vni: 1, options: vec![0; 8], ethernet: true }, Outer::V4)],
        vec![(Tunnel::Gre { key: Some(5), checksum: true, ethernet: false }, Outer::V4)],
        vec![(Tunnel::IpInIp, Outer::V4)],
        vec![(Tunnel::IpInIp, Outer::V6), (Tunnel::Vxlan { port: 4789, vni: 9 }, Outer::V4)],
    ];
    for tunnels in tunnels {
        assert_invariant(&[], |capture| nest(capture, &tunnels));
    }
}

#[test]
fn fragments_in_any_order() {
    for (size, order) in
        [(576, FragmentOrder::Forward), (576, FragmentOrder::Reverse), (200, FragmentOrder::Forward)]
    {
        assert_invariant(&[], |capture| fragment_ip(capture, size, order));
    }
}

#[test]
fn packets_seen_on_two_interfaces() {
    for duplicates in [Duplicates::default(), Duplicates { delay_us: 20, routed: true }] {
        assert_invariant(&[], |capture| duplicate_all(capture, duplicates));
    }
}

#[test]
fn packets_seen_plain_and_in_an_overlay() {
    assert_invariant(&[], |capture| {
        if capture.link_type != link::ETHERNET {
            return capture.clone();
        }
        any_and_vxlan(capture, Overlay::default())
    });
}
