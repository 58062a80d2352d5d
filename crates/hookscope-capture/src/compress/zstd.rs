//! Turns a zstd stream (RFC 8878), of any number of frames, into plain bytes.
//!
//! Frames that need a dictionary, or more memory than [`MAX_WINDOW`], are refused. Where a frame breaks, the blocks
//! before it are handed out; a block (up to 128 KiB) is decoded as a whole or not at all.

use std::io::{self, Read};

use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{Input, corrupt, cut, skip_frame};

/// The first bytes of a frame.
pub(super) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The most history that a frame may ask for. `zstd -19` asks for 8 MiB and `zstd --ultra -20` for this; `-22` and
/// `--long` ask for 128 MiB, and are refused.
pub(super) const MAX_WINDOW: u64 = 32 << 20;

/// What ends any frame: an empty last block, and four bytes in place of a checksum.
const END_OF_FRAME: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

/// Reads the frames of a zstd stream.
pub(crate) struct Zstd {
    input: Input,
    decoder: FrameDecoder,
    in_frame: bool,
    /// What broke the stream, once the bytes before it are handed out.
    failed: Option<io::Error>,
}

impl Zstd {
    pub(super) fn new(input: Input) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW);
        Self { input, decoder, in_frame: false, failed: None }
    }

    pub(super) const fn input(&self) -> &Input {
        &self.input
    }

    /// Begins the next frame; false at the end of the stream.
    fn begin(&mut self) -> io::Result<bool> {
        while skip_frame(&mut self.input)? {}
        match self.input.peek(4)? {
            [] => return Ok(false),
            head if head == MAGIC => {}
            _ => return Err(corrupt("something else follows its last frame")),
        }
        let begun = self.decoder.reset(&mut self.input);
        begun.map_err(|error| explain(&error, self.input.ended()))?;
        self.in_frame = true;
        Ok(true)
    }

    /// Decodes one more block of the frame.
    fn block(&mut self) {
        let Err(error) = self.decoder.decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1))
        else {
            return;
        };
        self.failed = Some(explain(&error, self.input.ended()));
        // The decoder holds back a window of bytes until the frame ends. So end it: they are good.
        let _ = self.decoder.decode_blocks(&END_OF_FRAME[..], BlockDecodingStrategy::UptoBlocks(1));
    }

    /// Checks the frame that has ended and whose bytes are all handed out.
    fn end(&mut self) -> io::Result<()> {
        self.in_frame = false;
        let stated = self.decoder.get_checksum_from_data();
        if stated.is_some() && stated != self.decoder.get_calculated_checksum() {
            return Err(corrupt("its checksum is wrong"));
        }
        Ok(())
    }
}

impl Read for Zstd {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(out);
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if !self.in_frame {
                if !self.begin()? {
                    return Ok(0);
                }
            } else if self.decoder.is_finished() {
                self.end()?;
            } else {
                self.block();
            }
        }
    }
}

/// The decoder's error in words for someone who has the file, not the decoder.
fn explain(error: &FrameDecoderError, ended: bool) -> io::Error {
    match error {
        FrameDecoderError::WindowSizeTooBig { requested, .. } => corrupt(format_args!(
            "it needs {} MiB of memory, more than the {} MiB that are given to it; decompress it first: \
             zstd -dc --long=31 FILE | hookscope -",
            requested >> 20,
            MAX_WINDOW >> 20
        )),
        FrameDecoderError::DictNotProvided { dict_id } => corrupt(format_args!(
            "it needs dictionary {dict_id}; decompress it first: zstd -dc -D DICTIONARY FILE"
        )),
        _ if ended => cut(),
        _ => corrupt(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn compressed(data: &[u8]) -> Vec<u8> {
        compress_to_vec(data, CompressionLevel::Fastest)
    }

    fn sample() -> Vec<u8> {
        (0..200_000_u32).flat_map(|number| (number.wrapping_mul(2_654_435_761) >> 24).to_le_bytes()).collect()
    }

    /// What comes out, and what broke it.
    fn read(bytes: Vec<u8>) -> (Vec<u8>, Option<String>) {
        let mut zstd = Zstd::new(Input::new(Cursor::new(bytes)));
        let mut out = Vec::new();
        let error = zstd.read_to_end(&mut out).err().map(|error| error.to_string());
        (out, error)
    }

    const SKIPPABLE: [u8; 11] = [0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];

    #[test]
    fn all_frames_are_read_and_skippable_ones_skipped() {
        let bytes =
            [compressed(b"one "), SKIPPABLE.to_vec(), compressed(b"two"), SKIPPABLE.to_vec()].concat();
        assert_eq!(read(bytes), (b"one two".to_vec(), None));
    }

    #[test]
    fn a_cut_frame_gives_the_blocks_before_the_cut() {
        let (data, whole) = (sample(), compressed(&sample()));
        for length in [5, whole.len() / 2, whole.len() - 1] {
            let (out, error) = read(whole[..length].to_vec());
            assert!(data.starts_with(&out));
            assert!(out.len() + 150_000 > data.len() * length / whole.len(), "{length}: {}", out.len());
            assert!(error.unwrap().contains("ends before"), "{length}");
        }
    }

    #[test]
    fn a_wrong_checksum_is_an_error_after_the_bytes() {
        let mut bytes = compressed(b"one two three");
        *bytes.last_mut().unwrap() ^= 1;
        let (out, error) = read(bytes);
        assert_eq!(
            (out.as_slice(), error.as_deref()),
            (&b"one two three"[..], Some("its checksum is wrong"))
        );
    }

    #[test]
    fn a_window_beyond_the_limit_is_refused_before_it_is_allocated() {
        // Window descriptor 17 << 3: 2^27 bytes, as zstd --ultra -22 writes; 31 << 3 | 7: 3.75 TiB.
        for (descriptor, needs) in [(17 << 3, "needs 128 MiB"), (31 << 3 | 7, "")] {
            let (out, error) = read([&MAGIC[..], &[0, descriptor, 1, 0, 0]].concat());
            assert!(out.is_empty());
            assert!(error.unwrap().contains(needs));
        }
        let (out, error) = read([&MAGIC[..], &[0, 15 << 3, 1 | 3 << 3, 0, 0, b'a', b'b', b'c']].concat());
        assert_eq!((out.as_slice(), error), (&b"abc"[..], None));
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
