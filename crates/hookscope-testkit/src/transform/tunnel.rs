//! Wraps packets into tunnels, as overlay networks do between nodes.

use crate::view::Ip;
use crate::wire::{
    ETHERTYPE_IPV4, PROTOCOL_GRE, PROTOCOL_UDP, checksum, digest, ethernet_header, ethertype, ip_header,
    loop_header, mac_of, null_header, octets, put_u16, transport_checksum,
};
use crate::{Capture, Record, link};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A kind of tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tunnel {
    /// VXLAN on a UDP port: 4789 by the standard, 8472 on Linux hosts.
    Vxlan {
        /// The UDP port.
        port: u16,
        /// The network's number, 24 bits.
        vni: u32,
    },
    /// Geneve on UDP port 6081.
    Geneve {
        /// The network's number, 24 bits.
        vni: u32,
        /// The options as they stand on the wire, in whole words.
        options: Vec<u8>,
        /// Whether it carries Ethernet frames or bare IP packets.
        ethernet: bool,
    },
    /// GRE.
    Gre {
        /// The key, if it has one.
        key: Option<u32>,
        /// Whether it has a checksum.
        checksum: bool,
        /// Whether it carries Ethernet frames or bare IP packets.
        ethernet: bool,
    },
    /// IP directly in IP: IPIP, SIT and their like, depending on the versions.
    IpInIp,
}

/// The IP version of the packets between the nodes; their addresses are derived from those of the wrapped packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outer {
    /// IPv4, with addresses from 172.16.0.0/12.
    V4,
    /// IPv6, with addresses from fd00:18::/96.
    V6,
}

/// Every IP packet wrapped into a tunnel; packets too large for that are left as they are.
///
/// UDP over IPv4 goes without checksum, as Linux sends it. Where a packet was cut by a snap length, so is the wrapped
/// one: UDP has no checksum then, and that of GRE is of what there is.
pub fn tunnel(capture: &Capture, tunnel: &Tunnel, outer: Outer) -> Capture {
    let wrap =
        |record: &Record| wrap(capture.link_type, record, tunnel, outer).unwrap_or_else(|| record.clone());
    Capture { link_type: capture.link_type, records: capture.records.iter().map(wrap).collect() }
}

/// Tunnels in tunnels; the first is the innermost.
pub fn nest(capture: &Capture, tunnels: &[(Tunnel, Outer)]) -> Capture {
    tunnels.iter().fold(capture.clone(), |capture, (kind, outer)| tunnel(&capture, kind, *outer))
}

/// The packet in a tunnel, behind the link header it had.
pub(super) fn wrap(link_type: u16, record: &Record, tunnel: &Tunnel, outer: Outer) -> Option<Record> {
    let ip = Ip::of(link_type, &record.data)?;
    // Padding of short Ethernet frames does not belong to the packet.
    let captured = &record.data[ip.start..ip.end.min(record.data.len())];
    let missing = ip.end - ip.start - captured.len();
    let (from, to) = (node_of(ip.from, outer), node_of(ip.to, outer));
    let inner = ethertype(ip.from);
    let frame = [ethernet_header(mac_of(ip.to), mac_of(ip.from), inner), captured.to_vec()].concat();
    let (protocol, mut payload) = match tunnel {
        Tunnel::Vxlan { port, vni } => {
            let header = [&[8, 0, 0, 0][..], &(vni << 8).to_be_bytes()].concat();
            (PROTOCOL_UDP, udp(&ip, *port, &[header, frame].concat(), missing)?)
        }
        Tunnel::Geneve { vni, options, ethernet } => {
            assert!(
                options.len().is_multiple_of(4) && options.len() < 256,
                "Geneve options of {} bytes",
                options.len()
            );
            let (kind, body) = if *ethernet { (0x6558, &frame[..]) } else { (inner, captured) };
            let mut header = vec![(options.len() / 4) as u8, 0];
            header.extend(u16::to_be_bytes(kind));
            header.extend((vni << 8).to_be_bytes());
            header.extend(options);
            (PROTOCOL_UDP, udp(&ip, 6081, &[&header, body].concat(), missing)?)
        }
        Tunnel::Gre { key, checksum, ethernet } => {
            let (kind, body) = if *ethernet { (0x6558, &frame[..]) } else { (inner, captured) };
            (PROTOCOL_GRE, gre(*key, *checksum, kind, body))
        }
        Tunnel::IpInIp => (if ip.is_v4() { 4 } else { 41 }, captured.to_vec()),
    };
    let ident = digest(captured) as u16;
    let header = ip_header(from, to, protocol, ident, payload.len() + missing)?;
    if protocol == PROTOCOL_UDP && missing == 0 && outer == Outer::V6 {
        // Only over IPv4 a checksum may be absent.
        let sum = transport_checksum(from, to, protocol, &payload);
        put_u16(&mut payload, 6, if sum == 0 { 0xffff } else { sum });
    }
    let mut data = link_header(link_type, &record.data[..ip.start], ethertype(from));
    data.extend(header);
    data.extend(payload);
    Some(Record { time_ns: record.time_ns, wire_len: (data.len() + missing) as u32, data })
}

/// A UDP datagram without checksum; the source port tells inner connections apart.
fn udp(inner: &Ip, port: u16, payload: &[u8], missing: usize) -> Option<Vec<u8>> {
    let source = 49_152 | digest(&[octets(inner.from), octets(inner.to)].concat()) as u16 & 0x3fff;
    let length = u16::try_from(8 + payload.len() + missing).ok()?;
    let words = [source, port, length, 0];
    let header: Vec<u8> = words.into_iter().flat_map(u16::to_be_bytes).collect();
    Some([&header, payload].concat())
}

fn gre(key: Option<u32>, with_checksum: bool, kind: u16, body: &[u8]) -> Vec<u8> {
    let mut gre = vec![u8::from(with_checksum) << 7 | u8::from(key.is_some()) << 5, 0];
    gre.extend(kind.to_be_bytes());
    if with_checksum {
        gre.extend([0; 4]);
    }
    gre.extend(key.map(u32::to_be_bytes).into_iter().flatten());
    gre.extend(body);
    if with_checksum {
        let sum = checksum(&[&gre]);
        put_u16(&mut gre, 4, sum);
    }
    gre
}

/// The node that a pod or a host in the inner network stands on.
fn node_of(inner: IpAddr, outer: Outer) -> IpAddr {
    let number = digest(&octets(inner));
    match outer {
        Outer::V4 => Ipv4Addr::from(0xac10_0000 | number & 0x000f_ffff).into(),
        Outer::V6 => Ipv6Addr::new(0xfd00, 0x18, 0, 0, 0, 0, (number >> 16) as u16, number as u16).into(),
    }
}

/// The packet's link header, with the EtherType or family of the outer packet.
fn link_header(link_type: u16, header: &[u8], ethertype: u16) -> Vec<u8> {
    let mut header = header.to_vec();
    let is_v4 = ethertype == ETHERTYPE_IPV4;
    match link_type {
        link::LINUX_SLL2 if header.len() == 20 => put_u16(&mut header, 0, ethertype),
        link::ETHERNET | link::LINUX_SLL | link::LINUX_SLL2 => {
            let at = header.len() - 2;
            put_u16(&mut header, at, ethertype);
        }
        link::NULL => header = null_header(is_v4).to_vec(),
        link::LOOP => header = loop_header(is_v4).to_vec(),
        _ => {}
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Conversation;
    use crate::transform::{Link, relink, reseal, snap};

    fn kinds() -> Vec<Tunnel> {
        vec![
            Tunnel::Vxlan { port: 8472, vni: 1 },
            Tunnel::Geneve { vni: 5, options: vec![1, 2, 0x80, 1, 0, 0, 0, 9], ethernet: true },
            Tunnel::Geneve { vni: 5, options: vec![], ethernet: false },
            Tunnel::Gre { key: Some(3), checksum: true, ethernet: false },
            Tunnel::Gre { key: None, checksum: false, ethernet: true },
            Tunnel::IpInIp,
        ]
    }

    fn stories() -> [Capture; 2] {
        [("10.0.0.1:1", "10.0.0.2:2"), ("[fd00::1]:1", "[fd00::2]:2")]
            .map(|(client, server)| Conversation::new(client, server).handshake().client(b"odd").capture())
    }

    #[test]
    fn every_tunnel_ends_with_the_packet_it_wraps_and_has_right_checksums() {
        for story in stories() {
            let story = relink(&story, Link::Raw);
            for kind in kinds() {
                for outer in [Outer::V4, Outer::V6] {
                    let wrapped = tunnel(&story, &kind, outer);
                    for (inner, outer) in story.records.iter().zip(&wrapped.records) {
                        assert!(outer.data.ends_with(&inner.data), "{kind:?}");
                        assert_eq!(outer.wire_len as usize, outer.data.len());
                    }
                    assert_eq!(reseal(&wrapped), wrapped, "{kind:?}");
                }
            }
        }
    }

    #[test]
    fn the_link_header_names_the_outer_ip_version() {
        let [v4, v6] = stories();
        for link in [Link::Vlan(3), Link::LinuxSll, Link::LinuxSll2, Link::Null, Link::Loop] {
            for (story, outer) in [(&v4, Outer::V6), (&v6, Outer::V4)] {
                let linked = relink(story, link);
                let wrapped = tunnel(&linked, &Tunnel::IpInIp, outer);
                let again = relink(&relink(&wrapped, Link::Raw), link);
                let header = |capture: &Capture| network_of(capture).expect("a network protocol");
                assert_eq!(header(&wrapped), header(&again), "{link:?}");
            }
        }
    }

    fn network_of(capture: &Capture) -> Option<(u16, usize)> {
        crate::view::network(capture.link_type, &capture.records[0].data)
    }

    #[test]
    fn both_directions_run_between_the_same_two_nodes() {
        let [story, _] = stories();
        let wrapped = tunnel(&relink(&story, Link::Raw), &Tunnel::IpInIp, Outer::V4);
        assert_eq!(wrapped.records[0].data[12..16], wrapped.records[1].data[16..20]);
        assert_eq!(wrapped.records[0].data[16..20], wrapped.records[1].data[12..16]);
    }

    #[test]
    fn packets_cut_by_a_snap_length_keep_their_length_on_the_wire() {
        let [story, _] = stories();
        for kind in kinds() {
            let wrapped = tunnel(&story, &kind, Outer::V4);
            let snapped = tunnel(&snap(&story, 50), &kind, Outer::V4);
            for (whole, snapped) in wrapped.records.iter().zip(&snapped.records) {
                assert_eq!(whole.wire_len, snapped.wire_len);
                assert_eq!(
                    snapped.data.len(),
                    whole.data.len() - (whole.wire_len as usize - snapped.data.len())
                );
            }
        }
    }

    #[test]
    fn packets_that_would_grow_too_large_are_left_as_they_are() {
        let story = Conversation::new("10.0.0.1:1", "10.0.0.2:2").client(&[0; 65_400]).capture();
        let wrap = [(Tunnel::Vxlan { port: 4789, vni: 1 }, Outer::V4); 1];
        assert_ne!(nest(&story, &wrap), story);
        let thrice = [wrap.clone(), wrap.clone(), wrap].concat();
        let nested = nest(&story, &thrice);
        assert_eq!(nested.records[0].wire_len, 14 + 20 + 20 + 65_400 + 50);
    }
}
