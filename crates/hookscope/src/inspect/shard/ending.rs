//! When connections of a shard are over, and what becomes of them then.

use super::{GivenUp, Shard};
use crate::config::Config;
use crate::flow::key::FlowKey;
use crate::inspect::place::{Entry, Place};
use crate::inspect::tracked::Tracked;
use crate::time::Timestamp;

impl Shard {
    /// How often connections are searched for those that are over, in capture time.
    const SWEEP: std::time::Duration = std::time::Duration::from_secs(5);
    /// How many places of connections are searched for each packet, at most.
    const PLACES: usize = 8;

    /// Judges connections that have been quiet for longer than they may. At most every few seconds of capture time, and no
    /// more often than so many `packets` since the last time are worth: a search through many more connections than there
    /// were packets would take most of the time.
    pub(crate) fn sweep(&mut self, clock: Timestamp, packets: usize, config: &Config) {
        self.worth = self.worth.saturating_add(packets.saturating_mul(Self::PLACES));
        let places = self.tracked.places() as usize + self.openings.places() as usize;
        if self.next_sweep.is_some_and(|due| clock < due) || self.worth < places {
            return;
        }
        self.worth = 0;
        self.next_sweep = Some(clock.later(Self::SWEEP));
        self.finish_over(clock, config);
    }

    /// Judges connections that have been quiet for longer than they may.
    fn finish_over(&mut self, clock: Timestamp, config: &Config) {
        let mut from = 0;
        while let Some((at, expires)) = self.tracked.next_over(from, clock) {
            self.finish(Place::Tracked(at), expires, config);
            from = at + 1;
        }
        from = 0;
        while let Some((at, expires)) = self.openings.next_over(from, clock) {
            self.finish(Place::Opening(at), expires, config);
            from = at + 1;
        }
    }

    /// No packet follows: judges everything.
    pub(crate) fn finish_all(&mut self, clock: Timestamp, config: &Config) {
        // Nobody will be looked for any more.
        self.table.clear();
        self.by_client = None;
        let Self { tracked, openings, books, .. } = self;
        for (place, expires) in std::mem::take(tracked).places_mut() {
            let now = expires.min(clock);
            let wanted = place.as_mut().and_then(|tracked| books.settle(tracked, now, config));
            if let Some((wanted, tracked)) = wanted.and_then(|wanted| Some((wanted, place.take()?))) {
                books.keep(tracked, now, wanted, config);
            }
        }
        for (place, expires) in std::mem::take(openings).places_mut() {
            if let Some(opening) = place {
                books.settle_opening(opening, expires.min(clock), config);
            }
        }
        debug_assert_eq!(self.books.shared.held(), 0, "what nobody holds any more is still counted");
    }

    fn finish_tracked(&mut self, config: &Config, due: impl Fn(&Self, u32, Timestamp) -> Option<Timestamp>) {
        for at in 0..self.tracked.places() {
            if let Some(now) = self.tracked.expires(at).and_then(|expires| due(self, at, expires)) {
                self.finish(Place::Tracked(at), now, config);
            }
        }
    }

    fn finish_openings(&mut self, config: &Config, due: impl Fn(Timestamp) -> Option<Timestamp>) {
        for at in 0..self.openings.places() {
            if let Some(now) = self.openings.expires(at).and_then(&due) {
                self.finish(Place::Opening(at), now, config);
            }
        }
    }

    /// Makes sure that there is room for one more connection.
    #[inline]
    pub(super) fn make_room(&mut self, clock: Timestamp, config: &Config) {
        if self.tracked.len() >= self.most_tracked || self.openings.len() >= self.most_openings {
            self.finish_oldest(clock, config);
        }
    }

    /// Where there are as many connections as there may be, judges the eighth of them that was quiet longest.
    #[cold]
    fn finish_oldest(&mut self, clock: Timestamp, config: &Config) {
        let full = [self.tracked.len() >= self.most_tracked, self.openings.len() >= self.most_openings];
        // Those that are over are not given up. Where they are few, others are, so that it is long until the next search.
        self.finish_over(clock, config);
        let is_nearly_full = |count: usize, most: usize| count >= most - most / 8;
        let before = [self.tracked.len(), self.openings.len()];
        if full[0] && is_nearly_full(self.tracked.len(), self.most_tracked) {
            let last = |tracked: &Tracked, expires| tracked.clock(expires, config);
            let oldest = self.tracked.oldest_eighth(last);
            self.finish_tracked(config, |shard, at, expires| {
                let is_old = shard.tracked.get(at).is_some_and(|tracked| last(tracked, expires) <= oldest);
                is_old.then(|| expires.min(clock))
            });
        }
        if full[1] && is_nearly_full(self.openings.len(), self.most_openings) {
            // All of them are over after the same time.
            let oldest = self.openings.oldest_eighth(|_, expires| expires);
            self.finish_openings(config, |expires| (expires <= oldest).then(|| expires.min(clock)));
        }
        let [connections, openings] = before;
        self.given_up += GivenUp {
            connections: (connections - self.tracked.len()) as u64,
            openings: (openings - self.openings.len()) as u64,
            ..GivenUp::default()
        };
    }

    /// Judges a connection, watched up to `now`.
    pub(super) fn finish(&mut self, place: Place, now: Timestamp, config: &Config) {
        let keys = match place {
            Place::Tracked(at) => {
                let Some((tracked, _)) = self.tracked.get_mut(at) else { return };
                let keys = [Some(tracked.connection.key), tracked.translated().copied()];
                if let Some(watch) = &mut self.books.tally.watch {
                    watch.closed(at);
                }
                match self.books.settle(tracked, now, config) {
                    Some(wanted) => {
                        if let Some(tracked) = self.tracked.remove(at) {
                            self.books.keep(tracked, now, wanted, config);
                        }
                    }
                    None => self.tracked.clear(at),
                }
                keys
            }
            Place::Opening(at) => {
                let Some(opening) = self.openings.get(at) else { return };
                let key = opening.key.get();
                if let Some(watch) = &mut self.books.tally.watch {
                    watch.closed_opening(at);
                }
                self.books.settle_opening(opening, now, config);
                self.openings.clear(at);
                [Some(key), None]
            }
        };
        for key in keys.into_iter().flatten() {
            self.forget(place, &key);
        }
    }

    /// Nothing is at `place` any more that `key` could find.
    fn forget(&mut self, place: Place, key: &FlowKey) {
        if self.table.is_empty() {
            return;
        }
        let hash = Entry::spread(key.hash() as u32);
        if let Ok(entry) = self.table.find_entry(hash, |entry| entry.place() == place) {
            entry.remove();
        }
        if let Some(by_client) = &mut self.by_client
            && by_client.get(&key.ephemeral()) == Some(&place)
        {
            by_client.remove(&key.ephemeral());
        }
    }
}
