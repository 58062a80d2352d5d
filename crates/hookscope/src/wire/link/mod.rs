//! Link layers: the first bytes of a packet -> the protocol they announce, and what follows them.
//!
//! One file per link type. None of them looks into the network layer, but raw IP, which has nothing else.

pub(super) mod ethernet;
pub(super) mod linux_sll;
pub(super) mod linux_sll2;
pub(super) mod null_loop;
pub(super) mod raw_ip;

use super::body::Body;

/// The protocol of what follows, as Ethernet numbers it (IEEE 802 numbers, RFC 9542).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EtherType(pub(super) u16);

impl EtherType {
    /// No protocol that anybody here reads.
    pub(super) const NONE: Self = Self(0);
    pub(super) const IPV4: Self = Self(0x0800);
    /// Transparent Ethernet bridging: an Ethernet frame inside a tunnel (RFC 1701).
    pub(super) const ETHERNET: Self = Self(0x6558);
    /// Customer VLAN tag, IEEE 802.1Q.
    pub(super) const VLAN: Self = Self(0x8100);
    pub(super) const IPV6: Self = Self(0x86dd);
    /// Service VLAN tag, IEEE 802.1ad.
    pub(super) const SERVICE_VLAN: Self = Self(0x88a8);
    /// Outer VLAN tag of switches older than IEEE 802.1ad.
    pub(super) const OLD_SERVICE_VLAN: Self = Self(0x9100);
}

/// What a link header or a tunnel leaves: the next protocol and its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Network<'a> {
    pub(super) ether_type: EtherType,
    pub(super) body: Body<'a>,
}
