//! Which connections to look at: by server address and port, and by server name.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use wildmatch::WildMatch;

use crate::flow::key::Endpoint;

/// Which connections to look at. Empty lists let everything pass; several entries of one list are alternatives.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Servers by network and port.
    pub servers: Vec<ServerFilter>,
    /// Servers by port.
    pub ports: Vec<u16>,
    /// Server names, with `*` and `?`. A connection without a name passes none.
    pub names: Vec<NameFilter>,
    /// Settings are added over time: end a literal with `..Filter::default()`.
    #[doc(hidden)]
    pub _more: (),
}

impl Filter {
    /// Whether connections to `server` pass the lists of servers and ports.
    pub(crate) fn admits_server(&self, server: Endpoint) -> bool {
        (self.servers.is_empty() || self.servers.iter().any(|filter| filter.admits(server)))
            && (self.ports.is_empty() || self.ports.contains(&server.port))
    }

    /// Whether connections to a server of this name pass the list of names.
    pub(crate) fn admits_name(&self, name: Option<&str>) -> bool {
        self.names.is_empty()
            || name.is_some_and(|name| self.names.iter().any(|filter| filter.0.matches(name)))
    }
}

/// A network of servers, and a port or all ports: `10.0.0.0/8`, `10.0.0.1:443`, `[fd00::/8]:443`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerFilter {
    network: IpNet,
    port: Option<u16>,
}

impl ServerFilter {
    fn admits(self, server: Endpoint) -> bool {
        self.network.contains(&server.address.ip()) && self.port.is_none_or(|port| port == server.port)
    }
}

/// Text that is no server filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no address or network with an optional port: write 10.0.0.1, 10.0.0.0/8:443 or [fd00::/8]:443"
)]
pub struct BadServerFilter(String);

impl FromStr for ServerFilter {
    type Err = BadServerFilter;

    fn from_str(text: &str) -> Result<Self, BadServerFilter> {
        let bad = || BadServerFilter(text.to_owned());
        let network = |text: &str| {
            text.parse::<IpNet>()
                .ok()
                .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
                .ok_or_else(bad)
        };
        if let Ok(network) = network(text) {
            return Ok(Self { network, port: None });
        }
        let (address, port) = text.rsplit_once(':').ok_or_else(bad)?;
        let address = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
        Ok(Self { network: network(address)?, port: Some(port.parse().map_err(|_| bad())?) })
    }
}

/// A pattern of server names with `*` (any text) and `?` (any character), without regard to case.
#[derive(Clone, Debug)]
pub struct NameFilter(WildMatch);

impl NameFilter {
    /// The filter for `pattern`.
    pub fn new(pattern: &str) -> Self {
        Self(WildMatch::new_case_insensitive(pattern))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        let at: std::net::SocketAddr = text.parse().unwrap();
        Endpoint { address: at.ip().into(), port: at.port() }
    }

    #[test]
    fn servers_are_matched_by_network_and_port() {
        for (filter, server, admitted) in [
            ("10.0.0.0/8", "10.1.2.3:9443", true),
            ("10.0.0.0/8:443", "10.1.2.3:9443", false),
            ("10.1.2.3:9443", "10.1.2.3:9443", true),
            ("10.1.2.4", "10.1.2.3:9443", false),
            ("[fd00::/8]:443", "[fd00::1]:443", true),
            ("fd00::1", "[fd00::1]:443", true),
            ("[fd00::1]:444", "[fd00::1]:443", false),
        ] {
            let filter = Filter { servers: vec![filter.parse().unwrap()], ..Filter::default() };
            assert_eq!(filter.admits_server(endpoint(server)), admitted, "{filter:?} {server}");
        }
    }

    #[test]
    fn text_that_is_no_network_is_refused_with_examples() {
        for text in ["", "svc", "10.0.0.1:port", "10.0.0.0/99", ":443"] {
            let error = text.parse::<ServerFilter>().unwrap_err().to_string();
            assert!(error.contains("10.0.0.0/8:443"), "{error}");
        }
    }

    #[test]
    fn names_match_by_pattern_and_never_without_a_name() {
        let filter = Filter { names: vec![NameFilter::new("*.metallb-system.svc")], ..Filter::default() };
        assert!(filter.admits_name(Some("webhook-service.metallb-system.svc")));
        assert!(!filter.admits_name(Some("istiod.istio-system.svc")));
        assert!(!filter.admits_name(None));
        assert!(Filter::default().admits_name(None));
    }
}
