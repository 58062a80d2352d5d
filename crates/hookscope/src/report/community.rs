//! Community ID version 1: the flow hash by which other tools name the same connection.
//!
//! `"1:"` and the Base64 of SHA-1 over seed, addresses, protocol and ports, the smaller endpoint first. It is made of
//! the captured addresses: after address translation where the capture point is after it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use std::net::IpAddr;

use crate::flow::key::{End, FlowKey};

/// The Community ID of a TCP connection, with seed 0.
pub(crate) fn id(key: &FlowKey) -> String {
    let (low, high) = (key.endpoint(End::Low), key.endpoint(End::High));
    let mut hash = Sha1::new();
    hash.update([0, 0]);
    for address in [low.address.ip(), high.address.ip()] {
        match address {
            IpAddr::V4(ip) => hash.update(ip.octets()),
            IpAddr::V6(ip) => hash.update(ip.octets()),
        }
    }
    hash.update([6, 0]);
    hash.update(low.port.to_be_bytes());
    hash.update(high.port.to_be_bytes());
    format!("1:{}", STANDARD.encode(hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::key::Endpoint;
    use std::net::SocketAddr;

    #[test]
    fn agrees_with_the_published_example_in_both_directions() {
        let endpoint = |text: &str| {
            let at: SocketAddr = text.parse().unwrap();
            Endpoint { address: at.ip().into(), port: at.port() }
        };
        let (a, b) = (endpoint("128.232.110.120:34855"), endpoint("66.35.250.204:80"));
        for (key, _) in [FlowKey::of(a, b), FlowKey::of(b, a)] {
            assert_eq!(id(&key), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        }
    }
}
