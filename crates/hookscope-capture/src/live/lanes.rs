//! Turns what several interfaces captured into one capture in time order: a packet is handed out when no interface can
//! have an earlier one any more.

use hookscope::packet::{Frame, Packet};
use hookscope::time::Timestamp;

use crate::Batch;

/// What was read from each interface and not handed out yet.
#[derive(Debug)]
pub(super) struct Lanes(Vec<Lane>);

/// What was read from one interface.
#[derive(Debug, Default)]
pub(super) struct Lane {
    batch: Batch,
    /// How many of the batch's packets were handed out.
    taken: usize,
    /// Whether nothing is left to read.
    pub(super) drained: bool,
}

impl Lane {
    /// The batch to read into.
    pub(super) fn batch(&mut self) -> &mut Batch {
        if self.taken == self.batch.len() {
            self.batch.clear();
            self.taken = 0;
        }
        &mut self.batch
    }

    /// How many packets wait.
    pub(super) const fn len(&self) -> usize {
        self.batch.len() - self.taken
    }

    fn next(&self) -> Option<Packet<'_>> {
        self.batch.get(self.taken)
    }
}

impl Lanes {
    pub(super) fn new(count: usize) -> Self {
        Self((0..count).map(|_| Lane::default()).collect())
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Lane> {
        self.0.iter_mut()
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|lane| lane.len() == 0)
    }

    /// Up to when every interface has told all, where those that are drained have told all up to `quiet`.
    pub(super) fn known_until(&self, quiet: Timestamp) -> Timestamp {
        let known = |lane: &Lane| match lane.batch.last_time().filter(|_| lane.len() > 0) {
            Some(last) if lane.drained => last.max(quiet),
            Some(last) => last,
            None => quiet,
        };
        self.0.iter().map(known).min().unwrap_or(quiet)
    }

    /// Moves all packets up to `until` to `batch`, by time, and numbers them from `frames` on.
    pub(super) fn hand_out(&mut self, until: Timestamp, batch: &mut Batch, frames: &mut u64) {
        let next = |lanes: &[Lane]| {
            let heads = lanes.iter().enumerate();
            let heads = heads.filter_map(|(place, lane)| lane.next().map(|packet| (packet.time, place)));
            heads.min().filter(|(time, _)| *time <= until)
        };
        while let Some((_, place)) = next(&self.0) {
            let Some(lane) = self.0.get_mut(place) else { break };
            if let Some(packet) = lane.next() {
                *frames += 1;
                batch.push(&Packet { frame: Frame::new(0, *frames), ..packet });
            }
            lane.taken += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use hookscope::packet::LinkType;

    use super::*;

    fn packet(time: i64, interface: u16) -> Packet<'static> {
        let (frame, link_type) = (Frame::new(0, 1), LinkType::ETHERNET);
        Packet { time: Timestamp::from_nanos(time), frame, link_type, interface, wire_len: 1, data: &[0] }
    }

    fn times(batch: &Batch) -> Vec<(i64, u64)> {
        batch.packets().map(|packet| (packet.time.as_nanos(), packet.frame.number())).collect()
    }

    #[test]
    fn packets_of_two_interfaces_come_by_time_once_both_have_told_all() {
        let mut lanes = Lanes::new(2);
        let [one, other] = lanes.0.as_mut_slice() else { unreachable!() };
        [10, 40].iter().for_each(|&time| one.batch().push(&packet(time, 0)));
        [20, 30].iter().for_each(|&time| other.batch().push(&packet(time, 1)));
        other.drained = true;
        // The first has been read up to 40 and may have more of that time; the other is quiet up to 35.
        let until = lanes.known_until(Timestamp::from_nanos(35));
        assert_eq!(until, Timestamp::from_nanos(35));
        let (mut batch, mut frames) = (Batch::default(), 0);
        lanes.hand_out(until, &mut batch, &mut frames);
        assert_eq!(times(&batch), [(10, 1), (20, 2), (30, 3)]);
        let until = lanes.known_until(Timestamp::from_nanos(100));
        assert_eq!(until, Timestamp::from_nanos(40));
        lanes.hand_out(until, &mut batch, &mut frames);
        assert_eq!(times(&batch).last(), Some(&(40, 4)));
        assert!(lanes.is_empty());
    }
}
