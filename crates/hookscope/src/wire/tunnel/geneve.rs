//! Geneve -> the inner packet (RFC 8926, section 3.4). Options are skipped, the network identifier is not kept.

use crate::wire::body::Body;
use crate::wire::link::{EtherType, Network, ethernet};
use crate::wire::malformed::Malformed;

/// The assigned UDP port.
pub(in crate::wire) const PORT: u16 = 6081;

/// The inner packet; `None` where the version is not 0.
pub(in crate::wire) fn strip(payload: Body<'_>) -> Result<Option<Network<'_>>, Malformed> {
    let (header, rest) = payload.split::<8>().ok_or(Malformed::TruncatedGeneveHeader)?;
    if header[0] >> 6 != 0 {
        return Ok(None);
    }
    let options_len = u32::from(header[0] & 0x3f) * 4;
    let body = rest.skip(options_len).ok_or(Malformed::TruncatedGeneveHeader)?;
    match EtherType(u16::from_be_bytes([header[2], header[3]])) {
        EtherType::ETHERNET => ethernet::strip(body).map(Some),
        ether_type => Ok(Some(Network { ether_type, body })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_skipped_and_the_protocol_decides() {
        let ip = [&[2, 0, 0x08, 0, 0, 0, 1, 0], &[9; 8][..], &[0x45]].concat();
        let network = strip(Body::new(&ip, 0)).unwrap().unwrap();
        assert_eq!((network.ether_type, network.body.captured), (EtherType::IPV4, &[0x45][..]));
        assert_eq!(strip(Body::new(&ip[..15], 60)).unwrap_err(), Malformed::TruncatedGeneveHeader);

        let frame = [&[0, 0, 0x65, 0x58, 0, 0, 1, 0], &[0; 12][..], &[0x86, 0xdd, 0x60]].concat();
        let network = strip(Body::new(&frame, 0)).unwrap().unwrap();
        assert_eq!((network.ether_type, network.body.captured), (EtherType::IPV6, &[0x60][..]));
    }

    #[test]
    fn other_versions_are_not_read() {
        assert!(strip(Body::new(&[0x40, 0, 0x65, 0x58, 0, 0, 1, 0], 0)).unwrap().is_none());
    }
}
