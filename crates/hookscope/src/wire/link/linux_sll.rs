//! Linux cooked capture, version 1 -> what it carries (LINKTYPE_LINUX_SLL of the tcpdump project).
//!
//! Nothing in it names the interface; but whether a packet came or went and who sent it on that link tells one interface
//! from the next, as far as packets of one direction of one connection go.

use super::{EtherType, Network, ethernet};
use crate::wire::body::Body;
use crate::wire::malformed::Malformed;

/// The ARPHRD_ type of netlink monitors, whose protocol field is no EtherType.
pub(super) const NETLINK: u16 = 824;

/// Strips the header; gives a number for the interface, too.
#[inline]
pub(in crate::wire) fn strip(packet: Body<'_>) -> Result<(u16, Network<'_>), Malformed> {
    let (header, body) = packet.split::<16>().ok_or(Malformed::TruncatedLinuxSllHeader)?;
    let network = if u16::from_be_bytes([header[2], header[3]]) == NETLINK {
        Network { ether_type: EtherType::NONE, body }
    } else {
        ethernet::untag(EtherType(u16::from_be_bytes([header[14], header[15]])), body)?
    };
    Ok((interface(header), network))
}

/// Packet type and the sender's link-layer address, mixed. What lies behind the address is undefined.
#[inline]
fn interface(header: &[u8; 16]) -> u16 {
    let [_, packet_type, _, _, _, len, a, b, c, d, e, f, g, h, ..] = *header;
    let address = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    let address = address >> (8 * u32::from(8_u8.saturating_sub(len))).min(63);
    let mixed = (address << 3 ^ u64::from(packet_type)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 48) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_protocol_field_says_what_follows() {
        let mut bytes = [0; 17];
        bytes[14..].copy_from_slice(&[0x08, 0x00, 0x45]);
        let (_, network) = strip(Body::new(&bytes, 0)).unwrap();
        assert_eq!((network.ether_type, network.body.captured), (EtherType::IPV4, &[0x45][..]));
    }

    #[test]
    fn netlink_is_no_network() {
        let mut bytes = [0; 17];
        bytes[2..4].copy_from_slice(&NETLINK.to_be_bytes());
        bytes[14..].copy_from_slice(&[0x08, 0x00, 0x45]);
        assert_eq!(strip(Body::new(&bytes, 0)).unwrap().1.ether_type, EtherType::NONE);
    }

    #[test]
    fn direction_and_sender_tell_interfaces_apart() {
        let on = |packet_type, address: [u8; 8]| {
            let mut bytes = [&[0, packet_type, 0, 1, 0, 6], &address[..], &[0x08, 0x00, 0x45]].concat();
            let interface = strip(Body::new(&bytes, 0)).unwrap().0;
            bytes[12..14].fill(0xa5);
            assert_eq!(
                strip(Body::new(&bytes, 0)).unwrap().0,
                interface,
                "what is behind the address means nothing"
            );
            interface
        };
        let (router, node) = ([2, 0, 0, 0, 0, 1, 0, 0], [2, 0, 0, 0, 0, 2, 0, 0]);
        let all = [on(0, router), on(4, router), on(0, node), on(4, node)];
        assert!(all.iter().enumerate().all(|(at, one)| !all[..at].contains(one)), "{all:?}");
    }

    #[test]
    fn addresses_of_any_length_are_taken() {
        for len in [0, 1, 8, 9, 255] {
            let mut bytes = [7; 17];
            (bytes[4], bytes[5]) = (0, len);
            strip(Body::new(&bytes, 0)).unwrap();
        }
    }

    #[test]
    fn a_cut_header_is_named() {
        assert_eq!(strip(Body::new(&[0; 15], 60)).unwrap_err(), Malformed::TruncatedLinuxSllHeader);
    }
}
