//! Where a packet names its connection.

use super::Cast;
use super::flow::{Flow, quoted};
use crate::view::Ip;
use crate::wire::{PROTOCOL_TCP, put_u16, put_u32, u16_at, u32_at};

const RST: u8 = 0x04;
const ACK: u8 = 0x10;
const OPTION_SACK: u8 = 5;
const OPTION_TIMESTAMPS: u8 = 8;

/// A number in a packet that depends on who plays it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    at: usize,
    value: Value,
    /// Where the checksums stand that cover it.
    checksums: [Option<usize>; 2],
}

#[derive(Debug, Clone, Copy)]
enum Value {
    Client,
    ClientPort,
    Server,
    ClientSeq,
    ServerSeq,
    Clock,
    Ident,
}

/// The fields of a packet of `flow`. In what an ICMP error quotes they are covered by the quote's own checksums.
pub(super) fn of(flow: &Flow, data: &[u8], ip: &Ip) -> Vec<Field> {
    let mut fields = Vec::new();
    match quoted(data, ip) {
        Some(quoted) => {
            let from_client = is_from_client(flow, data, &quoted);
            packet(&mut fields, data, &quoted, from_client);
            // Who reports is whom the quoted packet was on its way to, or a router.
            addresses(&mut fields, data, ip, !from_client, None);
            let reporter = source_of(ip);
            fields.retain(|field| field.at != reporter || ip.from == quoted.to);
        }
        None => packet(&mut fields, data, ip, is_from_client(flow, data, ip)),
    }
    fields
}

fn is_from_client(flow: &Flow, data: &[u8], ip: &Ip) -> bool {
    (ip.from, u16_at(data, ip.payload)) == flow.client
}

fn packet(fields: &mut Vec<Field>, data: &[u8], ip: &Ip, from_client: bool) {
    let at = ip.payload;
    let is_tcp = ip.protocol == PROTOCOL_TCP;
    let checksum = at + if is_tcp { 16 } else { 6 };
    // Zero says that a UDP datagram has none.
    let is_there = data.len() >= checksum + 2 && (is_tcp || u16_at(data, checksum) != 0);
    let checksum = is_there.then_some(checksum);
    addresses(fields, data, ip, from_client, checksum);
    let mut add = |at, value| fields.push(Field { at, value, checksums: [checksum, None] });
    add(at + if from_client { 0 } else { 2 }, Value::ClientPort);
    if !is_tcp || data.len() < at + 8 {
        return;
    }
    let (own, peer) =
        if from_client { (Value::ClientSeq, Value::ServerSeq) } else { (Value::ServerSeq, Value::ClientSeq) };
    let flags = data.get(at + 13).copied().unwrap_or(0);
    // The reset that refuses a SYN has no number of its own.
    let is_refusal = flags & (RST | ACK) == RST | ACK && u32_at(data, at + 4) == 0;
    if !is_refusal {
        add(at + 4, own);
    }
    if flags & ACK != 0 && data.len() >= at + 12 {
        add(at + 8, peer);
    }
    if let Some(payload) = ip.tcp_payload(data) {
        options(&data[..payload], at + 20, |at, kind, length| match kind {
            OPTION_SACK => (at + 2..at + length).step_by(4).for_each(|edge| add(edge, peer)),
            OPTION_TIMESTAMPS if length == 10 => {
                add(at + 2, Value::Clock);
                if u32_at(data, at + 6) != 0 {
                    add(at + 6, Value::Clock);
                }
            }
            _ => {}
        });
    }
}

fn options(header: &[u8], mut at: usize, mut option: impl FnMut(usize, u8, usize)) {
    while at + 1 < header.len() && header[at] != 0 {
        if header[at] == 1 {
            at += 1;
            continue;
        }
        let length = usize::from(header[at + 1]).max(2);
        if at + length <= header.len() {
            option(at, header[at], length);
        }
        at += length;
    }
}

fn source_of(ip: &Ip) -> usize {
    ip.start + if ip.is_v4() { 12 } else { 8 + 12 }
}

fn addresses(fields: &mut Vec<Field>, data: &[u8], ip: &Ip, from_client: bool, transport: Option<usize>) {
    let header = ip.is_v4().then_some(ip.start + 10);
    let source = source_of(ip);
    let target = source + if ip.is_v4() { 4 } else { 16 };
    let (client, server) = if from_client { (source, target) } else { (target, source) };
    for (at, value) in [(client, Value::Client), (server, Value::Server)] {
        fields.push(Field { at, value, checksums: [header, transport] });
    }
    if ip.is_v4() && u16_at(data, ip.start + 4) != 0 {
        fields.push(Field { at: ip.start + 4, value: Value::Ident, checksums: [header, None] });
    }
}

impl Field {
    /// Writes what `cast` says, and brings the checksums up to date.
    #[inline]
    pub(super) fn set(&self, data: &mut [u8], cast: &Cast) {
        let moved = |data: &[u8], by: u32| u32_at(data, self.at).wrapping_add(by);
        let new = match self.value {
            Value::ClientPort => return self.put_short(data, cast.client_port),
            Value::Ident => return self.put_short(data, u16_at(data, self.at).wrapping_add(cast.ident)),
            Value::Client => cast.client,
            Value::Server => cast.server,
            Value::ClientSeq => moved(data, cast.client_seq),
            Value::ServerSeq => moved(data, cast.server_seq),
            Value::Clock => moved(data, cast.clock_ms),
        };
        let old = u32_at(data, self.at);
        put_u32(data, self.at, new);
        self.update(data, sum_of(!old) + sum_of(new));
    }

    #[inline]
    fn put_short(&self, data: &mut [u8], new: u16) {
        let old = u16_at(data, self.at);
        put_u16(data, self.at, new);
        self.update(data, u32::from(!old) + u32::from(new));
    }

    /// RFC 1624: the sum of the new and the inverted old is added to the inverted checksum.
    #[inline]
    fn update(&self, data: &mut [u8], change: u32) {
        for at in self.checksums.into_iter().flatten() {
            // Options may stand on odd offsets, which swaps the octets of a sum. Checksums stand on even ones.
            let change = if self.at.abs_diff(at).is_multiple_of(2) {
                change
            } else {
                u32::from(folded(change).swap_bytes())
            };
            let sum = folded(u32::from(!u16_at(data, at)) + u32::from(folded(change)));
            put_u16(data, at, !sum);
        }
    }
}

fn sum_of(value: u32) -> u32 {
    (value >> 16) + (value & 0xffff)
}

fn folded(sum: u32) -> u16 {
    let sum = sum_of(sum);
    sum_of(sum) as u16
}
