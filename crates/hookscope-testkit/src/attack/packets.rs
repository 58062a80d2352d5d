//! Packets one by one, and attacks below TCP: fragments, tunnels, options, ICMP, DNS.

use std::io::{self, Write};

use crate::wire::{ETHERTYPE_IPV4, ETHERTYPE_IPV6, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP};
use crate::{Capture, Rng, link};

/// 2025-06-01: the time of the first packet, in nanoseconds.
const EPOCH_NS: u64 = 1_748_736_000_000_000_000;

/// A pcap file under way, of so many packets and no more.
pub(super) struct Sink<'a> {
    out: &'a mut dyn Write,
    left: u64,
    /// The time of the next packet, in nanoseconds.
    pub(super) now: u64,
    record: Vec<u8>,
}

impl<'a> Sink<'a> {
    pub(super) fn begin(out: &'a mut dyn Write, packets: u64) -> io::Result<Self> {
        out.write_all(&Capture::empty(link::ETHERNET).to_pcap())?;
        Ok(Self { out, left: packets, now: EPOCH_NS, record: Vec::new() })
    }

    /// Whether another packet is wanted.
    pub(super) fn wants(&self) -> bool {
        self.left > 0
    }

    /// Writes an IPv4 or IPv6 packet with an Ethernet header, and lets a microsecond pass; nothing once it is full.
    pub(super) fn ip(&mut self, packet: &[u8]) -> io::Result<()> {
        if self.left == 0 {
            return Ok(());
        }
        self.left -= 1;
        let is_v4 = packet.first().is_some_and(|first| first >> 4 == 4);
        let ethertype = if is_v4 { ETHERTYPE_IPV4 } else { ETHERTYPE_IPV6 };
        let length = packet.len() as u32 + 14;
        let seconds = (self.now / 1_000_000_000) as u32;
        let header = [seconds, (self.now % 1_000_000_000) as u32, length, length];
        self.now += 1_000;
        self.record.clear();
        self.record.extend(header.into_iter().flat_map(u32::to_le_bytes));
        self.record.extend([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
        self.record.extend(ethertype.to_be_bytes());
        self.record.extend(packet);
        self.out.write_all(&self.record)
    }
}

/// An IPv4 packet without checksum.
pub(super) fn ipv4(from: u32, to: u32, protocol: u8, payload: &[u8]) -> Vec<u8> {
    fragment(from, to, protocol, 0, 0, payload)
}

/// An IPv4 packet with an identification, and flags and fragment offset.
fn fragment(from: u32, to: u32, protocol: u8, ident: u16, offset: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 20).expect("an IPv4 packet has 16 bits of length");
    let mut packet = vec![0x45, 0];
    packet.extend(length.to_be_bytes());
    packet.extend(ident.to_be_bytes());
    packet.extend(offset.to_be_bytes());
    packet.extend([64, protocol, 0, 0]);
    packet.extend(from.to_be_bytes());
    packet.extend(to.to_be_bytes());
    packet.extend(payload);
    packet
}

/// An IPv6 packet whose first header is `next`.
pub(super) fn ipv6(from: u128, to: u128, next: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend(u16::try_from(payload.len()).expect("16 bits of length").to_be_bytes());
    packet.extend([next, 64]);
    packet.extend(from.to_be_bytes());
    packet.extend(to.to_be_bytes());
    packet.extend(payload);
    packet
}

fn udp(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).expect("16 bits of length");
    [&from.to_be_bytes()[..], &to.to_be_bytes(), &length.to_be_bytes(), &[0, 0], payload].concat()
}

/// Errors that say "port unreachable" of SYNs that are not in the capture.
pub(super) fn icmp(sink: &mut Sink<'_>, rng: &mut Rng) -> io::Result<()> {
    while sink.wants() {
        let (client, port) = (rng.next_u64() as u32, rng.next_u64() as u16 | 0x8000);
        let tcp = [&port.to_be_bytes()[..], &443_u16.to_be_bytes(), &[0; 4]].concat();
        let quote = ipv4(client, 0x0a60_0001, PROTOCOL_TCP, &tcp);
        let error = [&[3, 3, 0, 0, 0, 0, 0, 0][..], &quote].concat();
        sink.ip(&ipv4(0x0a00_0001, client, PROTOCOL_ICMP, &error))?;
    }
    Ok(())
}

/// A name of one label that has not been asked for, and a fixed rest.
fn question(number: u64, kind: u16) -> Vec<u8> {
    let label = format!("{number:x}-{}", "x".repeat(40));
    let mut name = vec![label.len() as u8];
    name.extend(label.as_bytes());
    name.extend(b"\x03svc\x07cluster\x05local\x00");
    name.extend(kind.to_be_bytes());
    name.extend([0, 1]);
    name
}

/// Queries from ever new ports and clients.
pub(super) fn dns_queries(sink: &mut Sink<'_>, rng: &mut Rng) -> io::Result<()> {
    let mut number = 0;
    while sink.wants() {
        number += 1;
        let id = (number as u16).to_be_bytes();
        let message = [&id[..], &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0], &question(number, 1)].concat();
        let (client, port) = (0x0a00_0000 | (rng.next_u64() as u32 & 0xffff), rng.next_u64() as u16 | 0x4000);
        sink.ip(&ipv4(client, 0x0a60_000a, PROTOCOL_UDP, &udp(port, 53, &message)))?;
    }
    Ok(())
}

/// Queries, each answered with as many IPv6 addresses as fit, of which an unkeyed hash sees only one half.
pub(super) fn dns_answers(sink: &mut Sink<'_>, rng: &mut Rng) -> io::Result<()> {
    const ADDRESSES: u16 = 40;
    let mut number = 0_u64;
    while sink.wants() {
        number += 1;
        let (id, question) = ((number as u16).to_be_bytes(), question(number, 28));
        let (client, port) = (0x0a00_0001, (number % 50_000) as u16 + 10_000);
        let message = [&id[..], &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0], &question].concat();
        sink.ip(&ipv4(client, 0x0a60_000a, PROTOCOL_UDP, &udp(port, 53, &message)))?;
        let mut answer = [&id[..], &[0x81, 0x80, 0, 1, 0, ADDRESSES as u8, 0, 0, 0, 0], &question].concat();
        for _ in 0..ADDRESSES {
            answer.extend([0xc0, 12, 0, 28, 0, 1, 0, 0, 0, 5, 0, 16]);
            answer.extend(PREFIX_SEEN_AS_NOTHING.to_be_bytes());
            answer.extend(rng.next_u64().to_be_bytes());
        }
        sink.ip(&ipv4(0x0a60_000a, client, PROTOCOL_UDP, &udp(53, port, &answer)))?;
    }
    Ok(())
}

/// The first half of IPv6 addresses whose second half foldhash multiplies by zero, where it has its fixed seed.
pub(super) const PREFIX_SEEN_AS_NOTHING: u64 = 0x082e_fa98_ec4e_6c89_u64.rotate_right(16);

/// First fragments of 1,400 octets, each of another datagram.
pub(super) fn fragments(sink: &mut Sink<'_>, rng: &mut Rng) -> io::Result<()> {
    while sink.wants() {
        let (from, ident) = (rng.next_u64() as u32, rng.next_u64() as u16);
        sink.ip(&fragment(from, 0x0a00_0001, PROTOCOL_TCP, ident, 0x2000, &[7; 1_400]))?;
    }
    Ok(())
}

/// Fragments of 1,400 equal octets, eight octets apart: each overlaps all others, and they agree.
pub(super) fn overlaps(sink: &mut Sink<'_>, _rng: &mut Rng) -> io::Result<()> {
    let mut number = 0_u64;
    while sink.wants() {
        let (ident, offset) = ((number / 255) as u16, (number % 255) as u16);
        sink.ip(&fragment(
            0x0a00_0002,
            0x0a00_0001,
            PROTOCOL_TCP,
            ident,
            0x2000 | (255 - offset),
            &[7; 1_400],
        ))?;
        number += 1;
    }
    Ok(())
}

/// Headers within headers, up to what fits into a packet of 9,000 octets.
pub(super) fn tunnels(sink: &mut Sink<'_>, rng: &mut Rng) -> io::Result<()> {
    let syn = super::tcp::segment(40_000, 9_443, 1, 0, super::tcp::SYN, &[]);
    let address = |rng: &mut Rng| rng.next_u64() as u32;
    while sink.wants() {
        let mut packet = ipv4(address(rng), 0x0a00_0001, PROTOCOL_TCP, &syn);
        let kind = rng.below(3);
        while packet.len() < 9_000 {
            packet = match kind {
                0 => ipv4(address(rng), 0x0a00_0001, 4, &packet),
                1 => ipv4(address(rng), 0x0a00_0001, 47, &[&[0, 0, 8, 0][..], &packet].concat()),
                _ => {
                    let frame = [&[8, 0, 0, 0, 0, 0, 1, 0][..], &[2; 12], &[8, 0], &packet].concat();
                    ipv4(address(rng), 0x0a00_0001, PROTOCOL_UDP, &udp(50_000, 4_789, &frame))
                }
            };
        }
        sink.ip(&packet)?;
    }
    Ok(())
}

/// Options that a reader may never come to the end of.
pub(super) fn options(sink: &mut Sink<'_>, rng: &mut Rng) -> io::Result<()> {
    while sink.wants() {
        let client = rng.next_u64() as u32;
        // TCP options of length 0, of length 1, and beyond the header.
        for options in [[8, 0], [5, 1], [2, 255]] {
            let mut segment = super::tcp::segment(40_000, 9_443, 1, 0, super::tcp::SYN, &[]);
            segment[12] = 0xf0;
            segment.extend(options.repeat(20));
            sink.ip(&ipv4(client, 0x0a00_0001, PROTOCOL_TCP, &segment))?;
        }
        // The same in IPv4.
        let mut packet = ipv4(client, 0x0a00_0001, PROTOCOL_TCP, &[]);
        packet[0] = 0x4f;
        packet.extend([7, 0].repeat(20));
        packet.extend(super::tcp::segment(40_001, 9_443, 1, 0, super::tcp::SYN, &[]));
        let length = packet.len() as u16;
        packet[2..4].copy_from_slice(&length.to_be_bytes());
        sink.ip(&packet)?;
        // Destination options after destination options, without end; and one that is longer than the packet.
        for last in [[60, 0], [60, 255]] {
            let chain = [[60, 0, 1, 4, 0, 0, 0, 0].repeat(1_000), [&last[..], &[0; 6]].concat()].concat();
            sink.ip(&ipv6(u128::from(client), 1, 60, &chain))?;
        }
    }
    Ok(())
}
