//! Plain packets, at a glance: TCP in IPv4 on Ethernet, without tags, IP options, fragments and tunnels, as most are.
//!
//! Nothing is known here that the layers do not know; it is only found in one step.

use super::{Flags, Segment, Vantage};
use crate::flow::key::{Address, Endpoint, FlowKey};
use crate::packet::{LinkType, Packet};

const ETHERNET: usize = 14;
const IPV4: usize = 20;
const TCP: usize = 20;

/// Source and destination of a plain packet, for whoever has to know only whether it is theirs; nothing for all others,
/// which [`decode`](super::decode) knows.
#[inline]
pub(crate) fn endpoints(packet: &Packet<'_>) -> Option<(Endpoint, Endpoint)> {
    let head: &[u8; ETHERNET + IPV4 + 4] = packet.data.first_chunk()?;
    is_plain(packet.link_type, head).then(|| ends(head))
}

/// The segment of a plain packet that was captured whole; nothing for all others.
#[inline(always)]
pub(super) fn segment<'a>(packet: &Packet<'a>) -> Option<Segment<'a>> {
    const OPTIONS: usize = ETHERNET + IPV4 + TCP;
    let head: &[u8; OPTIONS] = packet.data.first_chunk()?;
    if !is_plain(packet.link_type, head.first_chunk()?) {
        return None;
    }
    let total_len = usize::from(u16::from_be_bytes([head[16], head[17]]));
    let payload_at = ETHERNET + IPV4 + usize::from(head[46] >> 4) * 4;
    let options = packet.data.get(OPTIONS..payload_at)?;
    let payload = packet.data.get(payload_at..ETHERNET + total_len)?;
    let (source, destination) = ends(head.first_chunk()?);
    let (key, from) = FlowKey::of(source, destination);
    Some(Segment {
        key,
        hash: key.hash(),
        from,
        flags: Flags(head[47] & Flags::MASK),
        time: packet.time,
        frame: packet.frame,
        seq: u32::from_be_bytes([head[38], head[39], head[40], head[41]]),
        ack: u32::from_be_bytes([head[42], head[43], head[44], head[45]]),
        window: u16::from_be_bytes([head[48], head[49]]),
        ip_id: u16::from_be_bytes([head[18], head[19]]),
        ttl: head[22],
        vantage: Vantage { interface: packet.interface.into(), depth: 0 },
        payload_len: payload.len() as u32,
        payload,
        options,
    })
}

#[inline(always)]
fn is_plain(link_type: LinkType, head: &[u8; ETHERNET + IPV4 + 4]) -> bool {
    link_type == LinkType::ETHERNET
        && head[12..15] == [0x08, 0x00, 0x45] // IPv4 with a header of 20 octets
        && (head[20] & 0x3f, head[21]) == (0, 0) // no fragment
        && head[23] == 6 // TCP
}

#[inline(always)]
fn ends(head: &[u8; ETHERNET + IPV4 + 4]) -> (Endpoint, Endpoint) {
    let source = Address::v4([head[26], head[27], head[28], head[29]]);
    let destination = Address::v4([head[30], head[31], head[32], head[33]]);
    let ports = [[head[34], head[35]], [head[36], head[37]]].map(u16::from_be_bytes);
    (Endpoint { address: source, port: ports[0] }, Endpoint { address: destination, port: ports[1] })
}
