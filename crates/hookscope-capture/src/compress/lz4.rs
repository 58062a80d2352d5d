//! Turns an LZ4 stream (frame format 1.6), of any number of frames, into plain bytes.
//!
//! Frames that need a dictionary, and the legacy format of `lz4 -l`, are refused. Where a frame breaks, everything
//! before is handed out, the first part of the broken block included: `lz4` puts up to 4 MiB into one block, which for
//! many a capture is all of it.

use std::io::{self, Read};

use lz4_flex::frame::FrameDecoder;

use super::{Input, corrupt, cut, skip_frame};

/// The first bytes of a frame.
pub(super) const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];

/// The most bytes of a block.
const MAX_BLOCK: usize = 4 << 20;

/// How far back a block can refer.
const HISTORY: usize = 64 << 10;

/// The input, and what was read of it since the last whole block.
struct Tape {
    input: Input,
    bytes: Vec<u8>,
}

impl Read for Tape {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(out)?;
        self.bytes.extend_from_slice(out.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// Reads the frames of an LZ4 stream.
pub(crate) struct Lz4 {
    decoder: FrameDecoder<Tape>,
    in_frame: bool,
    /// The last bytes that were handed out; up to twice [`HISTORY`], so that it is seldom moved.
    history: Vec<u8>,
    /// What could be had of a broken block, and what broke it.
    failed: Option<(io::Cursor<Vec<u8>>, Option<io::Error>)>,
}

impl Lz4 {
    pub(super) fn new(input: Input) -> Self {
        let decoder = FrameDecoder::new(Tape { input, bytes: Vec::new() });
        Self { decoder, in_frame: false, history: Vec::new(), failed: None }
    }

    pub(super) fn input(&self) -> &Input {
        &self.decoder.get_ref().input
    }

    /// Whether another frame begins; false at the end of the stream.
    fn begin(&mut self) -> io::Result<bool> {
        let Tape { input, bytes } = self.decoder.get_mut();
        while skip_frame(input)? {}
        bytes.clear();
        self.history.clear();
        match input.peek(4)? {
            [] => Ok(false),
            head if head == MAGIC => Ok(true),
            _ => Err(corrupt("something else follows its last frame")),
        }
    }

    /// Notes what was handed out, for a block that may refer to it.
    fn remember(&mut self, out: &[u8]) {
        if self.history.len() + out.len() > 2 * HISTORY {
            let keep = self.history.len().saturating_sub(HISTORY);
            self.history.drain(..keep);
        }
        let last = out.len().saturating_sub(HISTORY);
        self.history.extend_from_slice(out.get(last..).unwrap_or_default());
    }
}

impl Read for Lz4 {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some((rest, error)) = &mut self.failed {
                return match (rest.read(out)?, error.take()) {
                    (0, Some(error)) => Err(error),
                    (count, kept) => {
                        *error = kept;
                        Ok(count)
                    }
                };
            }
            if !self.in_frame {
                self.in_frame = self.begin()?;
                if !self.in_frame {
                    return Ok(0);
                }
            }
            let error = match self.decoder.read(out) {
                // The decoder says the same at a frame's end mark and where the stream ends in place of a block; but
                // only in the second case has it asked for more than there was.
                Ok(0) if self.input().ended() => cut(),
                Ok(0) => {
                    self.in_frame = false;
                    continue;
                }
                Ok(count) => {
                    self.decoder.get_mut().bytes.clear();
                    self.remember(out.get(..count).unwrap_or_default());
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => cut(),
                Err(error) => error,
            };
            let rest = salvage(&self.decoder.get_ref().bytes, &self.history).unwrap_or_default();
            self.failed = Some((io::Cursor::new(rest), Some(error)));
        }
    }
}

/// What can be had of a broken block: `bytes` from its length on, or from the header of its frame if it is the first.
fn salvage(bytes: &[u8], history: &[u8]) -> Option<Vec<u8>> {
    let bytes = match bytes.strip_prefix(&MAGIC) {
        // The descriptor: flags, block size, perhaps the content's size, a checksum.
        Some(descriptor @ [flags, ..]) => descriptor.get(if flags & 8 == 0 { 3 } else { 11 }..)?,
        Some([]) => return None,
        None => bytes,
    };
    let (length, block) = bytes.split_first_chunk()?;
    let length = u32::from_le_bytes(*length);
    let block = block.get(..(length & 0x7fff_ffff) as usize).unwrap_or(block);
    if length >> 31 == 1 {
        return Some(block.to_vec());
    }
    let mut out = history.to_vec();
    // Stops with `None` where the block does; what it has appended until then is what there is.
    let _ = sequences(block, history.len() + MAX_BLOCK, &mut out);
    out.drain(..history.len().min(out.len()));
    Some(out)
}

/// Appends what the sequences of a block stand for to `out` (LZ4 block format), until something is missing.
fn sequences(mut block: &[u8], room: usize, out: &mut Vec<u8>) -> Option<()> {
    loop {
        let (token, rest) = block.split_first()?;
        block = rest;
        let literals = length(usize::from(token >> 4), &mut block)?;
        out.extend_from_slice(block.get(..literals).unwrap_or(block));
        let (offset, rest) = block.get(literals..)?.split_first_chunk()?;
        block = rest;
        let from = out.len().checked_sub(usize::from(u16::from_le_bytes(*offset)))?;
        let matched = length(usize::from(token & 15), &mut block)? + 4;
        if from == out.len() || out.len() + matched > room {
            return None;
        }
        for at in from..from + matched {
            out.push(*out.get(at)?);
        }
    }
}

/// A length whose first four bits are `nibble`; the rest is taken off `block`.
fn length(nibble: usize, block: &mut &[u8]) -> Option<usize> {
    let mut length = nibble;
    let mut more = nibble == 15;
    while more {
        let (byte, rest) = block.split_first()?;
        *block = rest;
        length += usize::from(*byte);
        more = *byte == 255;
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};

    use super::*;

    fn compressed(data: &[u8]) -> Vec<u8> {
        compressed_as(data, BlockSize::Max64KB, BlockMode::Linked)
    }

    fn compressed_as(data: &[u8], size: BlockSize, mode: BlockMode) -> Vec<u8> {
        let info = FrameInfo::new().block_size(size).block_mode(mode).content_checksum(true);
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn sample() -> Vec<u8> {
        (0..200_000_u32).flat_map(|number| (number.wrapping_mul(2_654_435_761) >> 20).to_le_bytes()).collect()
    }

    /// What comes out, and what broke it.
    fn read(bytes: Vec<u8>) -> (Vec<u8>, Option<String>) {
        let mut lz4 = Lz4::new(Input::new(Cursor::new(bytes)));
        let mut out = Vec::new();
        let error = lz4.read_to_end(&mut out).err().map(|error| error.to_string());
        (out, error)
    }

    const SKIPPABLE: [u8; 11] = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];

    #[test]
    fn all_frames_are_read_and_skippable_ones_skipped() {
        let bytes =
            [compressed(b"one "), SKIPPABLE.to_vec(), compressed(&sample()), SKIPPABLE.to_vec()].concat();
        assert_eq!(read(bytes), ([b"one ".to_vec(), sample()].concat(), None));
    }

    #[test]
    fn a_cut_frame_gives_what_is_before_the_cut() {
        let data: Vec<u8> =
            sample().chunks(2_000).flat_map(|chunk| [chunk, &chunk[..500]].concat()).collect();
        for size in [BlockSize::Max64KB, BlockSize::Max4MB] {
            for mode in [BlockMode::Linked, BlockMode::Independent] {
                let whole = compressed_as(&data, size, mode);
                let mut before = 0;
                for length in (6..whole.len()).step_by(whole.len() / 97).chain(whole.len() - 12..whole.len())
                {
                    let (out, error) = read(whole[..length].to_vec());
                    assert!(data.starts_with(&out), "{length}");
                    assert!(out.len() >= before && out.len() + 60_000 > data.len() * length / whole.len());
                    assert!(error.unwrap().contains("ends before"), "{length}");
                    before = out.len();
                }
                assert_eq!(before, data.len());
            }
        }
    }

    #[test]
    fn a_broken_block_gives_no_more_than_a_block_has() {
        // A match that goes on for as long as the input does.
        let mut block = vec![0x1f, b'a', 1, 0];
        block.resize(100_000, 255);
        block.extend([0, 0]);
        let bytes = [&(block.len() as u32).to_le_bytes()[..], &block].concat();
        assert!(salvage(&bytes, &[]).unwrap().len() <= MAX_BLOCK);
    }

    #[test]
    fn damage_anywhere_never_panics() {
        let whole = compressed(&sample()[..60_000]);
        for at in (0..whole.len()).step_by(whole.len() / 200) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x55;
            read(bytes);
        }
    }
}
