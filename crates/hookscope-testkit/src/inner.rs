//! Finds the packet inside a tunnel, for what has to change wherever a connection's packets are seen.

use crate::link;
use crate::view::{Ip, network};
use crate::wire::{ETHERTYPE_IPV4, ETHERTYPE_IPV6, PROTOCOL_GRE, PROTOCOL_UDP, u16_at};

const TRANSPARENT_ETHERNET: u16 = 0x6558;

/// The packet that this one carries, if it is one of VXLAN, Geneve, GRE or IP in IP.
pub(crate) fn inner(data: &[u8], outer: &Ip) -> Option<Ip> {
    if outer.later_fragment {
        return None;
    }
    let body = data.get(outer.payload..)?;
    let (kind, header) = match outer.protocol {
        4 | 41 => return Ip::at(data, outer.payload),
        PROTOCOL_UDP if body.len() >= 16 => match u16_at(body, 2) {
            4789 | 8472 => (TRANSPARENT_ETHERNET, 16),
            6081 => (u16_at(body, 10), 16 + usize::from(body[8] & 0x3f) * 4),
            _ => return None,
        },
        PROTOCOL_GRE if body.len() >= 4 && body[1] & 7 == 0 => {
            let optional = (body[0] & 0b1011_0000).count_ones() as usize; // checksum, key, sequence number
            (u16_at(body, 2), 4 + optional * 4)
        }
        _ => return None,
    };
    let start = outer.payload + header;
    match kind {
        ETHERTYPE_IPV4 | ETHERTYPE_IPV6 => Ip::at(data, start),
        TRANSPARENT_ETHERNET => match network(link::ETHERNET, data.get(start..)?)? {
            (ETHERTYPE_IPV4 | ETHERTYPE_IPV6, offset) => Ip::at(data, start + offset),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Conversation;
    use crate::transform::{Outer, Tunnel, tunnel};

    #[test]
    fn the_packet_is_found_in_every_kind_of_tunnel() {
        let story = Conversation::new("10.0.0.1:1", "10.0.0.2:2").syn().capture();
        assert!(inner(&story.records[0].data, &Ip::at(&story.records[0].data, 14).unwrap()).is_none());
        for kind in [
            Tunnel::Vxlan { port: 8472, vni: 1 },
            Tunnel::Geneve { vni: 1, options: vec![0; 8], ethernet: true },
            Tunnel::Geneve { vni: 1, options: vec![], ethernet: false },
            Tunnel::Gre { key: Some(1), checksum: true, ethernet: true },
            Tunnel::Gre { key: None, checksum: false, ethernet: false },
            Tunnel::IpInIp,
        ] {
            let wrapped = tunnel(&story, &kind, Outer::V6);
            let data = &wrapped.records[0].data;
            let found = inner(data, &Ip::at(data, 14).unwrap()).unwrap();
            assert_eq!(data[found.start..], story.records[0].data[14..], "{kind:?}");
        }
    }
}
