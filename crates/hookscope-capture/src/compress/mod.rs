//! Turns a byte stream that may be compressed into plain bytes: gzip (RFC 1952), zstd (RFC 8878), LZ4 (its frame
//! format), told apart by their magic numbers and not by file names.
//!
//! Memory is bounded whatever the stream claims: 32 KiB of history for gzip, [`zstd::MAX_WINDOW`] for zstd, 12 MiB for
//! LZ4. Does not decompress twice: what comes out is a capture, or the input is refused.

mod gzip;
mod input;
mod lz4;
mod zstd;

use std::io;

pub(crate) use self::input::Input;

/// Reads plain bytes from a stream, however it is compressed.
pub(crate) enum Decoder {
    Plain(Input),
    Gzip(Box<gzip::Gzip>),
    Zstd(Box<zstd::Zstd>),
    Lz4(Box<lz4::Lz4>),
}

impl Decoder {
    /// Looks at the first bytes of `input` and chooses.
    ///
    /// # Errors
    ///
    /// Those of reading `input`.
    pub(crate) fn new(mut input: Input) -> io::Result<Self> {
        while skip_frame(&mut input)? {}
        Ok(match input.peek(4)? {
            [0x1f, 0x8b, ..] => Self::Gzip(Box::new(gzip::Gzip::new(input))),
            head if head == zstd::MAGIC => Self::Zstd(Box::new(zstd::Zstd::new(input))),
            head if head == lz4::MAGIC => Self::Lz4(Box::new(lz4::Lz4::new(input))),
            _ => Self::Plain(input),
        })
    }

    /// The name of the compression; nothing where there is none.
    pub(crate) const fn name(&self) -> Option<&'static str> {
        match self {
            Self::Plain(_) => None,
            Self::Gzip(_) => Some("gzip"),
            Self::Zstd(_) => Some("zstd"),
            Self::Lz4(_) => Some("LZ4"),
        }
    }

    /// How many bytes of the stream (still compressed) were used.
    pub(crate) fn consumed(&self) -> u64 {
        match self {
            Self::Plain(input) => input.consumed(),
            Self::Gzip(gzip) => gzip.input().consumed(),
            Self::Zstd(zstd) => zstd.input().consumed(),
            Self::Lz4(lz4) => lz4.input().consumed(),
        }
    }
}

impl io::Read for Decoder {
    /// Reads what is there, at least one byte; 0 at the end of the stream. An error comes after all bytes that could
    /// be decompressed before it.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(out),
            Self::Gzip(gzip) => gzip.read(out),
            Self::Zstd(zstd) => zstd.read(out),
            Self::Lz4(lz4) => lz4.read(out),
        }
    }
}

/// Whether these are the first bytes of a skippable frame, which zstd and LZ4 streams have in common.
fn is_skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Passes over a skippable frame, if one is next.
fn skip_frame(input: &mut Input) -> io::Result<bool> {
    let head = input.peek(8)?;
    if !is_skippable(head) {
        return Ok(false);
    }
    let &[_, _, _, _, a, b, c, d] = head else { return Err(cut()) };
    let frame = 8 + u64::from(u32::from_le_bytes([a, b, c, d]));
    if input.skip(frame)? < frame {
        return Err(cut());
    }
    Ok(true)
}

/// A stream that ends where more has to follow.
fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it ends before its end mark")
}

/// A stream that says what it may not.
fn corrupt(why: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_is_not_compressed_passes_as_it_is() {
        let mut decoder = Decoder::new(Input::new(&b"\xd4\xc3\xb2\xa1rest"[..])).unwrap();
        let mut out = Vec::new();
        decoder.read_to_end(&mut out).unwrap();
        assert_eq!((out.as_slice(), decoder.name()), (&b"\xd4\xc3\xb2\xa1rest"[..], None));
        assert_eq!(decoder.consumed(), 8);
    }

    #[test]
    fn a_skippable_frame_that_is_cut_is_an_error() {
        let frame = [0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff, 1, 2, 3];
        for length in [5, 11] {
            let error = Decoder::new(Input::new(io::Cursor::new(frame[..length].to_vec()))).err().unwrap();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}
