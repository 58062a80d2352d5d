//! Cisco HDLC -> what it carries (LINKTYPE_C_HDLC): address, control, EtherType.

use super::{EtherType, Network};
use crate::wire::body::Body;
use crate::wire::malformed::Malformed;

/// Strips the header.
pub(in crate::wire) fn strip(packet: Body<'_>) -> Result<Network<'_>, Malformed> {
    let (header, body) = packet.split::<4>().ok_or(Malformed::TruncatedHdlcHeader)?;
    Ok(Network { ether_type: EtherType(u16::from_be_bytes([header[2], header[3]])), body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ether_type_says_what_follows() {
        let network = strip(Body::new(&[0x0f, 0, 0x08, 0x00, 0x45], 0)).unwrap();
        assert_eq!((network.ether_type, network.body.captured), (EtherType::IPV4, &[0x45][..]));
        assert_eq!(strip(Body::new(&[0x0f, 0, 8], 60)).unwrap_err(), Malformed::TruncatedHdlcHeader);
    }
}
