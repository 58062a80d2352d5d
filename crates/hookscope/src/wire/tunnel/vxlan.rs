//! VXLAN -> the inner packet (RFC 7348, section 5). The network identifier is not kept.
//!
//! On the ports that belong to VXLAN the header is believed. Overlays run on any other port too, so there it is
//! known by its shape: header, inner Ethernet frame and inner IP header must agree to the last octet.

use crate::wire::body::Body;
use crate::wire::link::{EtherType, Network, ethernet};
use crate::wire::malformed::Malformed;

/// The assigned UDP port, and the one that Linux has used since before the assignment (flannel, Cilium).
pub(in crate::wire) const PORTS: [u16; 2] = [4789, 8472];

/// The assigned UDP port of the generic protocol extension.
pub(in crate::wire) const GPE_PORT: u16 = 4790;

/// The I flag: the network identifier is valid.
const VALID: u8 = 0x08;
/// The P flag of the generic protocol extension: the fourth octet says what is inside.
const NEXT_PROTOCOL: u8 = 0x04;
/// What Ethernet pads a frame's payload to.
const MINIMUM_PAYLOAD: u32 = 46;

/// The inner packet of a datagram to one of [`PORTS`]. Reserved bits are ignored, because the group policy
/// extension uses them; without the I flag it is something else.
pub(in crate::wire) fn strip(payload: Body<'_>) -> Result<Option<Network<'_>>, Malformed> {
    let (header, frame) = payload.split::<8>().ok_or(Malformed::TruncatedVxlanHeader)?;
    if header[0] & VALID == 0 {
        return Ok(None);
    }
    ethernet::strip(frame).map(Some)
}

/// The inner packet of a datagram to [`GPE_PORT`] (draft-ietf-nvo3-vxlan-gpe, section 3.1).
pub(in crate::wire) fn strip_gpe(payload: Body<'_>) -> Result<Option<Network<'_>>, Malformed> {
    let (header, body) = payload.split::<8>().ok_or(Malformed::TruncatedVxlanHeader)?;
    let ether_type = match header[3] {
        _ if header[0] & NEXT_PROTOCOL == 0 => return strip(payload),
        1 => EtherType::IPV4,
        2 => EtherType::IPV6,
        3 => return ethernet::strip(body).map(Some),
        5 => EtherType::MPLS,
        _ => return Ok(None),
    };
    Ok(Some(Network { ether_type, body }))
}

/// The inner packet of a datagram to any other port, where it can be nothing but VXLAN.
#[inline]
pub(in crate::wire) fn recognise(payload: Body<'_>) -> Option<Network<'_>> {
    let (&[VALID, 0, 0, 0, _, _, _, 0], frame) = payload.split::<8>()? else { return None };
    // A group address is nobody's source.
    if frame.captured.get(6)? & 0x01 != 0 {
        return None;
    }
    let network = ethernet::strip(frame).ok()?;
    let (header, _) = network.body.split::<6>()?;
    let ip_len = match (network.ether_type, header[0] >> 4) {
        (EtherType::IPV4, 4) if header[0] & 0x0f >= 5 => {
            u32::from(u16::from_be_bytes([header[2], header[3]]))
        }
        (EtherType::IPV6, 6) => 40 + u32::from(u16::from_be_bytes([header[4], header[5]])),
        _ => return None,
    };
    let frame_len = network.body.len;
    let padded = ip_len >= 20 && ip_len < frame_len && frame_len <= MINIMUM_PAYLOAD;
    (ip_len == frame_len || padded).then_some(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// VXLAN header, Ethernet header and an IPv4 header whose total length is `total_len`, in all 50 bytes.
    fn encapsulated(total_len: u8) -> Vec<u8> {
        let mut ip = [0; 28];
        (ip[0], ip[3]) = (0x45, total_len);
        [&[8, 0, 0, 0, 0, 0, 1, 0], &[0x02; 12][..], &[0x08, 0x00], &ip].concat()
    }

    #[test]
    fn the_shape_is_recognised_on_any_port() {
        let bytes = encapsulated(28);
        let network = recognise(Body::new(&bytes, 0)).unwrap();
        assert_eq!((network.ether_type, network.body.len), (EtherType::IPV4, 28));
        assert!(recognise(Body::new(&encapsulated(21), 0)).is_some(), "a padded frame");
    }

    #[test]
    fn ipv6_and_tags_are_recognised() {
        let mut ip = [0; 40];
        ip[0] = 0x60;
        let frame = [&[8, 0, 0, 0, 0, 0, 1, 0], &[0x02; 12][..], &[0x81, 0, 0, 5, 0x86, 0xdd], &ip].concat();
        assert_eq!(recognise(Body::new(&frame, 0)).unwrap().ether_type, EtherType::IPV6);
    }

    #[test]
    fn a_cut_packet_is_recognised_by_its_wire_length() {
        let bytes = encapsulated(200);
        assert!(recognise(Body::new(&bytes, 222)).is_some());
        assert!(recognise(Body::new(&bytes, 223)).is_none());
    }

    #[test]
    fn anything_that_does_not_agree_is_ordinary_udp() {
        for (at, byte) in
            [(0, 0x0c), (1, 1), (3, 1), (7, 1), (14, 0x03), (20, 0x09), (22, 0x44), (22, 0x55), (25, 29)]
        {
            let mut bytes = encapsulated(28);
            bytes[at] = byte;
            assert!(recognise(Body::new(&bytes, 0)).is_none(), "byte {at} = {byte:#x}");
        }
        assert!(recognise(Body::new(&encapsulated(28)[..27], 50)).is_none());
    }

    #[test]
    fn the_generic_extension_says_what_is_inside() {
        let inside = |flags, next, rest: &[u8]| {
            let bytes = [&[flags, 0, 0, next, 0, 0, 1, 0], rest].concat();
            strip_gpe(Body::new(&bytes, 0)).unwrap().map(|network| network.ether_type)
        };
        assert_eq!(inside(0x0c, 1, &[0x45]), Some(EtherType::IPV4));
        assert_eq!(inside(0x0c, 2, &[0x60]), Some(EtherType::IPV6));
        assert_eq!(inside(0x04, 5, &[0, 0, 1, 64, 0x45]), Some(EtherType::MPLS));
        let frame = [&[0x02; 12][..], &[0x86, 0xdd, 0x60]].concat();
        assert_eq!(inside(0x0c, 3, &frame), Some(EtherType::IPV6));
        assert_eq!(inside(0x08, 0, &frame), Some(EtherType::IPV6), "plain VXLAN");
        assert_eq!(inside(0x0c, 4, &frame), None);
        assert_eq!(strip_gpe(Body::new(&[8; 7], 60)).unwrap_err(), Malformed::TruncatedVxlanHeader);
    }

    #[test]
    fn on_its_own_ports_the_flag_suffices() {
        let mut bytes = encapsulated(99);
        (bytes[0], bytes[1], bytes[3]) = (0x88, 0x08, 7);
        assert_eq!(strip(Body::new(&bytes, 0)).unwrap().unwrap().ether_type, EtherType::IPV4);
        bytes[0] = 0;
        assert!(strip(Body::new(&bytes, 0)).unwrap().is_none());
        assert_eq!(strip(Body::new(&[8; 7], 60)).unwrap_err(), Malformed::TruncatedVxlanHeader);
    }
}
