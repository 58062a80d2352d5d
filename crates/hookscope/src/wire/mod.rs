//! Bytes of one packet -> what they say. Stateless: order in time is other layers' business.
//!
//! [`decode`] walks link layer, tunnels and IP down to the inner-most TCP segment, UDP datagram or ICMP error.

use crate::flow::key::{End, Endpoint, FlowKey};
use crate::packet::Frame;
use crate::time::Timestamp;

/// The control bits of a TCP header (RFC 9293, section 3.1), the six that matter here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x01);
    /// Synchronise sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// Reset the connection.
    pub const RST: Self = Self(0x04);
    /// Push function.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgment field is significant.
    pub const ACK: Self = Self(0x10);

    /// Whether any of `bits` is set.
    pub const fn has(self, bits: Self) -> bool {
        self.0 & bits.0 != 0
    }
}

/// Where in the network a copy of a packet was seen: on which interface, inside how many tunnels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vantage {
    /// The interface: Linux cooked version 2's interface index where there is one, else [`Packet::interface`].
    ///
    /// [`Packet::interface`]: crate::packet::Packet::interface
    pub interface: u32,
    /// How many IP headers lay around this one.
    pub depth: u8,
}

/// One TCP segment (RFC 9293, section 3.1), its payload borrowed from the packet.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// The connection's key.
    pub key: FlowKey,
    /// [`FlowKey::hash`] of `key`.
    pub hash: u64,
    /// Which end of `key` sent it.
    pub from: End,
    /// The control bits.
    pub flags: Flags,
    /// When it was captured.
    pub time: Timestamp,
    /// Where it stands in the capture.
    pub frame: Frame,
    /// SEG.SEQ.
    pub seq: u32,
    /// SEG.ACK; meaningless without [`Flags::ACK`].
    pub ack: u32,
    /// SEG.WND as in the header, not scaled.
    pub window: u16,
    /// Identification of the IPv4 header, 0 for IPv6.
    pub ip_id: u16,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// Where it was seen.
    pub vantage: Vantage,
    /// Payload octets on the wire, by the IP length; at least `payload.len()`.
    pub payload_len: u32,
    /// The captured payload: shorter than `payload_len` where the snap length cut it.
    pub payload: &'a [u8],
    /// The options, as far as captured.
    pub options: &'a [u8],
}

/// One UDP datagram (RFC 768).
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// Who sent it.
    pub source: Endpoint,
    /// To whom.
    pub destination: Endpoint,
    /// When it was captured.
    pub time: Timestamp,
    /// Where it stands in the capture.
    pub frame: Frame,
    /// The captured payload.
    pub payload: &'a [u8],
}
