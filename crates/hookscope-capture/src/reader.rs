//! Turns the bytes of one input, as they come in reads, into batches of packets; knows how far it is, and where the input
//! breaks off.
//!
//! Each batch has a buffer of its own, which is read into in place: nothing is copied but the front of a record that the
//! buffer ends within. Half a megabyte a batch stays in a core's second-level cache from the read on until its packets
//! were looked at; a map of the file would be waited for, line by line, at each of them.

use std::io::{self, Read};
use std::path::Path;

use hookscope::packet::{Batch, Packet};

use crate::compress::{Decoder, Input};
use crate::error::{InputError, NamedLinkType};
use crate::format::{HeaderError, Opened, Short, Stop, Walker};
use crate::summary::{FileSummary, Warning};

/// How many bytes of a batch are read, where no single record needs more.
const BATCH: usize = 512 << 10;

/// A file header is within the first so many bytes, or says how many more it needs.
const HEAD: usize = 4 << 10;

/// A read that gives less than this has emptied a pipe: whoever writes is slower than who reads.
const MUCH: usize = 16 << 10;

/// When a read is enough of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// A batch is filled up: nobody waits.
    Full,
    /// What one read gives of a pipe is handed on at once.
    AsItComes,
    /// The same, unless there is much of it: then a batch is filled up, even if that means waiting a little.
    InBulk,
}

/// How far one input is read.
pub(crate) struct Reader {
    decoder: Decoder,
    walker: Walker,
    pace: Pace,
    /// The length of a regular file when it was opened.
    length: Option<u64>,
    /// What was read behind the last record that was whole.
    rest: Vec<u8>,
    /// How many bytes come before that, decompressed.
    before: u64,
    /// How many bytes it takes to get on from there; 0 where that was not tried.
    wants: usize,
    /// Nothing is left to read.
    is_over: bool,
    /// What ended the input, where that was not its end.
    failed: Option<io::Error>,
    /// No packet is left.
    pub(crate) ended: bool,
    pub(crate) summary: FileSummary,
}

impl Reader {
    /// Reads the file header of the `index`-th input. A regular file has a `length`.
    ///
    /// # Errors
    ///
    /// [`InputError`] where nothing of it can be read.
    pub(crate) fn open(
        name: &str,
        index: u16,
        mut decoder: Decoder,
        length: Option<u64>,
    ) -> Result<Self, InputError> {
        let mut head = Vec::new();
        let (walker, start) = read_header(name, index, &mut decoder, &mut head)?;
        let rest = head.split_off(start.min(head.len()));
        Ok(Self {
            decoder,
            walker,
            pace: if length.is_some() { Pace::Full } else { Pace::AsItComes },
            length,
            rest,
            before: start as u64,
            wants: 0,
            is_over: false,
            failed: None,
            ended: false,
            summary: FileSummary { name: name.to_owned(), ..FileSummary::default() },
        })
    }

    /// Lets batches of a pipe be filled up where much comes.
    pub(crate) fn read_in_bulk(&mut self) {
        if self.pace == Pace::AsItComes {
            self.pace = Pace::InBulk;
        }
    }

    /// How many bytes of the input are read, as they are stored.
    pub(crate) fn consumed(&self) -> u64 {
        self.decoder.consumed()
    }

    /// Fills `batch` with the next packets, to whose interfaces `interfaces` is added. Where there are none, the input has
    /// ended.
    pub(crate) fn next(&mut self, interfaces: u16, batch: &mut Batch) {
        batch.truncate(0);
        while batch.is_empty() && !self.ended {
            let filled = self.fill(batch.buffer());
            let (bytes, mut found) = batch.split();
            let bytes = bytes.get(..filled).unwrap_or_default();
            let walked = self.walker.walk(bytes, &mut |packet| {
                found.push(Packet { interface: packet.interface.wrapping_add(interfaces), ..packet });
            });
            self.before += walked.consumed as u64;
            self.rest.extend_from_slice(bytes.get(walked.consumed..).unwrap_or_default());
            match walked.stop {
                Stop::Short(short) if !self.is_over => self.wants = short.wants,
                Stop::Short(short) => self.end(self.cut(&short)),
                Stop::Broken(why, done) => self.end(Some(self.place(done) + ": " + &why)),
            }
        }
    }

    /// Puts what is left of the last batch into `buffer`, and reads behind it. Gives back how many bytes are there.
    fn fill(&mut self, buffer: &mut Vec<u8>) -> usize {
        let size = self.wants.max(BATCH).max(self.rest.len());
        if buffer.len() != size {
            buffer.resize(size, 0);
            // A large record was an exception.
            buffer.shrink_to_fit();
        }
        let mut filled = self.rest.len();
        if let Some(front) = buffer.get_mut(..filled) {
            front.copy_from_slice(&self.rest);
        }
        self.rest.clear();
        self.rest.shrink_to(BATCH);
        // What came with the file header is looked at before more is waited for, and a buffer that is full is not read into.
        let is_full = |filled: usize| size - filled < Input::DIRECT;
        let mut is_enough = self.wants == 0 && (self.pace != Pace::Full || is_full(filled));
        while !(self.is_over || is_enough && filled >= self.wants) {
            match self.decoder.read(buffer.get_mut(filled..).unwrap_or_default()) {
                Ok(0) => self.is_over = true,
                Ok(count) => {
                    filled += count;
                    is_enough = match self.pace {
                        Pace::Full => is_full(filled),
                        Pace::AsItComes => true,
                        Pace::InBulk => is_full(filled) || count < MUCH,
                    };
                }
                Err(error) => (self.is_over, self.failed) = (true, Some(error)),
            }
        }
        filled
    }

    /// No more packets come; `why` goes on from where the input breaks off, if it does.
    fn end(&mut self, why: Option<String>) {
        self.ended = true;
        let Some(why) = why else { return };
        let (frames, summary) = (self.walker.frames(), &mut self.summary);
        summary.truncated = true;
        let after =
            if frames == 0 { "before its first packet".to_owned() } else { format!("after packet {frames}") };
        summary.warnings.push(Warning::new(&summary.name, format!("breaks off {after}{why}")));
    }

    /// Why the input ends in the middle of a record, or before the end that it had; nothing where it ends as it should.
    fn cut(&self, short: &Short) -> Option<String> {
        if let Some(error) = &self.failed {
            return Some(match self.decoder.name() {
                Some(name) => format!(": its {name} stream breaks at byte {}: {error}", self.consumed()),
                None => format!(": it cannot be read any further: {error}"),
            });
        }
        let now = self.consumed();
        if let Some(before) = self.length
            && now < before
            && self.decoder.name().is_none()
        {
            return Some(format!(": the file was cut from {before} to {now} bytes while it was read"));
        }
        let Short { what, whole, done, .. } = *short;
        let left = self.rest.len() as u64 + done;
        let is_file = self.length.is_some() || self.decoder.name().is_some();
        let whose = if is_file { "the file" } else { "the stream" };
        let place = self.place(done);
        (left > 0).then(|| format!("{place}: the {what} there needs {whole} bytes, {whose} has {left} left"))
    }

    /// Where a record begins of which `done` bytes are consumed.
    fn place(&self, done: u64) -> String {
        let at = self.before - done;
        match self.decoder.name() {
            Some(_) => format!(", at byte {at} of its decompressed content"),
            None => format!(", at byte {at}"),
        }
    }

    /// What was read of the input.
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

/// Reads the file header into `head`, and says where the records begin. There may be more in `head` than that.
fn read_header(
    name: &str,
    index: u16,
    decoder: &mut Decoder,
    head: &mut Vec<u8>,
) -> Result<(Walker, usize), InputError> {
    let path = || name.to_owned();
    loop {
        let (header, wants) = match Walker::open(index, head) {
            Ok(Opened::Ready(walker, start)) => return Ok((walker, start)),
            Ok(Opened::Short(header, wants)) => (header, wants),
            Err(HeaderError::NotACapture) => return Err(InputError::not_a_capture(name, head)),
            Err(HeaderError::Unreadable(what)) => return Err(InputError::Unreadable { path: path(), what }),
            Err(HeaderError::LinkType(link_type)) => {
                return Err(InputError::LinkType { path: path(), link_type: NamedLinkType(link_type) });
            }
        };
        let filled = head.len();
        head.resize(wants.max(HEAD), 0);
        let read = decoder.read(head.get_mut(filled..).unwrap_or_default());
        head.truncate(filled + read.as_ref().map_or(0, |count| *count));
        match (read, decoder.name()) {
            (Ok(0), _) if head.is_empty() => return Err(InputError::Empty { path: path() }),
            (Ok(0), _) => return Err(InputError::HeaderCut { path: path(), header, length: head.len() }),
            (Ok(_), _) => {}
            (Err(error), None) => return Err(InputError::from_io(name, error)),
            (Err(error), Some(compression)) => {
                return Err(InputError::Compressed { path: path(), compression, why: error.to_string() });
            }
        }
    }
}

/// The name of an input in messages.
pub(crate) fn name_of(path: &Path) -> String {
    if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() }
}

pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives so many bytes a read, then an error if it is `unplugged`.
    struct Pipe {
        bytes: Vec<u8>,
        each: usize,
        unplugged: bool,
    }

    impl Read for Pipe {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.each.min(out.len()).min(self.bytes.len());
            if count == 0 && self.unplugged {
                return Err(io::Error::other("unplugged"));
            }
            out[..count].copy_from_slice(&self.bytes[..count]);
            self.bytes.drain(..count);
            Ok(count)
        }
    }

    /// A capture of packets of these lengths, each of one byte over and over.
    fn capture(lengths: &[usize]) -> Vec<u8> {
        let mut bytes = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
        bytes.extend([0; 12]);
        bytes.extend(1_u32.to_le_bytes());
        for (number, length) in lengths.iter().enumerate() {
            bytes.extend([0, 0, *length as u32, *length as u32].map(u32::to_le_bytes).concat());
            bytes.resize(bytes.len() + length, number as u8);
        }
        bytes
    }

    fn open(bytes: Vec<u8>, each: usize, unplugged: bool, length: Option<u64>) -> Reader {
        let decoder = Decoder::new(Input::new(Pipe { bytes, each, unplugged })).unwrap();
        Reader::open("x", 0, decoder, length).unwrap()
    }

    /// How many packets each batch has, after a look at whether they are those of the file.
    fn batches(reader: &mut Reader) -> Vec<usize> {
        let (mut batch, mut counts, mut number) = (Batch::default(), Vec::new(), 0);
        loop {
            reader.next(7, &mut batch);
            if batch.is_empty() {
                return counts;
            }
            for packet in batch.packets() {
                assert!(packet.data.iter().all(|byte| *byte == number as u8), "packet {number}");
                number += 1;
                assert_eq!((packet.frame.number(), packet.interface), (number, 7));
            }
            counts.push(batch.len());
        }
    }

    #[test]
    fn a_pipe_is_handed_on_as_it_comes() {
        let bytes = capture(&[50; 10]);
        let mut reader = open(bytes, 24 + 2 * 66 + 9, false, None);
        assert_eq!(batches(&mut reader), [2, 2, 3, 2, 1]);
        assert!(!reader.summary.truncated);
    }

    #[test]
    fn a_pipe_that_gives_much_is_read_in_bulk() {
        let (count, each) = (20_000, 20_000);
        let all = |bulk: bool| {
            let mut reader = open(capture(&vec![50; count]), each, false, None);
            if bulk {
                reader.read_in_bulk();
            }
            batches(&mut reader)
        };
        assert!(all(false).len() > 50);
        let bulk = all(true);
        assert!(bulk.len() < 8, "{bulk:?}");
        assert_eq!(bulk.iter().sum::<usize>(), count);
    }

    #[test]
    fn a_file_comes_in_full_batches_whatever_its_records_and_reads_are() {
        let lengths: Vec<usize> = (0..3_000).map(|number| number * 83 % 1_500).chain([200_000; 6]).collect();
        let bytes = capture(&lengths);
        let mut reader = open(bytes.clone(), usize::MAX, false, Some(bytes.len() as u64));
        let large = batches(&mut reader);
        assert_eq!(large.iter().sum::<usize>(), lengths.len());
        assert!(large.len() < 10, "{large:?}");
        let mut reader = open(bytes.clone(), 61, false, Some(bytes.len() as u64));
        assert_eq!(batches(&mut reader).len(), large.len());
        assert!(!reader.summary.truncated);
    }

    #[test]
    fn an_error_comes_after_all_packets_before_it() {
        let mut reader = open(capture(&[50; 3]), 100, true, None);
        assert_eq!(batches(&mut reader).iter().sum::<usize>(), 3);
        let warning = reader.summary.warnings.first().unwrap().to_string();
        assert!(warning.contains("after packet 3: it cannot be read any further: unplugged"), "{warning}");
    }

    #[test]
    fn a_file_header_may_be_larger_than_a_batch() {
        for more in [BATCH - 40, BATCH - 28, BATCH, 2 * BATCH] {
            let length = 28 + more as u32;
            let mut bytes = vec![0x0a, 0x0d, 0x0d, 0x0a];
            bytes.extend([length, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX].map(u32::to_le_bytes).concat());
            bytes.resize(bytes.len() + more, 0);
            bytes.extend([length, 1, 20, 1, 0, 20].map(u32::to_le_bytes).concat());
            bytes.extend([6, 36, 0, 0, 0, 4, 4, 7, 36].map(u32::to_le_bytes).concat());
            for (each, length) in [(usize::MAX, Some(bytes.len() as u64)), (999, None)] {
                let mut reader = open(bytes.clone(), each, false, length);
                let mut batch = Batch::default();
                reader.next(0, &mut batch);
                assert_eq!(batch.len(), 1, "{more}");
                reader.next(0, &mut batch);
                assert!(batch.is_empty() && reader.ended && !reader.summary.truncated, "{more}");
            }
        }
    }

    #[test]
    fn a_record_that_is_larger_than_a_batch_is_read_whole() {
        // Two pcapng blocks that are no packets would do; a packet has at most a quarter of a megabyte.
        let mut section = vec![0x0a, 0x0d, 0x0d, 0x0a];
        section.extend([28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28].map(u32::to_le_bytes).concat());
        section.extend([1, 20, 1, 0, 20].map(u32::to_le_bytes).concat());
        let (data, length) = (vec![9; 2 * BATCH], 2 * BATCH as u32);
        let head = [6, length + 32, 0, 0, 0, length, length].map(u32::to_le_bytes).concat();
        let block = [head, data.clone(), (length + 32).to_le_bytes().to_vec()].concat();
        let bytes = [section, block.clone(), block].concat();
        let mut reader = open(bytes.clone(), usize::MAX, false, Some(bytes.len() as u64));
        let mut batch = Batch::default();
        for _ in 0..2 {
            reader.next(0, &mut batch);
            assert_eq!(batch.packets().map(|packet| packet.data.len()).collect::<Vec<_>>(), [data.len()]);
        }
        reader.next(0, &mut batch);
        assert!(batch.is_empty() && reader.ended && !reader.summary.truncated);
    }
}
