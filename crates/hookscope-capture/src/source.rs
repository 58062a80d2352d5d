//! Turns one input, whatever it is, into its packets in the order of the file, and into a warning where it breaks off.
//!
//! Its owner calls [`Source::fill`], which does the I/O, and then [`Source::walk`], which hands out packets that borrow
//! the bytes; so that no packet is borrowed when bytes move. What was walked but cannot be handed out yet is kept as
//! [`Record`]s. Does not order packets.

use std::fs::File;
use std::io;
use std::path::Path;

use hookscope::packet::Packet;
use hookscope::time::Timestamp;

use crate::compress::{Decoder, Input};
use crate::error::{InputError, NamedLinkType};
use crate::format::{HeaderError, Opened, Walker};
use crate::map::MappedFile;
use crate::reader::{Bytes, Reader};
use crate::stream::{Ahead, Stream};
use crate::summary::FileSummary;

/// What an input is read from.
enum Medium {
    Mapped(MappedFile),
    Streamed(Stream),
}

impl Medium {
    const fn bytes(&self) -> Bytes<'_> {
        match self {
            Self::Mapped(map) => Bytes::Mapped(map),
            Self::Streamed(stream) => Bytes::Streamed(&stream.window),
        }
    }
}

/// A packet that was walked over, without its bytes: those are in the window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    packet: Packet<'static>,
    at: usize,
    length: usize,
}

impl Record {
    /// Notes that the bytes of `packet` are at `at` of a window.
    pub(crate) const fn new(packet: &Packet<'_>, at: usize) -> Self {
        Self { packet: Packet { data: &[], ..*packet }, at, length: packet.data.len() }
    }

    /// Notes where in `window` the bytes of `packet` are.
    pub(crate) fn of(packet: &Packet<'_>, window: &[u8]) -> Self {
        let at = packet.data.as_ptr().addr().wrapping_sub(window.as_ptr().addr());
        Self::new(packet, at)
    }

    /// The packet, with its bytes from the same `window`.
    pub(crate) fn packet<'a>(&self, window: &'a [u8]) -> Packet<'a> {
        let data = window.get(self.at..).and_then(|rest| rest.get(..self.length)).unwrap_or_default();
        Packet { data, ..self.packet }
    }

    /// When it was captured.
    pub(crate) const fn time(&self) -> Timestamp {
        self.packet.time
    }
}

/// One input that is being read.
pub(crate) struct Source {
    index: u16,
    /// Which of the inputs that overlap in time it is.
    lane: u16,
    /// Its place among all inputs, by their first packets.
    rank: u16,
    medium: Medium,
    /// The length of a regular file, which can be opened once more.
    file_length: Option<u64>,
    reader: Reader,
    pending: Vec<Record>,
    /// Room for packets, kept from one walk ahead to the next.
    spare: Vec<Packet<'static>>,
}

/// What [`Source::walk`] walked over.
pub(crate) struct Walk<'a> {
    /// The bytes that the packets borrow.
    pub(crate) window: &'a [u8],
    /// How many bytes of the input are used now, as they are stored.
    pub(crate) consumed: u64,
    /// What can be read beside, where the input goes on.
    pub(crate) ahead: Option<&'a mut Ahead>,
}

impl Source {
    /// Opens the `index`-th input and reads its file header.
    ///
    /// # Errors
    ///
    /// [`InputError`] where nothing of it can be read.
    pub(crate) fn open(path: &Path, index: u16) -> Result<Self, InputError> {
        let name = name_of(path);
        let (mut medium, file_length) =
            if is_stdin(path) { (standard_input(&name)?, None) } else { open_file(&name, path)? };
        let (walker, start) = match read_header(&name, index, &mut medium) {
            Ok(header) => header,
            // What is wrong with a header may be that it was cut away.
            Err(error) => return Err(medium.bytes().lost(&name, 0, usize::MAX).unwrap_or(error)),
        };
        let reader = Reader::new(name, walker, start);
        let (lane, rank, pending, spare) = (0, 0, Vec::new(), Vec::new());
        Ok(Self { index, lane, rank, medium, file_length, reader, pending, spare })
    }

    /// What is added to the interfaces of the input's packets, so that those of inputs which overlap in time differ:
    /// more than the interfaces that a pcapng file has.
    pub(crate) const fn interfaces(&self) -> u16 {
        self.lane.wrapping_mul(1 << 10)
    }

    /// Which of the inputs that overlap in time it is.
    pub(crate) const fn lane(&self) -> u16 {
        self.lane
    }

    /// Its place among all inputs, by their first packets: it decides between packets of one time.
    pub(crate) const fn rank(&self) -> u16 {
        self.rank
    }

    /// Makes it the `lane`-th of the inputs that overlap in time, and the `rank`-th of all.
    pub(crate) const fn enter(&mut self, lane: u16, rank: u16) {
        (self.lane, self.rank) = (lane, rank);
    }

    /// The input's position in the list of inputs.
    pub(crate) const fn index(&self) -> u16 {
        self.index
    }

    /// The length in bytes of a regular file; nothing for a pipe, which cannot be opened a second time either.
    pub(crate) const fn file_length(&self) -> Option<u64> {
        self.file_length
    }

    /// How many bytes of the input are used, as they are stored.
    pub(crate) fn consumed(&self) -> u64 {
        self.medium.bytes().consumed(self.reader.start)
    }

    /// Whether no packet is left to walk over. There may still be pending records.
    pub(crate) const fn ended(&self) -> bool {
        self.reader.ended
    }

    /// What was walked over and kept, in order.
    pub(crate) fn pending(&self) -> &[Record] {
        &self.pending
    }

    /// Keeps `records`, whose window must be the present one, until they are handed out.
    pub(crate) fn keep(&mut self, records: Vec<Record>) {
        self.pending = records;
    }

    /// The bytes that pending records refer to.
    pub(crate) fn window(&self) -> &[u8] {
        self.medium.bytes().window()
    }

    /// Notes that `packets` more were handed out, of which `pending` were pending.
    pub(crate) fn handed_out(&mut self, packets: usize, pending: usize) {
        self.reader.summary.packets += packets as u64;
        self.pending.drain(..pending.min(self.pending.len()));
    }

    /// Gets the bytes that the last walk lacked. To be called before each walk, when nothing is pending.
    pub(crate) fn fill(&mut self) {
        let Self { medium, reader, .. } = self;
        match medium {
            Medium::Mapped(map) => reader.let_go(map, reader.start),
            Medium::Streamed(stream) => {
                if reader.wants > 0 {
                    stream.refill(reader.start, reader.wants);
                    (reader.start, reader.wants) = (0, 0);
                }
            }
        }
    }

    /// Appends the next packets to `packets`, until that has `room`. None come where the input has ended, or where
    /// [`Self::fill`] has to get more first.
    pub(crate) fn walk<'a>(&'a mut self, room: usize, packets: &mut Vec<Packet<'a>>) -> Walk<'a> {
        let (bytes, ahead) = match &mut self.medium {
            Medium::Mapped(map) => (Bytes::Mapped(map), None),
            Medium::Streamed(stream) => (Bytes::Streamed(&stream.window), Some(&mut stream.ahead)),
        };
        self.reader.walk(bytes, room, packets);
        let ahead = ahead.filter(|_| !self.reader.ended);
        Walk { window: bytes.window(), consumed: bytes.consumed(self.reader.start), ahead }
    }

    /// A map, and the walk over it, for those who borrow packets from the one while they go on with the other.
    pub(crate) const fn mapped(&mut self) -> Option<(&MappedFile, &mut Reader)> {
        match &self.medium {
            Medium::Mapped(map) => Some((map, &mut self.reader)),
            Medium::Streamed(_) => None,
        }
    }

    /// Walks over the next packets and keeps them.
    pub(crate) fn walk_ahead(&mut self, room: usize) {
        let mut records = std::mem::take(&mut self.pending);
        records.clear();
        let mut packets = recycle(std::mem::take(&mut self.spare));
        let window = self.walk(room, &mut packets).window;
        records.extend(packets.iter().map(|packet| Record::of(packet, window)));
        self.spare = recycle(packets);
        self.pending = records;
    }

    /// Has an error where bytes that were handed out, or walked over, may not have been those of the file. To be asked
    /// once they were used.
    ///
    /// # Errors
    ///
    /// [`InputError::Lost`].
    pub(crate) fn check(&mut self) -> Result<(), InputError> {
        let done = if self.pending.is_empty() { self.reader.start } else { 0 };
        self.reader.check(self.medium.bytes(), done)
    }

    /// What was read of it.
    pub(crate) fn into_summary(self) -> FileSummary {
        self.reader.into_summary()
    }
}

/// The name of an input in messages.
pub(crate) fn name_of(path: &Path) -> String {
    if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() }
}

pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// An empty vector that may borrow from somewhere else, with the memory of `packets`. (Collecting a vector's own
/// iterator into one whose elements are of the same size keeps its allocation.)
pub(crate) fn recycle<'a>(mut packets: Vec<Packet<'_>>) -> Vec<Packet<'a>> {
    packets.clear();
    packets.into_iter().map_while(|_| None).collect()
}

/// Opens a file: mapped if it is a regular file of plain bytes, else as a stream. With the length of a regular file.
fn open_file(name: &str, path: &Path) -> Result<(Medium, Option<u64>), InputError> {
    let opened = File::open(path).and_then(|file| file.metadata().map(|metadata| (file, metadata)));
    let (file, metadata) = opened.map_err(|error| InputError::from_io(name, error))?;
    if metadata.is_dir() {
        return Err(InputError::IsDirectory { path: name.to_owned() });
    }
    if !metadata.is_file() {
        widen(&file);
        return Ok((stream(name, file, true)?, None));
    }
    if metadata.len() == 0 {
        return Err(InputError::Empty { path: name.to_owned() });
    }
    let length = Some(metadata.len());
    // Where a file system cannot map, it can still be read.
    let map = file.try_clone().and_then(MappedFile::new).ok();
    match map.filter(|map| !Decoder::recognises(map.bytes())) {
        Some(map) => Ok((Medium::Mapped(map), length)),
        None => Ok((stream(name, file, false)?, length)),
    }
}

fn standard_input(name: &str) -> Result<Medium, InputError> {
    widen(&io::stdin());
    stream(name, io::stdin(), true)
}

/// Has a pipe hold a megabyte, as much as the system gives to everybody: whoever writes goes on while a batch is looked at,
/// and one read brings enough to share out among threads. What is no pipe stays as it is.
fn widen(#[cfg(unix)] pipe: &impl std::os::fd::AsFd, #[cfg(not(unix))] _: &impl io::Read) {
    #[cfg(target_os = "linux")]
    let _ = nix::fcntl::fcntl(pipe, nix::fcntl::FcntlArg::F_SETPIPE_SZ(1 << 20));
    #[cfg(all(unix, not(target_os = "linux")))]
    let _ = pipe;
}

/// Reads `input` as a stream, decompressed.
fn stream(name: &str, input: impl io::Read + Send + 'static, live: bool) -> Result<Medium, InputError> {
    let decoder = Decoder::new(Input::new(input)).map_err(|error| InputError::from_io(name, error))?;
    Ok(Medium::Streamed(Stream::new(decoder, live)))
}

/// Reads the file header, and says where the records begin.
fn read_header(name: &str, index: u16, medium: &mut Medium) -> Result<(Walker, usize), InputError> {
    let path = || name.to_owned();
    loop {
        let (header, wants) = match Walker::open(index, medium.bytes().window()) {
            Ok(Opened::Ready(walker, start)) => return Ok((walker, start)),
            Ok(Opened::Short(header, wants)) => (header, wants),
            Err(HeaderError::NotACapture) => {
                return Err(InputError::not_a_capture(name, medium.bytes().window()));
            }
            Err(HeaderError::Unreadable(what)) => return Err(InputError::Unreadable { path: path(), what }),
            Err(HeaderError::LinkType(link_type)) => {
                return Err(InputError::LinkType { path: path(), link_type: NamedLinkType(link_type) });
            }
        };
        match medium {
            Medium::Streamed(stream) if !stream.window.ended() => stream.refill(0, wants),
            _ => {
                if let Medium::Streamed(stream) = medium
                    && let Some(error) = stream.window.failed()
                {
                    return Err(match stream.window.compression() {
                        Some(compression) => {
                            InputError::Compressed { path: path(), compression, why: error.to_string() }
                        }
                        None => InputError::from_io(name, io::Error::new(error.kind(), error.to_string())),
                    });
                }
                return Err(match medium.bytes().window().len() {
                    0 => InputError::Empty { path: path() },
                    length => InputError::HeaderCut { path: path(), header, length },
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recycling_keeps_the_allocation() {
        let packets: Vec<Packet<'_>> = Vec::with_capacity(1_000);
        let at = packets.as_ptr().addr();
        let again = recycle(packets);
        assert_eq!((again.as_ptr().addr(), again.capacity()), (at, 1_000));
    }

    #[test]
    fn a_record_finds_its_bytes_again() {
        let window = *b"0123456789";
        let packet = Packet {
            time: Timestamp::default(),
            frame: hookscope::packet::Frame::new(0, 1),
            link_type: hookscope::packet::LinkType::RAW,
            interface: 0,
            wire_len: 9,
            data: &window[3..6],
        };
        assert_eq!(Record::of(&packet, &window).packet(&window).data, b"345");
        let empty = Packet { data: &[], ..packet };
        assert_eq!(Record::of(&empty, &window).packet(&window).data, b"");
    }
}
