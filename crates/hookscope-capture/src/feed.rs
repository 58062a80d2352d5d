//! The batches of the only input that is due, each of which may still be looked at while the next ones are read.

use hookscope::packet::{Batch, Packet};

use crate::merge::Key;
use crate::read::Progress;
use crate::reader::Reader;

/// What an input has until another one is due.
pub(crate) struct Feed<'a> {
    pub(crate) reader: &'a mut Reader,
    /// The input's place among others, and what tells its interfaces from theirs.
    pub(crate) rank: u16,
    pub(crate) interfaces: u16,
    /// Where the next input begins.
    pub(crate) due: Option<Key>,
    /// How far the inputs before got.
    pub(crate) progress: Progress,
    /// What was read and comes after the beginning of the next input.
    pub(crate) later: Batch,
    pub(crate) over: bool,
}

impl Feed<'_> {
    /// Fills `batch`, and gives back how far that is; nothing, and no packet, where there are no more.
    pub(crate) fn next(&mut self, batch: &mut Batch) -> Option<Progress> {
        let Self { reader, rank, interfaces, due, progress, later, over } = self;
        if *over {
            return None;
        }
        reader.next(*interfaces, batch);
        let others = due.and_then(|due| batch.packets().position(|packet| (packet.time, *rank) > due));
        if let Some(now) = others {
            // They are given their interfaces when they are handed out.
            later.extend(batch.packets().skip(now).map(|packet| {
                let interface = packet.interface.wrapping_sub(*interfaces);
                Packet { interface, ..packet }
            }));
            batch.truncate(now);
        }
        *over = others.is_some() || reader.ended;
        Some(Progress { consumed: progress.consumed + reader.consumed(), ..*progress })
    }

    /// Notes that so many packets were taken.
    pub(crate) const fn taken(&mut self, packets: usize) {
        self.reader.summary.packets += packets as u64;
    }
}
