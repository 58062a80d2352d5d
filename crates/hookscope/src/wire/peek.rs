//! Plain packets, at a glance: TCP in IPv4 on Ethernet, without tags, IP options, fragments and tunnels, as most are.
//!
//! Nothing is known here that the layers do not know; it is only found in one step.

use super::{Flags, Segment, Vantage};
use crate::flow::key::{Address, Endpoint, FlowKey};
use crate::packet::{LinkType, Packet};

const ETHERNET: usize = 14;
const IPV4: usize = 20;
const TCP: usize = 20;
const HEADERS: usize = ETHERNET + IPV4 + TCP;

/// Source and destination of a plain packet, for whoever has to know only whether it is theirs; nothing for all others,
/// which [`decode`](super::decode) knows.
#[inline]
pub(crate) fn endpoints(packet: &Packet<'_>) -> Option<(Endpoint, Endpoint)> {
    let head: &[u8; ETHERNET + IPV4 + 4] = packet.data.first_chunk()?;
    is_plain(packet.link_type, head).then(|| ends(head))
}

/// The parts of a plain packet.
pub(super) struct Plain<'a> {
    /// All headers without options.
    head: &'a [u8; HEADERS],
    options: &'a [u8],
    payload: &'a [u8],
}

/// The parts of a plain packet that was captured whole; nothing for all others.
#[inline(always)]
pub(super) fn plain<'a>(packet: &Packet<'a>) -> Option<Plain<'a>> {
    let head: &[u8; HEADERS] = packet.data.first_chunk()?;
    if !is_plain(packet.link_type, head.first_chunk()?) {
        return None;
    }
    let total_len = usize::from(u16::from_be_bytes([head[16], head[17]]));
    let options_len = (usize::from(head[46] >> 4) * 4).checked_sub(TCP)?;
    let rest = packet.data.get(HEADERS..ETHERNET + total_len)?;
    let (options, payload) = rest.split_at_checked(options_len)?;
    Some(Plain { head, options, payload })
}

impl<'a> Plain<'a> {
    /// The segment. Apart from the parts, so that it is written where the caller wants it.
    #[inline(always)]
    pub(super) fn segment(&self, packet: &Packet<'a>) -> Segment<'a> {
        let Self { head, options, payload } = *self;
        let double = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
        let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (key, from) = FlowKey::of_v4([word(26), word(30)], [double(34), double(36)]);
        Segment {
            key,
            hash: key.hash(),
            from,
            flags: Flags(head[47] & Flags::MASK),
            time: packet.time,
            frame: packet.frame,
            seq: word(38),
            ack: word(42),
            window: double(48),
            ip_id: double(18),
            ttl: head[22],
            vantage: Vantage { interface: packet.interface.into(), depth: 0 },
            payload_len: payload.len() as u32,
            payload,
            options,
        }
    }
}

#[inline(always)]
fn is_plain(link_type: LinkType, head: &[u8; ETHERNET + IPV4 + 4]) -> bool {
    // Words that are read whole: octet by octet it takes longer.
    let word = |at: usize| {
        head.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u32::from_be_bytes(*word))
    };
    link_type == LinkType::ETHERNET
        // IPv4 with a header of 20 octets.
        && word(12) & 0xffff_ff00 == 0x0800_4500
        // No fragment, and TCP; two bits of flags and the time to live do not matter.
        && word(20) & 0x3fff_00ff == 6
}

#[inline(always)]
fn ends(head: &[u8; ETHERNET + IPV4 + 4]) -> (Endpoint, Endpoint) {
    let source = Address::v4([head[26], head[27], head[28], head[29]]);
    let destination = Address::v4([head[30], head[31], head[32], head[33]]);
    let ports = [[head[34], head[35]], [head[36], head[37]]].map(u16::from_be_bytes);
    (Endpoint { address: source, port: ports[0] }, Endpoint { address: destination, port: ports[1] })
}
