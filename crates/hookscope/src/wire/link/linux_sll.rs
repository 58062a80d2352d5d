//! Linux cooked capture, version 1 -> what it carries (LINKTYPE_LINUX_SLL of the tcpdump project).
//!
//! Packet type and link-layer address are of no use here, and nothing in it names the interface.

use super::{EtherType, Network, ethernet};
use crate::wire::body::Body;
use crate::wire::malformed::Malformed;

/// The ARPHRD_ type of netlink monitors, whose protocol field is no EtherType.
pub(super) const NETLINK: u16 = 824;

/// Strips the header.
#[inline]
pub(in crate::wire) fn strip(packet: Body<'_>) -> Result<Network<'_>, Malformed> {
    let (header, body) = packet.split::<16>().ok_or(Malformed::TruncatedLinuxSllHeader)?;
    if u16::from_be_bytes([header[2], header[3]]) == NETLINK {
        return Ok(Network { ether_type: EtherType::NONE, body });
    }
    ethernet::untag(EtherType(u16::from_be_bytes([header[14], header[15]])), body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_protocol_field_says_what_follows() {
        let mut bytes = [0; 17];
        bytes[14..].copy_from_slice(&[0x08, 0x00, 0x45]);
        let network = strip(Body::new(&bytes, 0)).unwrap();
        assert_eq!((network.ether_type, network.body.captured), (EtherType::IPV4, &[0x45][..]));
    }

    #[test]
    fn netlink_is_no_network() {
        let mut bytes = [0; 17];
        bytes[2..4].copy_from_slice(&NETLINK.to_be_bytes());
        bytes[14..].copy_from_slice(&[0x08, 0x00, 0x45]);
        assert_eq!(strip(Body::new(&bytes, 0)).unwrap().ether_type, EtherType::NONE);
    }

    #[test]
    fn a_cut_header_is_named() {
        assert_eq!(strip(Body::new(&[0; 15], 60)).unwrap_err(), Malformed::TruncatedLinuxSllHeader);
    }
}
