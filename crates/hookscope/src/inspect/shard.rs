//! A part of all connections: which segment belongs to which, and what remains of those that are over.

mod ending;

use std::ops::ControlFlow;

use hashbrown::{HashMap, HashTable};

use crate::config::Config;
use crate::connection::{Connection, Opening, Shared};
use crate::flow::key::{Endpoint, FlowKey, Keyed};
use crate::inspect::books::Books;
use crate::inspect::place::{Entry, Place};
use crate::inspect::slab::Slab;
use crate::inspect::tally::Tally;
use crate::inspect::tracked::Tracked;
use crate::lookup::Heard;
use crate::time::Timestamp;
use crate::wire::{IcmpError, Segment, Vantage};

/// A packet's place in the capture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When {
    /// Its position, from 0.
    pub(crate) position: u64,
    /// The latest time of all packets up to this one: the capture's clock, which never runs backwards.
    pub(crate) clock: Timestamp,
}

/// Connections whose keys hash to one part.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    table: HashTable<Entry>,
    openings: Slab<Opening>,
    tracked: Slab<Tracked>,
    /// Its share of the connections that may be open.
    most_tracked: usize,
    most_openings: usize,
    /// The last connection of each client, to find it under a translated address. Kept from the moment on at which
    /// the capture shows that it may be needed: a second interface, or an ICMP error with an unknown address.
    by_client: Option<HashMap<Endpoint, Place, Keyed>>,
    next_sweep: Option<Timestamp>,
    /// How many places the packets since the last search are worth.
    worth: usize,
    /// What remains of connections that are over.
    pub(crate) books: Books,
    /// DNS messages in streams.
    pub(crate) heard: Vec<Heard>,
    pub(crate) given_up: GivenUp,
}

/// Connections that were judged early because there were too many.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct GivenUp {
    /// Those of which more than SYNs was seen.
    pub(crate) connections: u64,
    /// The others.
    pub(crate) openings: u64,
    /// Segments that came when no more octets could wait.
    pub(crate) crowded: u64,
    /// Certificates that there was no room for.
    pub(crate) certificates: u64,
    /// Calls that there was no room for one by one.
    pub(crate) calls: u64,
}

impl std::ops::AddAssign for GivenUp {
    fn add_assign(&mut self, other: Self) {
        self.connections += other.connections;
        self.openings += other.openings;
        self.crowded += other.crowded;
        self.certificates += other.certificates;
        self.calls += other.calls;
    }
}

/// When an opening is over, where something happened to it just now.
#[inline]
fn opening_expires(clock: Timestamp, config: &Config) -> Timestamp {
    clock.later(config.limits.unanswered)
}

impl Shard {
    /// A shard without connections.
    pub(crate) fn new(config: &Config) -> Self {
        let share = |limit: usize| (limit / config.shards.max(1)).max(1);
        let mut shard = Self {
            most_tracked: share(config.limits.connections),
            most_openings: share(config.limits.openings),
            ..Self::default()
        };
        shard.books.tally = Tally::bounded(config.limits.servers);
        shard.books.tally.most_calls = Some(share(config.limits.calls_in_all));
        shard.books.shared = Shared::bounded(share(config.limits.held), share(config.limits.certificates));
        shard.books.tally.watch = config.watch.then(Box::default);
        shard
    }

    /// Takes a segment.
    #[inline]
    pub(crate) fn segment(&mut self, segment: &Segment<'_>, when: When, config: &Config) {
        let at = match self.find(&segment.key, segment.hash) {
            Some(Place::Tracked(at)) => Some(at),
            Some(Place::Opening(at)) => match self.open(at, segment, when, config) {
                ControlFlow::Continue(at) => at,
                ControlFlow::Break(()) => return,
            },
            None if segment.vantage != Vantage::default() && self.translate(segment, when, config) => return,
            None => None,
        };
        if let Some(at) = at {
            let Some((tracked, expires)) = self.tracked.get_mut(at) else { return };
            if when.clock < *expires && !tracked.connection.is_reopened_by(segment) {
                tracked.observe(segment, when.clock, config, &mut self.books);
                tracked.connection.hear(when.position, when.clock, &mut self.heard);
                *expires = tracked.expires(when.clock, config);
                if let Some(watch) = &mut self.books.tally.watch {
                    watch.happened(at, tracked, when.clock, config);
                }
                return;
            }
            let now = (*expires).min(when.clock);
            self.finish(Place::Tracked(at), now, config);
        }
        self.begin(segment, when, config);
    }

    /// Takes a segment where only SYNs came before. Unless that was all there is to it: where the connection is that it
    /// made of the opening, if that was not over.
    fn open(
        &mut self,
        at: u32,
        segment: &Segment<'_>,
        when: When,
        config: &Config,
    ) -> ControlFlow<(), Option<u32>> {
        let Some((opening, expires)) = self.openings.get_mut(at) else { return ControlFlow::Break(()) };
        if when.clock >= *expires {
            let now = *expires;
            self.finish(Place::Opening(at), now, config);
            return ControlFlow::Continue(None);
        }
        if opening.takes(segment) {
            *expires = opening_expires(when.clock, config);
            return ControlFlow::Break(());
        }
        self.promote(at, segment.hash).map_or(ControlFlow::Break(()), |at| ControlFlow::Continue(Some(at)))
    }

    /// The first segment of a connection.
    #[cold]
    fn begin(&mut self, segment: &Segment<'_>, when: When, config: &Config) {
        self.make_room(when.clock, config);
        let place = if Opening::is_begun_by(segment) {
            let expires = opening_expires(when.clock, config);
            let at = self.openings.insert(expires, || Opening::new(when.position, segment));
            if let Some((watch, at)) = self.books.tally.watch.as_mut().zip(at)
                && let Some(opening) = self.openings.get(at)
            {
                watch.opened(at, opening.server(), opening.first, config);
            }
            at.map(Place::Opening)
        } else {
            let new = || Tracked::new(Connection::new(when.position, segment));
            let at = self.tracked.insert(when.clock, new);
            if let Some((tracked, expires)) = at.and_then(|at| self.tracked.get_mut(at)) {
                tracked.observe(segment, when.clock, config, &mut self.books);
                tracked.connection.hear(when.position, when.clock, &mut self.heard);
                *expires = tracked.expires(when.clock, config);
            }
            at.map(Place::Tracked)
        };
        self.happened(place, when.clock, config);
        self.enter(place, &segment.key, segment.hash);
    }

    /// Something happened at `place`, for those who watch.
    fn happened(&mut self, place: Option<Place>, clock: Timestamp, config: &Config) {
        if let Some(watch) = &mut self.books.tally.watch
            && let Some(Place::Tracked(at)) = place
            && let Some(tracked) = self.tracked.get(at)
        {
            watch.happened(at, tracked, clock, config);
        }
    }

    /// Looks at the connections of which something can be said at `clock`, though they are not over.
    pub(crate) fn look(&mut self, clock: Timestamp, config: &Config) {
        let Self { tracked, openings, books, .. } = self;
        let Some(watch) = &mut books.tally.watch else { return };
        for at in watch.due(clock) {
            if let Some(tracked) = tracked.get(at) {
                watch.look(at, tracked, clock, config);
            }
        }
        for at in watch.due_openings(clock) {
            if let Some(opening) = openings.get(at) {
                watch.look_at_opening(Tracked::new(opening.connection()), clock, config);
            }
        }
    }

    /// The open connection in a place, if it is the one with this id.
    pub(crate) fn tracked(&self, at: u32, id: u64) -> Option<&Tracked> {
        self.tracked.get(at).filter(|tracked| tracked.connection.id == id)
    }

    /// How many connections are open.
    pub(crate) fn open_connections(&self) -> usize {
        self.tracked.len() + self.openings.len()
    }

    /// Makes a connection of an opening for which something else came than its SYN. Gives back where it is now.
    fn promote(&mut self, at: u32, hash: u64) -> Option<u32> {
        let Self { table, openings, tracked, by_client, books, .. } = self;
        let (opening, expires) = openings.get(at).zip(openings.expires(at))?;
        let place = tracked.insert(expires, || Tracked::new(opening.unopened()))?;
        let (promoted, _) = tracked.get_mut(place)?;
        opening.open(&mut promoted.connection);
        if let Some(entry) =
            table.find_mut(Entry::spread(hash as u32), |entry| entry.place() == Place::Opening(at))
        {
            *entry = Entry::new(hash, Place::Tracked(place));
        }
        if let Some(by_client) = by_client {
            by_client.insert(opening.key.get().ephemeral(), Place::Tracked(place));
        }
        if let Some(watch) = &mut books.tally.watch {
            watch.closed_opening(at);
        }
        openings.clear(at);
        Some(place)
    }

    fn enter(&mut self, place: Option<Place>, key: &FlowKey, hash: u64) {
        let Some(place) = place else { return };
        if let Some(by_client) = &mut self.by_client {
            by_client.insert(key.ephemeral(), place);
        }
        let entry = Entry::new(hash, place);
        self.table.insert_unique(Entry::spread(entry.hash), entry, |entry| Entry::spread(entry.hash));
    }

    /// Whether `segment` is the SYN of a known connection, seen on the other side of address translation: the same
    /// client, the same sequence number, another server, at once. From then on its packets are found under both.
    #[cold]
    fn translate(&mut self, segment: &Segment<'_>, when: When, config: &Config) -> bool {
        let client = segment.key.ephemeral();
        let mut place = self.by_client().get(&client).copied();
        if let Some(Place::Opening(at)) = place
            && let Some(opening) = self.openings.get(at)
            && opening.is_translated_in(segment)
        {
            let hash = opening.key.get().hash();
            place = self.promote(at, hash).map(Place::Tracked);
        }
        let Some(Place::Tracked(at)) = place else { return false };
        let Some((tracked, expires)) = self.tracked.get_mut(at) else { return false };
        if tracked.translated().is_some() || !tracked.connection.is_translated_in(segment) {
            return false;
        }
        tracked.translate(segment.key);
        tracked.observe(segment, when.clock, config, &mut self.books);
        *expires = tracked.expires(when.clock, config);
        self.happened(Some(Place::Tracked(at)), when.clock, config);
        let entry = Entry::new(segment.hash, Place::Tracked(at));
        self.table.insert_unique(Entry::spread(entry.hash), entry, |entry| Entry::spread(entry.hash));
        true
    }

    /// The last connection of each client.
    fn by_client(&mut self) -> &HashMap<Endpoint, Place, Keyed> {
        let Self { openings, tracked, by_client, .. } = self;
        by_client.get_or_insert_with(|| {
            let openings =
                openings.iter().map(|(at, opening)| (opening.id, opening.key.get(), Place::Opening(at)));
            let tracked = tracked
                .iter()
                .map(|(at, Tracked { connection, .. })| (connection.id, connection.key, Place::Tracked(at)));
            let mut by_age: Vec<_> = openings.chain(tracked).collect();
            by_age.sort_unstable_by_key(|&(id, ..)| id);
            by_age.into_iter().map(|(_, key, place)| (key.ephemeral(), place)).collect()
        })
    }

    /// Ties an ICMP error to the connection that it quotes: by its addresses, else by its client and sequence number,
    /// because a quote may bear the address from before translation; else nothing but the quote was seen of it.
    #[cold]
    pub(crate) fn unreachable(&mut self, error: &IcmpError, when: When, config: &Config) {
        let (key, _) = FlowKey::of(error.quote.source, error.quote.destination);
        let hash = key.hash();
        let mut place = self.find(&key, hash).or_else(|| self.find_untranslated(error));
        if let Some(Place::Opening(at)) = place
            && let Some(opening) = self.openings.get(at)
        {
            let hash = opening.key.get().hash();
            place = self.promote(at, hash).map(Place::Tracked);
        }
        if let Some(Place::Tracked(at)) = place
            && let Some((tracked, expires)) = self.tracked.get_mut(at)
        {
            if when.clock < *expires {
                tracked.connection.unreachable(error);
                *expires = tracked.expires(when.clock, config);
                self.happened(place, when.clock, config);
                return;
            }
            let now = *expires;
            self.finish(Place::Tracked(at), now, config);
        }
        self.make_room(when.clock, config);
        let at = self.tracked.insert(when.clock, || Tracked::new(Connection::quoted(when.position, error)));
        if let Some((tracked, expires)) = at.and_then(|at| self.tracked.get_mut(at)) {
            tracked.connection.unreachable(error);
            *expires = tracked.expires(when.clock, config);
        }
        let place = at.map(Place::Tracked);
        self.happened(place, when.clock, config);
        self.enter(place, &key, hash);
    }

    #[inline]
    fn find(&self, key: &FlowKey, hash: u64) -> Option<Place> {
        let Self { table, openings, tracked, .. } = self;
        let is_it = |entry: &Entry| {
            entry.hash == hash as u32
                && match entry.place() {
                    Place::Opening(at) => openings.get(at).is_some_and(|opening| opening.key.is(key)),
                    Place::Tracked(at) => tracked.get(at).is_some_and(|tracked| tracked.has_key(key)),
                }
        };
        table.find(Entry::spread(hash as u32), is_it).map(|entry| entry.place())
    }

    fn find_untranslated(&mut self, error: &IcmpError) -> Option<Place> {
        // The error is in the shard of the quoted client only if the client has the higher port.
        let (key, _) = FlowKey::of(error.quote.source, error.quote.destination);
        if key.ephemeral() != error.quote.source {
            return None;
        }
        let place = *self.by_client().get(&error.quote.source)?;
        let quoted = match place {
            Place::Opening(at) => self.openings.get(at)?.is_quoted_untranslated(error),
            Place::Tracked(at) => self.tracked.get(at)?.connection.is_quoted_untranslated(error),
        };
        quoted.then_some(place)
    }
}
