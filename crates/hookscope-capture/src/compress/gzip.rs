//! Turns a gzip stream (RFC 1952), of any number of members, into plain bytes.
//!
//! Headers, checksums and lengths are checked by the inflater. Bytes that are no member, after the last one, are an
//! error after everything before them, except zeros, with which tapes and block devices pad.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::{Input, corrupt, cut};

/// The base-2 logarithm of the largest history that deflate has.
const WINDOW_BITS: u8 = 15;

/// Reads the members of a gzip stream.
pub(crate) struct Gzip {
    input: Input,
    inflate: Decompress,
    /// Whether a member has ended and the next not begun.
    between: bool,
    /// What broke the stream, once the bytes before it are handed out.
    failed: Option<io::Error>,
}

impl Gzip {
    pub(super) fn new(input: Input) -> Self {
        Self { input, inflate: Decompress::new_gzip(WINDOW_BITS), between: false, failed: None }
    }

    pub(super) const fn input(&self) -> &Input {
        &self.input
    }

    /// Begins the next member; false at the end of the stream.
    fn begin(&mut self) -> io::Result<bool> {
        match self.input.peek(2)? {
            [] => return Ok(false),
            [0x1f, 0x8b] => {}
            [0, ..] => {
                while let [0, ..] = self.input.peek(1)? {
                    self.input.consume(1);
                }
                return match self.input.peek(1)? {
                    [] => Ok(false),
                    _ => Err(corrupt("something else follows its last member")),
                };
            }
            _ => return Err(corrupt("something else follows its last member")),
        }
        self.inflate.reset(true);
        self.between = false;
        Ok(true)
    }
}

impl Read for Gzip {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if self.between && !self.begin()? {
                return Ok(0);
            }
            let here = self.input.fill()?;
            let at_end = here.is_empty();
            let (consumed, written) = (self.inflate.total_in(), self.inflate.total_out());
            let result = self.inflate.decompress(here, out, FlushDecompress::None);
            // Both totals count what was done before an error, too.
            let consumed = (self.inflate.total_in() - consumed) as usize;
            let written = (self.inflate.total_out() - written) as usize;
            self.input.consume(consumed);
            match result {
                Ok(Status::StreamEnd) => self.between = true,
                Ok(_) if at_end && written == 0 => return Err(cut()),
                Ok(_) => {}
                // The inflater's own words depend on whether it gave bytes before it stopped.
                Err(_) => self.failed = Some(corrupt("its deflated data or their checksum are wrong")),
            }
            if written > 0 {
                return Ok(written);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn compressed(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn sample() -> Vec<u8> {
        (0..200_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
    }

    /// What comes out, and what broke it.
    fn read(bytes: Vec<u8>) -> (Vec<u8>, Option<String>) {
        let mut gzip = Gzip::new(Input::new(Cursor::new(bytes)));
        let mut out = Vec::new();
        let error = gzip.read_to_end(&mut out).err().map(|error| error.to_string());
        (out, error)
    }

    #[test]
    fn all_members_are_read_and_zero_padding_is_ignored() {
        let bytes = [compressed(b"one "), compressed(b""), compressed(b"two"), vec![0; 700]].concat();
        assert_eq!(read(bytes), (b"one two".to_vec(), None));
    }

    #[test]
    fn a_cut_stream_gives_what_is_before_the_cut() {
        let (data, whole) = (sample(), compressed(&sample()));
        for length in [3, 20, whole.len() / 2, whole.len() - 1] {
            let (out, error) = read(whole[..length].to_vec());
            assert!(data.starts_with(&out));
            assert!(out.len() + 40_000 > data.len() * length / whole.len(), "{length}: {}", out.len());
            assert!(error.unwrap().contains("ends before"));
        }
    }

    #[test]
    fn a_corrupt_stream_gives_what_is_before_it() {
        let data = b"hookscope ".repeat(20);
        let mut bytes = compressed(&data);
        let checksum = bytes.len() - 8;
        bytes[checksum] ^= 1;
        let (out, error) = read(bytes);
        assert_eq!(out, data);
        assert_eq!(error.unwrap(), "its deflated data or their checksum are wrong");
    }

    #[test]
    fn garbage_after_the_last_member_is_an_error_after_its_bytes() {
        let (out, error) = read([compressed(b"one"), b"garbage".to_vec()].concat());
        assert_eq!(out, b"one");
        assert!(error.unwrap().contains("something else follows"));
    }
}
