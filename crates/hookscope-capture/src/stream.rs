//! Turns reads of a pipe or a compressed file into a window of bytes that holds whole records.
//!
//! Two buffers: while packets are borrowed from one, the other is read into. They change places when all of a window but
//! the front of a record is used; that front is copied before the rest of it. A buffer grows only to hold a record that is
//! larger, and `format` bounds those. Knows nothing of records itself: it is told how many bytes are wanted.

use std::io::{self, Read};

use crate::compress::Decoder;

/// What a window holds where no single record needs more: a batch of 4096 packets of half a kilobyte.
const BUFFER: usize = 2 << 20;

/// Room for the front of a record before what is read beside.
const HEAD: usize = 64 << 10;

/// Bytes that come in reads.
pub(crate) struct Stream {
    pub(crate) window: Window,
    pub(crate) ahead: Ahead,
}

/// Bytes that are there, and what is known of those after them.
pub(crate) struct Window {
    buffer: Vec<u8>,
    begin: usize,
    end: usize,
    /// How many bytes came before the window's first.
    before: u64,
    /// How many bytes of the input are used, as they are stored.
    consumed: u64,
    compression: Option<&'static str>,
    ended: bool,
    failed: Option<io::Error>,
}

/// What is read beside, for the next window.
pub(crate) struct Ahead {
    decoder: Decoder,
    /// Whether the other end may be waiting between packets: then what one read gave is handed on at once. Else the
    /// buffer is filled up first, for batches that are worth their while.
    live: bool,
    buffer: Vec<u8>,
    end: usize,
    ended: bool,
    failed: Option<io::Error>,
}

impl Window {
    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.begin..self.end).unwrap_or_default()
    }

    /// How many bytes came before.
    pub(crate) const fn before(&self) -> u64 {
        self.before
    }

    /// How many bytes of the input are used, as they are stored.
    pub(crate) const fn consumed(&self) -> u64 {
        self.consumed
    }

    /// How the input is compressed.
    pub(crate) const fn compression(&self) -> Option<&'static str> {
        self.compression
    }

    /// Whether nothing follows.
    pub(crate) const fn ended(&self) -> bool {
        self.ended
    }

    /// What ended the stream, where that was not its end.
    pub(crate) const fn failed(&self) -> Option<&io::Error> {
        self.failed.as_ref()
    }

    /// Moves its bytes to the front of the buffer, which holds at least `size` then.
    fn make_room(&mut self, size: usize) {
        self.buffer.copy_within(self.begin..self.end, 0);
        (self.begin, self.end) = (0, self.end - self.begin);
        if size > self.buffer.len() {
            self.buffer.resize(size, 0);
        }
    }
}

impl Ahead {
    /// Reads what comes next: what one read gives of an input that may be waiting, else half a buffer.
    pub(crate) fn read(&mut self) {
        if self.buffer.len() < HEAD + BUFFER {
            self.buffer.resize(HEAD + BUFFER, 0);
        }
        let enough = if self.live { self.end + 1 } else { HEAD + BUFFER / 2 };
        while self.end < enough.min(self.buffer.len()) && !self.ended {
            match self.decoder.read(self.buffer.get_mut(self.end..).unwrap_or_default()) {
                Ok(0) => self.ended = true,
                Ok(count) => self.end += count,
                Err(error) => (self.ended, self.failed) = (true, Some(error)),
            }
        }
    }

    /// Hands over what was read.
    fn go_on(&mut self, window: &mut Window) {
        let (rest, come) = (window.end - window.begin, self.end - HEAD);
        if come > 0 && rest <= HEAD {
            if let Some(front) = self.buffer.get_mut(HEAD - rest..HEAD) {
                front.copy_from_slice(window.bytes());
            }
            std::mem::swap(&mut window.buffer, &mut self.buffer);
            (window.begin, window.end) = (HEAD - rest, self.end);
        } else if come > 0 {
            window.make_room(rest + come);
            let all = window.buffer.get_mut(rest..rest + come).zip(self.buffer.get(HEAD..self.end));
            if let Some((to, from)) = all {
                to.copy_from_slice(from);
            }
            window.end += come;
        }
        self.end = HEAD;
        (window.ended, window.failed) = (self.ended, self.failed.take());
    }
}

impl Stream {
    /// Reads from `decoder`, in small steps if it is `live`.
    pub(crate) fn new(decoder: Decoder, live: bool) -> Self {
        let compression = decoder.name();
        let window = Window {
            buffer: vec![0; BUFFER],
            begin: 0,
            end: 0,
            before: 0,
            consumed: 0,
            compression,
            ended: false,
            failed: None,
        };
        let ahead = Ahead { decoder, live, buffer: Vec::new(), end: HEAD, ended: false, failed: None };
        Self { window, ahead }
    }

    /// Drops the first `done` bytes of the window, and reads until `wants` bytes are there or the stream ends.
    pub(crate) fn refill(&mut self, done: usize, wants: usize) {
        let Self { window, ahead } = self;
        let done = done.min(window.end - window.begin);
        window.begin += done;
        window.before += done as u64;
        ahead.go_on(window);
        // The first window is not filled up: a file may be opened just to see its first packet.
        let fill_up = !ahead.live && window.before > 0;
        let length = |window: &Window| window.end - window.begin;
        if !window.ended && (length(window) < wants || fill_up) {
            window.make_room(wants);
        }
        while !window.ended && window.end < window.buffer.len() && (length(window) < wants || fill_up) {
            let free = window.buffer.get_mut(window.end..).unwrap_or_default();
            match ahead.decoder.read(free) {
                Ok(0) => window.ended = true,
                Ok(count) => window.end += count,
                Err(error) => (window.ended, window.failed) = (true, Some(error)),
            }
        }
        ahead.ended = window.ended;
        window.consumed = ahead.decoder.consumed();
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
        assert_eq!(stream.window.bytes(), b"abcabcabc");
        stream.refill(8, 2);
        assert_eq!((stream.window.bytes(), stream.window.before()), (&b"cabc"[..], 8));
    }

    #[test]
    fn other_streams_are_read_until_the_buffer_is_full_or_they_end() {
        let mut stream = stream(50, false);
        stream.refill(0, 7);
        assert_eq!((stream.window.bytes(), stream.window.ended()), (&b"abcabcabc"[..], false));
        stream.refill(9, 1);
        assert_eq!((stream.window.bytes().len(), stream.window.ended()), (141, true));
        assert_eq!(stream.window.failed().unwrap().to_string(), "unplugged");
    }

    #[test]
    fn what_is_read_beside_follows_what_is_left_of_the_window() {
        for (live, done) in [(true, 3), (true, 9), (false, 3), (false, 0)] {
            let mut stream = stream(400_000, live);
            stream.refill(0, 9);
            stream.ahead.read();
            let read = if live { 3 } else { (BUFFER / 2).min(400_000 * 3 - 9) };
            stream.refill(done, 1);
            let whole: Vec<u8> = b"abc".iter().copied().cycle().skip(done).take(9 + read - done).collect();
            assert!(stream.window.bytes().starts_with(&whole), "live {live}, {done} done");
            assert_eq!(stream.window.before(), done as u64);
            if live {
                assert_eq!(stream.window.bytes().len(), whole.len());
            }
        }
    }

    #[test]
    fn a_rest_that_is_longer_than_its_room_is_kept() {
        let mut stream = stream(3_000_000, true);
        stream.refill(0, HEAD + 5);
        stream.ahead.read();
        stream.refill(1, HEAD + 5);
        let whole: Vec<u8> = b"abc".iter().copied().cycle().skip(1).take(HEAD + 5).collect();
        assert!(stream.window.bytes().starts_with(&whole));
    }

    #[test]
    fn an_error_met_beside_comes_after_all_bytes() {
        let mut stream = stream(4, true);
        stream.refill(0, 9);
        stream.ahead.read();
        stream.ahead.read();
        assert!(!stream.window.ended());
        stream.refill(9, 1);
        assert_eq!((stream.window.bytes(), stream.window.ended()), (&b"abc"[..], true));
        assert_eq!(stream.window.failed().unwrap().to_string(), "unplugged");
    }

    #[test]
    fn the_buffer_grows_for_a_record_that_needs_it() {
        let mut stream = stream(3_000_000, true);
        stream.refill(0, BUFFER + 1);
        assert_eq!(stream.window.bytes().len(), BUFFER + 1);
    }
}
