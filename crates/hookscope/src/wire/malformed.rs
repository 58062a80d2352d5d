//! Bytes that are not what their header says -> a named anomaly.
//!
//! The names are stable, in the manner of Zeek's weirds. What is merely of no interest (ARP, UDP that nobody
//! reads) is no anomaly but [`Decoded::Other`](super::Decoded::Other).

use std::fmt;

macro_rules! malformed {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal,)+) => {
        /// Why a packet could not be decoded.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Malformed {
            $($(#[$doc])+ $variant,)+
        }

        impl Malformed {
            /// Every anomaly of this layer, from the link upwards.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The anomaly's stable name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

malformed! {
    /// No decoder for the link type: see [`LinkType::is_supported`](crate::packet::LinkType::is_supported).
    UnsupportedLinkType = "unsupported_link_type",
    /// Fewer than the 14 bytes of an Ethernet header.
    TruncatedEthernetHeader = "truncated_ethernet_header",
    /// A VLAN tag without its four bytes.
    TruncatedVlanTag = "truncated_vlan_tag",
    /// Fewer than the 16 bytes of a Linux cooked header, version 1.
    TruncatedLinuxSllHeader = "truncated_linux_sll_header",
    /// Fewer than the 20 bytes of a Linux cooked header, version 2.
    TruncatedLinuxSll2Header = "truncated_linux_sll2_header",
    /// Fewer than the four bytes of a BSD loopback header.
    TruncatedLoopbackHeader = "truncated_loopback_header",
    /// Fewer than the four bytes of a Cisco HDLC header.
    TruncatedHdlcHeader = "truncated_hdlc_header",
    /// Fewer than the 44 bytes of an IP over InfiniBand header.
    TruncatedIpoibHeader = "truncated_ipoib_header",
    /// An IEEE 802.11 data frame or a radiotap header that ends early.
    TruncatedWirelessHeader = "truncated_wireless_header",
    /// An NFLOG header or one of its attributes ends early, or there is no packet among them.
    BadNflogHeader = "bad_nflog_header",
    /// An MPLS label or control word that ends early.
    TruncatedMplsLabel = "truncated_mpls_label",
    /// Fewer than the six bytes of a PPPoE header.
    TruncatedPppoeHeader = "truncated_pppoe_header",
    /// A PPP frame that ends before its protocol.
    TruncatedPppHeader = "truncated_ppp_header",
    /// A tag of IEEE 802.1ah, IEEE 802.1BR, VN-Tag or FabricPath that ends early.
    TruncatedBridgeTag = "truncated_bridge_tag",
    /// More labels, tags and sessions around one another than any network nests.
    TooManyShims = "too_many_shims",
    /// Raw IP without a byte.
    TruncatedIpHeader = "truncated_ip_header",
    /// The version field is not what the layer below announced.
    BadIpVersion = "bad_ip_version",
    /// An IPv4 header or its options end early.
    TruncatedIpv4Header = "truncated_ipv4_header",
    /// An IPv4 header length below five words.
    BadIpv4HeaderLength = "bad_ipv4_header_length",
    /// An IPv4 total length below the header length.
    BadIpv4TotalLength = "bad_ipv4_total_length",
    /// Fewer than the 40 bytes of an IPv6 header.
    TruncatedIpv6Header = "truncated_ipv6_header",
    /// An IPv6 extension header or authentication header that ends early.
    TruncatedExtensionHeader = "truncated_extension_header",
    /// An authentication header with an impossible length.
    BadExtensionHeader = "bad_extension_header",
    /// More IP headers around one another than any network nests.
    TooManyIpHeaders = "too_many_ip_headers",
    /// An empty fragment, or one before the last whose length is no multiple of eight.
    BadFragmentLength = "bad_fragment_length",
    /// Fragments of one datagram that disagree about its bytes or its length.
    ConflictingFragments = "conflicting_fragments",
    /// A fragment that ends past the longest datagram allowed.
    OversizedDatagram = "oversized_datagram",
    /// More fragments of one datagram than allowed.
    TooManyFragments = "too_many_fragments",
    /// Fewer than the 20 fixed bytes of a TCP header.
    TruncatedTcpHeader = "truncated_tcp_header",
    /// A TCP data offset below five words or beyond the segment.
    BadTcpDataOffset = "bad_tcp_data_offset",
    /// Fewer than the eight bytes of a UDP header.
    TruncatedUdpHeader = "truncated_udp_header",
    /// A UDP length below eight that is not zero.
    BadUdpLength = "bad_udp_length",
    /// A VXLAN header that ends early, on a port of VXLAN.
    TruncatedVxlanHeader = "truncated_vxlan_header",
    /// A Geneve header or its options end early.
    TruncatedGeneveHeader = "truncated_geneve_header",
    /// A GTP header, its optional fields or extensions end early.
    TruncatedGtpHeader = "truncated_gtp_header",
    /// An ERSPAN header that ends early.
    TruncatedErspanHeader = "truncated_erspan_header",
    /// A GRE header or its optional fields end early.
    TruncatedGreHeader = "truncated_gre_header",
    /// Fewer than the eight bytes of an ICMP error's header.
    TruncatedIcmpHeader = "truncated_icmp_header",
    /// An ICMP error whose quoted packet is not readable up to its ports.
    BadIcmpQuote = "bad_icmp_quote",
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::error::Error for Malformed {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_in_snake_case() {
        let mut names: Vec<_> = Malformed::ALL.iter().map(|anomaly| anomaly.name()).collect();
        assert!(
            names
                .iter()
                .all(|name| name.bytes().all(|b| b == b'_' || b.is_ascii_lowercase() || b.is_ascii_digit()))
        );
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Malformed::ALL.len());
    }
}
