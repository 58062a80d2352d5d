//! Turns reads of a pipe or a compressed file into a window of bytes that holds whole records.
//!
//! One buffer, which is filled, walked, moved up and filled again; it grows only to hold a record that is larger, and
//! `format` bounds those. Knows nothing of records itself: it is told how many bytes are wanted.

use std::io::{self, Read};

use crate::compress::Decoder;

/// What a window holds where no single record needs more: a batch of 8192 packets of half a kilobyte.
const BUFFER: usize = 4 << 20;

/// Bytes that come in reads.
pub(crate) struct Stream {
    decoder: Decoder,
    /// Whether the other end may be waiting between packets: then what one read gives is handed on at once. Else the
    /// buffer is filled up first, for batches that are worth their while.
    live: bool,
    buffer: Vec<u8>,
    end: usize,
    /// How many bytes came before the buffer's first.
    before: u64,
    ended: bool,
    failed: Option<io::Error>,
}

impl Stream {
    /// Reads from `decoder`, in small steps if it is `live`.
    pub(crate) fn new(decoder: Decoder, live: bool) -> Self {
        Self { decoder, live, buffer: vec![0; BUFFER], end: 0, before: 0, ended: false, failed: None }
    }

    /// The bytes that are there.
    pub(crate) fn window(&self) -> &[u8] {
        self.buffer.get(..self.end).unwrap_or_default()
    }

    /// How many bytes came before the window.
    pub(crate) const fn before(&self) -> u64 {
        self.before
    }

    /// Whether nothing follows the window.
    pub(crate) const fn ended(&self) -> bool {
        self.ended
    }

    /// What ended it, where that was not the end of the stream.
    pub(crate) const fn failed(&self) -> Option<&io::Error> {
        self.failed.as_ref()
    }

    /// What it is read through.
    pub(crate) const fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Drops the first `done` bytes of the window, and reads until `wants` bytes are there or the stream ends.
    pub(crate) fn refill(&mut self, done: usize, wants: usize) {
        let done = done.min(self.end);
        self.buffer.copy_within(done..self.end, 0);
        self.end -= done;
        self.before += done as u64;
        if wants > self.buffer.len() {
            self.buffer.resize(wants, 0);
        }
        // The first window is not filled up: a file may be opened just to see its first packet.
        let fill_up = !self.live && self.before > 0;
        while !self.ended && self.end < self.buffer.len() && (self.end < wants || fill_up) {
            let free = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.decoder.read(free) {
                Ok(0) => self.ended = true,
                Ok(count) => self.end += count,
                Err(error) => {
                    self.ended = true;
                    self.failed = Some(error);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::Input;

    /// Gives three bytes a read, then an error.
    struct Pipe(usize);

    impl Read for Pipe {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::Error::other("unplugged"));
            }
            self.0 -= 1;
            out[..3].copy_from_slice(b"abc");
            Ok(3)
        }
    }

    fn stream(reads: usize, live: bool) -> Stream {
        Stream::new(Decoder::new(Input::new(Pipe(reads))).unwrap(), live)
    }

    #[test]
    fn a_live_stream_stops_reading_when_it_has_what_is_wanted() {
        let mut stream = stream(9, true);
        stream.refill(0, 7);
        assert_eq!(stream.window(), b"abcabcabc");
        stream.refill(8, 2);
        assert_eq!((stream.window(), stream.before()), (&b"cabc"[..], 8));
    }

    #[test]
    fn other_streams_are_read_until_the_buffer_is_full_or_they_end() {
        let mut stream = stream(50, false);
        stream.refill(0, 7);
        assert_eq!((stream.window(), stream.ended()), (&b"abcabcabc"[..], false));
        stream.refill(9, 1);
        assert_eq!((stream.window().len(), stream.ended()), (141, true));
        assert_eq!(stream.failed().unwrap().to_string(), "unplugged");
    }

    #[test]
    fn the_buffer_grows_for_a_record_that_needs_it() {
        let mut stream = stream(3_000_000, true);
        stream.refill(0, BUFFER + 1);
        assert_eq!(stream.window().len(), BUFFER + 1);
    }
}
