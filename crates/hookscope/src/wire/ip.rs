//! What an IPv4 or IPv6 header says, in one form for both: who, to whom, and which transport follows.

use std::fmt;
use std::net::IpAddr;

use super::body::Body;
use crate::flow::key::Address;

/// What an IP packet carries, by its assigned Internet protocol number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Protocol(pub u8);

impl Protocol {
    /// IPv6 hop-by-hop options.
    pub(super) const HOP_BY_HOP: Self = Self(0);
    /// ICMP for IPv4.
    pub const ICMP: Self = Self(1);
    /// IPv4 in IP.
    pub const IPV4: Self = Self(4);
    /// TCP.
    pub const TCP: Self = Self(6);
    /// UDP.
    pub const UDP: Self = Self(17);
    /// IPv6 in IP.
    pub const IPV6: Self = Self(41);
    /// IPv6 routing header.
    pub(super) const ROUTING: Self = Self(43);
    /// IPv6 fragment header.
    pub(super) const FRAGMENT: Self = Self(44);
    /// Generic routing encapsulation.
    pub const GRE: Self = Self(47);
    /// Authentication header.
    pub(super) const AUTHENTICATION: Self = Self(51);
    /// ICMP for IPv6.
    pub const ICMPV6: Self = Self(58);
    /// IPv6 destination options.
    pub(super) const DESTINATION_OPTIONS: Self = Self(60);
}

/// The protocol's usual name; the number where it has none here.
impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::ICMP => "ICMP",
            Self::IPV4 => "IPv4",
            Self::TCP => "TCP",
            Self::UDP => "UDP",
            Self::IPV6 => "IPv6",
            Self::GRE => "GRE",
            Self::ICMPV6 => "ICMPv6",
            Self(other) => return write!(f, "{other}"),
        })
    }
}

/// The IP header around a transport, its own bytes stripped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ip<'a> {
    pub(super) source: Address,
    pub(super) destination: Address,
    /// Of IPv4; 0 for IPv6, where only fragments have one.
    pub(super) ip_id: u16,
    pub(super) ttl: u8,
    pub(super) protocol: Protocol,
    /// `None` for a whole datagram.
    pub(super) piece: Option<Piece>,
    /// What follows, up to the IP length.
    pub(super) body: Body<'a>,
}

impl Ip<'_> {
    /// Whether it is IPv4's. IPv6 has no business with IPv4-mapped addresses on the wire (RFC 4291, section 2.5.5).
    pub(super) fn is_v4(&self) -> bool {
        matches!(self.source.ip(), IpAddr::V4(_))
    }
}

/// Which part of a datagram a fragment is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) identification: u32,
    /// In octets.
    pub(super) offset: u32,
    /// Whether others follow.
    pub(super) more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_print_their_name_or_number() {
        assert_eq!(Protocol::TCP.to_string(), "TCP");
        assert_eq!(Protocol(132).to_string(), "132");
    }
}
