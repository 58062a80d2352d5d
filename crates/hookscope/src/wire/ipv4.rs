//! IPv4 header -> [`Ip`] (RFC 791, section 3.1).
//!
//! Checksums are never looked at: with offload, the captured one is not the one that was sent. A total length of
//! zero is a segmentation offload's (BIG TCP): the packet then runs to the end of its wire length.

use super::body::Body;
use super::ip::{Ip, Piece, Protocol};
use super::malformed::Malformed;
use crate::flow::key::Address;

const HEADER_LEN: u32 = 20;
const MORE_FRAGMENTS: u16 = 0x2000;
const FRAGMENT_OFFSET: u16 = 0x1fff;

/// Strips the header, its options and what lies behind the IP length; not an authentication header.
#[inline]
pub(super) fn strip(packet: Body<'_>) -> Result<Ip<'_>, Malformed> {
    let (header, rest) = packet.split::<{ HEADER_LEN as usize }>().ok_or(Malformed::TruncatedIpv4Header)?;
    if header[0] >> 4 != 4 {
        return Err(Malformed::BadIpVersion);
    }
    let header_len = u32::from(header[0] & 0x0f) * 4;
    let options_len = header_len.checked_sub(HEADER_LEN).ok_or(Malformed::BadIpv4HeaderLength)?;
    let rest = match options_len {
        0 => rest,
        _ => rest.skip(options_len).ok_or(Malformed::TruncatedIpv4Header)?,
    };
    let body = match u32::from(u16::from_be_bytes([header[2], header[3]])) {
        0 => rest,
        total_len => rest.limit(total_len.checked_sub(header_len).ok_or(Malformed::BadIpv4TotalLength)?),
    };
    let ip_id = u16::from_be_bytes([header[4], header[5]]);
    let fragment = u16::from_be_bytes([header[6], header[7]]);
    Ok(Ip {
        source: Address::v4([header[12], header[13], header[14], header[15]]),
        destination: Address::v4([header[16], header[17], header[18], header[19]]),
        ip_id,
        ttl: header[8],
        protocol: Protocol(header[9]),
        piece: (fragment & (MORE_FRAGMENTS | FRAGMENT_OFFSET) != 0).then(|| Piece {
            identification: ip_id.into(),
            offset: u32::from(fragment & FRAGMENT_OFFSET) * 8,
            more: fragment & MORE_FRAGMENTS != 0,
        }),
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of `words` words for a packet of `total_len`, with the given flags and offset.
    fn header(words: u8, total_len: u16, fragment: u16) -> Vec<u8> {
        let mut bytes = vec![0; usize::from(words) * 4];
        bytes[0] = 0x40 | words;
        bytes[2..4].copy_from_slice(&total_len.to_be_bytes());
        bytes[6..8].copy_from_slice(&fragment.to_be_bytes());
        bytes[9] = 6;
        bytes
    }

    #[test]
    fn the_total_length_cuts_off_ethernet_padding() {
        let packet = [header(5, 22, 0), vec![7; 26]].concat();
        let ip = strip(Body::new(&packet, 46)).unwrap();
        assert_eq!((ip.body.captured, ip.body.len), (&[7, 7][..], 2));
    }

    #[test]
    fn a_total_length_of_zero_runs_to_the_end_of_the_wire() {
        let packet = [header(5, 0, 0), vec![7; 26]].concat();
        let ip = strip(Body::new(&packet, 100_000)).unwrap();
        assert_eq!((ip.body.captured.len(), ip.body.len), (26, 99_980));
    }

    #[test]
    fn options_are_skipped() {
        let packet = [header(15, 63, 0), vec![7; 3]].concat();
        assert_eq!(strip(Body::new(&packet, 63)).unwrap().body.captured, [7; 3]);
    }

    #[test]
    fn either_an_offset_or_more_to_come_makes_a_fragment() {
        let piece = |fragment| {
            let packet = header(5, 20, fragment);
            strip(Body::new(&packet, 20)).unwrap().piece.map(|piece| (piece.offset, piece.more))
        };
        assert_eq!(piece(0x4000), None);
        assert_eq!(piece(0x2000), Some((0, true)));
        assert_eq!(piece(0x0001), Some((8, false)));
        assert_eq!(piece(0x3fff), Some((65_528, true)));
    }

    #[test]
    fn impossible_headers_are_named() {
        let error = |packet: &[u8]| strip(Body::new(packet, 60)).unwrap_err();
        assert_eq!(error(&[0x45; 19]), Malformed::TruncatedIpv4Header);
        assert_eq!(error(&header(6, 24, 0)[..22]), Malformed::TruncatedIpv4Header);
        assert_eq!(error(&[&[0x44], &[0; 19][..]].concat()), Malformed::BadIpv4HeaderLength);
        assert_eq!(error(&[0x60; 20]), Malformed::BadIpVersion);
        assert_eq!(error(&header(6, 23, 0)), Malformed::BadIpv4TotalLength);
    }
}
