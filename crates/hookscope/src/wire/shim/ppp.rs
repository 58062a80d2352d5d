//! PPP frame -> what it carries (RFC 1661, section 2; RFC 1662, section 3.1).

use super::{Body, EtherType, Malformed, Network};

/// All stations, unnumbered information: left out where both ends agreed to.
const ADDRESS_AND_CONTROL: [u8; 2] = [0xff, 0x03];

/// Strips address, control and protocol, each as long as it is.
pub(in crate::wire) fn strip(frame: Body<'_>) -> Result<Network<'_>, Malformed> {
    let frame = match frame.split::<2>() {
        Some((&ADDRESS_AND_CONTROL, rest)) => rest,
        _ => frame,
    };
    let (&[first], rest) = frame.split::<1>().ok_or(Malformed::TruncatedPppHeader)?;
    // An odd first octet is the last one as well: a compressed protocol field.
    let (protocol, body) = if first & 0x01 != 0 {
        (u16::from(first), rest)
    } else {
        let (&[second], rest) = rest.split::<1>().ok_or(Malformed::TruncatedPppHeader)?;
        (u16::from_be_bytes([first, second]), rest)
    };
    let ether_type = match protocol {
        0x0021 => EtherType::IPV4,
        0x0057 => EtherType::IPV6,
        0x0281 => EtherType::MPLS,
        _ => EtherType::NONE,
    };
    Ok(Network { ether_type, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_be_left_out_or_compressed() {
        for header in [&[0xff, 0x03, 0x00, 0x21][..], &[0x00, 0x21], &[0xff, 0x03, 0x21], &[0x21]] {
            let bytes = [header, &[0x45]].concat();
            let network = strip(Body::new(&bytes, 0)).unwrap();
            assert_eq!((network.ether_type, network.body.captured), (EtherType::IPV4, &[0x45][..]));
        }
        assert_eq!(strip(Body::new(&[0xc0, 0x21, 1], 0)).unwrap().ether_type, EtherType::NONE);
    }

    #[test]
    fn a_cut_header_is_named() {
        for bytes in [&[][..], &[0xff, 0x03], &[0x00]] {
            assert_eq!(strip(Body::new(bytes, 60)).unwrap_err(), Malformed::TruncatedPppHeader);
        }
    }
}
