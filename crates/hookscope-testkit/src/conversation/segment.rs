//! Turns a segment of the story into the bytes of an Ethernet frame.

use crate::wire::{PROTOCOL_TCP, ethernet_header, ethertype, ip_header, mac_of, put_u16, transport_checksum};
use std::net::SocketAddr;

/// TCP flags as they stand in the header.
pub mod flags {
    /// The sender has no more data.
    pub const FIN: u8 = 0x01;
    /// Opens the connection.
    pub const SYN: u8 = 0x02;
    /// Ends the connection at once.
    pub const RST: u8 = 0x04;
    /// Asks for delivery to the application.
    pub const PSH: u8 = 0x08;
    /// The acknowledgement number counts.
    pub const ACK: u8 = 0x10;
}

/// What one end sends in one packet, before it becomes bytes.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) seq: u32,
    pub(super) ack: u32,
    pub(super) flags: u8,
    pub(super) payload: Vec<u8>,
}

impl Segment {
    /// The sequence number behind the segment.
    pub(super) fn end(&self) -> u32 {
        let phantom = u32::from(self.flags & flags::SYN != 0) + u32::from(self.flags & flags::FIN != 0);
        let bytes = u32::try_from(self.payload.len()).expect("a segment is shorter than 4 GiB");
        self.seq.wrapping_add(bytes).wrapping_add(phantom)
    }

    /// The Ethernet frame of the segment.
    pub(super) fn frame(&self, from: SocketAddr, to: SocketAddr, ident: u16, options: &[u8]) -> Vec<u8> {
        let tcp = self.tcp(from, to, options);
        let ip = ip_header(from.ip(), to.ip(), PROTOCOL_TCP, ident, tcp.len())
            .expect("a segment is small enough for one packet: set an MSS or send less at once");
        let link = ethernet_header(mac_of(to.ip()), mac_of(from.ip()), ethertype(from.ip()));
        [link, ip, tcp].concat()
    }

    fn tcp(&self, from: SocketAddr, to: SocketAddr, options: &[u8]) -> Vec<u8> {
        assert!(
            options.len() <= 40 && options.len().is_multiple_of(4),
            "{} bytes of TCP options",
            options.len()
        );
        let mut tcp = Vec::with_capacity(20 + options.len() + self.payload.len());
        tcp.extend(from.port().to_be_bytes());
        tcp.extend(to.port().to_be_bytes());
        tcp.extend(self.seq.to_be_bytes());
        tcp.extend(self.ack.to_be_bytes());
        tcp.push(((20 + options.len()) as u8 / 4) << 4);
        tcp.push(self.flags);
        let window: u16 = if self.flags & flags::SYN != 0 { 64_240 } else { 502 };
        tcp.extend(window.to_be_bytes());
        tcp.extend([0; 4]); // checksum, urgent pointer
        tcp.extend(options);
        tcp.extend(&self.payload);
        let sum = transport_checksum(from.ip(), to.ip(), PROTOCOL_TCP, &tcp);
        put_u16(&mut tcp, 16, sum);
        tcp
    }
}

/// The options of a SYN, in the order Linux writes them.
pub(super) fn syn_options(mss: u16, timestamps: Option<(u32, u32)>) -> Vec<u8> {
    let mut options = vec![2, 4];
    options.extend(mss.to_be_bytes());
    match timestamps {
        Some((value, echo)) => {
            options.extend([4, 2, 8, 10]);
            options.extend(value.to_be_bytes());
            options.extend(echo.to_be_bytes());
        }
        None => options.extend([1, 1, 4, 2]),
    }
    options.extend([1, 3, 3, 7]);
    options
}

/// The options of any later packet: timestamps, and as many SACK blocks as fit.
pub(super) fn later_options(timestamps: Option<(u32, u32)>, sack: &[(u32, u32)]) -> Vec<u8> {
    let mut options = Vec::new();
    if let Some((value, echo)) = timestamps {
        options.extend([1, 1, 8, 10]);
        options.extend(value.to_be_bytes());
        options.extend(echo.to_be_bytes());
    }
    let blocks = &sack[..sack.len().min((40 - options.len() - 4) / 8)];
    if !blocks.is_empty() {
        options.extend([1, 1, 5, 2 + 8 * blocks.len() as u8]);
        for (from, to) in blocks {
            options.extend(from.to_be_bytes());
            options.extend(to.to_be_bytes());
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_always_fill_whole_words() {
        let many = [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10)];
        for timestamps in [None, Some((1, 2))] {
            assert_eq!(syn_options(1460, timestamps).len() % 4, 0);
            for count in 0..many.len() {
                let options = later_options(timestamps, &many[..count]);
                assert!(options.len() <= 40 && options.len().is_multiple_of(4));
            }
        }
    }
}
