//! A part of all connections: which segment belongs to which, when one is over, and what remains of it.

use hashbrown::HashTable;

use crate::call::Call;
use crate::config::{Config, Keep};
use crate::connection::Connection;
use crate::diagnosis::case::Case;
use crate::diagnosis::verdict::{Finding, Severity};
use crate::diagnosis::{judge_call, judge_connection};
use crate::flow::key::FlowKey;
use crate::inspect::outcome::{JudgedCall, Outcome};
use crate::inspect::tally::Tally;
use crate::time::Timestamp;
use crate::wire::Segment;

/// A segment on its way to its connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'a> {
    /// The segment.
    pub(crate) segment: Segment<'a>,
    /// Its packet's position in the capture, from 0.
    pub(crate) position: u64,
    /// The latest time of all packets up to this one: the capture's clock, which never runs backwards.
    pub(crate) clock: Timestamp,
}

/// Connections whose keys hash to one part.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    table: HashTable<Entry>,
    slots: Vec<Option<Box<Tracked>>>,
    free: Vec<u32>,
    next_sweep: Option<Timestamp>,
    /// Connections that are over and are to be reported one by one.
    pub(crate) finished: Vec<Outcome>,
    /// What remains of all others.
    pub(crate) tally: Tally,
    /// Connections that were judged early because there were too many.
    pub(crate) given_up: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: FlowKey,
    slot: u32,
}

/// A connection that may still receive segments.
#[derive(Debug)]
struct Tracked {
    connection: Connection,
    /// The capture's clock at its last segment.
    clock: Timestamp,
    hash: u64,
    calls: Vec<JudgedCall>,
}

impl Shard {
    /// How often connections are searched for those that are over, in capture time.
    const SWEEP: std::time::Duration = std::time::Duration::from_secs(5);

    /// Takes a segment.
    #[inline]
    pub(crate) fn observe(&mut self, item: &Item<'_>, config: &Config) {
        let segment = &item.segment;
        let slot = self.table.find(segment.hash, |entry| entry.key == segment.key).map(|entry| entry.slot);
        let tracked = slot.and_then(|slot| self.slots.get_mut(slot as usize)?.as_mut());
        if let Some(tracked) = tracked {
            if item.clock < tracked.expires(config) && !tracked.connection.is_reopened_by(segment) {
                tracked.observe(item, config, &mut self.tally);
                return;
            }
            let now = tracked.expires(config).min(item.clock);
            if let Some(slot) = slot {
                self.finish(slot, now, config);
            }
        }
        self.open(item, config);
    }

    #[cold]
    fn open(&mut self, item: &Item<'_>, config: &Config) {
        let segment = &item.segment;
        if self.table.len() >= (config.limits.connections / config.shards.max(1)).max(1) {
            self.give_up_oldest(item.clock, config);
        }
        let mut tracked = Box::new(Tracked {
            connection: Connection::new(item.position, segment),
            clock: item.clock,
            hash: segment.hash,
            calls: Vec::new(),
        });
        tracked.observe(item, config, &mut self.tally);
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(None);
                u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
            }
        };
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = Some(tracked);
        }
        let Self { table, slots, .. } = self;
        table.insert_unique(segment.hash, Entry { key: segment.key, slot }, |entry| {
            hash_of(slots, entry.slot)
        });
    }

    /// Judges connections that have been quiet for longer than they may, at most every few seconds of capture time.
    pub(crate) fn sweep(&mut self, clock: Timestamp, config: &Config) {
        if self.next_sweep.is_some_and(|due| clock < due) {
            return;
        }
        self.next_sweep = Some(clock.later(Self::SWEEP));
        self.finish_where(config, |tracked| {
            let expires = tracked.expires(config);
            (clock >= expires).then_some(expires)
        });
    }

    /// No packet follows: judges everything.
    pub(crate) fn finish_all(&mut self, clock: Timestamp, config: &Config) {
        self.finish_where(config, |tracked| Some(tracked.expires(config).min(clock)));
    }

    fn finish_where(&mut self, config: &Config, mut due: impl FnMut(&Tracked) -> Option<Timestamp>) {
        for slot in 0..self.slots.len() {
            let now = self.slots.get(slot).and_then(Option::as_ref).and_then(|tracked| due(tracked));
            if let (Some(now), Ok(slot)) = (now, u32::try_from(slot)) {
                self.finish(slot, now, config);
            }
        }
    }

    /// Makes room: judges the eighth of all connections that have been quiet longest.
    #[cold]
    fn give_up_oldest(&mut self, clock: Timestamp, config: &Config) {
        let mut clocks: Vec<Timestamp> = self.slots.iter().flatten().map(|tracked| tracked.clock).collect();
        let rank = clocks.len() / 8;
        if clocks.is_empty() {
            return;
        }
        let (_, &mut oldest, _) = clocks.select_nth_unstable(rank);
        let before = self.table.len();
        self.finish_where(config, |tracked| {
            (tracked.clock <= oldest).then(|| tracked.expires(config).min(clock))
        });
        self.given_up += (before - self.table.len()) as u64;
    }

    /// Judges the connection in `slot`, watched up to `now`.
    fn finish(&mut self, slot: u32, now: Timestamp, config: &Config) {
        let Some(mut tracked) = self.slots.get_mut(slot as usize).and_then(Option::take) else { return };
        if let Ok(entry) = self.table.find_entry(tracked.hash, |entry| entry.slot == slot) {
            entry.remove();
        }
        self.free.push(slot);
        let mut ended = tracked.connection.finish(&config.limits);
        while let Some(call) = ended {
            tracked.judge_answered(call, now, config, &mut self.tally);
            ended = tracked.connection.take_ended();
        }
        let outcome = tracked.conclude(now, config, &mut self.tally);
        let keep = match config.keep {
            Keep::Examples => false,
            Keep::Failures => outcome.severity() != Severity::Ok,
            Keep::All => true,
        };
        let group = self.tally.connection(&outcome);
        if keep {
            self.finished.push(outcome);
        } else {
            group.offer(outcome);
        }
    }
}

fn hash_of(slots: &[Option<Box<Tracked>>], slot: u32) -> u64 {
    slots.get(slot as usize).and_then(Option::as_ref).map_or(0, |tracked| tracked.hash)
}

impl Tracked {
    fn expires(&self, config: &Config) -> Timestamp {
        self.clock.later(self.connection.patience(&config.limits))
    }

    #[inline]
    fn observe(&mut self, item: &Item<'_>, config: &Config, tally: &mut Tally) {
        self.clock = item.clock;
        let mut ended = self.connection.observe(&item.segment, &config.limits);
        while let Some(call) = ended {
            self.judge_answered(call, item.clock, config, tally);
            ended = self.connection.take_ended();
        }
    }

    fn judge_answered(&mut self, call: Call, now: Timestamp, config: &Config, tally: &mut Tally) {
        let case = Case { connection: &self.connection, now, config };
        let verdict = judge_call(&case, &call);
        self.keep(call, verdict, config, tally);
    }

    fn keep(&mut self, call: Call, verdict: Finding, config: &Config, tally: &mut Tally) {
        tally.call(&self.connection, &call, &verdict);
        if self.calls.len() < config.limits.calls || verdict.severity != Severity::Ok {
            self.calls.push(JudgedCall { call, verdict });
        }
    }

    /// Judges the last call and the connection.
    fn conclude(mut self: Box<Self>, now: Timestamp, config: &Config, tally: &mut Tally) -> Outcome {
        let case = Case { connection: &self.connection, now, config };
        let last = self.connection.application.calls.last;
        let answered = last.filter(Call::is_answered).map(|call| judge_call(&case, &call));
        let earlier = self.calls.iter().map(|judged| &judged.verdict).chain(&answered);
        let verdict = judge_connection(&case, earlier);
        if let Some(call) = last {
            // A call that was not answered has failed, or not, by what became of its connection; so has one whose
            // response was cut off.
            let own = verdict.at.is_before(call.start) && verdict.severity != Severity::Ok;
            let cut_off = verdict.severity == Severity::Failure && !own;
            let verdict = match answered {
                Some(answered) if !cut_off => answered,
                _ => verdict.clone(),
            };
            self.keep(call, verdict, config, tally);
        }
        let Self { connection, calls, .. } = *self;
        Outcome { connection, now, verdict, calls }
    }
}
