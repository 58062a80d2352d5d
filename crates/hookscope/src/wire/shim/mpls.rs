//! MPLS label stack -> what the last label is around (RFC 3032, section 2.1).
//!
//! No label says what it carries; IP is known by its version, which is why a control word begins with another nibble
//! (RFC 4385, section 3). Behind that one is the Ethernet frame of a pseudowire (RFC 4448).

use super::{Body, EtherType, Malformed, Network, ethernet};

const BOTTOM_OF_STACK: u8 = 0x01;
const CONTROL_WORD: u32 = 4;

/// Strips all labels.
pub(super) fn strip(mut body: Body<'_>) -> Result<Network<'_>, Malformed> {
    loop {
        let (label, rest) = body.split::<4>().ok_or(Malformed::TruncatedMplsLabel)?;
        body = rest;
        if label[2] & BOTTOM_OF_STACK != 0 {
            break;
        }
    }
    let ether_type = match body.captured.first().map(|first| first >> 4) {
        Some(4) => EtherType::IPV4,
        Some(6) => EtherType::IPV6,
        Some(0) => return ethernet::strip(body.skip(CONTROL_WORD).ok_or(Malformed::TruncatedMplsLabel)?),
        _ => EtherType::NONE,
    };
    Ok(Network { ether_type, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_label_has_the_bottom_bit() {
        for (version, ether_type) in
            [(0x45, EtherType::IPV4), (0x60, EtherType::IPV6), (0x10, EtherType::NONE)]
        {
            let bytes = [0, 1, 0x40, 64, 0, 2, 0x00, 64, 0, 3, 0x01, 64, version];
            let network = strip(Body::new(&bytes, 60)).unwrap();
            assert_eq!(
                (network.ether_type, network.body.captured, network.body.len),
                (ether_type, &[version][..], 48)
            );
        }
    }

    #[test]
    fn a_pseudowire_carries_ethernet() {
        let bytes = [&[0, 1, 0x01, 64, 0, 0, 0, 7], &[0x02; 12][..], &[0x86, 0xdd, 0x60]].concat();
        assert_eq!(strip(Body::new(&bytes, 0)).unwrap().ether_type, EtherType::IPV6);
        assert_eq!(strip(Body::new(&bytes[..7], 60)).unwrap_err(), Malformed::TruncatedMplsLabel);
    }

    #[test]
    fn a_cut_stack_is_named() {
        assert_eq!(strip(Body::new(&[0, 1, 0, 64, 0, 1, 1], 60)).unwrap_err(), Malformed::TruncatedMplsLabel);
    }
}
