//! What switches and access networks put between link and network layer -> the IP packet behind it.
//!
//! Labels, tags and sessions: a capture on a mirror port or an uplink has them, one on a node hardly ever. One file per
//! kind; none of them names another network, so what lies behind is no tunnel's inner packet.

pub(super) mod llc;
pub(super) mod ppp;

mod bridge;
mod mpls;
mod pppoe;

use super::body::Body;
use super::link::{EtherType, Network, ethernet};
use super::malformed::Malformed;

/// How many may lie around one another.
const MAX_SHIMS: usize = 16;

/// Strips whatever stands before IP; what carries something else is handed back as it is.
pub(super) fn strip(mut network: Network<'_>) -> Result<Network<'_>, Malformed> {
    for _ in 0..MAX_SHIMS {
        let body = network.body;
        network = match network.ether_type {
            EtherType::MPLS | EtherType::MPLS_UPSTREAM => mpls::strip(body)?,
            EtherType::PPPOE_SESSION => pppoe::strip(body)?,
            EtherType::BACKBONE_TAG => bridge::strip_backbone_tag(body)?,
            EtherType::FABRIC_PATH => bridge::strip_fabric_path(body)?,
            EtherType::EXTENDER_TAG => bridge::strip_extender_tag(body)?,
            EtherType::VN_TAG => bridge::strip_vn_tag(body)?,
            ether_type if ether_type.is_length() => llc::strip(body)?,
            _ => return Ok(network),
        };
    }
    Err(Malformed::TooManyShims)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ether_type_behind(ether_type: EtherType, bytes: &[u8]) -> Result<EtherType, Malformed> {
        strip(Network { ether_type, body: Body::new(bytes, 0) }).map(|network| network.ether_type)
    }

    #[test]
    fn shims_in_shims_are_stripped() {
        let frame = [&[0; 4], &[0x02; 12][..], &[0x89, 0x26, 0, 0, 0, 0, 0x88, 0x64]].concat();
        let bytes = [&frame, &[0x11, 0, 0, 1, 0, 9, 0x02, 0x81][..], &[0, 0, 1, 64, 0x45]].concat();
        assert_eq!(ether_type_behind(EtherType::BACKBONE_TAG, &bytes), Ok(EtherType::IPV4));
    }

    #[test]
    fn what_is_no_shim_stays() {
        for ether_type in [EtherType::NONE, EtherType::IPV6, EtherType(0x0806)] {
            assert_eq!(ether_type_behind(ether_type, &[9; 40]), Ok(ether_type));
        }
    }

    #[test]
    fn there_is_an_end_to_shims_in_shims() {
        let tags: Vec<u8> = [0, 0, 0, 0, 0x89, 0x26].repeat(MAX_SHIMS + 1);
        assert_eq!(ether_type_behind(EtherType::VN_TAG, &tags), Err(Malformed::TooManyShims));
    }
}
