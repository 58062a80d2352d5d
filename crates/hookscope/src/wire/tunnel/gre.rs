//! Generic routing encapsulation -> the inner packet (RFC 2784, with key and sequence number of RFC 2890).
//!
//! Only version 0, and no source routing (RFC 1701), which RFC 2784 took out. ERSPAN is not read.

use crate::wire::body::Body;
use crate::wire::link::{EtherType, Network, ethernet};
use crate::wire::malformed::Malformed;

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const VERSION: u16 = 0x0007;

/// The inner packet; `None` for the kinds of GRE that are not read.
pub(in crate::wire) fn strip(packet: Body<'_>) -> Result<Option<Network<'_>>, Malformed> {
    let (header, rest) = packet.split::<4>().ok_or(Malformed::TruncatedGreHeader)?;
    let flags = u16::from_be_bytes([header[0], header[1]]);
    if flags & (VERSION | ROUTING) != 0 {
        return Ok(None);
    }
    let fields = [CHECKSUM, KEY, SEQUENCE].iter().filter(|&&field| flags & field != 0).count();
    let body = rest.skip(fields as u32 * 4).ok_or(Malformed::TruncatedGreHeader)?;
    match EtherType(u16::from_be_bytes([header[2], header[3]])) {
        EtherType::ETHERNET => ethernet::strip(body).map(Some),
        ether_type => Ok(Some(Network { ether_type, body })),
    }
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
    fn version_one_and_source_routes_are_not_read() {
        assert!(strip(Body::new(&[0x20, 0x01, 0x88, 0x0b], 0)).unwrap().is_none());
        assert!(strip(Body::new(&[0x40, 0x00, 0x08, 0x00], 0)).unwrap().is_none());
    }
}
