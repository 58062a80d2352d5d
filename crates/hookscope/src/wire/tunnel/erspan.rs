//! ERSPAN -> the mirrored frame: what a switch's mirror port sends through GRE to a host (draft-foschiano-erspan).

use crate::wire::body::Body;
use crate::wire::link::{EtherType, Network, ethernet, raw_ip};
use crate::wire::malformed::Malformed;

/// GRE's protocol for types I and II.
pub(super) const TYPE_2: EtherType = EtherType(0x88be);
/// GRE's protocol for type III.
pub(super) const TYPE_3: EtherType = EtherType(0x22eb);

/// The mirrored frame of types I, which is nothing but the frame, and II. Only the latter numbers its packets.
pub(super) fn strip_type_2(body: Body<'_>, is_numbered: bool) -> Result<Network<'_>, Malformed> {
    match is_numbered {
        true => ethernet::strip(body.skip(8).ok_or(Malformed::TruncatedErspanHeader)?),
        false => ethernet::strip(body),
    }
}

/// The mirrored frame, or IP packet, of type III.
pub(super) fn strip_type_3(body: Body<'_>) -> Result<Network<'_>, Malformed> {
    const IP: u8 = 2;
    let (header, rest) = body.split::<12>().ok_or(Malformed::TruncatedErspanHeader)?;
    let (frame_type, has_subheader) = (header[10] >> 2 & 0x1f, header[11] & 0x01 != 0);
    let inner = match has_subheader {
        true => rest.skip(8).ok_or(Malformed::TruncatedErspanHeader)?,
        false => rest,
    };
    match frame_type {
        0 => ethernet::strip(inner),
        IP => raw_ip::strip(inner),
        _ => Ok(Network { ether_type: EtherType::NONE, body: inner }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Vec<u8> {
        [&[0x02; 12][..], &[0x08, 0x00, 0x45]].concat()
    }

    #[track_caller]
    fn assert_ipv4(network: Result<Network<'_>, Malformed>) {
        let network = network.unwrap();
        assert_eq!((network.ether_type, network.body.captured), (EtherType::IPV4, &[0x45][..]));
    }

    #[test]
    fn only_numbered_packets_have_a_header_of_type_2() {
        assert_ipv4(strip_type_2(Body::new(&frame(), 0), false));
        assert_ipv4(strip_type_2(Body::new(&[&[0x10; 8], &frame()[..]].concat(), 0), true));
        assert_eq!(
            strip_type_2(Body::new(&[0x10; 7], 60), true).unwrap_err(),
            Malformed::TruncatedErspanHeader
        );
    }

    #[test]
    fn type_3_says_what_it_carries_and_whether_more_follows() {
        let header = |frame_type: u8, more: u8| [&[0x20; 10][..], &[frame_type << 2, more]].concat();
        assert_ipv4(strip_type_3(Body::new(&[header(0, 0), frame()].concat(), 0)));
        assert_ipv4(strip_type_3(Body::new(&[header(0, 1), vec![9; 8], frame()].concat(), 0)));
        assert_ipv4(strip_type_3(Body::new(&[header(2, 0), vec![0x45]].concat(), 0)));
        let other = [header(1, 0), vec![0x45]].concat();
        assert_eq!(strip_type_3(Body::new(&other, 0)).unwrap().ether_type, EtherType::NONE);
        for cut in [&header(0, 0)[..11], &[header(0, 1), vec![9; 7]].concat()] {
            assert_eq!(strip_type_3(Body::new(cut, 60)).unwrap_err(), Malformed::TruncatedErspanHeader);
        }
    }
}
