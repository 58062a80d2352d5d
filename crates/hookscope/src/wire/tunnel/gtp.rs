//! GTP user plane -> the subscriber's packet (3GPP TS 29.281, section 5). The tunnel's identifier is not kept.

use crate::wire::body::Body;
use crate::wire::link::{EtherType, Network};
use crate::wire::malformed::Malformed;

/// The assigned UDP port of version 1.
pub(in crate::wire) const PORT: u16 = 2152;

/// Version 1 and GTP, not GTP'.
const KIND: u8 = 0x30;
const KIND_MASK: u8 = 0xf0;
const HAS_EXTENSIONS: u8 = 0x04;
const HAS_OPTIONAL_FIELDS: u8 = 0x07;
/// The message that carries a packet.
const G_PDU: u8 = 255;

/// The subscriber's packet; `None` for all other messages, and for packets that are no IP.
pub(in crate::wire) fn strip(payload: Body<'_>) -> Result<Option<Network<'_>>, Malformed> {
    let (header, mut body) = payload.split::<8>().ok_or(Malformed::TruncatedGtpHeader)?;
    if header[0] & KIND_MASK != KIND || header[1] != G_PDU {
        return Ok(None);
    }
    if header[0] & HAS_OPTIONAL_FIELDS != 0 {
        let (fields, rest) = body.split::<4>().ok_or(Malformed::TruncatedGtpHeader)?;
        body = rest;
        let mut next = if header[0] & HAS_EXTENSIONS != 0 { fields[3] } else { 0 };
        while next != 0 {
            // Its first octet counts words, its last names the next one.
            let words = *body.captured.first().ok_or(Malformed::TruncatedGtpHeader)?;
            let len = u32::from(words) * 4;
            let Some(last) = len.checked_sub(1) else { return Ok(None) };
            next = *body.captured.get(last as usize).ok_or(Malformed::TruncatedGtpHeader)?;
            body = body.skip(len).ok_or(Malformed::TruncatedGtpHeader)?;
        }
    }
    let ether_type = match body.captured.first().map(|first| first >> 4) {
        Some(4) => EtherType::IPV4,
        Some(6) => EtherType::IPV6,
        _ => return Ok(None),
    };
    Ok(Some(Network { ether_type, body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optional_fields_and_extensions_are_skipped() {
        let extensions = [&[0, 0, 0, 0x85][..], &[1, 0, 0, 0xc0], &[2, 0, 0, 0, 0, 0, 0, 0]].concat();
        for (flags, fields) in [
            (0x30, &[][..]),
            (0x32, &[0, 7, 0, 0]),
            (0x31, &[0, 0, 7, 0]),
            (0x32, &[0, 7, 0, 0x85]),
            (0x34, &extensions),
        ] {
            let bytes = [&[flags, 255, 0, 1, 0, 0, 0, 9], fields, &[0x60]].concat();
            let network = strip(Body::new(&bytes, 0)).unwrap().unwrap();
            assert_eq!((network.ether_type, network.body.captured), (EtherType::IPV6, &[0x60][..]));
            let cut = strip(Body::new(&bytes[..7 + fields.len()], 60));
            assert_eq!(cut.unwrap_err(), Malformed::TruncatedGtpHeader, "{flags:#x}");
        }
    }

    #[test]
    fn other_messages_are_not_read() {
        for bytes in [
            [0x30, 1, 0, 1, 0, 0, 0, 9, 0x45],
            [0x50, 255, 0, 1, 0, 0, 0, 9, 0x45],
            [0x20, 255, 0, 1, 0, 0, 0, 9, 0x45],
            [0x30, 255, 0, 1, 0, 0, 0, 9, 0xff],
        ] {
            assert!(strip(Body::new(&bytes, 0)).unwrap().is_none(), "{bytes:?}");
        }
        let endless = [0x34, 255, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0x85, 0, 0, 0, 0, 0x45];
        assert!(strip(Body::new(&endless, 0)).unwrap().is_none());
    }
}
