//! Logical link control with a SNAP header -> what it carries (IEEE 802.2; RFC 1042).

use super::{Body, EtherType, Malformed, Network, ethernet};

/// Both SAPs of SNAP, unnumbered information, and the organisation whose protocols are EtherTypes.
const SNAP: [u8; 6] = [0xaa, 0xaa, 0x03, 0, 0, 0];

/// Strips LLC and SNAP; what has no SNAP header (spanning tree, IS-IS) carries nothing of interest.
pub(in crate::wire) fn strip(body: Body<'_>) -> Result<Network<'_>, Malformed> {
    match body.split::<8>() {
        Some((&[a, b, c, d, e, f, high, low], rest)) if [a, b, c, d, e, f] == SNAP => {
            ethernet::untag(EtherType(u16::from_be_bytes([high, low])), rest)
        }
        _ => Ok(Network { ether_type: EtherType::NONE, body }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snap_has_an_ether_type() {
        let bytes = [&SNAP[..], &[0x81, 0, 0, 1, 0x08, 0x00, 0x45]].concat();
        let network = strip(Body::new(&bytes, 0)).unwrap();
        assert_eq!((network.ether_type, network.body.captured), (EtherType::IPV4, &[0x45][..]));
    }

    #[test]
    fn other_frames_carry_nothing_of_interest() {
        for bytes in [&[0x42, 0x42, 0x03, 0, 0, 0, 0x08, 0x00][..], &SNAP] {
            assert_eq!(strip(Body::new(bytes, 0)).unwrap().ether_type, EtherType::NONE);
        }
    }
}
