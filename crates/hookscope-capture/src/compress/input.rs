//! Turns reads of a stream into reads that can look ahead, and counts them.
//!
//! Holds one small buffer, and passes it by where the reader's is no smaller than a page.

use std::io::{self, Read};

/// Enough that a read of it costs little next to decompressing it.
const BUFFER: usize = 128 << 10;

/// A stream with a look at its next bytes.
pub(crate) struct Input {
    stream: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    consumed: u64,
    ended: bool,
}

impl Input {
    /// Reads of at least so many bytes are not buffered.
    pub(crate) const DIRECT: usize = 4 << 10;

    /// Reads from `stream`.
    pub(crate) fn new(stream: impl Read + Send + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            consumed: 0,
            ended: false,
        }
    }

    /// How many bytes were taken from it.
    pub(crate) const fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Whether more was asked for than the stream had.
    pub(crate) const fn ended(&self) -> bool {
        self.ended
    }

    /// The next `count` bytes (at most the buffer's), or fewer where the stream ends, without taking them.
    pub(crate) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.end - self.start < count.min(BUFFER) && !self.ended {
            self.more()?;
        }
        let next = self.buffer.get(self.start..self.end).unwrap_or_default();
        Ok(next.get(..count).unwrap_or(next))
    }

    /// All bytes that are there, at least one unless the stream has ended, without taking them.
    pub(crate) fn fill(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end && !self.ended {
            self.more()?;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    /// Takes `count` of the bytes that [`Self::fill`] or [`Self::peek`] showed.
    pub(crate) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.consumed += count as u64;
    }

    /// Takes `count` bytes and drops them; how many there were.
    pub(crate) fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut left = count;
        while left > 0 {
            let here = self.fill()?.len();
            if here == 0 {
                break;
            }
            let now = here.min(usize::try_from(left).unwrap_or(usize::MAX));
            self.consume(now);
            left -= now as u64;
        }
        Ok(count - left)
    }

    /// One read from the stream behind the bytes that are there.
    fn more(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        let count = read_once(&mut self.stream, free)?;
        self.ended |= count == 0;
        self.end += count;
        Ok(())
    }
}

impl Read for Input {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.start == self.end && out.len() >= Self::DIRECT {
            let count = if self.ended { 0 } else { read_once(&mut self.stream, out)? };
            self.ended |= count == 0;
            self.consumed += count as u64;
            return Ok(count);
        }
        let here = self.fill()?;
        let count = here.len().min(out.len());
        if let (Some(from), Some(to)) = (here.get(..count), out.get_mut(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        Ok(count)
    }
}

/// A read that a signal does not end.
fn read_once(stream: &mut dyn Read, out: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(out) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte a read.
    struct Slow(Vec<u8>);

    impl Read for Slow {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            out[0] = self.0.remove(0);
            Ok(1)
        }
    }

    #[test]
    fn peeking_takes_nothing_and_stops_at_the_end() {
        let mut input = Input::new(Slow(b"abc".to_vec()));
        assert_eq!(input.peek(2).unwrap(), b"ab");
        assert!(!input.ended());
        assert_eq!(input.peek(9).unwrap(), b"abc");
        assert!(input.ended());
        assert_eq!(input.consumed(), 0);
        let mut all = Vec::new();
        input.read_to_end(&mut all).unwrap();
        assert_eq!((all.as_slice(), input.consumed()), (&b"abc"[..], 3));
    }

    #[test]
    fn a_large_read_goes_past_the_buffer_once_that_is_empty() {
        let data: Vec<u8> = (0..300_000_u32).map(|number| number as u8).collect();
        let mut input = Input::new(io::Cursor::new(data.clone()));
        input.peek(4).unwrap();
        let mut out = vec![0; 300_000];
        let first = input.read(&mut out).unwrap();
        assert_eq!(first, BUFFER);
        assert_eq!(input.read(&mut out[first..]).unwrap(), 300_000 - first);
        assert_eq!((out == data, input.consumed()), (true, 300_000));
    }

    #[test]
    fn skipping_says_how_far_it_came() {
        let mut input = Input::new(Slow(b"abcdef".to_vec()));
        assert_eq!(input.skip(2).unwrap(), 2);
        assert_eq!(input.peek(1).unwrap(), b"c");
        assert_eq!(input.skip(u64::MAX).unwrap(), 4);
    }
}
