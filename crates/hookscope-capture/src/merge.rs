//! Turns several inputs into one capture in time order, and a single one into itself.
//!
//! Of inputs that overlap in time each has interfaces of its own: several may show the same packet. The files of a ring
//! go on where another ended, and share them.
//!
//! A k-way merge by the time of each input's next packet. Of equal times that of the input which began first is first (a
//! ring may be cut between two such packets), then the earlier input's; within an input packets never change places. An
//! input waits, closed, until the merge comes to the time of its first packet, so the files of a ring are read one after
//! the other, in whatever order they are given: memory is that of the inputs which overlap in time, and while there is
//! only one, no packet is compared with any other's.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use hookscope::packet::{Batch, Packet};
use hookscope::time::Timestamp;

use crate::error::InputError;
use crate::feed::Feed;
use crate::read::Progress;
use crate::reader::name_of;
use crate::source::Source;
use crate::summary::FileSummary;

/// A packet's place in the merge: its time, then the rank of its input.
pub(crate) type Key = (Timestamp, u16);

/// Who takes packets.
pub(crate) trait Sink {
    /// Takes packets, which it may borrow until it returns.
    fn batch(&mut self, packets: &[Packet<'_>], at: Progress) -> ControlFlow<()>;

    /// Whether it says nothing before the end, so that packets of a pipe may wait for more.
    fn is_patient(&self) -> bool {
        false
    }

    /// Takes all that the only input which is due has for now, in batches of at most `room` packets.
    fn alone(&mut self, feed: &mut Feed<'_>, room: usize) -> ControlFlow<()> {
        let mut batch = Batch::default();
        while let Some(at) = feed.next(&mut batch) {
            let packets: Vec<Packet<'_>> = batch.packets().collect();
            for packets in packets.chunks(room) {
                feed.taken(packets.len());
                self.batch(packets, at)?;
            }
        }
        ControlFlow::Continue(())
    }
}

impl<F: FnMut(&[Packet<'_>], Progress) -> ControlFlow<()>> Sink for F {
    fn batch(&mut self, packets: &[Packet<'_>], at: Progress) -> ControlFlow<()> {
        self(packets, at)
    }
}

/// An input whose time has not come.
enum Waiting {
    /// A file, to be opened again.
    File(PathBuf, u16),
    /// A pipe, which can be opened only once, with what was read of it.
    Pipe(Box<Source>),
}

/// Inputs that are being merged.
pub(crate) struct Merge {
    /// How many packets a batch has at most.
    room: usize,
    /// By first packet, the last to come first.
    waiting: Vec<(Key, Waiting)>,
    active: Vec<Source>,
    done: Vec<Option<FileSummary>>,
    /// Bytes of the inputs that are done.
    consumed: u64,
    /// Bytes of all inputs, where they are all files.
    total: Option<u64>,
}

impl Merge {
    /// Opens all of `paths`, for batches of at most `room` packets.
    ///
    /// # Errors
    ///
    /// [`InputError`] for the first that cannot be read.
    pub(crate) fn open(paths: &[impl AsRef<Path>], room: usize) -> Result<Self, InputError> {
        let (waiting, active) = (Vec::new(), Vec::new());
        let done = paths.iter().map(|_| None).collect();
        let mut merge = Self { room, waiting, active, done, consumed: 0, total: Some(0) };
        for (index, path) in (0..=u16::MAX).zip(paths) {
            let path = path.as_ref();
            let source = Source::open(path, index)?;
            merge.total = merge.total.zip(source.file_length()).map(|(total, length)| total + length);
            if paths.len() == 1 {
                merge.active.push(source);
            } else {
                merge.wait(source, path);
            }
        }
        merge.waiting.sort_unstable_by_key(|(key, _)| Reverse(*key));
        for (rank, ((_, place), _)) in (0..=u16::MAX).zip(merge.waiting.iter_mut().rev()) {
            *place = rank;
        }
        Ok(merge)
    }

    /// Finds the time of the first packet of `source`, and lets it wait for that.
    fn wait(&mut self, mut source: Source, path: &Path) {
        source.fill();
        let Some(first) = source.waiting(0) else {
            return self.finish(source);
        };
        let key = (first.time, source.index());
        let waiting = match source.file_length() {
            Some(_) => Waiting::File(path.to_owned(), source.index()),
            None => Waiting::Pipe(Box::new(source)),
        };
        self.waiting.push((key, waiting));
    }

    /// Hands all packets to `sink`, batch by batch, until it breaks.
    ///
    /// # Errors
    ///
    /// [`InputError`] where a file that was waiting cannot be opened again.
    pub(crate) fn run(&mut self, sink: &mut impl Sink) -> Result<(), InputError> {
        loop {
            self.activate()?;
            let flow = match self.active.as_slice() {
                [] => return Ok(()),
                [only] if only.waiting(0).is_none() => self.step_alone(sink),
                _ => self.step_merging(sink),
            };
            self.retire();
            if flow.is_break() {
                return Ok(());
            }
        }
    }

    /// What was read, in the order of the inputs. Of inputs whose time did not come, because the sink broke, nothing.
    pub(crate) fn into_summaries(mut self, paths: &[impl AsRef<Path>]) -> Vec<FileSummary> {
        for source in std::mem::take(&mut self.active) {
            self.finish(source);
        }
        let named = |path: &Path| FileSummary { name: name_of(path), ..FileSummary::default() };
        let done = self.done.into_iter().zip(paths);
        done.map(|(summary, path)| summary.unwrap_or_else(|| named(path.as_ref()))).collect()
    }

    /// Opens the inputs whose first packet is due: always one, if none is active.
    fn activate(&mut self) -> Result<(), InputError> {
        while let Some((key, _)) = self.waiting.last() {
            let heads = self.active.iter().map(|source| head(source, 0));
            // An active source with nothing pending has not said yet what comes next: it goes on first.
            if heads.min().is_some_and(|next| next.is_none_or(|next| next < *key)) {
                break;
            }
            match self.waiting.pop() {
                Some(((_, rank), Waiting::File(path, index))) => {
                    self.enter(Source::open(&path, index)?, rank)
                }
                Some(((_, rank), Waiting::Pipe(source))) => self.enter(*source, rank),
                None => {}
            }
        }
        Ok(())
    }

    /// Makes `source` active, in the first lane that is free.
    fn enter(&mut self, mut source: Source, rank: u16) {
        let is_free = |lane: &u16| self.active.iter().all(|other| other.lane() != *lane);
        source.enter((0..u16::MAX).find(is_free).unwrap_or_default(), rank);
        self.active.push(source);
    }

    /// Hands on what the only active input gives, as it is, up to the first packet before which another is due.
    fn step_alone(&mut self, sink: &mut impl Sink) -> ControlFlow<()> {
        let due = self.waiting.last().map(|(key, _)| *key);
        let progress = Progress { consumed: self.consumed, total: self.total };
        let Some(source) = self.active.first_mut() else { return ControlFlow::Continue(()) };
        let (rank, interfaces) = (source.rank(), source.interfaces());
        let reader = &mut source.reader;
        if sink.is_patient() {
            reader.read_in_bulk();
        }
        let (later, over) = (Batch::default(), false);
        let mut feed = Feed { reader, rank, interfaces, due, progress, later, over };
        let flow = sink.alone(&mut feed, self.room);
        let later = feed.later;
        source.keep(later);
        flow
    }

    /// Hands on the next packets of several inputs in time order: until there are enough, another input is due, or one has
    /// to be read further before it is known what comes next.
    fn step_merging(&mut self, sink: &mut impl Sink) -> ControlFlow<()> {
        self.active.iter_mut().for_each(Source::fill);
        let due = self.waiting.last().map(|(key, _)| *key);
        let mut taken = vec![0; self.active.len()];
        let mut packets = Vec::new();
        take_in_order(&self.active, due, self.room, &mut taken, &mut packets);
        let progress = self.progress();
        let flow =
            if packets.is_empty() { ControlFlow::Continue(()) } else { sink.batch(&packets, progress) };
        for (source, taken) in self.active.iter_mut().zip(taken) {
            source.handed_out(taken);
        }
        flow
    }

    /// Takes the inputs that have nothing left out of the merge.
    fn retire(&mut self) {
        let (over, active) = std::mem::take(&mut self.active).into_iter().partition(Source::is_done);
        self.active = active;
        let over: Vec<Source> = over;
        over.into_iter().for_each(|source| self.finish(source));
    }

    fn finish(&mut self, source: Source) {
        self.consumed += source.reader.consumed();
        let index = usize::from(source.index());
        if let Some(done) = self.done.get_mut(index) {
            *done = Some(source.into_summary());
        }
    }

    fn progress(&self) -> Progress {
        let active: u64 = self.active.iter().map(|source| source.reader.consumed()).sum();
        Progress { consumed: self.consumed + active, total: self.total }
    }
}

/// Where the packet of `source` that comes after `taken` waiting ones belongs; nothing where that is not known yet.
fn head(source: &Source, taken: usize) -> Option<Key> {
    source.waiting(taken).map(|packet| (packet.time, source.rank()))
}

/// Takes waiting packets in time order, counting them in `taken`, input by input.
///
/// From the input that is next, as many are taken as come before the next of any other: where inputs take turns
/// seldom, the heap is used seldom.
fn take_in_order<'a>(
    active: &'a [Source],
    due: Option<Key>,
    room: usize,
    taken: &mut [usize],
    packets: &mut Vec<Packet<'a>>,
) {
    let heads =
        active.iter().enumerate().filter_map(|(slot, source)| Some(Reverse((head(source, 0)?, slot))));
    let mut heads: BinaryHeap<Reverse<(Key, usize)>> = heads.collect();
    while let Some(Reverse((key, slot))) = heads.pop() {
        let (Some(source), Some(taken)) = (active.get(slot), taken.get_mut(slot)) else { return };
        let other = heads.peek().map(|Reverse((key, _))| *key);
        let until = due.into_iter().chain(other).min();
        if due.is_some_and(|due| due < key) {
            return;
        }
        while let Some(packet) = source.waiting(*taken) {
            if packets.len() >= room {
                return;
            }
            if until.is_some_and(|until| until < (packet.time, source.rank())) {
                break;
            }
            let interface = packet.interface.wrapping_add(source.interfaces());
            packets.push(Packet { interface, ..packet });
            *taken += 1;
        }
        match head(source, *taken) {
            Some(next) => heads.push(Reverse((next, slot))),
            None if source.reader.ended => {}
            None => return,
        }
    }
}
