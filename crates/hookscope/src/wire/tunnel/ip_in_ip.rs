//! IP directly in IP -> the inner packet: IPIP (RFC 2003), SIT and 6in4 (RFC 4213), 4in6 (RFC 2473).

use crate::wire::body::Body;
use crate::wire::ip::Protocol;
use crate::wire::link::{EtherType, Network};

/// The inner packet, where the protocol is one of IP's own.
#[inline]
pub(in crate::wire) fn strip(protocol: Protocol, body: Body<'_>) -> Option<Network<'_>> {
    let ether_type = match protocol {
        Protocol::IPV4 => EtherType::IPV4,
        Protocol::IPV6 => EtherType::IPV6,
        _ => return None,
    };
    Some(Network { ether_type, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_protocol_names_the_inner_version() {
        let inner = |protocol| strip(protocol, Body::new(&[], 0)).map(|network| network.ether_type);
        assert_eq!(inner(Protocol(4)), Some(EtherType::IPV4));
        assert_eq!(inner(Protocol(41)), Some(EtherType::IPV6));
        assert_eq!(inner(Protocol(6)), None);
    }
}
