//! One record of a capture, as every source hands it to the engine, borrowed or with others in a batch.

mod batch;

pub use batch::{Batch, Found};

use std::fmt;
use std::num::NonZeroU64;

use crate::time::{Elapsed, Timestamp};

/// A packet's place in the capture: its file, and its number there from 1 as Wireshark's `frame.number`.
///
/// Frames of one file are ordered by number; frames of different files have no order but that of their times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Frame(NonZeroU64);

impl Frame {
    const NUMBER_BITS: u32 = 48;

    /// The `number`-th packet (from 1; a 0 is taken for it) of the `file`-th file (from 0).
    pub const fn new(file: u16, number: u64) -> Self {
        let both = (file as u64) << Self::NUMBER_BITS | (number & ((1 << Self::NUMBER_BITS) - 1));
        match NonZeroU64::new(both) {
            Some(both) => Self(both),
            None => Self(NonZeroU64::MIN),
        }
    }

    /// The packet's position in its file, from 1.
    pub const fn number(self) -> u64 {
        self.0.get() & ((1 << Self::NUMBER_BITS) - 1)
    }

    /// The file's position in the list of inputs, from 0.
    pub const fn file(self) -> u16 {
        (self.0.get() >> Self::NUMBER_BITS) as u16
    }
}

/// When something happened: the packet that shows it and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The packet's time.
    pub time: Timestamp,
    /// The packet.
    pub frame: Frame,
}

impl Moment {
    /// The end of time: after every packet. What only silence shows happens here.
    pub const END: Self = Self { time: Timestamp::from_nanos(i64::MAX), frame: Frame(NonZeroU64::MAX) };

    /// Whether this came before `other`: by position within one file, by time between files.
    pub fn is_before(self, other: Self) -> bool {
        if self.frame.file() == other.frame.file() {
            self.frame.number() < other.frame.number()
        } else {
            self.time < other.time
        }
    }

    /// Time since `earlier`; negative where the capture's clock ran backwards.
    pub const fn since(self, earlier: Self) -> Elapsed {
        self.time.since(earlier.time)
    }
}

/// How the first bytes of a packet are to be read: the `LINKTYPE_` value of its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: a four-byte address family in the byte order of the writer.
    pub const NULL: Self = Self(0);
    /// IEEE 802.3 Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// PPP, with or without its HDLC address and control octets.
    pub const PPP: Self = Self(9);
    /// Raw IP, as OpenBSD and older writers number it.
    pub const RAW_BSD: Self = Self(12);
    /// Raw IP, as some older writers number it.
    pub const RAW_OLD: Self = Self(14);
    /// PPP in HDLC framing (RFC 1662).
    pub const PPP_HDLC: Self = Self(50);
    /// Raw IP: the packet begins with the IPv4 or IPv6 header.
    pub const RAW: Self = Self(101);
    /// Cisco's HDLC.
    pub const CISCO_HDLC: Self = Self(104);
    /// IEEE 802.11 frames.
    pub const IEEE802_11: Self = Self(105);
    /// OpenBSD loopback: a four-byte address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture, version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// IEEE 802.11 frames, each behind a radiotap header.
    pub const IEEE802_11_RADIOTAP: Self = Self(127);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux netfilter's log (`tcpdump -i nflog`).
    pub const NFLOG: Self = Self(239);
    /// IP over InfiniBand.
    pub const IPOIB: Self = Self(242);
    /// Linux cooked capture, version 2 (what `tcpdump -i any` writes today).
    pub const LINUX_SLL2: Self = Self(276);

    /// Whether the engine can decode packets of this link type.
    pub const fn is_supported(self) -> bool {
        matches!(
            self,
            Self::NULL
                | Self::ETHERNET
                | Self::PPP
                | Self::RAW_BSD
                | Self::RAW_OLD
                | Self::PPP_HDLC
                | Self::RAW
                | Self::CISCO_HDLC
                | Self::IEEE802_11
                | Self::LOOP
                | Self::LINUX_SLL
                | Self::IEEE802_11_RADIOTAP
                | Self::IPV4
                | Self::IPV6
                | Self::NFLOG
                | Self::IPOIB
                | Self::LINUX_SLL2
        )
    }
}

/// The `LINKTYPE_` name without its prefix; the number where it has none here.
impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::NULL => "NULL",
            Self::ETHERNET => "ETHERNET",
            Self::RAW | Self::RAW_BSD | Self::RAW_OLD => "RAW",
            Self::PPP => "PPP",
            Self::PPP_HDLC => "PPP_HDLC",
            Self::CISCO_HDLC => "C_HDLC",
            Self::IEEE802_11 => "IEEE802_11",
            Self::LOOP => "LOOP",
            Self::LINUX_SLL => "LINUX_SLL",
            Self::IEEE802_11_RADIOTAP => "IEEE802_11_RADIOTAP",
            Self::IPV4 => "IPV4",
            Self::IPV6 => "IPV6",
            Self::NFLOG => "NFLOG",
            Self::IPOIB => "IPOIB",
            Self::LINUX_SLL2 => "LINUX_SLL2",
            Self(other) => return write!(f, "{other}"),
        })
    }
}

/// One captured packet, borrowed from whoever read it.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// When it was captured.
    pub time: Timestamp,
    /// Where it stands in the capture.
    pub frame: Frame,
    /// How its first bytes are to be read.
    pub link_type: LinkType,
    /// Which interface of the capture saw it: the pcapng interface of its section, 0 in a pcap file. Inputs that overlap
    /// in time have different ones. (The interface index that Linux cooked version 2 carries is read from the packet
    /// itself.)
    pub interface: u16,
    /// Its length on the wire; more than `data.len()` where the snap length cut it.
    pub wire_len: u32,
    /// The captured bytes.
    pub data: &'a [u8],
}

impl<'a> Packet<'a> {
    /// The `number`-th packet (from 1) of a capture of one file or interface: of all its bytes, captured whole.
    pub const fn new(number: u64, time: Timestamp, link_type: LinkType, data: &'a [u8]) -> Self {
        let wire_len = if data.len() > u32::MAX as usize { u32::MAX } else { data.len() as u32 };
        Self { time, frame: Frame::new(0, number), link_type, interface: 0, wire_len, data }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_keeps_file_and_number() {
        let frame = Frame::new(65535, (1 << 48) - 1);
        assert_eq!((frame.file(), frame.number()), (65535, (1 << 48) - 1));
        assert_eq!(Frame::new(0, 1).number(), 1);
    }

    #[test]
    fn link_types_have_their_registered_names() {
        assert_eq!(LinkType::LINUX_SLL2.to_string(), "LINUX_SLL2");
        assert_eq!(LinkType(147).to_string(), "147");
        assert!(!LinkType(147).is_supported());
    }
}
