//! IEEE 802.11 data frame -> what it carries (LINKTYPE_IEEE802_11), also behind radiotap (LINKTYPE_IEEE802_11_RADIOTAP).
//!
//! Management, control and protected frames carry nothing that can be read. Of an aggregate only the first frame is.

use super::{EtherType, Network};
use crate::wire::body::Body;
use crate::wire::malformed::Malformed;
use crate::wire::shim::llc;

/// Protocol version 0, type of data; what is left of the first octet is the subtype.
const DATA: u8 = 0x08;
const VERSION_AND_TYPE: u8 = 0x0f;
const NO_DATA: u8 = 0x40;
const QUALITY_OF_SERVICE: u8 = 0x80;
/// To and from the distribution system: from one access point to another, with a fourth address.
const BOTH_WAYS: u8 = 0x03;
const PROTECTED: u8 = 0x40;
const HIGH_THROUGHPUT_CONTROL: u8 = 0x80;
/// In the field of the quality of service.
const AGGREGATE: u8 = 0x80;

/// Strips the frame's header and LLC.
pub(in crate::wire) fn strip(frame: Body<'_>) -> Result<Network<'_>, Malformed> {
    let nothing = Network { ether_type: EtherType::NONE, body: frame };
    let (&[kind, flags], _) = frame.split::<2>().ok_or(Malformed::TruncatedWirelessHeader)?;
    if kind & VERSION_AND_TYPE != DATA || kind & NO_DATA != 0 || flags & PROTECTED != 0 {
        return Ok(nothing);
    }
    let four_addresses = if flags & BOTH_WAYS == BOTH_WAYS { 6 } else { 0 };
    let mut body = frame.skip(24 + four_addresses).ok_or(Malformed::TruncatedWirelessHeader)?;
    if kind & QUALITY_OF_SERVICE != 0 {
        let (quality, rest) = body.split::<2>().ok_or(Malformed::TruncatedWirelessHeader)?;
        let control = if flags & HIGH_THROUGHPUT_CONTROL != 0 { 4 } else { 0 };
        // Each frame of an aggregate has addresses and a length of its own.
        let header = if quality[0] & AGGREGATE != 0 { 14 } else { 0 };
        body = rest.skip(control + header).ok_or(Malformed::TruncatedWirelessHeader)?;
    }
    llc::strip(body)
}

/// The same behind what the radio said of the frame.
pub(in crate::wire) fn strip_radiotap(packet: Body<'_>) -> Result<Network<'_>, Malformed> {
    let (header, _) = packet.split::<4>().ok_or(Malformed::TruncatedWirelessHeader)?;
    let len = u16::from_le_bytes([header[2], header[3]]);
    strip(packet.skip(len.into()).ok_or(Malformed::TruncatedWirelessHeader)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IPV4: [u8; 9] = [0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00, 0x45];

    #[test]
    fn the_header_is_as_long_as_its_flags_say() {
        for (kind, flags, rest) in [
            (0x08, 0x01, &[][..]),
            (0x08, 0x03, &[7; 6]),
            (0x88, 0x02, &[0, 0]),
            (0x88, 0x82, &[0, 0, 7, 7, 7, 7]),
            (0x88, 0x02, &[0x80, 0, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 0, 9]),
        ] {
            let frame = [&[kind, flags], &[0; 22][..], rest, &IPV4].concat();
            let network = strip(Body::new(&frame, 0)).unwrap();
            assert_eq!((network.ether_type, network.body.captured), (EtherType::IPV4, &[0x45][..]));
            let cut = strip(Body::new(&frame[..23 + rest.len()], 60));
            assert_eq!(cut.unwrap_err(), Malformed::TruncatedWirelessHeader);

            let heard = [&[0, 0, 9, 0, 0, 0, 0, 0, 0], &frame[..]].concat();
            assert_eq!(strip_radiotap(Body::new(&heard, 0)).unwrap().ether_type, EtherType::IPV4);
            assert_eq!(
                strip_radiotap(Body::new(&heard[..8], 60)).unwrap_err(),
                Malformed::TruncatedWirelessHeader
            );
        }
    }

    #[test]
    fn other_frames_carry_nothing_to_read() {
        // A beacon, an acknowledgment, no data, another version, encrypted.
        for (kind, flags) in [(0x80, 0), (0xd4, 0), (0x48, 1), (0x09, 1), (0x08, 0x41)] {
            let frame = [&[kind, flags], &[0; 22][..], &IPV4].concat();
            assert_eq!(strip(Body::new(&frame, 0)).unwrap().ether_type, EtherType::NONE, "{kind:#x}");
        }
    }
}
