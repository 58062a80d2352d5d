//! Writes headers: Ethernet, IPv4, IPv6 and UDP, and the internet checksum they share.

use std::net::IpAddr;

pub(crate) const ETHERTYPE_IPV4: u16 = 0x0800;
pub(crate) const ETHERTYPE_IPV6: u16 = 0x86dd;

pub(crate) const PROTOCOL_ICMP: u8 = 1;
pub(crate) const PROTOCOL_TCP: u8 = 6;
pub(crate) const PROTOCOL_UDP: u8 = 17;
pub(crate) const PROTOCOL_GRE: u8 = 47;
pub(crate) const PROTOCOL_ICMPV6: u8 = 58;

/// The internet checksum over the parts as if they were one piece.
pub(crate) fn checksum(parts: &[&[u8]]) -> u16 {
    let (mut sum, mut low) = (0_u64, false);
    for byte in parts.iter().flat_map(|part| part.iter()) {
        sum += if low { u64::from(*byte) } else { u64::from(*byte) << 8 };
        low = !low;
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// The checksum of a TCP, UDP or ICMPv6 segment, pseudo header included.
pub(crate) fn transport_checksum(from: IpAddr, to: IpAddr, protocol: u8, segment: &[u8]) -> u16 {
    let length = u32::try_from(segment.len()).expect("a segment's length fits 32 bits").to_be_bytes();
    checksum(&[&octets(from), &octets(to), &length, &[0, protocol], segment])
}

/// The address as it stands in an IP header.
pub(crate) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The EtherType of packets with this address.
pub(crate) fn ethertype(address: IpAddr) -> u16 {
    if address.is_ipv4() { ETHERTYPE_IPV4 } else { ETHERTYPE_IPV6 }
}

/// A locally administered MAC address that stands for the IP address.
pub(crate) fn mac_of(address: IpAddr) -> [u8; 6] {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            [2, 0, a, b, c, d]
        }
        IpAddr::V6(address) => {
            let [a, b, c, d] = digest(&address.octets()).to_be_bytes();
            [2, 6, a, b, c, d]
        }
    }
}

/// A stable number for some bytes (FNV-1a), wherever something has to look arbitrary and stay the same.
pub(crate) fn digest(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

pub(crate) fn ethernet_header(to: [u8; 6], from: [u8; 6], ethertype: u16) -> Vec<u8> {
    [&to[..], &from[..], &ethertype.to_be_bytes()].concat()
}

/// An IP header for a payload of `payload_len` bytes, or nothing if that is more than an IP packet can carry.
pub(crate) fn ip_header(
    from: IpAddr,
    to: IpAddr,
    protocol: u8,
    ident: u16,
    payload_len: usize,
) -> Option<Vec<u8>> {
    let mut header = Vec::with_capacity(40);
    if from.is_ipv4() {
        let total = u16::try_from(payload_len + 20).ok()?;
        header.extend([0x45, 0]);
        header.extend(total.to_be_bytes());
        header.extend(ident.to_be_bytes());
        header.extend([0x40, 0, 64, protocol, 0, 0]); // don't fragment, TTL 64
    } else {
        header.extend([0x60, 0, 0, 0]);
        header.extend(u16::try_from(payload_len).ok()?.to_be_bytes());
        header.extend([protocol, 64]);
    }
    header.extend(octets(from));
    header.extend(octets(to));
    if from.is_ipv4() {
        let sum = checksum(&[&header]);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
    }
    Some(header)
}

/// The header of the BSD loopback link type. The families are those of macOS, where such captures mostly come from.
pub(crate) fn null_header(is_v4: bool) -> [u8; 4] {
    if is_v4 { 2_u32 } else { 30 }.to_le_bytes()
}

/// The header of the OpenBSD loopback link type.
pub(crate) fn loop_header(is_v4: bool) -> [u8; 4] {
    if is_v4 { 2_u32 } else { 24 }.to_be_bytes()
}

pub(crate) fn u16_at(data: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([data[at], data[at + 1]])
}

pub(crate) fn u32_at(data: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]])
}

pub(crate) fn put_u16(data: &mut [u8], at: usize, value: u16) {
    data[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

pub(crate) fn put_u32(data: &mut [u8], at: usize, value: u32) {
    data[at..at + 4].copy_from_slice(&value.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_does_not_depend_on_how_the_bytes_are_divided() {
        let data = [0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xc0, 0xa8, 0x00];
        assert_eq!(checksum(&[&data[..3], &data[3..4], &data[4..]]), checksum(&[&data]));
    }

    #[test]
    fn an_ipv4_header_has_the_well_known_checksum() {
        let (from, to) = ("192.168.0.1".parse().unwrap(), "192.168.0.199".parse().unwrap());
        let header = ip_header(from, to, PROTOCOL_UDP, 0, 95).unwrap();
        assert_eq!(u16_at(&header, 10), 0xb861);
        assert_eq!(checksum(&[&header]), 0);
    }

    #[test]
    fn a_payload_too_large_for_ip_has_no_header() {
        let address = "10.0.0.1".parse().unwrap();
        assert!(ip_header(address, address, PROTOCOL_TCP, 0, 65_515).is_some());
        assert!(ip_header(address, address, PROTOCOL_TCP, 0, 65_516).is_none());
    }
}
