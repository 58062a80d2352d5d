//! Link layers: the first bytes of a packet -> the protocol they announce, and what follows them.
//!
//! One file per link type. None of them looks into the network layer, but raw IP, which has nothing else.

pub(super) mod cisco_hdlc;
pub(super) mod ethernet;
pub(super) mod ipoib;
pub(super) mod linux_sll;
pub(super) mod linux_sll2;
pub(super) mod nflog;
pub(super) mod null_loop;
pub(super) mod raw_ip;
pub(super) mod wireless;

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
    /// MPLS, the label given by the receiver (RFC 3032).
    pub(super) const MPLS: Self = Self(0x8847);
    /// MPLS, the label given by the sender (RFC 5332).
    pub(super) const MPLS_UPSTREAM: Self = Self(0x8848);
    /// Data of a PPPoE session (RFC 2516).
    pub(super) const PPPOE_SESSION: Self = Self(0x8864);
    /// Service VLAN tag, IEEE 802.1ad.
    pub(super) const SERVICE_VLAN: Self = Self(0x88a8);
    /// Backbone service instance tag, IEEE 802.1ah.
    pub(super) const BACKBONE_TAG: Self = Self(0x88e7);
    /// Cisco FabricPath.
    pub(super) const FABRIC_PATH: Self = Self(0x8903);
    /// Cisco VN-Tag.
    pub(super) const VN_TAG: Self = Self(0x8926);
    /// Port extender's tag, IEEE 802.1BR.
    pub(super) const EXTENDER_TAG: Self = Self(0x893f);
    /// Outer VLAN tag of switches older than IEEE 802.1ad.
    pub(super) const OLD_SERVICE_VLAN: Self = Self(0x9100);

    /// Whether it is no EtherType but a length, behind which logical link control follows (IEEE 802.3, clause 3.2.6).
    pub(super) const fn is_length(self) -> bool {
        self.0 != 0 && self.0 <= 1500
    }
}

/// What a link header or a tunnel leaves: the next protocol and its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Network<'a> {
    pub(super) ether_type: EtherType,
    pub(super) body: Body<'a>,
}
