//! The endpoints of a plain packet, at a glance: for whoever has to know only whether it is theirs.

use crate::flow::key::{Address, Endpoint};
use crate::packet::{LinkType, Packet};

/// Source and destination of a TCP segment in IPv4 on Ethernet, without tags, options, fragments and tunnels, as most
/// packets are; nothing for all others, which [`decode`](super::decode) knows.
#[inline]
pub(crate) fn endpoints(packet: &Packet<'_>) -> Option<(Endpoint, Endpoint)> {
    const ETHERNET: usize = 14;
    if packet.link_type != LinkType::ETHERNET {
        return None;
    }
    let head: &[u8; ETHERNET + 24] = packet.data.first_chunk()?;
    let is_plain = head[12..15] == [0x08, 0x00, 0x45] // IPv4 with a header of 20 octets
        && (head[20] & 0x3f, head[21]) == (0, 0) // no fragment
        && head[23] == 6; // TCP
    is_plain.then(|| {
        let source = Address::v4([head[26], head[27], head[28], head[29]]);
        let destination = Address::v4([head[30], head[31], head[32], head[33]]);
        let ports = [[head[34], head[35]], [head[36], head[37]]].map(u16::from_be_bytes);
        (Endpoint { address: source, port: ports[0] }, Endpoint { address: destination, port: ports[1] })
    })
}
