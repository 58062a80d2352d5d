//! What switches put before a frame or its EtherType among themselves -> what they carry.
//!
//! Backbone bridges (IEEE 802.1ah), port extenders (IEEE 802.1BR), Cisco's VN-Tag and FabricPath.

use super::{Body, EtherType, Malformed, Network, ethernet};

/// The rest of an I-TAG, and the customer's whole frame (IEEE 802.1Q, section 9.7).
pub(super) fn strip_backbone_tag(body: Body<'_>) -> Result<Network<'_>, Malformed> {
    frame_behind(body, 4)
}

/// The forwarding tag, and the whole frame; the outer addresses were those of switches.
pub(super) fn strip_fabric_path(body: Body<'_>) -> Result<Network<'_>, Malformed> {
    frame_behind(body, 2)
}

/// The rest of an E-TAG, and the EtherType (IEEE 802.1BR, section 7.3).
pub(super) fn strip_extender_tag(body: Body<'_>) -> Result<Network<'_>, Malformed> {
    ether_type_behind(body, 6)
}

/// The rest of a VN-Tag, and the EtherType.
pub(super) fn strip_vn_tag(body: Body<'_>) -> Result<Network<'_>, Malformed> {
    ether_type_behind(body, 4)
}

fn frame_behind(body: Body<'_>, tag: u32) -> Result<Network<'_>, Malformed> {
    ethernet::strip(body.skip(tag).ok_or(Malformed::TruncatedBridgeTag)?)
}

fn ether_type_behind(body: Body<'_>, tag: u32) -> Result<Network<'_>, Malformed> {
    let behind = body.skip(tag).and_then(Body::split::<2>);
    let (ether_type, body) = behind.ok_or(Malformed::TruncatedBridgeTag)?;
    ethernet::untag(EtherType(u16::from_be_bytes(*ether_type)), body)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Strip = fn(Body<'_>) -> Result<Network<'_>, Malformed>;

    #[test]
    fn tags_before_a_frame_or_an_ether_type_are_skipped() {
        let frame = [&[0x02; 12][..], &[0x81, 0, 0, 1, 0x08, 0x00, 0x45]].concat();
        let tagged = [0x81, 0, 0, 1, 0x08, 0x00, 0x45];
        let kinds: [(Strip, usize, &[u8]); 4] = [
            (strip_backbone_tag, 4, &frame),
            (strip_fabric_path, 2, &frame),
            (strip_extender_tag, 6, &tagged),
            (strip_vn_tag, 4, &tagged),
        ];
        for (strip, tag, rest) in kinds {
            let bytes = [&[7; 6][..tag], rest].concat();
            let network = strip(Body::new(&bytes, 0)).unwrap();
            assert_eq!((network.ether_type, network.body.captured), (EtherType::IPV4, &[0x45][..]));
            assert_eq!(strip(Body::new(&bytes[..tag - 1], 60)).unwrap_err(), Malformed::TruncatedBridgeTag);
        }
    }
}
