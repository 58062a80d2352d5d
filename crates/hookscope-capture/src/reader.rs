//! Walks over the bytes of one input, wherever they are, and knows how far it is and where the input breaks off.
//!
//! Apart from the bytes themselves, so that packets can be borrowed from a map while the walk over it goes on.

use hookscope::packet::Packet;

use crate::ahead;
use crate::error::{InputError, NamedLinkType};
use crate::format::{Short, Stop, Walker};
use crate::map::MappedFile;
use crate::stream::Window;
use crate::summary::{FileSummary, Warning};

/// How many bytes of a map are made ready at a time.
const AHEAD: usize = 2 << 20;

/// How many bytes around a page the system maps with it, for more than what is usual.
const NEIGHBOURS: usize = 128 << 10;

/// Where an input's bytes are.
#[derive(Clone, Copy)]
pub(crate) enum Bytes<'a> {
    Mapped(&'a MappedFile),
    Streamed(&'a Window),
}

impl<'a> Bytes<'a> {
    /// Those that are there now.
    pub(crate) fn window(self) -> &'a [u8] {
        match self {
            Self::Mapped(map) => map.bytes(),
            Self::Streamed(window) => window.bytes(),
        }
    }

    /// Whether nothing follows the window.
    const fn ended(self) -> bool {
        match self {
            Self::Mapped(_) => true,
            Self::Streamed(window) => window.ended(),
        }
    }

    /// How many bytes of the input are used, as they are stored, when `start` of the window are.
    pub(crate) fn consumed(self, start: usize) -> u64 {
        match self {
            Self::Mapped(_) => start as u64,
            Self::Streamed(window) => window.consumed(),
        }
    }

    /// What to say where bytes from `start` to `end` may not have been those of the file.
    pub(crate) fn lost(self, name: &str, start: usize, end: usize) -> Option<InputError> {
        let Self::Mapped(map) = self else { return None };
        map.lost(start, end).map(|why| InputError::Lost { path: name.to_owned(), why })
    }
}

/// How far one input is read.
pub(crate) struct Reader {
    walker: Walker,
    /// The first byte of the window that is not walked over.
    pub(crate) start: usize,
    /// The first byte of a map that was not let go of.
    released: usize,
    /// Up to where the pages of a map are ready.
    populated: usize,
    /// How many bytes from `start` are needed to go on; 0 where there is more to walk.
    pub(crate) wants: usize,
    pub(crate) ended: bool,
    /// The first byte of a map that was not handed out, or not found to be there afterwards.
    checked: usize,
    pub(crate) summary: FileSummary,
}

impl Reader {
    /// At `start` of an input of that name, after its header.
    pub(crate) fn new(name: String, walker: Walker, start: usize) -> Self {
        let summary = FileSummary { name, ..FileSummary::default() };
        Self { walker, start, released: 0, populated: 0, wants: 0, ended: false, checked: 0, summary }
    }

    /// Appends the next packets to `packets`, until that has `room`. None come where the input has ended, or where a
    /// stream has to be read further first.
    pub(crate) fn walk<'a>(&mut self, bytes: Bytes<'a>, room: usize, packets: &mut Vec<Packet<'a>>) {
        if self.ended {
            return;
        }
        let rest = bytes.window().get(self.start..).unwrap_or_default();
        let Self { walker, start, populated, .. } = self;
        let walked = match bytes {
            Bytes::Mapped(map) => ahead::walk(walker, rest, room, packets, &mut |end| {
                // The pages that the walk comes to, before it does.
                if *start + end > *populated {
                    *populated = (*populated).max(*start);
                    map.populate(*populated, *populated + AHEAD);
                    *populated += AHEAD;
                }
            }),
            // What was just read is in the cache.
            Bytes::Streamed(_) => walker.walk(rest, room, packets),
        };
        self.start += walked.consumed;
        let end = match walked.stop {
            Stop::Full => None,
            Stop::Short(short) if !bytes.ended() => {
                self.wants = short.wants;
                None
            }
            Stop::Short(short) => Some(cut(bytes, self.start, &short)),
            Stop::Broken(why, done) => Some(Some(place(bytes, self.start, done) + ": " + &why)),
        };
        self.ended = end.is_some();
        if let Some(why) = end.flatten() {
            self.truncate(&why);
        }
    }

    /// Lets go of a map's pages up to `done`, and ends the input where the file ends earlier now.
    pub(crate) fn let_go(&mut self, map: &MappedFile, done: usize) {
        // What is touched brings its neighbours with it: those before the last pages that were let go of.
        map.release(self.released.saturating_sub(NEIGHBOURS), done);
        self.released = done;
        if let Some(now) = map.shrunk_to()
            && !self.ended
        {
            let before = map.bytes().len();
            self.ended = true;
            self.truncate(&format!(": the file was cut from {before} to {now} bytes while it was read"));
        }
    }

    /// Has an error where bytes that were handed out, or walked over, may not have been those of the file. To be asked
    /// once those up to `done` were used.
    ///
    /// # Errors
    ///
    /// [`InputError::Lost`].
    pub(crate) fn check(&mut self, bytes: Bytes<'_>, done: usize) -> Result<(), InputError> {
        if let Some(error) = bytes.lost(&self.summary.name, self.checked, self.start) {
            return Err(error);
        }
        self.checked = self.checked.max(done);
        Ok(())
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

    /// Notes that the input breaks off here; `place` goes on from there.
    fn truncate(&mut self, place: &str) {
        let (frames, summary) = (self.walker.frames(), &mut self.summary);
        summary.truncated = true;
        let after =
            if frames == 0 { "before its first packet".to_owned() } else { format!("after packet {frames}") };
        summary.warnings.push(Warning::new(&summary.name, format!("breaks off {after}{place}")));
    }
}

/// Why an input ends in the middle of a record; nothing where it ends as it should.
fn cut(bytes: Bytes<'_>, start: usize, short: &Short) -> Option<String> {
    if let Bytes::Streamed(stream) = bytes
        && let Some(error) = stream.failed()
    {
        return Some(match stream.compression() {
            Some(name) => {
                format!(": its {name} stream breaks at byte {}: {error}", stream.consumed())
            }
            None => format!(": it cannot be read any further: {error}"),
        });
    }
    let left = bytes.window().len().saturating_sub(start) as u64 + short.done;
    let Short { what, whole, done, .. } = *short;
    let whose = match bytes {
        Bytes::Streamed(stream) if stream.compression().is_none() => "the stream",
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
fn place(bytes: Bytes<'_>, start: usize, done: u64) -> String {
    match bytes {
        Bytes::Mapped(_) => format!(", at byte {}", start as u64 - done),
        Bytes::Streamed(stream) => {
            let at = stream.before() + start as u64 - done;
            match stream.compression() {
                Some(_) => format!(", at byte {at} of its decompressed content"),
                None => format!(", at byte {at}"),
            }
        }
    }
}
