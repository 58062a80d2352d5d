//! Turns the values of options into durations, networks and ports.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;

/// Servers in a network, on one port or on any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    /// Their addresses.
    pub(crate) network: IpNet,
    /// Their port.
    pub(crate) port: Option<u16>,
}

impl FromStr for Server {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Without brackets everything up to the end is an IPv6 address: `fd00::7:9443` bears no port.
        if let Some(network) = network(text) {
            return Ok(Self { network, port: None });
        }
        let (address, port) = text.rsplit_once(':').ok_or(EXPECTED)?;
        let port =
            port.parse().ok().filter(|&port| port != 0).ok_or("the port is a number from 1 to 65535")?;
        let network = network(address).ok_or(EXPECTED)?;
        Ok(Self { network, port: Some(port) })
    }
}

const EXPECTED: &str =
    "expected an address or a network, such as 10.244.0.0/16, 10.244.1.1:9443 or [fd00::7]:9443";

/// A network, or an address as a network of its own; either may stand in brackets.
fn network(text: &str) -> Option<IpNet> {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    inner.parse().ok().or_else(|| inner.parse::<IpAddr>().ok().map(IpNet::from))
}

/// A duration of more than no time, such as `10s` or `500ms`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("it must be more than zero".to_owned()),
        Ok(duration) => Ok(duration),
        Err(_) if text.parse::<f64>().is_ok() => {
            Err(format!("the unit is missing, as in {text}s or {text}ms"))
        }
        Err(_) => Err("expected a duration such as 10s, 500ms or 1m 30s".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(text: &str) -> Option<(String, Option<u16>)> {
        text.parse().ok().map(|server: Server| (server.network.to_string(), server.port))
    }

    #[test]
    fn a_server_is_an_address_or_a_network_with_or_without_a_port() {
        assert_eq!(server("10.1.2.3"), Some(("10.1.2.3/32".into(), None)));
        assert_eq!(server("10.1.2.3:9443"), Some(("10.1.2.3/32".into(), Some(9443))));
        assert_eq!(server("10.0.0.0/8:443"), Some(("10.0.0.0/8".into(), Some(443))));
        assert_eq!(server("fd00::7"), Some(("fd00::7/128".into(), None)));
        assert_eq!(server("fd00::/64"), Some(("fd00::/64".into(), None)));
        assert_eq!(server("[fd00::/64]:443"), Some(("fd00::/64".into(), Some(443))));
        assert_eq!(server("[fd00::7]"), Some(("fd00::7/128".into(), None)));
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for text in
            ["", ":", "webhook.svc", "10.1.2.3:", "10.1.2.3:0", "10.1.2.3:65536", "10.1.2.3/33", "[fd00::7"]
        {
            assert_eq!(server(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_without_a_unit_is_met_with_the_unit() {
        assert_eq!(duration("10").unwrap_err(), "the unit is missing, as in 10s or 10ms");
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert!(duration("soon").is_err());
        assert!(duration("0ms").is_err());
    }
}
