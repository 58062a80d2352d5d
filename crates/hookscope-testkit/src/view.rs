//! Finds the headers in a packet, so that transformations know what they may change, and makes its checksums right.
//!
//! Only what follows the link header directly is looked at: a tunnel's payload is the tunnel's business.

use crate::link;
use crate::wire::{
    ETHERTYPE_IPV4, ETHERTYPE_IPV6, PROTOCOL_GRE, PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP,
    checksum, put_u16, transport_checksum, u16_at, u32_at,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What lies behind the link header, VLAN tags included: the EtherType, and where it starts.
pub(crate) fn network(link_type: u16, data: &[u8]) -> Option<(u16, usize)> {
    let by_version = |at: usize| match data.get(at)? >> 4 {
        4 => Some((ETHERTYPE_IPV4, at)),
        6 => Some((ETHERTYPE_IPV6, at)),
        _ => None,
    };
    let (mut protocol, mut at) = match link_type {
        link::ETHERNET if data.len() >= 14 => (u16_at(data, 12), 14),
        link::LINUX_SLL if data.len() >= 16 => (u16_at(data, 14), 16),
        link::LINUX_SLL2 if data.len() >= 20 => (u16_at(data, 0), 20),
        link::RAW => return by_version(0),
        link::NULL | link::LOOP => return by_version(4),
        _ => return None,
    };
    while matches!(protocol, 0x8100 | 0x88a8) && data.len() >= at + 4 {
        protocol = u16_at(data, at + 2);
        at += 4;
    }
    Some((protocol, at))
}

/// The IP header of a packet, as offsets into its data.
#[derive(Debug, Clone)]
pub(crate) struct Ip {
    pub(crate) from: IpAddr,
    pub(crate) to: IpAddr,
    /// Where the IP header starts.
    pub(crate) start: usize,
    /// Where the headers end that every fragment of the packet repeats.
    pub(crate) unfragmentable: usize,
    /// The protocol of what follows `unfragmentable`.
    pub(crate) first_protocol: u8,
    /// Where the transport header starts, behind all extension headers.
    pub(crate) payload: usize,
    pub(crate) protocol: u8,
    /// Where the packet ends by its own account; beyond the data if the capture was cut.
    pub(crate) end: usize,
    /// Whether this is a fragment, and whether a later one (without transport header).
    pub(crate) fragment: bool,
    pub(crate) later_fragment: bool,
}

impl Ip {
    /// The IP header behind the link header, if there is one.
    pub(crate) fn of(link_type: u16, data: &[u8]) -> Option<Self> {
        match network(link_type, data)? {
            (ETHERTYPE_IPV4 | ETHERTYPE_IPV6, start) => Self::at(data, start),
            _ => None,
        }
    }

    /// The IP header at an offset.
    pub(crate) fn at(data: &[u8], start: usize) -> Option<Self> {
        let ip = match data.get(start)? >> 4 {
            4 => Self::v4(data, start)?,
            6 => Self::v6(data, start)?,
            _ => return None,
        };
        (ip.payload <= data.len() && ip.payload <= ip.end).then_some(ip)
    }

    fn v4(data: &[u8], start: usize) -> Option<Self> {
        let header = data.get(start..start + 20)?;
        let payload = start + usize::from(header[0] & 0x0f) * 4;
        let fragment_field = u16_at(header, 6) & 0x3fff;
        let address = |at: usize| IpAddr::V4(Ipv4Addr::from(u32_at(header, at)));
        (payload >= start + 20).then(|| Self {
            from: address(12),
            to: address(16),
            start,
            unfragmentable: payload,
            first_protocol: header[9],
            payload,
            protocol: header[9],
            end: start + usize::from(u16_at(header, 2)),
            fragment: fragment_field != 0,
            later_fragment: fragment_field & 0x1fff != 0,
        })
    }

    fn v6(data: &[u8], start: usize) -> Option<Self> {
        let header = data.get(start..start + 40)?;
        let address = |at: usize| {
            let octets: [u8; 16] = header[at..at + 16].try_into().expect("sixteen bytes");
            IpAddr::V6(Ipv6Addr::from(octets))
        };
        let mut ip = Self {
            from: address(8),
            to: address(24),
            start,
            unfragmentable: start + 40,
            first_protocol: header[6],
            payload: start + 40,
            protocol: header[6],
            end: start + 40 + usize::from(u16_at(header, 4)),
            fragment: false,
            later_fragment: false,
        };
        while matches!(ip.protocol, 0 | 43 | 44 | 60) && !ip.later_fragment {
            let extension = data.get(ip.payload..ip.payload + 8)?;
            let mut length = 8;
            if ip.protocol == 44 {
                ip.fragment = true;
                ip.later_fragment = u16_at(extension, 2) & 0xfff8 != 0;
            } else {
                length += usize::from(extension[1]) * 8;
            }
            let per_hop = matches!(ip.protocol, 0 | 43);
            ip.protocol = extension[0];
            ip.payload += length;
            if per_hop {
                (ip.unfragmentable, ip.first_protocol) = (ip.payload, ip.protocol);
            }
        }
        Some(ip)
    }

    pub(crate) fn is_v4(&self) -> bool {
        self.from.is_ipv4()
    }

    /// Whether the data holds the whole packet.
    pub(crate) fn is_whole(&self, data: &[u8]) -> bool {
        self.end <= data.len()
    }

    /// Where the TCP payload starts, if this is a TCP packet whose header was captured.
    pub(crate) fn tcp_payload(&self, data: &[u8]) -> Option<usize> {
        if self.protocol != PROTOCOL_TCP || self.later_fragment || data.len() < self.payload + 20 {
            return None;
        }
        let header = usize::from(data[self.payload + 12] >> 4) * 4;
        let payload = self.payload + header;
        (header >= 20 && payload <= self.end && payload <= data.len()).then_some(payload)
    }

    /// Makes the length fields say that the packet ends with the data.
    pub(crate) fn set_length(&self, data: &mut [u8]) {
        let length = data.len() - self.start;
        let (at, value) = if self.is_v4() { (2, length) } else { (4, length - 40) };
        put_u16(
            data,
            self.start + at,
            u16::try_from(value).expect("pieces are no longer than the packet was"),
        );
    }

    /// Makes the IPv4 header checksum right.
    pub(crate) fn seal_header(&self, data: &mut [u8]) {
        if self.is_v4() {
            put_u16(data, self.start + 10, 0);
            let sum = checksum(&[&data[self.start..self.unfragmentable]]);
            put_u16(data, self.start + 10, sum);
        }
    }

    /// Makes the transport checksum right, if the packet is here in one piece.
    pub(crate) fn seal_transport(&self, data: &mut [u8]) {
        if self.fragment || !self.is_whole(data) {
            return;
        }
        let (at, pseudo_header) = match self.protocol {
            PROTOCOL_TCP => (16, true),
            PROTOCOL_UDP => (6, true),
            PROTOCOL_ICMP => (2, false),
            PROTOCOL_ICMPV6 => (2, true),
            PROTOCOL_GRE if data.get(self.payload).is_some_and(|flags| flags & 0x80 != 0) => (4, false),
            _ => return,
        };
        let segment = &mut data[self.payload..self.end];
        let absent = self.protocol == PROTOCOL_UDP && segment.len() >= 8 && u16_at(segment, 6) == 0;
        if segment.len() < at + 2 || absent {
            return;
        }
        put_u16(segment, at, 0);
        let sum = if pseudo_header {
            transport_checksum(self.from, self.to, self.protocol, segment)
        } else {
            checksum(&[segment])
        };
        // For UDP a zero would mean that there is no checksum.
        put_u16(segment, at, if sum == 0 && self.protocol == PROTOCOL_UDP { 0xffff } else { sum });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ip_header;

    /// An IPv6 packet with hop-by-hop options, a routing header, a fragment header and destination options.
    fn extended(fragment_offset: u8) -> Vec<u8> {
        let (from, to) = ("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap());
        let mut packet = ip_header(from, to, 0, 0, 8 + 16 + 8 + 8 + 20).unwrap();
        packet.extend([43, 0, 1, 4, 0, 0, 0, 0]);
        packet.extend([&[44, 1][..], &[0; 14]].concat());
        packet.extend([60, 0, 0, fragment_offset, 0, 0, 0, 7]);
        packet.extend([PROTOCOL_TCP, 0, 1, 4, 0, 0, 0, 0]);
        packet.extend([&[0; 12][..], &[0x50], &[0; 7]].concat());
        packet
    }

    #[test]
    fn the_transport_header_is_found_behind_ipv6_extension_headers() {
        let packet = extended(1);
        let ip = Ip::of(link::RAW, &packet).unwrap();
        assert_eq!((ip.protocol, ip.payload, ip.end), (PROTOCOL_TCP, 40 + 8 + 16 + 8 + 8, packet.len()));
        assert_eq!((ip.first_protocol, ip.unfragmentable), (44, 40 + 8 + 16));
        assert!(ip.fragment && !ip.later_fragment);
        assert_eq!(ip.tcp_payload(&packet), Some(packet.len()));
    }

    #[test]
    fn a_later_fragment_has_no_transport_header() {
        let packet = extended(16);
        let ip = Ip::of(link::RAW, &packet).unwrap();
        assert!(ip.later_fragment);
        assert_eq!(ip.tcp_payload(&packet), None);
    }

    #[test]
    fn what_is_cut_inside_a_header_is_no_ip_packet() {
        let packet = extended(0);
        for len in 0..40 + 8 + 16 + 8 + 8 {
            assert!(Ip::of(link::RAW, &packet[..len]).is_none(), "{len} bytes");
        }
    }
}
