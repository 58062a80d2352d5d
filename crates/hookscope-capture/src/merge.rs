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
use std::collections::{BinaryHeap, VecDeque};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use hookscope::packet::Packet;
use hookscope::time::Timestamp;

use crate::error::InputError;
use crate::feed::Feed;
use crate::read::Progress;
use crate::source::{Record, Source, Walk, name_of, recycle};
use crate::summary::FileSummary;

/// A packet's place in the merge: its time, then the rank of its input.
pub(crate) type Key = (Timestamp, u16);

/// Who takes packets.
pub(crate) trait Sink {
    /// Takes a batch, which it may borrow until it returns.
    fn batch(&mut self, packets: &[Packet<'_>], at: Progress) -> ControlFlow<()>;

    /// Whether the next bytes of a stream may be waited for while it takes a batch: it says nothing before the end.
    fn reads_ahead(&self) -> bool {
        false
    }

    /// Takes all that a map has for now.
    fn map(&mut self, feed: &mut Feed<'_>) -> ControlFlow<()> {
        let mut packets = Vec::new();
        while let Some(at) = feed.next(0, &mut packets) {
            hand_out(&packets, at, self)?;
            packets.clear();
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
                merge.wait(source, path)?;
            }
        }
        merge.waiting.sort_unstable_by_key(|(key, _)| Reverse(*key));
        for (rank, ((_, place), _)) in (0..=u16::MAX).zip(merge.waiting.iter_mut().rev()) {
            *place = rank;
        }
        Ok(merge)
    }

    /// Finds the time of the first packet of `source`, and lets it wait for that.
    fn wait(&mut self, mut source: Source, path: &Path) -> Result<(), InputError> {
        while source.pending().is_empty() && !source.ended() {
            source.fill();
            source.walk_ahead(1);
        }
        source.check()?;
        let Some(first) = source.pending().first() else {
            self.finish(source);
            return Ok(());
        };
        let key = (first.time(), source.index());
        let waiting = match source.file_length() {
            Some(_) => Waiting::File(path.to_owned(), source.index()),
            None => Waiting::Pipe(Box::new(source)),
        };
        self.waiting.push((key, waiting));
        Ok(())
    }

    /// Hands all packets to `sink`, batch by batch, until it breaks.
    ///
    /// # Errors
    ///
    /// [`InputError`] where a file that was waiting cannot be opened again, or was cut while it was read.
    pub(crate) fn run(&mut self, sink: &mut impl Sink) -> Result<(), InputError> {
        let mut spare = Vec::new();
        loop {
            self.activate()?;
            let flow = match self.active.as_slice() {
                [] => return Ok(()),
                [only] if only.pending().is_empty() => self.step_alone(&mut spare, sink)?,
                _ => self.step_merging(&mut spare, sink),
            };
            // What the sink was handed has to have been what is in the files.
            self.active.iter_mut().try_for_each(Source::check)?;
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

    /// Hands on what the only active input gives, as it is, up to the first packet before which another is due: of a map
    /// all of it, of a stream a batch.
    fn step_alone(
        &mut self,
        spare: &mut Vec<Packet<'static>>,
        sink: &mut impl Sink,
    ) -> Result<ControlFlow<()>, InputError> {
        let due = self.waiting.last().map(|(key, _)| *key);
        let progress = Progress { consumed: self.consumed, total: self.total };
        let Some(source) = self.active.first_mut() else { return Ok(ControlFlow::Continue(())) };
        let (room, rank, interfaces) = (self.room, source.rank(), source.interfaces());
        if let Some((map, reader)) = source.mapped() {
            let (under_way, later, failed, over) = (VecDeque::new(), Vec::new(), None, false);
            let mut feed =
                Feed { map, reader, room, rank, interfaces, due, progress, under_way, later, failed, over };
            let flow = sink.map(&mut feed);
            let Feed { later, failed, .. } = feed;
            source.keep(later);
            return failed.map_or(Ok(flow), Err);
        }
        source.fill();
        let mut packets = recycle(std::mem::take(spare));
        let Walk { window, consumed, ahead } = source.walk(room, &mut packets);
        let progress = Progress { consumed: progress.consumed + consumed, ..progress };
        let due = due.and_then(|due| packets.iter().position(|packet| (packet.time, rank) > due));
        let now = due.unwrap_or(packets.len());
        let later: Vec<Record> = packets.iter().skip(now).map(|packet| Record::of(packet, window)).collect();
        packets.truncate(now);
        if interfaces > 0 {
            packets
                .iter_mut()
                .for_each(|packet| packet.interface = packet.interface.wrapping_add(interfaces));
        }
        let flow = match ahead {
            // Where other threads are at hand, one of them reads on.
            Some(ahead)
                if sink.reads_ahead()
                    && rayon::current_thread_index().is_some()
                    && rayon::current_num_threads() > 1 =>
            {
                rayon::in_place_scope(|scope| {
                    scope.spawn(|_| ahead.read());
                    hand_out(&packets, progress, sink)
                })
            }
            _ => hand_out(&packets, progress, sink),
        };
        *spare = recycle(packets);
        source.handed_out(now, 0);
        source.keep(later);
        Ok(flow)
    }

    /// Hands on the next packets of several inputs in time order: until the batch is full, another input is due, or
    /// one has to be read further before it is known what comes next.
    fn step_merging(&mut self, spare: &mut Vec<Packet<'static>>, sink: &mut impl Sink) -> ControlFlow<()> {
        for source in &mut self.active {
            while source.pending().is_empty() && !source.ended() {
                source.fill();
                source.walk_ahead(self.room);
            }
        }
        let due = self.waiting.last().map(|(key, _)| *key);
        let mut taken = vec![0; self.active.len()];
        let mut packets = recycle(std::mem::take(spare));
        take_in_order(&self.active, due, self.room, &mut taken, &mut packets);
        let progress = self.progress();
        let flow = hand_out(&packets, progress, sink);
        *spare = recycle(packets);
        for (source, taken) in self.active.iter_mut().zip(taken) {
            source.handed_out(taken, taken);
        }
        flow
    }

    /// Takes the inputs that have nothing left out of the merge.
    fn retire(&mut self) {
        let (over, active) = std::mem::take(&mut self.active)
            .into_iter()
            .partition(|source| source.ended() && source.pending().is_empty());
        self.active = active;
        let over: Vec<Source> = over;
        over.into_iter().for_each(|source| self.finish(source));
    }

    fn finish(&mut self, source: Source) {
        self.consumed += source.consumed();
        let index = usize::from(source.index());
        if let Some(done) = self.done.get_mut(index) {
            *done = Some(source.into_summary());
        }
    }

    fn progress(&self) -> Progress {
        let active: u64 = self.active.iter().map(Source::consumed).sum();
        Progress { consumed: self.consumed + active, total: self.total }
    }
}

/// Hands `packets` to `sink`, if there are any.
fn hand_out(packets: &[Packet<'_>], progress: Progress, sink: &mut (impl Sink + ?Sized)) -> ControlFlow<()> {
    if packets.is_empty() { ControlFlow::Continue(()) } else { sink.batch(packets, progress) }
}

/// Where the packet of `source` that comes after `taken` pending ones belongs; nothing where that is not known yet.
fn head(source: &Source, taken: usize) -> Option<Key> {
    source.pending().get(taken).map(|record| (record.time(), source.rank()))
}

/// Takes pending packets in time order, counting them in `taken`, input by input.
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
        let window = source.window();
        for record in source.pending().get(*taken..).unwrap_or_default() {
            if packets.len() >= room {
                return;
            }
            if until.is_some_and(|until| until < (record.time(), source.rank())) {
                break;
            }
            let packet = record.packet(window);
            let interface = packet.interface.wrapping_add(source.interfaces());
            packets.push(Packet { interface, ..packet });
            *taken += 1;
        }
        match head(source, *taken) {
            Some(next) => heads.push(Reverse((next, slot))),
            None if source.ended() => {}
            None => return,
        }
    }
}
