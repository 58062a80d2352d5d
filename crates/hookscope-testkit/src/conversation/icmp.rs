//! The errors that routers and hosts on the way report to a client, quoting its last packet.

use super::Conversation;
use crate::Record;
use crate::wire::{
    PROTOCOL_ICMP, PROTOCOL_ICMPV6, checksum, ethernet_header, ethertype, ip_header, mac_of, put_u16,
    transport_checksum,
};
use std::net::IpAddr;

const ETHERNET_HEADER: usize = 14;
/// Error messages are to fit 576 bytes (IPv4) or 1280 bytes (IPv6) with their own headers.
const MAX_QUOTE: (usize, usize) = (548, 1232);

impl Conversation {
    /// Someone at `reporter` reports to the client that its last packet got nowhere.
    ///
    /// `kind` and `code` are those of ICMP or ICMPv6, whichever the conversation's IP version calls for; `rest` is
    /// the second word of the message, such as the MTU of the next hop.
    ///
    /// # Panics
    /// If the client has sent nothing, or if `reporter` is no address of the same IP version.
    pub fn icmp_error(mut self, reporter: &str, kind: u8, code: u8, rest: u32) -> Self {
        let Ok(from) = reporter.parse::<IpAddr>() else { panic!("{reporter:?} is not an IP address") };
        let to = self.client.address.ip();
        assert_eq!(from.is_ipv4(), to.is_ipv4(), "{from} and {to} are of different IP versions");
        let offending = self.client.last_frame.get(ETHERNET_HEADER..).expect("the client has sent a packet");
        let limit = if to.is_ipv4() { MAX_QUOTE.0 } else { MAX_QUOTE.1 };
        let mut message = vec![kind, code, 0, 0];
        message.extend(rest.to_be_bytes());
        message.extend(&offending[..offending.len().min(limit)]);
        let (protocol, sum) = match to {
            IpAddr::V4(_) => (PROTOCOL_ICMP, checksum(&[&message])),
            IpAddr::V6(_) => (PROTOCOL_ICMPV6, transport_checksum(from, to, PROTOCOL_ICMPV6, &message)),
        };
        put_u16(&mut message, 2, sum);
        let time_ns = self.tick();
        let ip = ip_header(from, to, protocol, 0, message.len()).expect("quotes are short");
        let link = ethernet_header(mac_of(to), mac_of(from), ethertype(to));
        self.records.push(Record::new(time_ns, [link, ip, message].concat()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_quotes_the_clients_last_packet() {
        let story = Conversation::new("10.0.0.1:1", "10.0.0.2:2").syn().icmp_error("10.0.0.9", 3, 13, 0);
        let records = story.capture().records;
        assert_eq!(records[1].data[14 + 28..], records[0].data[14..]);
        assert_eq!(checksum(&[&records[1].data[34..]]), 0);
    }

    #[test]
    fn long_packets_are_quoted_in_part() {
        let story = Conversation::new("[fd00::1]:1", "[fd00::2]:2").client(&[0; 4000]);
        let records = story.icmp_error("fd00::9", 2, 0, 1280).capture().records;
        assert_eq!(records[1].data.len(), 14 + 1280);
    }
}
