//! Turns the bytes of a capture file into packets that borrow them: pcap (draft-ietf-opsawg-pcap) and pcapng
//! (draft-ietf-opsawg-pcapng).
//!
//! Nothing here does I/O or knows how much of the file is still to come: a walker is given the bytes that are there,
//! takes whole records off their front, and says what it would need to go on. However the bytes are cut up, the packets
//! are the same.

mod bytes;
mod clock;
mod pcap;
mod pcapng;

use hookscope::packet::{LinkType, Packet};

use self::pcap::Pcap;
use self::pcapng::Pcapng;

/// The most bytes a record can have, its header included; one that claims more is where a capture breaks off.
///
/// It bounds the buffer that bytes are read into. libpcap has the same limit for a pcapng block.
const MAX_RECORD: usize = 16 << 20;

/// How far a call of [`Walker::walk`] came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Walked {
    /// How many bytes at the front are done with (the packets may still borrow them).
    pub(crate) consumed: usize,
    /// What stopped it.
    pub(crate) stop: Stop,
}

/// What stops a walk.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The bytes end within a record, or at its start.
    Short(Short),
    /// What follows cannot be a record: the capture ends here. Says why, and how many bytes of the impossible record
    /// were already consumed.
    Broken(String, u64),
}

/// Where the bytes end within a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Short {
    /// What is cut: a record, or the header that would say how long the record is.
    pub(crate) what: &'static str,
    /// How many bytes that has.
    pub(crate) whole: u64,
    /// How many of them were consumed already (of a block that is skipped).
    pub(crate) done: u64,
    /// How many bytes are needed from the first that is not consumed, to get on.
    pub(crate) wants: usize,
}

/// A file header that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// Not the first bytes of a capture.
    NotACapture,
    /// A capture, but one whose header says something that is not read.
    Unreadable(String),
    /// A pcap file of a link type that the engine does not decode.
    LinkType(LinkType),
}

/// What [`Walker::open`] made of a file's first bytes.
#[derive(Debug)]
pub(crate) enum Opened {
    /// A walker, and the number of bytes it has consumed.
    Ready(Walker, usize),
    /// The header of that name needs this many bytes from the start of the file.
    Short(&'static str, usize),
}

/// Walks the records of one capture file, from the first to the last.
#[derive(Debug)]
pub(crate) enum Walker {
    /// A pcap file.
    Pcap(Pcap),
    /// A pcapng file.
    Pcapng(Pcapng),
}

impl Walker {
    /// Reads the file header at the front of `head`, for the `file`-th input of the capture.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] where nothing of the file can be read.
    pub(crate) fn open(file: u16, head: &[u8]) -> Result<Opened, HeaderError> {
        let Some(magic) = head.first_chunk::<4>() else {
            return match head {
                // Not even a magic number; a header that is cut only if what is there begins like one.
                [0xa1 | 0xd4 | 0x34 | 0x4d | 0x0a, ..] | [] => Ok(Opened::Short("file header", 4)),
                _ => Err(HeaderError::NotACapture),
            };
        };
        if *magic == pcapng::SECTION_HEADER.to_be_bytes() {
            Pcapng::open(file, head)
        } else {
            Pcap::open(file, *magic, head)
        }
    }

    /// Hands the packets at the front of `bytes` to `sink`, until no whole record is left, or something stands there that
    /// cannot be a record.
    #[inline]
    pub(crate) fn walk<'a>(&mut self, bytes: &'a [u8], sink: &mut impl FnMut(Packet<'a>)) -> Walked {
        match self {
            Self::Pcap(pcap) => pcap.walk(bytes, sink),
            Self::Pcapng(pcapng) => pcapng.walk(bytes, sink),
        }
    }

    /// The number of the last frame walked over, from 1; 0 before the first.
    pub(crate) fn frames(&self) -> u64 {
        match self {
            Self::Pcap(pcap) => pcap.frames(),
            Self::Pcapng(pcapng) => pcapng.frames(),
        }
    }

    /// The link types of the packets so far, in the order of their first use.
    pub(crate) fn link_types(&self) -> &[LinkType] {
        match self {
            Self::Pcap(pcap) => pcap.link_types(),
            Self::Pcapng(pcapng) => pcapng.link_types(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_three_bytes_is_a_cut_header_only_if_it_begins_like_one() {
        assert!(matches!(Walker::open(0, &[0xd4, 0xc3, 0xb2]), Ok(Opened::Short("file header", 4))));
        assert!(matches!(Walker::open(0, b"abc"), Err(HeaderError::NotACapture)));
    }

    #[test]
    fn text_is_not_a_capture() {
        assert!(matches!(Walker::open(0, b"apiVersion: v1"), Err(HeaderError::NotACapture)));
    }
}
