//! A part of all connections: which segment belongs to which, when one is over, and what remains of it.

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashTable};

use crate::config::Config;
use crate::connection::Connection;
use crate::diagnosis::verdict::{Class, Severity};
use crate::flow::key::{Endpoint, FlowKey};
use crate::inspect::outcome::Outcome;
use crate::inspect::tally::Tally;
use crate::inspect::tracked::{Slot, Tracked};
use crate::lookup::Heard;
use crate::time::Timestamp;
use crate::tls::certificate::SharedLists;
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
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// The last connection of each client, to find it under a translated address. Kept from the moment on at which
    /// the capture shows that it may be needed: a second interface, or an ICMP error with an unknown address.
    by_client: Option<HashMap<Endpoint, u32, FixedState>>,
    next_sweep: Option<Timestamp>,
    /// Certificates of finished connections.
    lists: SharedLists,
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
            && let Some(place) = self.slots.get_mut(slot as usize)
            && let Some(tracked) = &mut place.tracked
        {
            if item.clock < place.expires && !tracked.connection.is_reopened_by(segment) {
                tracked.observe(segment, item.clock, config, &mut self.tally);
                tracked.connection.hear(item.position, item.clock, &mut self.heard);
                place.renew(item.clock, config);
                return;
            }
            let now = place.expires.min(item.clock);
            self.finish(slot, now, config);
        } else if segment.vantage != Vantage::default() && self.translate(segment, item, config) {
            return;
        }
        let connection = Connection::new(item.position, segment);
        let mut heard = std::mem::take(&mut self.heard);
        if let Some(place) = self.open(connection, segment.hash, item.clock, config)
            && let Some(tracked) = &mut place.tracked
        {
            // The first segment of a connection ends no call.
            tracked.connection.observe(segment, &config.limits);
            tracked.connection.hear(item.position, item.clock, &mut heard);
            place.renew(item.clock, config);
        }
        self.heard = heard;
    }

    /// Whether `segment` is the SYN of a known connection, seen on the other side of address translation: the same
    /// client, the same sequence number, another server, at once. From then on its packets are found under both.
    #[cold]
    fn translate(&mut self, segment: &Segment<'_>, item: &Item<'_>, config: &Config) -> bool {
        let slot = self.by_client().get(&segment.key.ephemeral()).copied();
        let Some(slot) = slot else { return false };
        let Some(place) = self.slots.get_mut(slot as usize) else { return false };
        let Some(tracked) = &mut place.tracked else { return false };
        if tracked.translated.is_some() || !tracked.connection.is_translated_in(segment) {
            return false;
        }
        tracked.translated = Some(Box::new(segment.key));
        tracked.observe(segment, item.clock, config, &mut self.tally);
        place.renew(item.clock, config);
        let entry = Entry { key: segment.key, slot };
        self.table.insert_unique(segment.hash, entry, |entry| entry.key.hash());
        true
    }

    /// The last connection of each client.
    fn by_client(&mut self) -> &HashMap<Endpoint, u32, FixedState> {
        let slots = &self.slots;
        self.by_client.get_or_insert_with(|| {
            let tracked = (0..).zip(slots).filter_map(|(slot, place)| Some((place.tracked.as_ref()?, slot)));
            let mut by_age: Vec<_> =
                tracked.map(|(tracked, slot)| (tracked.connection.id, tracked, slot)).collect();
            by_age.sort_unstable_by_key(|&(id, ..)| id);
            by_age.into_iter().map(|(_, tracked, slot)| (tracked.connection.key.ephemeral(), slot)).collect()
        })
    }

    /// Ties an ICMP error to the connection that it quotes: by its addresses, else by its client and sequence number,
    /// because a quote may bear the address from before translation; else nothing but the quote was seen of it.
    #[cold]
    fn unreachable(&mut self, error: &IcmpError, item: &Item<'_>, config: &Config) {
        let (key, _) = FlowKey::of(error.quote.source, error.quote.destination);
        let hash = key.hash();
        let slot = self.find(&key, hash).or_else(|| self.find_untranslated(error));
        if let Some(slot) = slot
            && let Some(place) = self.slots.get_mut(slot as usize)
            && let Some(tracked) = &mut place.tracked
        {
            if item.clock < place.expires {
                tracked.connection.unreachable(error);
                place.renew(item.clock, config);
                return;
            }
            let now = place.expires;
            self.finish(slot, now, config);
        }
        let connection = Connection::quoted(item.position, error);
        if let Some(Slot { tracked: Some(tracked), .. }) = self.open(connection, hash, item.clock, config) {
            tracked.connection.unreachable(error);
        }
    }

    #[inline]
    fn find(&self, key: &FlowKey, hash: u64) -> Option<u32> {
        self.table.find(hash, |entry| entry.key == *key).map(|entry| entry.slot)
    }

    fn find_untranslated(&mut self, error: &IcmpError) -> Option<u32> {
        // The error is in the shard of the quoted client only if the client has the higher port.
        let (key, _) = FlowKey::of(error.quote.source, error.quote.destination);
        if key.ephemeral() != error.quote.source {
            return None;
        }
        let slot = *self.by_client().get(&error.quote.source)?;
        let tracked = self.slots.get(slot as usize)?.tracked.as_ref()?;
        tracked.connection.is_quoted_untranslated(error).then_some(slot)
    }

    #[cold]
    fn open(
        &mut self,
        connection: Connection,
        hash: u64,
        clock: Timestamp,
        config: &Config,
    ) -> Option<&mut Slot> {
        if self.table.len() >= (config.limits.connections / config.shards.max(1)).max(1) {
            self.give_up_oldest(clock, config);
        }
        let key = connection.key;
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(Slot::FREE);
                u32::try_from(self.slots.len() - 1).ok()?
            }
        };
        if let Some(by_client) = &mut self.by_client {
            by_client.insert(key.ephemeral(), slot);
        }
        self.table.insert_unique(hash, Entry { key, slot }, |entry| entry.key.hash());
        let place = self.slots.get_mut(slot as usize)?;
        place.tracked = Some(Box::new(Tracked::new(connection)));
        place.renew(clock, config);
        Some(place)
    }

    /// Judges connections that have been quiet for longer than they may, at most every few seconds of capture time.
    pub(crate) fn sweep(&mut self, clock: Timestamp, config: &Config) {
        if self.next_sweep.is_some_and(|due| clock < due) {
            return;
        }
        self.next_sweep = Some(clock.later(Self::SWEEP));
        self.finish_where(config, |place| (clock >= place.expires).then_some(place.expires));
    }

    /// No packet follows: judges everything.
    pub(crate) fn finish_all(&mut self, clock: Timestamp, config: &Config) {
        self.finish_where(config, |place| Some(place.expires.min(clock)));
    }

    fn finish_where(&mut self, config: &Config, mut due: impl FnMut(&Slot) -> Option<Timestamp>) {
        for slot in 0..self.slots.len() {
            let taken = self.slots.get(slot).filter(|place| place.tracked.is_some());
            let now = taken.and_then(&mut due);
            if let (Some(now), Ok(slot)) = (now, u32::try_from(slot)) {
                self.finish(slot, now, config);
            }
        }
    }

    /// Makes room: judges the eighth of all connections that have been quiet longest.
    #[cold]
    fn give_up_oldest(&mut self, clock: Timestamp, config: &Config) {
        let taken = self.slots.iter().filter(|place| place.tracked.is_some());
        let mut clocks: Vec<Timestamp> = taken.map(|place| place.clock).collect();
        let rank = clocks.len() / 8;
        if clocks.is_empty() {
            return;
        }
        let (_, &mut oldest, _) = clocks.select_nth_unstable(rank);
        let before = self.table.len();
        self.finish_where(config, |place| (place.clock <= oldest).then(|| place.expires.min(clock)));
        self.given_up += (before - self.table.len()) as u64;
    }

    /// Judges the connection in `slot`, watched up to `now`.
    fn finish(&mut self, slot: u32, now: Timestamp, config: &Config) {
        let place = self.slots.get_mut(slot as usize);
        let Some(mut tracked) = place.and_then(|place| place.tracked.take()) else { return };
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
        let mut outcome = tracked.conclude(now, config, &mut self.tally);
        if let Some(list) = outcome.certificates()
            && self.lists.share(list)
            && config.cluster.is_some()
        {
            self.tally.presented(&outcome);
        }
        let has_finding = outcome.severity() != Severity::Ok;
        let is_unclear = outcome.verdict.code.class == Class::Unknown;
        let keep = config.keep.wants(has_finding) || config.retain.wants(has_finding || is_unclear);
        let group = self.tally.connection(&outcome);
        if keep {
            self.finished.push(outcome);
        } else {
            group.offer(outcome);
        }
    }
}
