//! Raw IP -> IPv4 or IPv6, by the version in its first four bits (LINKTYPE_RAW and its relatives).
//!
//! The link types that allow only one of the two are not held to it.

use super::{EtherType, Network};
use crate::wire::body::Body;
use crate::wire::malformed::Malformed;

/// Names the version; strips nothing.
#[inline]
pub(in crate::wire) fn strip(packet: Body<'_>) -> Result<Network<'_>, Malformed> {
    let ether_type = match packet.captured.first().ok_or(Malformed::TruncatedIpHeader)? >> 4 {
        4 => EtherType::IPV4,
        6 => EtherType::IPV6,
        _ => return Err(Malformed::BadIpVersion),
    };
    Ok(Network { ether_type, body: packet })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_decides() {
        assert_eq!(strip(Body::new(&[0x45], 1)).unwrap().ether_type, EtherType::IPV4);
        assert_eq!(strip(Body::new(&[0x60], 1)).unwrap().ether_type, EtherType::IPV6);
        assert_eq!(strip(Body::new(&[0x50], 1)).unwrap_err(), Malformed::BadIpVersion);
        assert_eq!(strip(Body::new(&[], 40)).unwrap_err(), Malformed::TruncatedIpHeader);
    }
}
