//! Turns the addresses of a connection into a display filter of Wireshark.

use std::net::SocketAddr;

use hookscope::report::schema::{Example, Group};

/// The filter that shows the group's example, inside tunnels and in ICMP errors as well.
pub(super) fn of(group: &Group) -> Option<String> {
    match &group.example {
        Example::Connection { connection, .. } => connection_filter(&connection.client, &connection.server),
        // A name that would end the string early is not worth a filter.
        Example::Lookup(lookup) if lookup.name.contains(['"', '\\']) => None,
        Example::Lookup(lookup) => Some(format!("dns.qry.name == \"{}\"", lookup.name)),
    }
}

fn connection_filter(client: &str, server: &str) -> Option<String> {
    let client: SocketAddr = client.parse().ok()?;
    let server: SocketAddr = server.parse().ok()?;
    let ip = if server.is_ipv6() { "ipv6.addr" } else { "ip.addr" };
    Some(format!(
        "{ip} == {} && {ip} == {} && tcp.port == {} && tcp.port == {}",
        client.ip(),
        server.ip(),
        client.port(),
        server.port()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_shown_by_its_addresses_and_ports() {
        assert_eq!(
            connection_filter("10.244.1.1:44696", "10.0.0.10:9443").as_deref(),
            Some("ip.addr == 10.244.1.1 && ip.addr == 10.0.0.10 && tcp.port == 44696 && tcp.port == 9443")
        );
        assert_eq!(
            connection_filter("[fd00::1]:5", "[fd00::2]:6").as_deref(),
            Some("ipv6.addr == fd00::1 && ipv6.addr == fd00::2 && tcp.port == 5 && tcp.port == 6")
        );
        assert_eq!(connection_filter("nonsense", "10.0.0.1:1"), None);
    }
}
