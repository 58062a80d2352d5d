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

use crate::ahead;
use crate::compress::{Decoder, Input};
use crate::error::{InputError, NamedLinkType};
use crate::format::{HeaderError, Opened, Short, Stop, Walker};
use crate::map::MappedFile;
use crate::stream::Stream;
use crate::summary::{FileSummary, Warning};

/// How many bytes of a map are made ready at a time.
const AHEAD: usize = 2 << 20;

/// How many bytes around a page the system maps with it, for more than what is usual.
const NEIGHBOURS: usize = 128 << 10;

/// Where an input's bytes are.
enum Bytes {
    Mapped(MappedFile),
    Streamed(Stream),
}

impl Bytes {
    fn window(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map.bytes(),
            Self::Streamed(stream) => stream.window(),
        }
    }

    /// Whether nothing follows the window.
    const fn ended(&self) -> bool {
        match self {
            Self::Mapped(_) => true,
            Self::Streamed(stream) => stream.ended(),
        }
    }

    /// How many bytes of the input are used, as they are stored, when `start` of the window are.
    fn consumed(&self, start: usize) -> u64 {
        match self {
            Self::Mapped(_) => start as u64,
            Self::Streamed(stream) => stream.decoder().consumed(),
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
    bytes: Bytes,
    /// The length of a regular file, which can be opened once more.
    file_length: Option<u64>,
    walker: Walker,
    /// The first byte of the window that is not walked over.
    start: usize,
    /// The first byte of a map that was not let go of.
    released: usize,
    /// Up to where the pages of a map are ready.
    populated: usize,
    /// Up to where the bytes of a map are in the cache.
    brought_in: usize,
    /// How many bytes from there are needed to go on; 0 where there is more to walk.
    wants: usize,
    ended: bool,
    /// The first byte of a map that was not handed out, or not found to be there afterwards.
    checked: usize,
    pending: Vec<Record>,
    /// Room for packets, kept from one walk ahead to the next.
    spare: Vec<Packet<'static>>,
    summary: FileSummary,
}

/// Bytes that will be walked over next, and are not in the cache yet.
pub(crate) struct Next<'a> {
    map: &'a MappedFile,
    start: usize,
    end: usize,
}

impl Next<'_> {
    /// Brings them into the cache. Gives back where they end.
    pub(crate) fn bring_in(&self) -> usize {
        self.map.populate(self.start, self.end);
        ahead::bring_in(self.map.bytes().get(self.start..self.end).unwrap_or_default());
        self.end
    }
}

/// What [`Source::walk`] walked over.
pub(crate) struct Walk<'a> {
    /// The bytes that the packets borrow.
    pub(crate) window: &'a [u8],
    /// How many bytes of the input are used now, as they are stored.
    pub(crate) consumed: u64,
    /// What comes next, about as much again, of a file that is mapped.
    pub(crate) next: Option<Next<'a>>,
}

impl Source {
    /// Opens the `index`-th input and reads its file header.
    ///
    /// # Errors
    ///
    /// [`InputError`] where nothing of it can be read.
    pub(crate) fn open(path: &Path, index: u16) -> Result<Self, InputError> {
        let name = name_of(path);
        let (mut bytes, file_length) =
            if is_stdin(path) { (stream(&name, io::stdin(), true)?, None) } else { open_file(&name, path)? };
        let (walker, start) = match read_header(&name, index, &mut bytes) {
            Ok(header) => header,
            // What is wrong with a header may be that it was cut away.
            Err(error) => return Err(lost(&bytes, &name, 0, usize::MAX).unwrap_or(error)),
        };
        let summary = FileSummary { name, ..FileSummary::default() };
        let (pending, spare) = (Vec::new(), Vec::new());
        let (lane, rank, wants, ended) = (0, 0, 0, false);
        Ok(Self {
            index,
            lane,
            rank,
            bytes,
            file_length,
            walker,
            start,
            released: 0,
            populated: 0,
            brought_in: 0,
            wants,
            ended,
            checked: 0,
            pending,
            spare,
            summary,
        })
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
        self.bytes.consumed(self.start)
    }

    /// Whether no packet is left to walk over. There may still be pending records.
    pub(crate) const fn ended(&self) -> bool {
        self.ended
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
        self.bytes.window()
    }

    /// Notes that `packets` more were handed out, of which `pending` were pending.
    pub(crate) fn handed_out(&mut self, packets: usize, pending: usize) {
        self.summary.packets += packets as u64;
        self.pending.drain(..pending.min(self.pending.len()));
    }

    /// Gets the bytes that the last walk lacked. To be called before each walk, when nothing is pending.
    pub(crate) fn fill(&mut self) {
        match &mut self.bytes {
            Bytes::Mapped(map) => {
                // What is touched brings its neighbours with it: those before the last pages that were let go of.
                map.release(self.released.saturating_sub(NEIGHBOURS), self.start);
                self.released = self.start;
                if let Some(now) = map.shrunk_to() {
                    let before = map.bytes().len();
                    self.break_off(&format!(
                        "the file was cut from {before} to {now} bytes while it was read"
                    ));
                }
            }
            Bytes::Streamed(stream) => {
                if self.wants > 0 {
                    stream.refill(self.start, self.wants);
                    (self.start, self.wants) = (0, 0);
                }
            }
        }
    }

    /// Appends the next packets to `packets`, until that has `room`. None come where the input has ended, or where
    /// [`Self::fill`] has to get more first.
    pub(crate) fn walk<'a>(&'a mut self, room: usize, packets: &mut Vec<Packet<'a>>) -> Walk<'a> {
        let Self { bytes, walker, start, populated, brought_in, wants, ended, summary, .. } = self;
        let bytes: &'a Bytes = bytes;
        let window = bytes.window();
        let before = *start;
        if !*ended {
            let rest = window.get(*start..).unwrap_or_default();
            let walked = match bytes {
                Bytes::Mapped(map) if *brought_in <= *start => {
                    ahead::walk(walker, rest, room, packets, &mut |end| {
                        // The pages that the walk comes to, before it does.
                        if *start + end > *populated {
                            *populated = (*populated).max(*start);
                            map.populate(*populated, *populated + AHEAD);
                            *populated += AHEAD;
                        }
                    })
                }
                // What was just read, or brought in, is in the cache.
                _ => walker.walk(rest, room, packets),
            };
            *start += walked.consumed;
            let end = match walked.stop {
                Stop::Full => None,
                Stop::Short(short) if !bytes.ended() => {
                    *wants = short.wants;
                    None
                }
                Stop::Short(short) => Some(cut(bytes, *start, &short)),
                Stop::Broken(why, done) => Some(Some(place(bytes, *start, done) + ": " + &why)),
            };
            *ended = end.is_some();
            if let Some(why) = end.flatten() {
                truncate(summary, walker.frames(), &why);
            }
        }
        let next = match bytes {
            Bytes::Mapped(map) if !*ended => {
                let end = (*start + (*start - before)).min(window.len());
                Some(Next { map, start: *start, end })
            }
            _ => None,
        };
        Walk { window, consumed: bytes.consumed(*start), next }
    }

    /// The bytes up to `end` are in the cache.
    pub(crate) const fn brought_in(&mut self, end: usize) {
        self.brought_in = end;
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
        if let Some(error) = lost(&self.bytes, &self.summary.name, self.checked, self.start) {
            return Err(error);
        }
        if self.pending.is_empty() {
            self.checked = self.start;
        }
        Ok(())
    }

    /// Ends the input here.
    fn break_off(&mut self, why: &str) {
        if !self.ended {
            self.ended = true;
            truncate(&mut self.summary, self.walker.frames(), &format!(": {why}"));
        }
    }

    /// What was read of it.
    pub(crate) fn into_summary(self) -> FileSummary {
        let mut summary = self.summary;
        summary.link_types = self.walker.link_types().to_vec();
        for link_type in summary.link_types.iter().filter(|link_type| !link_type.is_supported()) {
            let link_type = NamedLinkType(*link_type);
            let what = format!("packets of link type {link_type} are counted, but not looked into");
            summary.warnings.push(Warning::new(&summary.name, what));
        }
        summary
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
fn open_file(name: &str, path: &Path) -> Result<(Bytes, Option<u64>), InputError> {
    let opened = File::open(path).and_then(|file| file.metadata().map(|metadata| (file, metadata)));
    let (file, metadata) = opened.map_err(|error| InputError::from_io(name, error))?;
    if metadata.is_dir() {
        return Err(InputError::IsDirectory { path: name.to_owned() });
    }
    if !metadata.is_file() {
        return Ok((stream(name, file, true)?, None));
    }
    if metadata.len() == 0 {
        return Err(InputError::Empty { path: name.to_owned() });
    }
    let length = Some(metadata.len());
    // Where a file system cannot map, it can still be read.
    let map = file.try_clone().and_then(MappedFile::new).ok();
    match map.filter(|map| !Decoder::recognises(map.bytes())) {
        Some(map) => Ok((Bytes::Mapped(map), length)),
        None => Ok((stream(name, file, false)?, length)),
    }
}

/// What to say where bytes from `start` to `end` may not have been those of the file.
fn lost(bytes: &Bytes, name: &str, start: usize, end: usize) -> Option<InputError> {
    let Bytes::Mapped(map) = bytes else { return None };
    map.lost(start, end).map(|why| InputError::Lost { path: name.to_owned(), why })
}

/// Reads `input` as a stream, decompressed.
fn stream(name: &str, input: impl io::Read + Send + 'static, live: bool) -> Result<Bytes, InputError> {
    let decoder = Decoder::new(Input::new(input)).map_err(|error| InputError::from_io(name, error))?;
    Ok(Bytes::Streamed(Stream::new(decoder, live)))
}

/// Reads the file header, and says where the records begin.
fn read_header(name: &str, index: u16, bytes: &mut Bytes) -> Result<(Walker, usize), InputError> {
    let path = || name.to_owned();
    loop {
        let (header, wants) = match Walker::open(index, bytes.window()) {
            Ok(Opened::Ready(walker, start)) => return Ok((walker, start)),
            Ok(Opened::Short(header, wants)) => (header, wants),
            Err(HeaderError::NotACapture) => return Err(InputError::not_a_capture(name, bytes.window())),
            Err(HeaderError::Unreadable(what)) => return Err(InputError::Unreadable { path: path(), what }),
            Err(HeaderError::LinkType(link_type)) => {
                return Err(InputError::LinkType { path: path(), link_type: NamedLinkType(link_type) });
            }
        };
        match bytes {
            Bytes::Streamed(stream) if !stream.ended() => stream.refill(0, wants),
            _ => {
                if let Bytes::Streamed(stream) = bytes
                    && let Some(error) = stream.failed()
                {
                    return Err(match stream.decoder().name() {
                        Some(compression) => {
                            InputError::Compressed { path: path(), compression, why: error.to_string() }
                        }
                        None => InputError::from_io(name, io::Error::new(error.kind(), error.to_string())),
                    });
                }
                return Err(match bytes.window().len() {
                    0 => InputError::Empty { path: path() },
                    length => InputError::HeaderCut { path: path(), header, length },
                });
            }
        }
    }
}

/// Why an input ends in the middle of a record; nothing where it ends as it should.
fn cut(bytes: &Bytes, start: usize, short: &Short) -> Option<String> {
    if let Bytes::Streamed(stream) = bytes
        && let Some(error) = stream.failed()
    {
        return Some(match stream.decoder().name() {
            Some(name) => {
                format!(": its {name} stream breaks at byte {}: {error}", stream.decoder().consumed())
            }
            None => format!(": it cannot be read any further: {error}"),
        });
    }
    let left = bytes.window().len().saturating_sub(start) as u64 + short.done;
    let Short { what, whole, done, .. } = *short;
    let whose = match bytes {
        Bytes::Streamed(stream) if stream.decoder().name().is_none() => "the stream",
        _ => "the file",
    };
    (left > 0).then(|| {
        format!(
            "{}: the {what} there needs {whole} bytes, {whose} has {left} left",
            place(bytes, start, done)
        )
    })
}

/// Where a record begins of which `done` bytes lie before `start`.
fn place(bytes: &Bytes, start: usize, done: u64) -> String {
    match bytes {
        Bytes::Mapped(_) => format!(", at byte {}", start as u64 - done),
        Bytes::Streamed(stream) => {
            let at = stream.before() + start as u64 - done;
            match stream.decoder().name() {
                Some(_) => format!(", at byte {at} of its decompressed content"),
                None => format!(", at byte {at}"),
            }
        }
    }
}

/// Notes that the input breaks off after that many frames; `place` goes on from there.
fn truncate(summary: &mut FileSummary, frames: u64, place: &str) {
    summary.truncated = true;
    let after =
        if frames == 0 { "before its first packet".to_owned() } else { format!("after packet {frames}") };
    summary.warnings.push(Warning::new(&summary.name, format!("breaks off {after}{place}")));
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
