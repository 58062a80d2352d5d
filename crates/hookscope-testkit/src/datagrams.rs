//! Tells a story in UDP datagrams and produces their packets as Ethernet frames.

use crate::wire::{PROTOCOL_UDP, ethernet_header, ethertype, ip_header, mac_of, put_u16, transport_checksum};
use crate::{Capture, Record, link};
use std::net::SocketAddr;

const STEP_NS: i64 = 50_000;

/// Datagrams in the telling: 50 µs apart unless told otherwise.
///
/// ```
/// use hookscope_testkit::{Datagrams, dns};
///
/// let (client, server) = ("10.0.0.10:40000", "10.96.0.10:53");
/// let capture = Datagrams::new()
///     .send(client, server, &dns::query(1, "hook.example.org", dns::A))
///     .wait_ms(2)
///     .send(server, client, &dns::response(1, "hook.example.org", dns::A, dns::code::NXDOMAIN, &[]))
///     .capture();
/// assert_eq!(capture.records.len(), 2);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Datagrams {
    next_ns: i64,
    ident: u16,
    records: Vec<Record>,
}

impl Datagrams {
    /// A story that starts at time zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next packet is at this time, in milliseconds since the epoch.
    pub fn at_ms(mut self, time_ms: i64) -> Self {
        self.next_ns = time_ms * 1_000_000;
        self
    }

    /// The next packet is this much later than the last one.
    pub fn wait_ms(mut self, millis: i64) -> Self {
        let last = self.records.last().map_or(0, |record| record.time_ns);
        self.next_ns = last + millis * 1_000_000;
        self
    }

    /// One end sends a datagram to the other; both are addresses such as `10.0.0.10:40000` or `[fd00::10]:40000`.
    ///
    /// # Panics
    /// If an address is none, if one is IPv4 and the other IPv6, or if the payload does not fit a packet.
    pub fn send(mut self, from: &str, to: &str, payload: &[u8]) -> Self {
        let parse = |text: &str| match text.parse::<SocketAddr>() {
            Ok(address) => address,
            Err(_) => panic!("{text:?} is not an address with a port"),
        };
        let (from, to) = (parse(from), parse(to));
        assert_eq!(from.is_ipv4(), to.is_ipv4(), "{from} and {to} are of different IP versions");
        let length = u16::try_from(payload.len() + 8).expect("a datagram is shorter than 64 KiB");
        let mut udp: Vec<u8> =
            [from.port(), to.port(), length, 0].iter().flat_map(|field| field.to_be_bytes()).collect();
        udp.extend(payload);
        let sum = transport_checksum(from.ip(), to.ip(), PROTOCOL_UDP, &udp);
        put_u16(&mut udp, 6, if sum == 0 { 0xffff } else { sum });
        self.ident = self.ident.wrapping_add(1);
        let ip = ip_header(from.ip(), to.ip(), PROTOCOL_UDP, self.ident, udp.len())
            .expect("a datagram that fits one packet");
        let link = ethernet_header(mac_of(to.ip()), mac_of(from.ip()), ethertype(from.ip()));
        self.records.push(Record::new(self.next_ns, [link, ip, udp].concat()));
        self.next_ns += STEP_NS;
        self
    }

    /// The packets so far.
    pub fn capture(self) -> Capture {
        Capture { link_type: link::ETHERNET, records: self.records }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::u16_at;

    #[test]
    fn datagrams_have_their_times_lengths_and_checksums() {
        let capture = Datagrams::new()
            .at_ms(5)
            .send("10.0.0.1:4000", "10.0.0.2:53", b"abc")
            .send("10.0.0.2:53", "10.0.0.1:4000", b"")
            .wait_ms(2)
            .send("[fd00::1]:4000", "[fd00::2]:53", b"abcd")
            .capture();
        let times: Vec<_> = capture.records.iter().map(|record| record.time_ns / 1_000).collect();
        assert_eq!(times, [5_000, 5_050, 7_050]);
        let udp = &capture.records[0].data[34..];
        assert_eq!((u16_at(udp, 0), u16_at(udp, 2), u16_at(udp, 4)), (4000, 53, 11));
        let (from, to) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        assert_eq!(transport_checksum(from, to, PROTOCOL_UDP, udp), 0);
    }
}
