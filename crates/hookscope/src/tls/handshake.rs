//! Bodies of handshake records -> whole handshake messages (RFC 8446, section 5.1: messages may be split over records
//! and share one).
//!
//! A message that lies in one piece is handed on where it is; one that is split is collected within a bound. What is
//! longer, or of a type that nobody reads, is skipped by its length.

use crate::tls::codes::HandshakeType;

/// A step of the message stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message<'a> {
    /// A message of this type began.
    Began(HandshakeType),
    /// Its whole body; only of the types that are read, and not of those past the bound or with a gap.
    Whole(HandshakeType, &'a [u8]),
}

/// Joins the handshake messages of one direction.
#[derive(Debug, Default)]
pub(crate) struct Joiner {
    head: [u8; 4],
    filled: u8,
    /// Octets of the body that are still to come.
    remaining: u32,
    /// The split body so far; empty for a message that is skipped.
    body: Vec<u8>,
    keep: bool,
    /// Octets were missed: the next message begins where the next record does.
    lost: bool,
}

impl Joiner {
    /// Octets of room that are left for the next message: enough for a ClientHello, which often comes in two segments.
    const SPARE: usize = 4 << 10;

    /// A record begins: where octets were missed, a message begins with it.
    pub(crate) fn record_began(&mut self) {
        if std::mem::take(&mut self.lost) {
            *self = Self::default();
        }
    }

    /// Octets of memory that the message under way takes, or will.
    pub(crate) fn held(&self) -> usize {
        if self.remaining > 0 && self.keep && !self.lost {
            self.body.len() + self.remaining as usize
        } else {
            0
        }
    }

    /// Octets are missing. Gives back what came before of a message that is read, if it was under way.
    pub(crate) fn gap(&mut self) -> Option<(HandshakeType, Vec<u8>)> {
        let cut = !self.lost && self.keep && self.remaining > 0;
        self.lost = true;
        cut.then(|| (self.kind(), std::mem::take(&mut self.body)))
    }

    /// Takes octets of handshake records; bodies of up to `limit` octets are kept. What a message was collected in is left
    /// in `spare` for the next one.
    pub(crate) fn push(
        &mut self,
        mut bytes: &[u8],
        limit: usize,
        spare: &mut Vec<u8>,
        sink: &mut impl FnMut(Message<'_>),
    ) {
        while !bytes.is_empty() && !self.lost {
            if self.remaining > 0 {
                bytes = self.body(bytes, spare, sink);
                continue;
            }
            bytes = self.head(bytes);
            if usize::from(self.filled) == self.head.len() {
                self.began(limit, sink);
            }
        }
    }

    /// Takes octets of a message's head off the front of `bytes`.
    #[inline]
    fn head<'d>(&mut self, mut bytes: &'d [u8]) -> &'d [u8] {
        if let (0, Some((head, rest))) = (self.filled, bytes.split_first_chunk()) {
            self.head = *head;
            self.filled = self.head.len() as u8;
            return rest;
        }
        while let (Some(slot), Some((byte, rest))) =
            (self.head.get_mut(usize::from(self.filled)), bytes.split_first())
        {
            *slot = *byte;
            self.filled += 1;
            bytes = rest;
        }
        bytes
    }

    fn kind(&self) -> HandshakeType {
        let [kind, ..] = self.head;
        HandshakeType(kind)
    }

    fn began(&mut self, limit: usize, sink: &mut impl FnMut(Message<'_>)) {
        let [_, a, b, c] = self.head;
        self.remaining = u32::from_be_bytes([0, a, b, c]);
        self.filled = 0;
        self.body = Vec::new();
        let read = matches!(
            self.kind(),
            HandshakeType::CLIENT_HELLO | HandshakeType::SERVER_HELLO | HandshakeType::CERTIFICATE
        );
        self.keep = read && self.remaining as usize <= limit;
        sink(Message::Began(self.kind()));
    }

    fn body<'d>(
        &mut self,
        bytes: &'d [u8],
        spare: &mut Vec<u8>,
        sink: &mut impl FnMut(Message<'_>),
    ) -> &'d [u8] {
        let (part, rest) = bytes.split_at(bytes.len().min(self.remaining as usize));
        self.remaining -= part.len() as u32;
        if self.keep {
            if self.remaining == 0 && self.body.is_empty() {
                sink(Message::Whole(self.kind(), part));
            } else {
                if self.body.is_empty() {
                    // Room for all of it at once: it counts as held already.
                    let length = part.len() + self.remaining as usize;
                    if length > spare.capacity() / 2 {
                        self.body = std::mem::take(spare);
                    }
                    self.body.reserve_exact(length);
                }
                self.body.extend_from_slice(part);
                if self.remaining == 0 {
                    sink(Message::Whole(self.kind(), &self.body));
                    let mut body = std::mem::take(&mut self.body);
                    if body.capacity() <= Self::SPARE {
                        body.clear();
                        *spare = body;
                    }
                }
            }
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(joiner: &mut Joiner, parts: &[&[u8]], limit: usize) -> String {
        let (mut out, mut spare) = (String::new(), Vec::new());
        for part in parts {
            joiner.push(part, limit, &mut spare, &mut |message| match message {
                Message::Began(kind) => out.push_str(&format!("[{}", kind.0)),
                Message::Whole(_, body) => out.push_str(&format!(" {}]", String::from_utf8_lossy(body))),
            });
        }
        out
    }

    #[test]
    fn messages_are_joined_wherever_records_cut_them() {
        let bytes = b"\x01\x00\x00\x02ab\x14\x00\x00\x01z\x0b\x00\x00\x03cde";
        for size in 1..bytes.len() {
            let parts: Vec<&[u8]> = bytes.chunks(size).collect();
            assert_eq!(run(&mut Joiner::default(), &parts, 9), "[1 ab][20[11 cde]", "{size}");
        }
    }

    #[test]
    fn a_message_past_the_bound_is_skipped_and_the_next_is_read() {
        let bytes = b"\x0b\x00\x00\x05xxxxx\x01\x00\x00\x01a";
        assert_eq!(run(&mut Joiner::default(), &[bytes], 4), "[11[1 a]");
    }

    #[test]
    fn after_a_gap_the_next_record_begins_a_message() {
        let mut joiner = Joiner::default();
        assert_eq!(run(&mut joiner, &[b"\x01\x00\x00\x09abc"], 99), "[1");
        assert_eq!(joiner.gap(), Some((HandshakeType::CLIENT_HELLO, b"abc".to_vec())));
        assert_eq!(joiner.gap(), None);
        assert_eq!(run(&mut joiner, &[b"lost"], 99), "");
        joiner.record_began();
        assert_eq!(run(&mut joiner, &[b"\x02\x00\x00\x01a"], 99), "[2 a]");
    }
}
