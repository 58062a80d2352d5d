//! Generic routing encapsulation -> the inner packet (RFC 2784, with key and sequence number of RFC 2890), directly in
//! IP or in UDP (RFC 8086); and PPTP's version 1, which carries PPP (RFC 2637, section 4.1).
//!
//! No source routing (RFC 1701), which RFC 2784 took out. What ERSPAN puts behind the header is in [`erspan`].

use super::erspan;
use crate::wire::body::Body;
use crate::wire::link::{EtherType, Network, ethernet, wireless};
use crate::wire::malformed::Malformed;
use crate::wire::shim::ppp;

/// The assigned UDP port.
pub(in crate::wire) const UDP_PORT: u16 = 4754;

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
/// Version 1 only.
const ACKNOWLEDGMENT: u16 = 0x0080;
const VERSION: u16 = 0x0007;
const PPTP: u16 = 1;
const PPP: EtherType = EtherType(0x880b);
/// Wireless frames between an Aruba access point and its controller, by the radio and network they belong to.
const ARUBA: std::ops::RangeInclusive<u16> = 0x8200..=0x83ff;

/// The inner packet; `None` for the kinds of GRE that are not read.
pub(in crate::wire) fn strip(packet: Body<'_>) -> Result<Option<Network<'_>>, Malformed> {
    let (header, rest) = packet.split::<4>().ok_or(Malformed::TruncatedGreHeader)?;
    let flags = u16::from_be_bytes([header[0], header[1]]);
    let protocol = EtherType(u16::from_be_bytes([header[2], header[3]]));
    let has = |field| flags & field != 0;
    let optional = match flags & VERSION {
        _ if has(ROUTING) => return Ok(None),
        0 => [CHECKSUM, KEY, SEQUENCE],
        // Without a sequence number there is no payload.
        PPTP if protocol == PPP && has(SEQUENCE) => [KEY, SEQUENCE, ACKNOWLEDGMENT],
        _ => return Ok(None),
    };
    let fields = optional.into_iter().filter(|&field| has(field)).count();
    let body = rest.skip(fields as u32 * 4).ok_or(Malformed::TruncatedGreHeader)?;
    match protocol {
        EtherType::ETHERNET => ethernet::strip(body),
        PPP => ppp::strip(body),
        erspan::TYPE_2 => erspan::strip_type_2(body, has(SEQUENCE)),
        erspan::TYPE_3 => erspan::strip_type_3(body),
        EtherType(protocol) if ARUBA.contains(&protocol) => wireless::strip(body),
        ether_type => Ok(Network { ether_type, body }),
    }
    .map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optional_fields_are_skipped() {
        for (flags, fields) in [(0, 0), (0x80, 4), (0x20, 4), (0x10, 4), (0xb0, 12)] {
            let bytes = [&[flags, 0, 0x08, 0x00], &[0; 12][..fields], &[0x45]].concat();
            let network = strip(Body::new(&bytes, 0)).unwrap().unwrap();
            assert_eq!((network.ether_type, network.body.captured), (EtherType::IPV4, &[0x45][..]));
            assert_eq!(strip(Body::new(&bytes[..3 + fields], 0)).unwrap_err(), Malformed::TruncatedGreHeader);
        }
    }

    #[test]
    fn transparent_ethernet_is_stripped_too() {
        let bytes = [&[0, 0, 0x65, 0x58], &[0; 12][..], &[0x86, 0xdd, 0x60]].concat();
        let network = strip(Body::new(&bytes, 0)).unwrap().unwrap();
        assert_eq!((network.ether_type, network.body.captured), (EtherType::IPV6, &[0x60][..]));
    }

    #[test]
    fn pptp_carries_ppp() {
        for (flags, fields) in [([0x30, 0x01], 8), ([0x30, 0x81], 12)] {
            let bytes =
                [&flags, &[0x88, 0x0b][..], &[0; 12][..fields], &[0xff, 0x03, 0x00, 0x21, 0x45]].concat();
            let network = strip(Body::new(&bytes, 0)).unwrap().unwrap();
            assert_eq!((network.ether_type, network.body.captured), (EtherType::IPV4, &[0x45][..]));
        }
        let acknowledgment = [0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 0, 0, 0, 0, 0];
        assert!(strip(Body::new(&acknowledgment, 0)).unwrap().is_none());
    }

    #[test]
    fn mirrored_frames_are_read() {
        let frame = [&[0x02; 12][..], &[0x08, 0x00, 0x45]].concat();
        for header in [
            &[0x00, 0, 0x88, 0xbe][..],
            &[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, 0, 0, 0, 0, 0, 0],
            &[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ] {
            let bytes = [header, &frame].concat();
            assert_eq!(strip(Body::new(&bytes, 0)).unwrap().unwrap().ether_type, EtherType::IPV4);
        }
    }

    #[test]
    fn wireless_frames_are_read() {
        let frame = [&[0x08, 0x01], &[0; 22][..], &[0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00, 0x45]].concat();
        for protocol in [0x8200_u16, 0x8240] {
            let bytes = [&[0, 0], &protocol.to_be_bytes()[..], &frame].concat();
            assert_eq!(strip(Body::new(&bytes, 0)).unwrap().unwrap().ether_type, EtherType::IPV4);
        }
    }

    #[test]
    fn other_versions_and_source_routes_are_not_read() {
        assert!(strip(Body::new(&[0x30, 0x01, 0x08, 0x00, 0, 0, 0, 0, 0, 0, 0, 0], 0)).unwrap().is_none());
        assert!(strip(Body::new(&[0x00, 0x02, 0x08, 0x00], 0)).unwrap().is_none());
        assert!(strip(Body::new(&[0x40, 0x00, 0x08, 0x00], 0)).unwrap().is_none());
    }
}
