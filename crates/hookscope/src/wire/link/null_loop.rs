//! BSD loopback -> IPv4 or IPv6, by a four-byte address family (LINKTYPE_NULL and LINKTYPE_LOOP).
//!
//! NULL is in the byte order of the host that captured, LOOP in network byte order; no family reads as another
//! when its bytes are swapped, so both orders are accepted for both.

use super::{EtherType, Network};
use crate::wire::body::Body;
use crate::wire::malformed::Malformed;

/// Strips the address family.
#[inline]
pub(in crate::wire) fn strip(packet: Body<'_>) -> Result<Network<'_>, Malformed> {
    let (family, body) = packet.split::<4>().ok_or(Malformed::TruncatedLoopbackHeader)?;
    let ether_type = match u32::from_be_bytes(*family).min(u32::from_le_bytes(*family)) {
        2 => EtherType::IPV4,
        // AF_INET6 of Linux, of Windows, of NetBSD and OpenBSD, of FreeBSD, of Darwin.
        10 | 23 | 24 | 28 | 30 => EtherType::IPV6,
        _ => EtherType::NONE,
    };
    Ok(Network { ether_type, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_read_in_either_byte_order() {
        for (family, ether_type) in [
            (2, EtherType::IPV4),
            (10, EtherType::IPV6),
            (23, EtherType::IPV6),
            (24, EtherType::IPV6),
            (28, EtherType::IPV6),
            (30, EtherType::IPV6),
            (1, EtherType::NONE),
        ] {
            for bytes in [[0, 0, 0, family, 9], [family, 0, 0, 0, 9]] {
                let network = strip(Body::new(&bytes, 0)).unwrap();
                assert_eq!((network.ether_type, network.body.captured), (ether_type, &[9][..]));
            }
        }
    }

    #[test]
    fn a_cut_header_is_named() {
        assert_eq!(strip(Body::new(&[0, 0, 2], 60)).unwrap_err(), Malformed::TruncatedLoopbackHeader);
    }
}
