//! IPv6 header and extension headers -> [`Ip`] (RFC 8200, sections 3 and 4; RFC 4302 for authentication).
//!
//! A payload length of zero (jumbograms, RFC 2675; segmentation offload) means all of the wire length, with no
//! look at the jumbo payload option. Encrypted payloads and mobility headers end the chain: nothing behind them
//! can be read or carries TCP.

use etherparse::err::ip_auth::HeaderSliceError;
use etherparse::{IpAuthHeaderSlice, Ipv6FragmentHeaderSlice, Ipv6RawExtHeaderSlice};

use super::body::Body;
use super::ip::{Ip, Piece, Protocol};
use super::malformed::Malformed;
use crate::flow::key::Address;

/// Strips the header and what lies behind the IP length; not extension headers.
#[inline]
pub(super) fn strip(packet: Body<'_>) -> Result<Ip<'_>, Malformed> {
    let (header, rest) = packet.split::<8>().ok_or(Malformed::TruncatedIpv6Header)?;
    let (source, rest) = rest.split::<16>().ok_or(Malformed::TruncatedIpv6Header)?;
    let (destination, rest) = rest.split::<16>().ok_or(Malformed::TruncatedIpv6Header)?;
    if header[0] >> 4 != 6 {
        return Err(Malformed::BadIpVersion);
    }
    Ok(Ip {
        source: Address::v6(*source),
        destination: Address::v6(*destination),
        ip_id: 0,
        ttl: header[7],
        protocol: Protocol(header[6]),
        piece: None,
        body: match u16::from_be_bytes([header[4], header[5]]) {
            0 => rest,
            payload_len => rest.limit(payload_len.into()),
        },
    })
}

/// Whether [`strip_extensions`] can look behind the next header. IPv4 has one that can stand between itself and
/// a transport: authentication (RFC 4302, section 3.1.1).
pub(super) fn has_extensions(ip: &Ip<'_>) -> bool {
    match ip.protocol {
        Protocol::AUTHENTICATION => true,
        Protocol::HOP_BY_HOP | Protocol::ROUTING | Protocol::FRAGMENT | Protocol::DESTINATION_OPTIONS => {
            !ip.is_v4()
        }
        _ => false,
    }
}

/// Strips extension headers up to the transport, or up to a fragment header: what follows that is no header
/// before the datagram is whole. A fragment header around a whole datagram (RFC 6946) is stripped like any other.
#[cold]
pub(super) fn strip_extensions(mut ip: Ip<'_>) -> Result<Ip<'_>, Malformed> {
    while ip.piece.is_none() {
        let bytes = ip.body.captured;
        let (next_header, len) = match ip.protocol {
            Protocol::HOP_BY_HOP | Protocol::ROUTING | Protocol::DESTINATION_OPTIONS => {
                let header = Ipv6RawExtHeaderSlice::from_slice(bytes)
                    .map_err(|_| Malformed::TruncatedExtensionHeader)?;
                (header.next_header(), header.slice().len())
            }
            Protocol::AUTHENTICATION => {
                let header = IpAuthHeaderSlice::from_slice(bytes).map_err(|error| match error {
                    HeaderSliceError::Len(_) => Malformed::TruncatedExtensionHeader,
                    HeaderSliceError::Content(_) => Malformed::BadExtensionHeader,
                })?;
                (header.next_header(), header.slice().len())
            }
            Protocol::FRAGMENT => {
                let header = Ipv6FragmentHeaderSlice::from_slice(bytes)
                    .map_err(|_| Malformed::TruncatedExtensionHeader)?;
                ip.piece = header.is_fragmenting_payload().then(|| Piece {
                    identification: header.identification(),
                    offset: header.fragment_offset().byte_offset().into(),
                    more: header.more_fragments(),
                });
                (header.next_header(), header.slice().len())
            }
            _ => break,
        };
        ip.protocol = Protocol(next_header.0);
        ip.body = ip.body.skip(len as u32).ok_or(Malformed::TruncatedExtensionHeader)?;
    }
    Ok(ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet whose first next header is `next`, followed by `parts`.
    fn packet(next: Protocol, parts: &[&[u8]]) -> Vec<u8> {
        let payload = parts.concat();
        let mut bytes = vec![0; 40];
        bytes[0] = 0x60;
        bytes[4..6].copy_from_slice(&(payload.len() as u16).to_be_bytes());
        bytes[6] = next.0;
        bytes[7] = 64;
        bytes[8] = 0xfd;
        bytes[39] = 1;
        [bytes, payload].concat()
    }

    #[test]
    fn the_payload_length_cuts_off_what_lies_behind() {
        let bytes = [packet(Protocol::TCP, &[&[7, 7]]), vec![0; 4]].concat();
        let ip = strip(Body::new(&bytes, 0)).unwrap();
        assert_eq!((ip.body.captured, ip.body.len, ip.ttl), (&[7, 7][..], 2, 64));
        assert_eq!(
            (format!("{:?}", ip.source), format!("{:?}", ip.destination)),
            ("fd00::".into(), "::1".into())
        );
    }

    #[test]
    fn a_payload_length_of_zero_runs_to_the_end_of_the_wire() {
        let jumbo_option = [Protocol::TCP.0, 0, 0xc2, 4, 0, 1, 0x86, 0xa0];
        let mut bytes = packet(Protocol::HOP_BY_HOP, &[&jumbo_option, &[7; 8]]);
        bytes[4..6].fill(0);
        let ip = strip(Body::new(&bytes, 100_040)).and_then(strip_extensions).unwrap();
        assert_eq!((ip.protocol, ip.body.captured.len(), ip.body.len), (Protocol::TCP, 8, 99_992));
    }

    #[test]
    fn every_extension_header_is_skipped() {
        let bytes = packet(
            Protocol::HOP_BY_HOP,
            &[
                &[Protocol::ROUTING.0, 0, 0, 0, 0, 0, 0, 0],
                &[Protocol::DESTINATION_OPTIONS.0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                &[Protocol::FRAGMENT.0, 0, 0, 0, 0, 0, 0, 0],
                &[Protocol::AUTHENTICATION.0, 0, 0, 0, 0, 0, 0, 9],
                &[Protocol::TCP.0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                &[7],
            ],
        );
        let ip = strip(Body::new(&bytes, 0)).and_then(strip_extensions).unwrap();
        assert_eq!((ip.protocol, ip.piece.is_none(), ip.body.captured), (Protocol::TCP, true, &[7][..]));
    }

    #[test]
    fn ipv4_has_but_one_extension() {
        let ip = |protocol, source| Ip {
            source,
            destination: source,
            ip_id: 0,
            ttl: 64,
            protocol,
            piece: None,
            body: Body::new(&[Protocol::TCP.0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7], 13),
        };
        let (v4, v6) = (Address::v4([1; 4]), Address::v6([1; 16]));
        assert!(has_extensions(&ip(Protocol::FRAGMENT, v6)) && !has_extensions(&ip(Protocol::FRAGMENT, v4)));
        assert!(has_extensions(&ip(Protocol::AUTHENTICATION, v4)) && !has_extensions(&ip(Protocol::TCP, v6)));
        let inner = strip_extensions(ip(Protocol::AUTHENTICATION, v4)).unwrap();
        assert_eq!((inner.protocol, inner.body.captured), (Protocol::TCP, &[7][..]));
    }

    #[test]
    fn a_fragment_header_ends_the_chain() {
        let bytes = packet(
            Protocol::FRAGMENT,
            &[&[Protocol::DESTINATION_OPTIONS.0, 0, 0x00, 0x11, 0, 0, 1, 2], &[1, 2, 3, 4, 5, 6, 7, 8]],
        );
        let ip = strip(Body::new(&bytes, 0)).and_then(strip_extensions).unwrap();
        let piece = ip.piece.unwrap();
        assert_eq!((piece.identification, piece.offset, piece.more), (0x102, 16, true));
        assert_eq!((ip.protocol, ip.body.len), (Protocol::DESTINATION_OPTIONS, 8));
    }

    #[test]
    fn impossible_headers_are_named() {
        let error = |bytes: &[u8]| strip(Body::new(bytes, 0)).and_then(strip_extensions).unwrap_err();
        assert_eq!(error(&packet(Protocol::TCP, &[])[..39]), Malformed::TruncatedIpv6Header);
        assert_eq!(error(&[0x45; 40]), Malformed::BadIpVersion);
        for next in [Protocol::HOP_BY_HOP, Protocol::FRAGMENT, Protocol::AUTHENTICATION] {
            assert_eq!(error(&packet(next, &[&[6, 1, 0, 0, 0, 0, 0]])), Malformed::TruncatedExtensionHeader);
        }
        assert_eq!(
            error(&packet(Protocol::AUTHENTICATION, &[&[6; 1], &[0; 11]])),
            Malformed::BadExtensionHeader
        );
    }
}
