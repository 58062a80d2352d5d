//! Bending a capture without changing what its packets mean does not change what is concluded from it.
//!
//! Compared are the verdict's code and the number of calls of each connection, known by its two endpoints. Exceptions
//! stand beside the transformation, each with its reason. `HOOKSCOPE_CAPTURES=DIR` adds captures of your own; see
//! `common/conclusions.rs`. What lies around the packets (links, tunnels, interfaces) is for `encapsulation.rs`.

mod common;

use common::Recording;
use common::conclusions::{assert_invariant, conclusions, hold, samples};
use hookscope_testkit::transform::{
    FragmentOrder, fragment_ip, one_byte_segments, segments_of, shift_sequence_numbers,
};
use hookscope_testkit::{Capture, Record, link};

/// More octets than this are not cut into segments of very few.
const LARGE: usize = 200_000;

/// As [`assert_invariant`], for transformations that make very many packets.
#[track_caller]
fn assert_invariant_of_small(exceptions: &[&str], transform: impl Fn(&Capture) -> Capture) {
    hold(samples().iter().filter(|sample| sample.size() < LARGE), exceptions, |sample| {
        let after = Recording::of(&transform(&sample.capture)).report_all();
        let (before, after) = (conclusions(&sample.report), conclusions(&after));
        (before != after).then(|| format!("\n  - {before:?}\n  + {after:?}"))
    });
}

#[test]
fn one_octet_in_each_segment() {
    assert_invariant_of_small(&[&JOINED_LATE[..], &without_sizes(1)].concat(), one_byte_segments);
}

const RECORD_HEADER: usize = 5;

/// Captures that join a connection in the middle. There records are found where a segment begins with the header of
/// one; where no segment holds a whole header, none is.
const JOINED_LATE: [&str; 2] = ["icmp-host-unreachable.pcap", "synack-drop-return.pcap"];

/// An MTU black hole shows by the sizes of segments: the large one vanishes, the small one arrives. Cut to no more than
/// the small one, of so many octets here, all have one size.
const SMALL_SEGMENTS: [(&str, usize); 2] = [("mtu-blackhole.pcap", 82), ("story-mtu-blackhole.pcap", 400)];

fn without_sizes(size: usize) -> Vec<&'static str> {
    SMALL_SEGMENTS.iter().filter(|&&(_, small)| size <= small).map(|&(name, _)| name).collect()
}

#[test]
fn segments_of_any_size() {
    for size in [2, 8, 100, 536] {
        let joined_late = if size < RECORD_HEADER { &JOINED_LATE[..] } else { &[] };
        let exceptions = [joined_late, &without_sizes(size)].concat();
        assert_invariant_of_small(&exceptions, |capture| segments_of(capture, size));
    }
}

/// Networks and interfaces with several queues reorder packets that are close to one another; to swap a packet with one
/// of ten seconds later would be another story.
const CLOSE_NS: i64 = 1_000_000;

#[test]
fn neighbouring_packets_of_one_sender_swapped() {
    for (first, exceptions) in [(0, &SWAPPED_FROM_THE_FIRST[..]), (1, &SWAPPED_FROM_THE_SECOND)] {
        assert_invariant(exceptions, |capture| {
            swap_pairs(capture, first, |one, other| one.sender == other.sender)
        });
    }
}

#[test]
fn neighbouring_packets_swapped_unless_one_is_the_effect_of_the_other() {
    for (first, exceptions) in [(0, &SWAPPED_FROM_THE_FIRST[..]), (1, &SWAPPED_FROM_THE_SECOND)] {
        assert_invariant(exceptions, |capture| swap_pairs(capture, first, |one, other| !other.answers(one)));
    }
}

/// A RST overtakes a FIN or the client's alert: it ends the connection when it is seen, because it may come from
/// somebody between, who does not know what else is on its way.
const SWAPPED_FROM_THE_FIRST: [&str; 1] = ["legacy/fin-after-accept.pcap"];
const SWAPPED_FROM_THE_SECOND: [&str; 2] = ["zstd.pcap.zst", "tls13-wrong-name.pcap"];

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
fn fragments_in_any_order() {
    for (size, order) in
        [(576, FragmentOrder::Forward), (576, FragmentOrder::Reverse), (200, FragmentOrder::Forward)]
    {
        assert_invariant(&[], |capture| fragment_ip(capture, size, order));
    }
}
