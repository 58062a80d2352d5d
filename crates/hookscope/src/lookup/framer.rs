//! The octets of a TCP connection to port 53 -> DNS messages (RFC 1035, section 4.2.2; RFC 7766).
//!
//! Each message stands behind its length in two octets. Of a long one only the front is kept: the question and the
//! first answers are there. Where octets are missing from the capture so that the next length cannot be found, or
//! where something is no DNS, the rest of that direction stays unread.

use crate::packet::Moment;
use crate::side::{PerSide, Side};
use crate::tcp::reassembly::Chunk;
use crate::wire::dns::{Message, Role};

/// Both directions of a connection to a name server.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    framers: PerSide<Framer>,
    messages: Vec<(Message, Moment)>,
}

impl Stream {
    /// Takes the next octets of `side`.
    pub(crate) fn chunk(&mut self, side: Side, chunk: Chunk<'_>, at: Moment, limit: usize) {
        let Self { framers, messages } = self;
        framers[side].push(chunk, limit, &mut |message| {
            if (message.role == Role::Query) == (side == Side::Client) {
                messages.push((message, at));
            }
        });
    }

    /// Octets of memory that messages under way take.
    pub(crate) fn held(&self) -> usize {
        self.framers.client.kept.len() + self.framers.server.kept.len()
    }

    /// The messages that have come since this was last called.
    pub(crate) fn take(&mut self) -> Vec<(Message, Moment)> {
        std::mem::take(&mut self.messages)
    }
}

/// The reader of one direction.
#[derive(Debug, Default)]
struct Framer {
    /// The length field and the message behind it, as far as they have come and are kept.
    kept: Vec<u8>,
    /// How many octets of the message have come, kept or not, its length field included.
    come: usize,
    lost: bool,
}

impl Framer {
    const LENGTH: usize = 2;

    fn push(&mut self, chunk: Chunk<'_>, limit: usize, sink: &mut impl FnMut(Message)) {
        match chunk {
            Chunk::Data(mut octets) => {
                while !self.lost && !octets.is_empty() {
                    octets = self.take(octets, limit, sink);
                }
            }
            Chunk::Gap(length) => self.skip(length),
        }
        if self.lost {
            self.kept = Vec::new();
        }
    }

    /// Takes octets up to the end of the message at most; gives back the others.
    fn take<'a>(&mut self, octets: &'a [u8], limit: usize, sink: &mut impl FnMut(Message)) -> &'a [u8] {
        let due = self.end().unwrap_or(Self::LENGTH).saturating_sub(self.come);
        let (own, rest) = octets.split_at_checked(due).unwrap_or((octets, &[]));
        let room = (Self::LENGTH + limit).saturating_sub(self.kept.len()).min(own.len());
        // What follows a gap is of no use: the message ends there.
        if self.kept.len() == self.come {
            self.kept.extend_from_slice(own.get(..room).unwrap_or(own));
        }
        self.come += own.len();
        if self.end() == Some(self.come) {
            match self.kept.get(Self::LENGTH..).and_then(Message::parse) {
                Some(message) => sink(message),
                None => self.lost = true,
            }
            self.kept.clear();
            self.come = 0;
        }
        rest
    }

    /// Where the message ends, its length field included; `None` until that has come.
    fn end(&self) -> Option<usize> {
        let length = self.kept.first_chunk::<{ Self::LENGTH }>()?;
        Some(Self::LENGTH + usize::from(u16::from_be_bytes(*length)))
    }

    /// Octets are missing: a part of the message, else nothing that follows can be read.
    fn skip(&mut self, length: u64) {
        let come = usize::try_from(length).ok().and_then(|length| self.come.checked_add(length));
        match (come, self.end()) {
            (Some(come), Some(end)) if come < end => self.come = come,
            _ => self.lost = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(name: &[u8]) -> Vec<u8> {
        let message = [&[0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], name, &[0, 0, 1, 0, 1]].concat();
        [&(message.len() as u16).to_be_bytes()[..], &message].concat()
    }

    fn names(chunks: &[Chunk<'_>], limit: usize) -> Vec<String> {
        let (mut framer, mut names) = (Framer::default(), Vec::new());
        for chunk in chunks {
            framer.push(*chunk, limit, &mut |message| names.push(message.question.unwrap().name));
        }
        names
    }

    #[test]
    fn messages_are_found_however_they_are_cut() {
        let both = [query(b"\x01a"), query(b"\x02bc")].concat();
        for size in 1..both.len() {
            let chunks: Vec<_> = both.chunks(size).map(Chunk::Data).collect();
            assert_eq!(names(&chunks, 512), ["a", "bc"], "{size}");
        }
    }

    #[test]
    fn of_a_long_message_the_front_is_enough() {
        let mut long = query(b"\x01a");
        long.extend([0; 1000]);
        let length = (long.len() - 2) as u16;
        long[..2].copy_from_slice(&length.to_be_bytes());
        let both = [long, query(b"\x01b")].concat();
        let chunks: Vec<_> = both.chunks(100).map(Chunk::Data).collect();
        assert_eq!(names(&chunks, 64), ["a", "b"]);
    }

    #[test]
    fn a_gap_inside_a_message_costs_what_follows_in_it() {
        let mut long = query(b"\x01a");
        long.extend([0; 100]);
        let length = (long.len() - 2) as u16;
        long[..2].copy_from_slice(&length.to_be_bytes());
        let next = query(b"\x01b");
        let (front, back) = (&long[..40], &long[90..]);
        let chunks = [Chunk::Data(front), Chunk::Gap(50), Chunk::Data(back), Chunk::Data(&next)];
        assert_eq!(names(&chunks, 512), ["a", "b"]);
        assert!(names(&[Chunk::Data(front), Chunk::Gap(200), Chunk::Data(&next)], 512).is_empty());
        assert!(names(&[Chunk::Gap(1), Chunk::Data(&next)], 512).is_empty());
    }

    #[test]
    fn what_is_no_dns_ends_the_reading() {
        let octets = [&[0, 3, 1, 2, 3][..], &query(b"\x01a")].concat();
        assert!(names(&[Chunk::Data(&octets)], 512).is_empty());
        assert!(names(&[Chunk::Data(b"\x00\x00"), Chunk::Data(&query(b"\x01a"))], 512).is_empty());
    }
}
