//! Attacks by TCP connections: how many there are, how long they last, what is missing of them.

use std::io;

use super::packets::{PREFIX_SEEN_AS_NOTHING, Sink, ipv4, ipv6};
use crate::wire::PROTOCOL_TCP;
use crate::{Rng, tls};

pub(super) const FIN: u8 = 0x01;
pub(super) const SYN: u8 = 0x02;
pub(super) const RST: u8 = 0x04;
pub(super) const ACK: u8 = 0x10;
pub(super) const PSH: u8 = 0x18;

const SERVER: u32 = 0x0af4_0101;
const PORT: u16 = 9_443;

/// A TCP segment without options and checksum.
pub(super) fn segment(from: u16, to: u16, seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut segment = Vec::with_capacity(20 + payload.len());
    segment.extend(from.to_be_bytes());
    segment.extend(to.to_be_bytes());
    segment.extend(seq.to_be_bytes());
    segment.extend(ack.to_be_bytes());
    segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(payload);
    segment
}

/// A connection of one client with the server, both of whose first sequence numbers are 0.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    client: u32,
    port: u16,
    /// The next sequence number of each side.
    pub(super) sent: u32,
    pub(super) answered: u32,
}

impl Pair {
    /// The `number`-th of all connections: no two alike.
    pub(super) fn new(number: u64) -> Self {
        let port = 0x8000 | (number & 0x7fff) as u16;
        Self { client: 0x0b00_0000 + (number >> 15) as u32, port, sent: 0, answered: 0 }
    }

    pub(super) fn client(&mut self, sink: &mut Sink<'_>, flags: u8, payload: &[u8]) -> io::Result<()> {
        let segment = segment(self.port, PORT, self.sent, self.answered, flags, payload);
        self.sent = self.sent.wrapping_add(payload.len() as u32 + u32::from(flags & (SYN | FIN) > 0));
        sink.ip(&ipv4(self.client, SERVER, PROTOCOL_TCP, &segment))
    }

    pub(super) fn server(&mut self, sink: &mut Sink<'_>, flags: u8, payload: &[u8]) -> io::Result<()> {
        let segment = segment(PORT, self.port, self.answered, self.sent, flags, payload);
        self.answered = self.answered.wrapping_add(payload.len() as u32 + u32::from(flags & (SYN | FIN) > 0));
        sink.ip(&ipv4(SERVER, self.client, PROTOCOL_TCP, &segment))
    }

    pub(super) fn open(number: u64, sink: &mut Sink<'_>) -> io::Result<Self> {
        let mut pair = Self::new(number);
        pair.client(sink, SYN, &[])?;
        pair.server(sink, SYN | ACK, &[])?;
        pair.client(sink, ACK, &[])?;
        Ok(pair)
    }

    /// Opens a connection up to the end of a TLS 1.3 handshake.
    pub(super) fn greet(number: u64, sink: &mut Sink<'_>) -> io::Result<Self> {
        let mut pair = Self::open(number, sink)?;
        pair.client(sink, PSH, &tls::client_hello(Some("webhook.default.svc"), &["http/1.1"], true, 0))?;
        pair.server(sink, PSH, &tls::go_tls13_server_flight())?;
        pair.client(sink, PSH, &[tls::change_cipher_spec(), tls::application_data(53)].concat())?;
        Ok(pair)
    }
}

pub(super) fn syn_flood(sink: &mut Sink<'_>, rng: &mut Rng) -> io::Result<()> {
    while sink.wants() {
        let (client, random) = (rng.next_u64() as u32, rng.next_u64());
        let syn = segment(random as u16 | 0x8000, PORT, (random >> 16) as u32, 0, SYN, &[]);
        sink.ip(&ipv4(client, SERVER, PROTOCOL_TCP, &syn))?;
    }
    Ok(())
}

pub(super) fn half_closed(sink: &mut Sink<'_>, _rng: &mut Rng) -> io::Result<()> {
    let mut number = 0;
    while sink.wants() {
        let mut pair = Pair::open(number, sink)?;
        pair.client(sink, FIN | ACK, &[])?;
        pair.server(sink, ACK, &[])?;
        number += 1;
    }
    Ok(())
}

/// A request and its response.
fn call(pair: &mut Pair, sink: &mut Sink<'_>) -> io::Result<()> {
    pair.client(sink, PSH, &tls::application_data(200))?;
    pair.server(sink, PSH, &tls::application_data(100))
}

pub(super) fn endless(sink: &mut Sink<'_>, _rng: &mut Rng) -> io::Result<()> {
    let mut pair = Pair::greet(0, sink)?;
    while sink.wants() {
        call(&mut pair, sink)?;
    }
    Ok(())
}

pub(super) fn calls(sink: &mut Sink<'_>, _rng: &mut Rng) -> io::Result<()> {
    let mut number = 0;
    while sink.wants() {
        let mut pair = Pair::greet(number, sink)?;
        for _ in 0..1_000 {
            call(&mut pair, sink)?;
        }
        number += 1;
    }
    Ok(())
}

pub(super) fn holes(sink: &mut Sink<'_>, _rng: &mut Rng) -> io::Result<()> {
    let mut pair = Pair::greet(0, sink)?;
    while sink.wants() {
        pair.sent = pair.sent.wrapping_add(40);
        pair.client(sink, PSH, &tls::application_data(35))?;
    }
    Ok(())
}

pub(super) fn many_holes(sink: &mut Sink<'_>, _rng: &mut Rng) -> io::Result<()> {
    let mut number = 0;
    while sink.wants() {
        let mut pair = Pair::open(number, sink)?;
        pair.sent = pair.sent.wrapping_add(1);
        for _ in 0..140 {
            pair.client(sink, PSH, &[23; 1_448])?;
        }
        number += 1;
    }
    Ok(())
}

pub(super) fn reversed(sink: &mut Sink<'_>, _rng: &mut Rng) -> io::Result<()> {
    let mut number = 0;
    while sink.wants() {
        let mut pair = Pair::open(number, sink)?;
        for left in (1..4_000_u32).rev() {
            pair.sent = 1 + left;
            pair.client(sink, PSH, &[23])?;
        }
        number += 1;
    }
    Ok(())
}

pub(super) fn reuse(sink: &mut Sink<'_>, rng: &mut Rng) -> io::Result<()> {
    while sink.wants() {
        let mut pair = Pair::new(7);
        pair.sent = rng.next_u64() as u32;
        pair.answered = 0;
        pair.client(sink, SYN, &[])?;
        pair.answered = rng.next_u64() as u32;
        pair.server(sink, SYN | ACK, &[])?;
        pair.client(sink, PSH, &[22])?;
        pair.server(sink, RST | ACK, &[])?;
    }
    Ok(())
}

pub(super) fn collisions(sink: &mut Sink<'_>, rng: &mut Rng) -> io::Result<()> {
    let syn = segment(40_000, PORT, 1, 0, SYN, &[]);
    let server = 0xfd00_u128 << 112 | 1;
    while sink.wants() {
        let client = u128::from(PREFIX_SEEN_AS_NOTHING) << 64 | u128::from(rng.next_u64());
        sink.ip(&ipv6(client, server, PROTOCOL_TCP, &syn))?;
    }
    Ok(())
}

pub(super) fn times(sink: &mut Sink<'_>, rng: &mut Rng) -> io::Result<()> {
    let mut number = 0;
    while sink.wants() {
        // Anything that pcap can say: 1970 to 2106.
        let mut jump = |sink: &mut Sink<'_>| sink.now = rng.next_u64() % (1 << 32) * 1_000_000_000;
        let mut pair = Pair::new(number);
        jump(sink);
        pair.client(sink, SYN, &[])?;
        jump(sink);
        pair.server(sink, SYN | ACK, &[])?;
        jump(sink);
        pair.client(sink, PSH, &tls::application_data(35))?;
        number += 1;
    }
    Ok(())
}
