//! Ethernet frame -> what it carries: IEEE 802.3 clause 3 with the VLAN tags of IEEE 802.1Q.
//!
//! Any number of tags is stripped. Padding stays, the IP length cuts it off.

use super::{EtherType, Network};
use crate::wire::body::Body;
use crate::wire::malformed::Malformed;

/// Strips the header and its VLAN tags.
#[inline]
pub(in crate::wire) fn strip(frame: Body<'_>) -> Result<Network<'_>, Malformed> {
    let (header, body) = frame.split::<14>().ok_or(Malformed::TruncatedEthernetHeader)?;
    untag(EtherType(u16::from_be_bytes([header[12], header[13]])), body)
}

/// Strips VLAN tags: their EtherType has been read, their tag and the next EtherType follow.
#[inline]
pub(in crate::wire) fn untag(
    mut ether_type: EtherType,
    mut body: Body<'_>,
) -> Result<Network<'_>, Malformed> {
    while matches!(ether_type, EtherType::VLAN | EtherType::SERVICE_VLAN | EtherType::OLD_SERVICE_VLAN) {
        let (tag, rest) = body.split::<4>().ok_or(Malformed::TruncatedVlanTag)?;
        ether_type = EtherType(u16::from_be_bytes([tag[2], tag[3]]));
        body = rest;
    }
    Ok(Network { ether_type, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(ether_types: &[u8]) -> Vec<u8> {
        [&[0; 12], ether_types].concat()
    }

    #[test]
    fn the_ether_type_says_what_follows() {
        let bytes = frame(&[0x08, 0x00, 0x45]);
        let network = strip(Body::new(&bytes, 60)).unwrap();
        assert_eq!(
            (network.ether_type, network.body.captured, network.body.len),
            (EtherType::IPV4, &[0x45][..], 46)
        );
    }

    #[test]
    fn tags_are_stripped_however_many() {
        for tags in [
            &[0x81, 0, 0, 1][..],
            &[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2],
            &[0x91, 0, 0, 1, 0x91, 0, 0, 2, 0x81, 0, 0, 3],
        ] {
            let bytes = frame(&[tags, &[0x86, 0xdd, 0x60]].concat());
            let network = strip(Body::new(&bytes, 0)).unwrap();
            assert_eq!((network.ether_type, network.body.captured), (EtherType::IPV6, &[0x60][..]));
        }
    }

    #[test]
    fn a_cut_header_or_tag_is_named() {
        assert_eq!(strip(Body::new(&[0; 13], 60)).unwrap_err(), Malformed::TruncatedEthernetHeader);
        let bytes = frame(&[0x81, 0, 0, 1, 8]);
        assert_eq!(strip(Body::new(&bytes, 60)).unwrap_err(), Malformed::TruncatedVlanTag);
    }
}
