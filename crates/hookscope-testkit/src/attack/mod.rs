//! Writes captures that are made to cost a reader more than they cost their author: attacks on memory and time.
//!
//! Each [`Attack`] is a file of any length, written as it is made, the same on every run. What it attacks is said
//! beside it; what a reader may spend on it is for the tests to say.

mod bomb;
mod packets;
mod pcapng;
mod tcp;
mod tls;

use std::io::{self, Write};

use crate::Rng;
use packets::Sink;

/// One way to attack a reader of captures.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    /// What it is called.
    pub name: &'static str,
    /// What it does.
    pub what: &'static str,
    write: fn(u64, &mut dyn Write) -> io::Result<()>,
}

/// All attacks.
pub const ALL: &[Attack] = &[
    attack("syn-flood", "SYNs, each from another client", |count, out| packets(count, out, tcp::syn_flood)),
    attack("half-closed", "connections that one side closes and the other never does", |count, out| {
        packets(count, out, tcp::half_closed)
    }),
    attack("endless", "one connection of call after call", |count, out| packets(count, out, tcp::endless)),
    attack("calls", "connections of a thousand calls that stay open", |count, out| {
        packets(count, out, tcp::calls)
    }),
    attack("holes", "one connection of which every second segment is missing", |count, out| {
        packets(count, out, tcp::holes)
    }),
    attack("many-holes", "connections with 200 KB each behind a missing segment", |count, out| {
        packets(count, out, tcp::many_holes)
    }),
    attack("reversed", "segments of many connections from the last to the first", |count, out| {
        packets(count, out, tcp::reversed)
    }),
    attack("reuse", "one pair of addresses and ports, opened again and again", |count, out| {
        packets(count, out, tcp::reuse)
    }),
    attack("collisions", "IPv6 clients whose addresses an unkeyed hash cannot tell apart", |count, out| {
        packets(count, out, tcp::collisions)
    }),
    attack("times", "times that jump decades back and forth", |count, out| packets(count, out, tcp::times)),
    attack("icmp", "ICMP errors, each about a connection of which nothing else is seen", |count, out| {
        packets(count, out, packets::icmp)
    }),
    attack("dns-queries", "DNS queries for names that nobody answers", |count, out| {
        packets(count, out, packets::dns_queries)
    }),
    attack("dns-answers", "DNS answers with many addresses", |count, out| {
        packets(count, out, packets::dns_answers)
    }),
    attack("records", "TLS records of the greatest length and of lengths that lie", |count, out| {
        packets(count, out, tls::records)
    }),
    attack("hellos", "ClientHellos of 60 KB with names of that length", |count, out| {
        packets(count, out, tls::hellos)
    }),
    attack("certificates", "chains of megabytes, none of them alike", |count, out| {
        packets(count, out, tls::certificates)
    }),
    attack("http-heads", "plain HTTP whose heads do not end", |count, out| {
        packets(count, out, tls::http_heads)
    }),
    attack("fragments", "first fragments of datagrams that stay incomplete", |count, out| {
        packets(count, out, packets::fragments)
    }),
    attack("overlaps", "fragments that overlap all others of their datagram", |count, out| {
        packets(count, out, packets::overlaps)
    }),
    attack("tunnels", "IP in IP, GRE and VXLAN, hundreds deep", |count, out| {
        packets(count, out, packets::tunnels)
    }),
    attack("options", "IP and TCP options of no length, chains of IPv6 headers", |count, out| {
        packets(count, out, packets::options)
    }),
    attack(
        "interfaces",
        "pcapng: as many interfaces as packets, each of another link type",
        pcapng::interfaces,
    ),
    attack("sections", "pcapng: a section for each packet, of another link type", pcapng::sections),
    attack("empty-options", "pcapng: options of no length in every block", pcapng::empty_options),
    attack("long-block", "pcapng: packets, then a block that claims 4 GB", |count, out| {
        pcapng::last_block(count, 0x0bad, u32::MAX - 3, out)
    }),
    attack("long-packet", "pcapng: packets, then a packet that claims 4 GB", |count, out| {
        pcapng::last_block(count, 6, u32::MAX - 3, out)
    }),
    attack("zero-block", "pcapng: packets, then a block that claims no length", |count, out| {
        pcapng::last_block(count, 6, 0, out)
    }),
    attack("gzip-bomb", "gzip: zeros, which are empty packets", bomb::gzip),
    attack("gzip-members", "gzip: members without content", bomb::gzip_members),
    attack(
        "zstd-bomb",
        "zstd: zeros, which are empty packets, with the widest window that is given",
        bomb::zstd,
    ),
    attack("zstd-window", "zstd: a window of terabytes", bomb::zstd_window),
    attack("zstd-frames", "zstd: frames without content", bomb::zstd_frames),
    attack("lz4-bomb", "LZ4: zeros, which are empty packets, in the largest blocks", bomb::lz4),
];

const fn attack(
    name: &'static str,
    what: &'static str,
    write: fn(u64, &mut dyn Write) -> io::Result<()>,
) -> Attack {
    Attack { name, what, write }
}

impl Attack {
    /// The attack of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|attack| attack.name == name)
    }

    /// Writes a capture of `packets` packets, or what costs as much.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, packets: u64, out: &mut dyn Write) -> io::Result<()> {
        (self.write)(packets, out)
    }
}

/// Writes a pcap file whose packets `make` makes.
fn packets(
    count: u64,
    out: &mut dyn Write,
    make: fn(&mut Sink<'_>, &mut Rng) -> io::Result<()>,
) -> io::Result<()> {
    let mut sink = Sink::begin(out, count)?;
    make(&mut sink, &mut Rng::new(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Capture;

    #[test]
    fn captures_of_packets_have_as_many_as_asked_for() {
        for attack in &ALL[..21] {
            let mut file = Vec::new();
            attack.write(700, &mut file).unwrap();
            assert_eq!(Capture::read(&file).records.len(), 700, "{}", attack.name);
        }
    }

    #[test]
    fn every_attack_is_the_same_on_every_run() {
        for attack in ALL {
            let [mut one, mut other] = [Vec::new(), Vec::new()];
            attack.write(50, &mut one).unwrap();
            attack.write(50, &mut other).unwrap();
            assert!(one == other && !one.is_empty(), "{}", attack.name);
        }
    }
}
