//! IP over InfiniBand -> what it carries (LINKTYPE_IPOIB): a global routing header, then RFC 4391's four octets.

use super::{EtherType, Network};
use crate::wire::body::Body;
use crate::wire::malformed::Malformed;

/// Strips both headers.
pub(in crate::wire) fn strip(packet: Body<'_>) -> Result<Network<'_>, Malformed> {
    let (header, body) = packet.split::<44>().ok_or(Malformed::TruncatedIpoibHeader)?;
    Ok(Network { ether_type: EtherType(u16::from_be_bytes([header[40], header[41]])), body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ether_type_says_what_follows() {
        let bytes = [&[0; 40][..], &[0x86, 0xdd, 0, 0, 0x60]].concat();
        let network = strip(Body::new(&bytes, 0)).unwrap();
        assert_eq!((network.ether_type, network.body.captured), (EtherType::IPV6, &[0x60][..]));
        assert_eq!(strip(Body::new(&bytes[..43], 60)).unwrap_err(), Malformed::TruncatedIpoibHeader);
    }
}
