//! Turns one input, whatever it is, into batches of its packets in the order of the file.
//!
//! What was read but cannot be handed out yet, because packets of other inputs come before, waits here. Does not order
//! packets.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use hookscope::packet::{Batch, Packet};

use crate::compress::{Decoder, Input};
use crate::error::InputError;
use crate::reader::{Reader, is_stdin, name_of};
use crate::summary::FileSummary;

/// One input that is being read.
pub(crate) struct Source {
    index: u16,
    /// Which of the inputs that overlap in time it is.
    lane: u16,
    /// Its place among all inputs, by their first packets.
    rank: u16,
    /// The length of a regular file, which can be opened once more.
    file_length: Option<u64>,
    pub(crate) reader: Reader,
    waiting: Batch,
    /// How many of those that were waiting are handed out.
    taken: usize,
}

impl Source {
    /// Opens the `index`-th input and reads its file header.
    ///
    /// # Errors
    ///
    /// [`InputError`] where nothing of it can be read.
    pub(crate) fn open(path: &Path, index: u16) -> Result<Self, InputError> {
        let name = name_of(path);
        let (decoder, length, file_length) =
            if is_stdin(path) { standard_input(&name)? } else { open_file(&name, path)? };
        let reader = Reader::open(&name, index, decoder, length)?;
        let (lane, rank, waiting, taken) = (0, 0, Batch::default(), 0);
        Ok(Self { index, lane, rank, file_length, reader, waiting, taken })
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

    /// Whether no packet is left, neither waiting nor to be read.
    pub(crate) const fn is_done(&self) -> bool {
        self.reader.ended && self.waiting.len() == self.taken
    }

    /// The `place`-th of the packets that wait, from 0.
    pub(crate) fn waiting(&self, place: usize) -> Option<Packet<'_>> {
        self.waiting.get(self.taken + place)
    }

    /// Lets `packets` wait, for those that waited before and were all handed out.
    pub(crate) fn keep(&mut self, packets: Batch) {
        (self.waiting, self.taken) = (packets, 0);
    }

    /// Reads until a packet waits or the input ends.
    pub(crate) fn fill(&mut self) {
        if self.waiting.len() == self.taken && !self.reader.ended {
            self.taken = 0;
            self.reader.next(0, &mut self.waiting);
        }
    }

    /// Notes that `packets` of those that wait were handed out.
    pub(crate) const fn handed_out(&mut self, packets: usize) {
        self.reader.summary.packets += packets as u64;
        self.taken += packets;
    }

    /// What was read of it.
    pub(crate) fn into_summary(self) -> FileSummary {
        self.reader.into_summary()
    }
}

/// What is read, how long it is where that is known, and the same for what can be opened again.
type Opened = (Decoder, Option<u64>, Option<u64>);

fn open_file(name: &str, path: &Path) -> Result<Opened, InputError> {
    let opened = File::open(path).and_then(|file| file.metadata().map(|metadata| (file, metadata)));
    let (file, metadata) = opened.map_err(|error| InputError::from_io(name, error))?;
    if metadata.is_dir() {
        return Err(InputError::IsDirectory { path: name.to_owned() });
    }
    if !metadata.is_file() {
        widen(&file);
        return Ok((decoder(name, file)?, None, None));
    }
    if metadata.len() == 0 {
        return Err(InputError::Empty { path: name.to_owned() });
    }
    let length = Some(metadata.len());
    // Whoever still writes it may write faster than it is read.
    Ok((decoder(name, file.take(metadata.len()))?, length, length))
}

fn standard_input(name: &str) -> Result<Opened, InputError> {
    widen(&io::stdin());
    Ok((decoder(name, io::stdin())?, redirected(), None))
}

/// How much of a regular file standard input has, where it is one.
fn redirected() -> Option<u64> {
    #[cfg(unix)]
    {
        use std::io::Seek;
        use std::os::fd::AsFd;
        let mut file = File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
        let length = file.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
        length.checked_sub(file.stream_position().ok()?)
    }
    #[cfg(not(unix))]
    None
}

/// Has a pipe hold a megabyte, as much as the system gives to everybody: whoever writes goes on while a batch is looked at,
/// and one read brings enough to share out among threads. What is no pipe stays as it is.
fn widen(#[cfg(unix)] pipe: &impl std::os::fd::AsFd, #[cfg(not(unix))] _: &impl Read) {
    #[cfg(target_os = "linux")]
    let _ = nix::fcntl::fcntl(pipe, nix::fcntl::FcntlArg::F_SETPIPE_SZ(1 << 20));
    #[cfg(all(unix, not(target_os = "linux")))]
    let _ = pipe;
}

fn decoder(name: &str, input: impl Read + Send + 'static) -> Result<Decoder, InputError> {
    Decoder::new(Input::new(input)).map_err(|error| InputError::from_io(name, error))
}
