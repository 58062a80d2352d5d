//! Captures -> inputs to begin with, in the form that each target takes.

use std::collections::BTreeMap;

use crate::fuzz::input::{link, step};
use crate::packet::Packet;
use crate::side::Side;
use crate::tcp::reassembly::Chunk;
use crate::tls::handshake::{Joiner, Message};
use crate::tls::record::{Deframer, RecordEvent};
use crate::wire::{self, Decoded};

/// A target's name and an input for it.
pub type Seed = (&'static str, Vec<u8>);

/// A longer input takes long, and shows nothing that shorter ones do not.
const LENGTH: usize = 12_000;
/// Packets of a capture.
const PACKETS: usize = 60;

/// What the packets of one capture begin with.
pub fn of_capture(capture: &[Packet<'_>]) -> Vec<Seed> {
    let mut seeds = Vec::new();
    let mut all = vec![0x1f];
    let mut last = capture.first().map_or(0, |first| first.time.as_nanos());
    let mut dns = Vec::new();
    for packet in capture.iter().take(PACKETS) {
        let octets = packet.data.get(..LENGTH / 2).unwrap_or(packet.data);
        let more = (packet.wire_len as usize).saturating_sub(octets.len()).min(254) as u8;
        let time = step(packet.time.as_nanos() - last).to_be_bytes();
        let length = (octets.len() as u16).to_be_bytes();
        if all.len() + octets.len() < LENGTH {
            let what = link(packet.link_type) | (packet.interface as u8 & 3) << 4;
            all.extend([&[what, more][..], &time, &length, octets].concat());
            last = packet.time.as_nanos();
        }
        seeds.push(("decode", [&[link(packet.link_type), more, 60][..], octets].concat()));
        if let Ok(Decoded::Udp(datagram)) = wire::decode(packet) {
            let what = u8::from(datagram.source.port == 53);
            let length = (datagram.payload.len() as u16).to_be_bytes();
            dns.extend([&[what][..], &time, &length, datagram.payload].concat());
        }
    }
    seeds.push(("packets", all));
    if !dns.is_empty() {
        seeds.push(("dns", dns));
    }
    seeds.extend(streams(capture));
    seeds
}

/// Octets of both sides of each connection, as one chunk for each segment.
fn streams(capture: &[Packet<'_>]) -> Vec<Seed> {
    let mut streams: BTreeMap<u64, (Vec<u8>, Chains)> = BTreeMap::new();
    for packet in capture {
        let Ok(Decoded::Tcp(segment)) = wire::decode(packet) else { continue };
        let (stream, chains) = streams.entry(segment.hash).or_default();
        if segment.payload.is_empty() || stream.len() + segment.payload.len() > LENGTH {
            continue;
        }
        let source = segment.key.endpoint(segment.from);
        let side = if source == segment.key.ephemeral() { Side::Client } else { Side::Server };
        let length = (segment.payload.len() as u16).to_be_bytes();
        stream.extend([&[u8::from(side == Side::Server)][..], &length, segment.payload].concat());
        if side == Side::Server {
            chains.push(segment.payload);
        }
    }
    let mut seeds = Vec::new();
    for (stream, chains) in streams.into_values().filter(|(stream, _)| !stream.is_empty()) {
        let is_tls = stream.get(3) == Some(&22);
        seeds.push((if is_tls { "tls" } else { "http" }, stream));
        seeds.extend(chains.found.into_iter().map(|it| ("certificate", it)));
    }
    seeds
}

/// The certificates that a server sends in the clear.
#[derive(Default)]
struct Chains {
    deframer: Deframer,
    joiner: Joiner,
    found: Vec<Vec<u8>>,
}

impl Chains {
    fn push(&mut self, octets: &[u8]) {
        let Self { deframer, joiner, found } = self;
        deframer.push(Chunk::Data(octets), super::input::moment(1), &mut |event, _| {
            let body = match event {
                RecordEvent::Whole(header, body) if header.kind.0 == 22 => body,
                _ => return,
            };
            joiner.push(body, LENGTH, &mut Vec::new(), &mut |message| {
                if let Message::Whole(kind, body) = message
                    && kind.0 == 11
                {
                    found.push([&[32][..], body].concat());
                    // Without the lengths of the list and of its first certificate.
                    found.push([&[0][..], body.get(6..).unwrap_or_default()].concat());
                }
            });
        });
    }
}

/// Inputs that no capture gives.
pub fn by_hand() -> Vec<Seed> {
    let whole = |order: &[u16]| {
        let piece = |at: &u16| [(at * 50).to_be_bytes().as_slice(), &[50, 0]].concat();
        [vec![255], order.iter().flat_map(piece).collect()].concat()
    };
    let mut seeds = vec![
        ("reassembly", whole(&[0, 1, 2, 3])),
        ("reassembly", whole(&[3, 2, 2, 1, 0])),
        ("reassembly", vec![8, 0, 60, 200, 0, 1, 0, 20, 225, 0, 0, 0, 250]),
        ("half", vec![255, 255, 255, 240, 255, 0, 0, 0, 100, 0, 0, 50, 100, 0, 0, 200, 9, 24, 0, 0, 0]),
        ("half", vec![0, 0, 0, 0, 2, 0, 0, 90, 60, 0x50, 0, 0, 90, 0x58, 0, 0, 0, 2, 0, 0, 0, 4, 0, 9, 0]),
    ];
    let datagram: Vec<u8> = (0..=255).collect();
    for order in [[0, 8, 16], [16, 8, 0]] {
        let pieces =
            order.map(|place| [if place == 16 { 0 } else { 4 }, place, if place == 16 { 255 } else { 64 }]);
        seeds.push(("fragments", [&datagram[..], &pieces.concat()].concat()));
    }
    for text in [
        "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT hook.ns.svc:443 HTTP/1.1\r\nHost: hook.ns.svc:443\r\n\r\n",
        "POST /validate HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n2\r\n1}\r\n0\r\n\r\n",
        "POST /validate HTTP/1.1\r\nContent-Length: 26\r\n\r\n{\"kind\":\"AdmissionReview\"}",
    ] {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}\n",
            "HTTP/1.1 200 Connection established\r\n\r\n\x16\x03\x01\x00\x01a",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
            "HTTP/1.0 403 Forbidden\r\n\r\nuntil the end",
        ] {
            let chunk = |side: u8, text: &str| {
                [&[side][..], &(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
            };
            seeds.push(("http", [chunk(0, text), chunk(1, answer), vec![29, 0, 0]].concat()));
        }
    }
    seeds.extend(super::conversation::stories().map(|story| ("conversation", story)));
    seeds
}
