//! The batches of a map, each of which may still be looked at while the next ones are walked over.

use std::collections::VecDeque;

use hookscope::packet::Packet;

use crate::error::InputError;
use crate::map::MappedFile;
use crate::merge::Key;
use crate::read::Progress;
use crate::reader::{Bytes, Reader};
use crate::source::Record;

/// What a map has until another input is due.
pub(crate) struct Feed<'a> {
    pub(crate) map: &'a MappedFile,
    pub(crate) reader: &'a mut Reader,
    /// How many packets a batch has at most.
    pub(crate) room: usize,
    /// The input's place among others, and what tells its interfaces from theirs.
    pub(crate) rank: u16,
    pub(crate) interfaces: u16,
    /// Where the next input begins.
    pub(crate) due: Option<Key>,
    /// How far the inputs before got.
    pub(crate) progress: Progress,
    /// Where each batch began that may still be looked at.
    pub(crate) under_way: VecDeque<usize>,
    /// What was walked over and comes after the beginning of the next input.
    pub(crate) later: Vec<Record>,
    /// What went wrong with batches that were handed out.
    pub(crate) failed: Option<InputError>,
    pub(crate) over: bool,
}

impl<'a> Feed<'a> {
    /// Appends the next batch to `packets`, and gives back how far that is; nothing where there are no more. All but the
    /// `ahead` batches before must be done with.
    pub(crate) fn next(&mut self, ahead: usize, packets: &mut Vec<Packet<'a>>) -> Option<Progress> {
        let Self { map, reader, .. } = self;
        let bytes = Bytes::Mapped(map);
        while self.under_way.len() > ahead {
            self.under_way.pop_front();
        }
        let done = self.under_way.front().map_or(reader.start, |start| *start);
        if self.over {
            return None;
        }
        reader.let_go(map, done);
        if let Err(error) = reader.check(bytes, done) {
            (self.failed, self.over) = (Some(error), true);
            return None;
        }
        self.under_way.push_back(reader.start);
        reader.walk(bytes, self.room, packets);
        let due = self.due.and_then(|due| packets.iter().position(|packet| (packet.time, self.rank) > due));
        if let Some(now) = due {
            let later = packets.get(now..).unwrap_or_default();
            self.later.extend(later.iter().map(|packet| Record::of(packet, map.bytes())));
            packets.truncate(now);
        }
        self.over = due.is_some() || reader.ended;
        if self.interfaces > 0 {
            let others = self.interfaces;
            packets.iter_mut().for_each(|packet| packet.interface = packet.interface.wrapping_add(others));
        }
        reader.summary.packets += packets.len() as u64;
        let consumed = self.progress.consumed + reader.start as u64;
        Some(Progress { consumed, ..self.progress })
    }
}
