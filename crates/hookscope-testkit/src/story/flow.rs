//! Tells the connections of a capture apart, inside tunnels too.

use crate::inner::inner;
use crate::view::Ip;
use crate::wire::{PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP, u16_at};
use crate::{Capture, Record};
use std::net::IpAddr;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;
const SYN_ACK: u8 = SYN | ACK;

type Socket = (IpAddr, u16);

/// A connection by its sockets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flow {
    pub(super) client: Socket,
    server: Socket,
    /// Whether it was seen from its start on: for what is no TCP, anything is a start.
    pub(super) has_beginning: bool,
}

/// What a TCP packet moves forward.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) from_client: bool,
    pub(super) octets: u32,
    /// Whether the side says no more.
    pub(super) ends: bool,
}

/// The connections in order of their first packets, each packet with its innermost IP header.
pub(super) fn flows_of(capture: &Capture) -> Vec<(Flow, Vec<(&Record, Ip)>)> {
    let mut flows: Vec<(Flow, Vec<(&Record, Ip)>)> = Vec::new();
    for record in &capture.records {
        let Some(mut ip) = Ip::of(capture.link_type, &record.data) else { continue };
        while let Some(inside) = inner(&record.data, &ip) {
            ip = inside;
        }
        let Some(seen) = Flow::of(&record.data, &ip) else { continue };
        if let Some((flow, packets)) = flows.iter_mut().find(|(flow, _)| flow.has_sockets_of(&seen)) {
            if seen.has_beginning && !flow.has_beginning {
                *flow = seen;
            }
            packets.push((record, ip));
        } else {
            flows.push((seen, vec![(record, ip)]));
        }
    }
    flows
}

/// The packet that an ICMP error quotes.
pub(super) fn quoted(data: &[u8], ip: &Ip) -> Option<Ip> {
    let kind = *data.get(ip.payload)?;
    let is_error = match ip.protocol {
        PROTOCOL_ICMP => matches!(kind, 3 | 4 | 5 | 11 | 12),
        PROTOCOL_ICMPV6 => kind < 128,
        _ => false,
    };
    if is_error { Ip::at(data, ip.payload + 8) } else { None }
}

impl Flow {
    fn of(data: &[u8], ip: &Ip) -> Option<Self> {
        if let Some(quoted) = quoted(data, ip) {
            return Self::of(data, &quoted).map(|flow| Self { has_beginning: false, ..flow });
        }
        if ip.later_fragment || !matches!(ip.protocol, PROTOCOL_TCP | PROTOCOL_UDP) {
            return None;
        }
        let header = data.get(ip.payload..).filter(|header| header.len() >= 4)?;
        let (from, to) = ((ip.from, u16_at(header, 0)), (ip.to, u16_at(header, 2)));
        let flags = if ip.protocol == PROTOCOL_TCP { header.get(13).copied().unwrap_or(0) } else { 0 };
        let from_client = match flags & (SYN | ACK) {
            SYN => true,
            SYN_ACK => false,
            _ => from.1 >= to.1,
        };
        let (client, server) = if from_client { (from, to) } else { (to, from) };
        Some(Self { client, server, has_beginning: ip.protocol == PROTOCOL_UDP || flags & SYN != 0 })
    }

    fn has_sockets_of(&self, other: &Self) -> bool {
        [other.client, other.server] == [self.client, self.server]
            || [other.server, other.client] == [self.client, self.server]
    }

    /// What a packet of it sends, if it is one of TCP.
    pub(super) fn sent(&self, data: &[u8], ip: &Ip) -> Option<Sent> {
        let payload = ip.tcp_payload(data)?;
        let from_client = (ip.from, u16_at(data, ip.payload)) == self.client;
        let ends = data[ip.payload + 13] & (FIN | RST) != 0;
        Some(Sent { from_client, octets: (ip.end - payload) as u32, ends })
    }
}
