//! Moves the sequence numbers of TCP connections, so that they wrap where a test wants them to.

use super::shift_icmp::shift_quote;
use crate::inner::inner;
use crate::view::Ip;
use crate::wire::{PROTOCOL_TCP, put_u16, put_u32, u16_at, u32_at};
use crate::{Capture, Record};
use std::collections::HashMap;
use std::net::IpAddr;

const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

pub(super) type Socket = (IpAddr, u16);

/// Which sequence numbers move by how much.
pub(super) struct Shift {
    client: u32,
    server: u32,
    /// The client of each connection, named by both sockets in order.
    clients: HashMap<(Socket, Socket), Socket>,
}

/// Adds a number to all sequence numbers of clients and another one to those of servers: in the TCP header, in
/// acknowledgements, in SACK blocks, and in the headers that ICMP errors quote; inside tunnels too.
///
/// The client is who sends the SYN; if the capture has none, whoever has the higher port. The reset by which a host
/// refuses a SYN keeps its sequence number of zero.
pub fn shift_sequence_numbers(capture: &Capture, delta_client: u32, delta_server: u32) -> Capture {
    let shift = Shift { client: delta_client, server: delta_server, clients: clients_of(capture) };
    let moved = |record: &Record| {
        let mut record = record.clone();
        if let Some(ip) = Ip::of(capture.link_type, &record.data) {
            shift.packet(&mut record.data, &ip);
        }
        record
    };
    Capture { link_type: capture.link_type, records: capture.records.iter().map(moved).collect() }
}

fn clients_of(capture: &Capture) -> HashMap<(Socket, Socket), Socket> {
    let mut clients = HashMap::new();
    for record in &capture.records {
        let Some(mut ip) = Ip::of(capture.link_type, &record.data) else { continue };
        while let Some(inside) = inner(&record.data, &ip) {
            ip = inside;
        }
        if ip.tcp_payload(&record.data).is_none() {
            continue;
        }
        let tcp = &record.data[ip.payload..];
        let (from, to) = sockets(tcp, ip.from, ip.to);
        match tcp[13] & (SYN | ACK) {
            SYN => clients.entry(connection(from, to)).or_insert(from),
            SYN_ACK => clients.entry(connection(from, to)).or_insert(to),
            _ => continue,
        };
    }
    clients
}

const SYN_ACK: u8 = SYN | ACK;

fn sockets(tcp: &[u8], from: IpAddr, to: IpAddr) -> (Socket, Socket) {
    ((from, u16_at(tcp, 0)), (to, u16_at(tcp, 2)))
}

fn connection(a: Socket, b: Socket) -> (Socket, Socket) {
    (a.min(b), a.max(b))
}

impl Shift {
    /// Moves the numbers in a packet, or in the packet inside if it is a tunnel's.
    fn packet(&self, data: &mut [u8], ip: &Ip) {
        if ip.later_fragment {
            return;
        }
        if ip.protocol == PROTOCOL_TCP {
            self.apply(&mut data[ip.payload..], ip.from, ip.to);
        } else if let Some(inside) = inner(data, ip) {
            self.packet(data, &inside);
        } else {
            shift_quote(self, data, ip);
        }
        // What was captured whole gets a checksum of its own, even if it had none because of offloading.
        ip.seal_transport(data);
    }

    /// Moves the numbers in a TCP header of which perhaps only the beginning is there.
    pub(super) fn apply(&self, tcp: &mut [u8], from: IpAddr, to: IpAddr) {
        if tcp.len() < 8 {
            return;
        }
        let (from, to) = sockets(tcp, from, to);
        let higher_port = if from.1 >= to.1 { from } else { to };
        let client = self.clients.get(&connection(from, to)).unwrap_or(&higher_port);
        let (own, peer) =
            if *client == from { (self.client, self.server) } else { (self.server, self.client) };
        let flags = tcp.get(13).copied().unwrap_or(0);
        let is_refusal = flags & (RST | ACK) == RST | ACK && u32_at(tcp, 4) == 0;
        if !is_refusal {
            add(tcp, 4, own);
        }
        if flags & ACK != 0 {
            add(tcp, 8, peer);
        }
        if tcp.len() >= 20 {
            let end = (usize::from(tcp[12] >> 4) * 4).min(tcp.len());
            for edge in sack_edges(&tcp[..end]) {
                add(tcp, edge, peer);
            }
        }
    }
}

/// Where the edges of SACK blocks stand in a TCP header.
fn sack_edges(tcp: &[u8]) -> Vec<usize> {
    let (mut at, mut edges) = (20, Vec::new());
    while at + 1 < tcp.len() && tcp[at] != 0 {
        if tcp[at] == 1 {
            at += 1;
            continue;
        }
        let length = usize::from(tcp[at + 1]).max(2);
        if tcp[at] == 5 && at + length <= tcp.len() {
            edges.extend((at + 2..at + length - 3).step_by(4));
        }
        at += length;
    }
    edges
}

/// Adds to a number in a TCP header, and keeps the header's checksum as right or wrong as it was.
fn add(tcp: &mut [u8], at: usize, delta: u32) {
    let old = u32_at(tcp, at);
    let new = old.wrapping_add(delta);
    put_u32(tcp, at, new);
    if tcp.len() >= 18 {
        // RFC 1624; options stand on even offsets only if padded so, which swaps the bytes of the difference.
        let words = |value: u32| if at.is_multiple_of(2) { value } else { value.swap_bytes() };
        let mut sum = u64::from(!u16_at(tcp, 16));
        for (value, inverted) in [(words(old), 0xffff), (words(new), 0)] {
            sum += u64::from((value >> 16) as u16 ^ inverted) + u64::from(value as u16 ^ inverted);
        }
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        put_u16(tcp, 16, !(sum as u16));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Conversation;
    use crate::transform::{FragmentOrder, Outer, Tunnel, fragment_ip, nest, reseal, snap};

    /// The same story with SACK blocks, told with numbers of one's own choice.
    fn story(client: u32, server: u32) -> Capture {
        Conversation::new("10.0.0.1:5000", "10.0.0.2:443")
            .sequence_numbers(client, server)
            .timestamps()
            .handshake()
            .unacknowledged()
            .client(b"odd")
            .client(b"even")
            .server(b"reply")
            .icmp_error("10.0.0.9", 3, 4, 1400)
            .client_fin()
            .capture()
    }

    #[test]
    fn a_shifted_story_is_the_story_told_with_shifted_numbers() {
        let shifted = shift_sequence_numbers(&story(10, 20), u32::MAX - 11, 1000);
        assert_eq!(shifted, story(u32::MAX - 1, 1020));
    }

    #[test]
    fn checksums_of_packets_not_captured_whole_follow_the_numbers() {
        for delta in [1, 0xffff, 0x1_0000, 0x8000_0001] {
            let shifted = shift_sequence_numbers(&snap(&story(10, 20), 80), delta, !delta);
            assert_eq!(shifted, snap(&story(10_u32.wrapping_add(delta), 20_u32.wrapping_add(!delta)), 80));
        }
    }

    #[test]
    fn fragments_put_together_have_right_checksums() {
        let big = |seq| {
            Conversation::new("10.0.0.1:5000", "10.0.0.2:443").sequence_numbers(seq, 1).client(&[7; 99])
        };
        let fragmented = |seq| fragment_ip(&big(seq).capture(), 80, FragmentOrder::Forward);
        assert_eq!(shift_sequence_numbers(&fragmented(5), 70_000, 0), fragmented(70_005));
    }

    #[test]
    fn numbers_inside_tunnels_move_alike() {
        let gre = Tunnel::Gre { key: None, checksum: true, ethernet: true };
        let tunnels = [(Tunnel::Vxlan { port: 4789, vni: 1 }, Outer::V6), (gre, Outer::V6)];
        let shifted = shift_sequence_numbers(&nest(&story(10, 20), &tunnels), 5, 7);
        assert_eq!(shifted, nest(&story(15, 27), &tunnels));
    }

    #[test]
    fn a_refusal_keeps_its_sequence_number_of_zero() {
        let refused = |client| {
            Conversation::new("10.0.0.1:5000", "10.0.0.2:443")
                .sequence_numbers(client, 9)
                .syn()
                .server_rst()
                .capture()
        };
        assert_eq!(shift_sequence_numbers(&refused(5), 100, 7), refused(105));
    }

    #[test]
    fn a_syn_tells_the_client_though_its_port_is_lower() {
        let story = |client| {
            Conversation::new("10.0.0.1:80", "10.0.0.2:443").sequence_numbers(client, 9).handshake().capture()
        };
        assert_eq!(shift_sequence_numbers(&story(5), 100, 0), story(105));
        assert_eq!(reseal(&story(5)), story(5));
    }
}
