//! Chunks of one direction -> TLS records (RFC 8446, section 5.1; RFC 5246, section 6.2).
//!
//! ```text
//! chunks   |16 03 01 00|05 01 .. ..|.. .. 17 03 03 ..|
//! records  |--- header ---|--- body ---|--- header ...
//! ```
//!
//! Bodies are passed on as they come, never kept. A gap inside a body is part of it; a gap that hides a header loses
//! the framing until a chunk begins with one again. Whether a stream is TLS at all is decided by its first octets.

use crate::packet::Moment;
use crate::tcp::reassembly::Chunk;
use crate::tls::codes::ContentType;

/// What the octets of a direction turn out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordEvent<'a> {
    /// A record, whole and in one piece, as most are.
    Whole(Header, &'a [u8]),
    /// A record's header is complete; what follows tells of its body.
    Began(Header),
    /// Octets of its body.
    Body(&'a [u8]),
    /// So many octets of its body are not in the capture.
    BodyGap(u64),
    /// The body is complete.
    Ended(Header),
    /// So many octets whose framing is not known, captured or not.
    Unframed(u64),
    /// The stream's first octets are no TLS record: from here on its octets come as they are.
    NotTls,
    /// Octets of a stream that is not TLS.
    Plain(&'a [u8]),
}

/// What a record's header says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    /// The type.
    pub(crate) kind: ContentType,
    /// Octets of the body.
    pub(crate) length: u16,
}

impl Header {
    /// Octets of a header.
    pub(crate) const SIZE: u16 = 5;
    /// A body is at most 2^14 octets and 2,048 of expansion (RFC 5246, section 6.2.3).
    const MAX_BODY: u16 = (1 << 14) + 2048;

    /// Octets of the record, the header among them.
    #[inline]
    pub(crate) fn octets(self) -> u64 {
        u64::from(Self::SIZE) + u64::from(self.length)
    }

    /// The record at the front of `data`, if all of it is there: its header, its body, and what comes after it.
    #[inline]
    pub(crate) fn whole(data: &[u8]) -> Option<(Self, &[u8], &[u8])> {
        let (head, rest) = data.split_first_chunk::<{ Self::SIZE as usize }>()?;
        let [kind, _, _, high, low] = *head;
        let header = Self { kind: ContentType(kind), length: u16::from_be_bytes([high, low]) };
        let (body, rest) = rest.split_at_checked(header.length.into())?;
        Self::is_plausible(head).then_some((header, body, rest))
    }

    /// Whether `bytes`, a header or its beginning, can be one.
    #[inline]
    fn is_plausible(bytes: &[u8]) -> bool {
        let length_fits = |high: u8, low: u8| u16::from_be_bytes([high, low]) <= Self::MAX_BODY;
        match *bytes {
            [] => true,
            [kind, ref rest @ ..] => {
                (20..=24).contains(&kind)
                    && match *rest {
                        [] => true,
                        [3] => true,
                        [3, minor] | [3, minor, _] => minor <= 4,
                        [3, minor, high, low] => minor <= 4 && length_fits(high, low),
                        _ => false,
                    }
            }
        }
    }
}

/// Finds the records of one direction.
#[derive(Debug, Default)]
pub(crate) struct Deframer {
    mode: Mode,
    /// Octets of `partial` that are filled.
    filled: u8,
    partial: [u8; Header::SIZE as usize],
    header: Header,
    /// Octets of the body that are still to come.
    remaining: u16,
    /// Where the first octet of a header was seen that is not complete yet.
    began: Option<Box<Moment>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    /// Nothing was seen, or the first octets still could be a header.
    #[default]
    Start,
    /// Record follows record.
    Framed,
    /// A header was missed: a chunk that begins with one restores the framing.
    Unframed,
    /// No TLS.
    Plain,
}

impl Deframer {
    /// Begin in the middle of a stream: the first octets need not be a header.
    pub(crate) fn join_midstream(&mut self) {
        if self.mode == Mode::Start && self.filled == 0 {
            self.mode = Mode::Unframed;
        }
    }

    /// The first octets of a stream that is not, or not yet known to be, TLS.
    pub(crate) fn first_octets(&self) -> &[u8] {
        self.partial.get(..self.filled.into()).unwrap_or_default()
    }

    /// Takes the next chunk of the stream.
    #[inline]
    pub(crate) fn push(
        &mut self,
        chunk: Chunk<'_>,
        at: Moment,
        sink: &mut impl FnMut(RecordEvent<'_>, Moment),
    ) {
        match chunk {
            Chunk::Data(data) => self.data(data, at, sink),
            Chunk::Gap(size) => self.gap(size, at, sink),
        }
    }

    #[inline]
    fn data(&mut self, mut data: &[u8], at: Moment, sink: &mut impl FnMut(RecordEvent<'_>, Moment)) {
        match self.mode {
            Mode::Plain => {
                self.keep_first(data);
                return sink(RecordEvent::Plain(data), at);
            }
            Mode::Unframed => {
                let head = data.get(..Header::SIZE.into());
                if !head.is_some_and(Header::is_plausible) {
                    return sink(RecordEvent::Unframed(data.len() as u64), at);
                }
                self.mode = Mode::Framed;
                self.filled = 0;
                self.remaining = 0;
            }
            Mode::Start | Mode::Framed => {}
        }
        while !data.is_empty() {
            if let Some((header, body, rest)) = self.whole(data) {
                sink(RecordEvent::Whole(header, body), at);
                data = rest;
            } else if self.remaining > 0 {
                let (body, rest) = data.split_at(data.len().min(self.remaining.into()));
                data = rest;
                self.remaining -= body.len() as u16;
                sink(RecordEvent::Body(body), at);
                if self.remaining == 0 {
                    sink(RecordEvent::Ended(self.header), at);
                }
            } else {
                data = self.header(data, at, sink);
            }
        }
    }

    /// Takes the record at the front of `data`, if a record begins there and all of it is there: its header, its body, and
    /// what comes after it.
    #[inline]
    pub(crate) fn whole<'d>(&mut self, data: &'d [u8]) -> Option<(Header, &'d [u8], &'d [u8])> {
        if self.remaining > 0 || self.filled > 0 || !matches!(self.mode, Mode::Start | Mode::Framed) {
            return None;
        }
        let whole = Header::whole(data)?;
        self.mode = Mode::Framed;
        Some(whole)
    }

    /// Whether a record has ended, so that what comes next is a header.
    #[inline]
    pub(crate) fn is_between_records(&self) -> bool {
        self.mode == Mode::Framed && self.remaining == 0 && self.filled == 0
    }

    /// Keeps octets of `data` that are among the first of the stream. Gives back the others.
    fn keep_first<'d>(&mut self, data: &'d [u8]) -> &'d [u8] {
        let mut rest = data;
        while let (Some(slot), Some((byte, after))) =
            (self.partial.get_mut(usize::from(self.filled)), rest.split_first())
        {
            *slot = *byte;
            self.filled += 1;
            rest = after;
        }
        rest
    }

    /// Takes octets of a header off the front of `data`.
    #[inline]
    fn header<'d>(
        &mut self,
        data: &'d [u8],
        at: Moment,
        sink: &mut impl FnMut(RecordEvent<'_>, Moment),
    ) -> &'d [u8] {
        let earlier = self.filled;
        let is_new = earlier == 0;
        let rest = self.keep_first(data);
        if !Header::is_plausible(self.first_octets()) {
            return self.no_header(earlier, data, at, sink);
        }
        if usize::from(self.filled) == self.partial.len() {
            let [kind, _, _, high, low] = self.partial;
            self.header = Header { kind: ContentType(kind), length: u16::from_be_bytes([high, low]) };
            self.remaining = self.header.length;
            self.filled = 0;
            self.mode = Mode::Framed;
            let began = self.began.take().filter(|_| !is_new);
            sink(RecordEvent::Began(self.header), began.map_or(at, |began| *began));
            if self.remaining == 0 {
                sink(RecordEvent::Ended(self.header), at);
            }
        } else if is_new {
            self.began = Some(Box::new(at));
        }
        rest
    }

    /// The octets are no header: the stream is not TLS, or its framing was lost. So many of them came in earlier chunks.
    #[cold]
    fn no_header<'d>(
        &mut self,
        earlier: u8,
        data: &'d [u8],
        at: Moment,
        sink: &mut impl FnMut(RecordEvent<'_>, Moment),
    ) -> &'d [u8] {
        if self.mode == Mode::Start {
            self.mode = Mode::Plain;
            sink(RecordEvent::NotTls, at);
            // Octets of earlier chunks come back from the header that was begun.
            let begun = self.partial;
            sink(RecordEvent::Plain(begun.get(..earlier.into()).unwrap_or_default()), at);
            sink(RecordEvent::Plain(data), at);
        } else {
            self.mode = Mode::Unframed;
            sink(RecordEvent::Unframed(data.len() as u64), at);
        }
        &[]
    }

    #[cold]
    fn gap(&mut self, size: u64, at: Moment, sink: &mut impl FnMut(RecordEvent<'_>, Moment)) {
        let in_body = u64::from(self.remaining).min(size);
        if in_body > 0 {
            self.remaining -= in_body as u16;
            sink(RecordEvent::BodyGap(in_body), at);
            if self.remaining == 0 {
                sink(RecordEvent::Ended(self.header), at);
            }
        }
        if size > in_body && self.mode != Mode::Plain {
            self.mode = Mode::Unframed;
            self.filled = 0;
            sink(RecordEvent::Unframed(size - in_body), at);
        }
    }
}

#[cfg(test)]
mod tests;
