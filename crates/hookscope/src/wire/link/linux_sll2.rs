//! Linux cooked capture, version 2 -> what it carries, and the interface that saw it (LINKTYPE_LINUX_SLL2 of the
//! tcpdump project).
//!
//! The interface is an index of the capturing host; its name is not in the packet.

use super::{EtherType, Network, ethernet, linux_sll};
use crate::wire::body::Body;
use crate::wire::malformed::Malformed;

/// Strips the header; the number is the interface index.
#[inline]
pub(in crate::wire) fn strip(packet: Body<'_>) -> Result<(u32, Network<'_>), Malformed> {
    let (header, body) = packet.split::<20>().ok_or(Malformed::TruncatedLinuxSll2Header)?;
    let interface = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
    let network = if u16::from_be_bytes([header[8], header[9]]) == linux_sll::NETLINK {
        Network { ether_type: EtherType::NONE, body }
    } else {
        ethernet::untag(EtherType(u16::from_be_bytes([header[0], header[1]])), body)?
    };
    Ok((interface, network))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_names_protocol_and_interface() {
        let mut bytes = [0; 21];
        bytes[..2].copy_from_slice(&[0x86, 0xdd]);
        bytes[4..8].copy_from_slice(&[0, 1, 0, 2]);
        let (interface, network) = strip(Body::new(&bytes, 0)).unwrap();
        assert_eq!((interface, network.ether_type, network.body.len), (0x1_0002, EtherType::IPV6, 1));
    }

    #[test]
    fn a_cut_header_is_named() {
        assert_eq!(strip(Body::new(&[0; 19], 60)).unwrap_err(), Malformed::TruncatedLinuxSll2Header);
    }
}
