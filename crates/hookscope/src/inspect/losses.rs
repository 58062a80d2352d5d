//! When packets were dropped before anybody could see them: what was open then may have missed one.

use std::collections::VecDeque;

use crate::time::Timestamp;

/// Packets that were dropped, by when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Losses {
    spans: VecDeque<Loss>,
}

/// Packets that were dropped after one time and up to another.
#[derive(Clone, Copy, Debug)]
struct Loss {
    packets: u64,
    from: Timestamp,
    to: Timestamp,
}

impl Losses {
    /// How many spans are kept one by one. Past it the oldest become one.
    const KEPT: usize = 1024;

    pub(crate) fn add(&mut self, packets: u64, from: Timestamp, to: Timestamp) {
        if packets == 0 {
            return;
        }
        match self.spans.back_mut().filter(|last| from <= last.to) {
            Some(last) => {
                last.packets += packets;
                last.to = last.to.max(to);
            }
            None => self.spans.push_back(Loss { packets, from, to }),
        }
        if self.spans.len() > Self::KEPT
            && let Some(oldest) = self.spans.pop_front()
            && let Some(next) = self.spans.front_mut()
        {
            next.from = oldest.from;
            next.packets += oldest.packets;
        }
    }

    /// How many packets were dropped, all connections taken together, in spans that overlap this one.
    pub(crate) fn between(&self, from: Timestamp, to: Timestamp) -> u64 {
        let overlapping = self.spans.iter().rev().take_while(|loss| loss.to >= from);
        overlapping.filter(|loss| loss.from <= to).map(|loss| loss.packets).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn only_what_was_open_meanwhile_may_have_missed_a_packet() {
        let mut losses = Losses::default();
        losses.add(5, at(10), at(11));
        losses.add(0, at(11), at(12));
        losses.add(7, at(20), at(21));
        assert_eq!(losses.between(at(0), at(9)), 0);
        assert_eq!(losses.between(at(0), at(10)), 5);
        assert_eq!(losses.between(at(12), at(19)), 0);
        assert_eq!(losses.between(at(11), at(30)), 12);
    }

    #[test]
    fn however_many_losses_there_are_memory_is_bounded() {
        let mut losses = Losses::default();
        (0..5000).for_each(|second| losses.add(1, at(2 * second), at(2 * second + 1)));
        assert_eq!(losses.spans.len(), Losses::KEPT);
        assert_eq!(losses.between(at(0), at(20_000)), 5000);
    }
}
