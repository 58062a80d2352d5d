//! The key of a flow as connections keep it: they are many, and almost all are between two addresses of IPv4, which take
//! sixteen octets.

use crate::flow::key::{End, Endpoint, FlowKey};

/// A key that is kept.
#[derive(Clone, Debug)]
pub(crate) enum KeptKey {
    /// Two addresses of IPv4, and the ports, each in the order of the key.
    V4([u32; 2], [u16; 2]),
    /// Any others.
    Wide(Box<FlowKey>),
}

impl KeptKey {
    /// Whether it is `key`.
    #[inline]
    pub(crate) fn is(&self, key: &FlowKey) -> bool {
        match self {
            Self::V4(addresses, ports) => FlowKey::with_v4(*addresses, *ports) == *key,
            Self::Wide(wide) => **wide == *key,
        }
    }

    /// It, as everybody else has it.
    #[inline]
    pub(crate) fn get(&self) -> FlowKey {
        match self {
            Self::V4(addresses, ports) => FlowKey::with_v4(*addresses, *ports),
            Self::Wide(wide) => **wide,
        }
    }

    /// One endpoint of the flow.
    #[inline]
    pub(crate) fn endpoint(&self, end: End) -> Endpoint {
        self.get().endpoint(end)
    }
}

impl From<FlowKey> for KeptKey {
    #[inline]
    fn from(key: FlowKey) -> Self {
        match key.v4() {
            Some((addresses, ports)) => Self::V4(addresses, ports),
            None => Self::Wide(Box::new(key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    #[test]
    fn a_key_that_is_kept_is_the_one_that_was_given() {
        let endpoint = |text: &str| Endpoint::from(text.parse::<SocketAddr>().unwrap());
        let all =
            ["10.0.0.1:443", "10.0.0.2:9443", "[fd00::1]:9", "[::1]:8", "[::ffff:10.0.0.1]:443", "[::]:0"];
        let all = all.map(endpoint);
        let keys: Vec<_> = all.iter().flat_map(|a| all.map(|b| FlowKey::of(*a, b).0)).collect();
        for key in &keys {
            let kept = KeptKey::from(*key);
            assert_eq!(kept.get(), *key);
            for other in &keys {
                assert_eq!(kept.is(other), key == other, "{key:?} {other:?}");
            }
            for end in [End::Low, End::High] {
                assert_eq!(kept.endpoint(end), key.endpoint(end));
            }
        }
        assert!(size_of::<KeptKey>() <= 16);
    }
}
