//! Turns an LZ4 stream (frame format 1.6), of any number of frames, into plain bytes.
//!
//! Frames that need a dictionary, and the legacy format of `lz4 -l`, are refused. Where a frame breaks, the blocks
//! before it are handed out; a block (up to 4 MiB) is decoded as a whole or not at all.

use std::io::{self, Read};

use lz4_flex::frame::FrameDecoder;

use super::{Input, corrupt, cut, skip_frame};

/// The first bytes of a frame.
pub(super) const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];

/// Reads the frames of an LZ4 stream.
pub(crate) struct Lz4 {
    decoder: FrameDecoder<Input>,
    in_frame: bool,
}

impl Lz4 {
    pub(super) fn new(input: Input) -> Self {
        Self { decoder: FrameDecoder::new(input), in_frame: false }
    }

    pub(super) fn input(&self) -> &Input {
        self.decoder.get_ref()
    }

    /// Whether another frame begins; false at the end of the stream.
    fn begin(&mut self) -> io::Result<bool> {
        let input = self.decoder.get_mut();
        while skip_frame(input)? {}
        match input.peek(4)? {
            [] => Ok(false),
            head if head == MAGIC => Ok(true),
            _ => Err(corrupt("something else follows its last frame")),
        }
    }
}

impl Read for Lz4 {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.in_frame {
                self.in_frame = self.begin()?;
                if !self.in_frame {
                    return Ok(0);
                }
            }
            match self.decoder.read(out) {
                // The decoder says the same at a frame's end mark and where the stream ends in place of a block; but
                // only in the second case has it asked for more than there was.
                Ok(0) if self.input().ended() => return Err(cut()),
                Ok(0) => self.in_frame = false,
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(cut()),
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};

    use super::*;

    fn compressed(data: &[u8]) -> Vec<u8> {
        let info = FrameInfo::new()
            .block_size(BlockSize::Max64KB)
            .block_mode(BlockMode::Linked)
            .content_checksum(true);
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
    fn a_cut_frame_gives_the_blocks_before_the_cut() {
        let (data, whole) = (sample(), compressed(&sample()));
        for length in [6, whole.len() / 2, whole.len() - 1, whole.len() - 6, whole.len() - 8] {
            let (out, error) = read(whole[..length].to_vec());
            assert!(data.starts_with(&out));
            assert!(out.len() + 100_000 > data.len() * length / whole.len(), "{length}: {}", out.len());
            assert!(error.unwrap().contains("ends before"), "{length}");
        }
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
