//! A part of all connections: which segment belongs to which, when one is over, and what remains of it.

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashTable};

use crate::call::Call;
use crate::config::{Config, Keep};
use crate::connection::Connection;
use crate::diagnosis::case::Case;
use crate::diagnosis::verdict::{Finding, Severity};
use crate::diagnosis::{judge_call, judge_connection};
use crate::flow::key::{Endpoint, FlowKey};
use crate::inspect::outcome::{JudgedCall, Outcome};
use crate::inspect::tally::Tally;
use crate::lookup::Heard;
use crate::time::Timestamp;
use crate::wire::{IcmpError, Segment, Vantage};

/// Something on its way to its connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'a> {
    /// What it is.
    pub(crate) event: Event<'a>,
    /// Its packet's position in the capture, from 0.
    pub(crate) position: u64,
    /// The latest time of all packets up to this one: the capture's clock, which never runs backwards.
    pub(crate) clock: Timestamp,
}

/// What can happen to a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event<'a> {
    /// A segment.
    Segment(Segment<'a>),
    /// An ICMP error that quotes one of its segments.
    Unreachable(IcmpError),
}

impl Item<'_> {
    /// The part of `shards` that holds the connection. It is chosen by the endpoint with the higher port, most likely
    /// the client's: ICMP errors that quote the address from before translation meet the connection there.
    #[inline]
    pub(crate) fn shard(&self, shards: usize) -> usize {
        if shards == 1 {
            return 0;
        }
        let client = match &self.event {
            Event::Segment(segment) => segment.key.ephemeral(),
            Event::Unreachable(error) => {
                FlowKey::of(error.quote.source, error.quote.destination).0.ephemeral()
            }
        };
        ((u128::from(client.hash()) * shards as u128) >> 64) as usize
    }
}

/// Connections whose keys hash to one part.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    table: HashTable<Entry>,
    slots: Vec<Option<Box<Tracked>>>,
    free: Vec<u32>,
    /// The last connection of each client, to find it under a translated address. Kept from the moment on at which
    /// the capture shows that it may be needed: a second interface, or an ICMP error with an unknown address.
    by_client: Option<HashMap<Endpoint, u32, FixedState>>,
    next_sweep: Option<Timestamp>,
    /// Connections that are over and are to be reported one by one.
    pub(crate) finished: Vec<Outcome>,
    /// What remains of all others.
    pub(crate) tally: Tally,
    /// DNS messages in streams.
    pub(crate) heard: Vec<Heard>,
    /// Packets of finished connections that were further sightings of one that was counted.
    pub(crate) duplicates: u64,
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
    calls: Vec<JudgedCall>,
    /// The key of the same connection on the other side of address translation.
    translated: Option<Box<FlowKey>>,
}

impl Shard {
    /// How often connections are searched for those that are over, in capture time.
    const SWEEP: std::time::Duration = std::time::Duration::from_secs(5);

    /// Takes what happened.
    #[inline]
    pub(crate) fn observe(&mut self, item: &Item<'_>, config: &Config) {
        match &item.event {
            Event::Segment(segment) => self.segment(segment, item, config),
            Event::Unreachable(error) => self.unreachable(error, item, config),
        }
    }

    #[inline]
    fn segment(&mut self, segment: &Segment<'_>, item: &Item<'_>, config: &Config) {
        if let Some(slot) = self.find(&segment.key, segment.hash)
            && let Some(tracked) = self.slots.get_mut(slot as usize).and_then(Option::as_mut)
        {
            if item.clock < tracked.expires(config) && !tracked.connection.is_reopened_by(segment) {
                tracked.observe(segment, item.clock, config, &mut self.tally);
                tracked.connection.hear(item.position, item.clock, &mut self.heard);
                return;
            }
            let now = tracked.expires(config).min(item.clock);
            self.finish(slot, now, config);
        } else if segment.vantage != Vantage::default() && self.translate(segment, item, config) {
            return;
        }
        let connection = Connection::new(item.position, segment);
        let mut heard = std::mem::take(&mut self.heard);
        if let Some(tracked) = self.open(connection, segment.hash, item.clock, config) {
            // The first segment of a connection ends no call.
            tracked.connection.observe(segment, &config.limits);
            tracked.connection.hear(item.position, item.clock, &mut heard);
        }
        self.heard = heard;
    }

    /// Whether `segment` is the SYN of a known connection, seen on the other side of address translation: the same
    /// client, the same sequence number, another server, at once. From then on its packets are found under both.
    #[cold]
    fn translate(&mut self, segment: &Segment<'_>, item: &Item<'_>, config: &Config) -> bool {
        let slot = self.by_client().get(&segment.key.ephemeral()).copied();
        let Some(slot) = slot else { return false };
        let Some(tracked) = self.slots.get_mut(slot as usize).and_then(Option::as_mut) else { return false };
        if tracked.translated.is_some() || !tracked.connection.is_translated_in(segment) {
            return false;
        }
        tracked.translated = Some(Box::new(segment.key));
        tracked.observe(segment, item.clock, config, &mut self.tally);
        let entry = Entry { key: segment.key, slot };
        self.table.insert_unique(segment.hash, entry, |entry| entry.key.hash());
        true
    }

    /// The last connection of each client.
    fn by_client(&mut self) -> &HashMap<Endpoint, u32, FixedState> {
        let slots = &self.slots;
        self.by_client.get_or_insert_with(|| {
            let tracked = (0..).zip(slots).filter_map(|(slot, tracked)| Some((tracked.as_ref()?, slot)));
            tracked.map(|(tracked, slot)| (tracked.connection.key.ephemeral(), slot)).collect()
        })
    }

    /// Ties an ICMP error to the connection that it quotes: by its addresses, else by its client and sequence number,
    /// because a quote may bear the address from before translation; else nothing but the quote was seen of it.
    #[cold]
    fn unreachable(&mut self, error: &IcmpError, item: &Item<'_>, config: &Config) {
        let (key, _) = FlowKey::of(error.quote.source, error.quote.destination);
        let hash = key.hash();
        let slot = self.find(&key, hash).or_else(|| self.find_untranslated(error));
        let known = slot.and_then(|slot| self.slots.get_mut(slot as usize)?.as_mut());
        if let Some(tracked) = known.filter(|tracked| item.clock < tracked.expires(config)) {
            tracked.clock = item.clock;
            tracked.connection.unreachable(error);
            return;
        }
        let connection = Connection::quoted(item.position, error);
        if let Some(tracked) = self.open(connection, hash, item.clock, config) {
            tracked.connection.unreachable(error);
        }
    }

    #[inline]
    fn find(&self, key: &FlowKey, hash: u64) -> Option<u32> {
        self.table.find(hash, |entry| entry.key == *key).map(|entry| entry.slot)
    }

    fn find_untranslated(&mut self, error: &IcmpError) -> Option<u32> {
        let slot = *self.by_client().get(&error.quote.source)?;
        let tracked = self.slots.get(slot as usize)?.as_ref()?;
        tracked.connection.is_quoted_untranslated(error).then_some(slot)
    }

    #[cold]
    fn open(
        &mut self,
        connection: Connection,
        hash: u64,
        clock: Timestamp,
        config: &Config,
    ) -> Option<&mut Tracked> {
        if self.table.len() >= (config.limits.connections / config.shards.max(1)).max(1) {
            self.give_up_oldest(clock, config);
        }
        let key = connection.key;
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(None);
                u32::try_from(self.slots.len() - 1).ok()?
            }
        };
        if let Some(by_client) = &mut self.by_client {
            by_client.insert(key.ephemeral(), slot);
        }
        let Self { table, slots, .. } = self;
        *slots.get_mut(slot as usize)? =
            Some(Box::new(Tracked { connection, clock, calls: Vec::new(), translated: None }));
        table.insert_unique(hash, Entry { key, slot }, |entry| entry.key.hash());
        slots.get_mut(slot as usize)?.as_deref_mut()
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
        let keys = [Some(tracked.connection.key), tracked.translated.as_deref().copied()];
        for key in keys.into_iter().flatten() {
            if let Ok(entry) = self.table.find_entry(key.hash(), |entry| entry.slot == slot) {
                entry.remove();
            }
        }
        if let Some(by_client) = &mut self.by_client {
            let client = tracked.connection.key.ephemeral();
            if by_client.get(&client) == Some(&slot) {
                by_client.remove(&client);
            }
        }
        self.free.push(slot);
        self.duplicates += tracked.connection.duplicates;
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

impl Tracked {
    fn expires(&self, config: &Config) -> Timestamp {
        self.clock.later(self.connection.patience(&config.limits))
    }

    #[inline]
    fn observe(&mut self, segment: &Segment<'_>, clock: Timestamp, config: &Config, tally: &mut Tally) {
        self.clock = clock;
        let mut ended = self.connection.observe(segment, &config.limits);
        while let Some(call) = ended {
            self.judge_answered(call, clock, config, tally);
            ended = self.connection.take_ended();
        }
    }

    fn judge_answered(&mut self, call: Call, now: Timestamp, config: &Config, tally: &mut Tally) {
        let case = Case { connection: &self.connection, now, config };
        let finding = judge_call(&case, &call);
        self.keep(call, finding, config, tally);
    }

    /// Counts a call, and keeps it one by one where somebody may ask for it.
    fn keep(&mut self, call: Call, finding: Option<Finding>, config: &Config, tally: &mut Tally) {
        let severity = finding.as_ref().map_or(Severity::Ok, |finding| finding.severity);
        tally.call(&self.connection, &call, severity);
        let wanted = config.keep != Keep::Examples && self.calls.len() < config.limits.calls;
        if wanted || severity != Severity::Ok {
            self.calls.push(JudgedCall { call, finding: finding.map(Box::new) });
        }
    }

    /// Judges the last call and the connection.
    fn conclude(mut self: Box<Self>, now: Timestamp, config: &Config, tally: &mut Tally) -> Outcome {
        let case = Case { connection: &self.connection, now, config };
        let last = self.connection.application.calls.last;
        let answered = last.filter(Call::is_answered);
        let finding = answered.and_then(|call| judge_call(&case, &call));
        let earlier = self.calls.iter().filter_map(|judged| judged.finding.as_deref()).chain(&finding);
        let verdict = judge_connection(&case, earlier);
        if let Some(call) = last {
            // A call that was not answered has failed, or not, by what became of its connection; so has one whose
            // response was cut off.
            let own = verdict.at.is_before(call.start) && verdict.severity != Severity::Ok;
            let cut_off = verdict.severity == Severity::Failure && !own;
            let finding = if answered.is_some() && !cut_off { finding } else { Some(verdict.clone()) };
            self.keep(call, finding, config, tally);
        }
        let Self { connection, calls, .. } = *self;
        Outcome { connection, now, verdict, calls }
    }
}
