//! Finished connections and calls -> counts by server, name and code: all that remains of healthy ones.
//!
//! Adding is commutative: whatever the order and however the work is split, the sums are the same.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use hdrhistogram::Histogram;

use crate::call::Call;
use crate::connection::{Connection, Opening};
use crate::diagnosis::verdict::{Code, Finding, Severity};
use crate::flow::key::{Address, Endpoint, Keyed};
use crate::inspect::outcome::{Outcome, server_name};
use crate::inspect::watch::Watch;
use crate::packet::Moment;
use crate::time::Elapsed;
use crate::tls::certificate::CertificateList;

/// Counts by server and name.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Where each server and name stands in `servers`.
    index: HashTable<usize>,
    servers: Vec<ServerTally>,
    /// Where servers stand that were counted lately, by a few bits of their addresses.
    recent: [Hint; 32],
    /// How many servers are counted one by one; all of them where it is not set.
    most: Option<usize>,
    /// Octets of the certificates that servers presented, as often as they were kept.
    presented: usize,
    /// Calls that connections keep one by one, how many they may be, and how many there was no room for.
    pub(super) kept_calls: usize,
    pub(super) most_calls: Option<usize>,
    pub(super) left_out_calls: u64,
    /// What is to be known before the end, where somebody watches.
    pub(crate) watch: Option<Box<Watch>>,
}

impl Tally {
    /// Whether there is room for one more call to be kept, which it takes.
    pub(super) fn has_room_for_call(&mut self, is_healthy: bool) -> bool {
        let most = self.most_calls.unwrap_or(usize::MAX);
        // Those that went wrong have room of their own behind those that did not.
        let has_room = self.kept_calls < if is_healthy { most } else { most.saturating_mul(2) };
        self.kept_calls += usize::from(has_room);
        self.left_out_calls += u64::from(!has_room);
        has_room
    }

    /// So many calls are kept no more.
    pub(super) const fn drop_calls(&mut self, count: usize) {
        self.kept_calls = self.kept_calls.saturating_sub(count);
    }
}

/// Where a server and name stands in `servers`.
#[inline]
fn find(
    index: &HashTable<usize>,
    servers: &[ServerTally],
    server: Endpoint,
    name: Option<&str>,
) -> Option<usize> {
    let is_it = |&place: &usize| servers.get(place).is_some_and(|entry| entry.is(server, name));
    index.find(hash(server, name), is_it).copied()
}

fn hash(server: Endpoint, name: Option<&str>) -> u64 {
    Keyed.hash_one((server, name))
}

/// Where a connection's server stands, most likely: who counts often need not search often.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hint(u32);

/// What was seen of one server under one name.
#[derive(Debug)]
pub(crate) struct ServerTally {
    pub(crate) server: Endpoint,
    pub(crate) name: Option<Box<str>>,
    pub(crate) connections: u64,
    /// Those whose SYN was answered with a SYN-ACK.
    pub(crate) answered_connections: u64,
    pub(crate) failed_connections: u64,
    pub(crate) calls: u64,
    pub(crate) failed_calls: u64,
    pub(crate) latency: Option<Box<LatencyTally>>,
    /// A few of the lists of certificates that it presented in the clear, where somebody can say whether to trust them.
    pub(crate) certificates: Vec<CertificateList>,
    /// One entry for each code that was given.
    pub(crate) groups: Vec<GroupTally>,
}

/// Connections of one server with one verdict.
#[derive(Debug)]
pub(crate) struct GroupTally {
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    pub(crate) count: u64,
    /// First packets of the first and the last connection.
    pub(crate) first: Moment,
    pub(crate) last: Moment,
    /// Ids of the first few connections, in order.
    pub(crate) ids: Vec<u64>,
    /// The connection with the lowest id, unless it is healthy or reported one by one.
    pub(crate) example: Option<Box<Outcome>>,
}

/// How long answered calls took.
#[derive(Clone, Debug)]
pub(crate) struct LatencyTally {
    /// Microseconds, to three digits.
    histogram: Histogram<u32>,
    pub(crate) min: Elapsed,
    pub(crate) max: Elapsed,
}

impl Tally {
    /// What stands for servers that are not counted one by one: no server has this address.
    pub(crate) const OTHERS: Endpoint = Endpoint { address: Address::v4([0; 4]), port: 0 };
    const OTHERS_NAME: &str = "other servers";
    /// Octets of certificates that are kept: thousands of chains.
    const PRESENTED: usize = 16 << 20;

    /// No counts, for at most so many servers.
    pub(crate) fn bounded(most: usize) -> Self {
        Self { most: Some(most), ..Self::default() }
    }

    /// Counts a call and how it went.
    pub(crate) fn call(&mut self, connection: &Connection, call: &Call, severity: Severity, hint: &mut Hint) {
        self.server(connection.server(), server_name(connection), hint).call(call, severity);
    }

    /// Counts a connection with this verdict and its last call, which is alike.
    pub(crate) fn plain(
        &mut self,
        connection: &Connection,
        code: Code,
        severity: Severity,
        hint: &mut Hint,
    ) -> &mut GroupTally {
        let server = self.server(connection.server(), server_name(connection), hint);
        if let Some(call) = &connection.application.calls.last {
            server.call(call, severity);
        }
        server.connection(connection, code, severity)
    }

    /// Counts a connection and its verdict.
    pub(crate) fn connection(
        &mut self,
        connection: &Connection,
        verdict: &Finding,
        hint: &mut Hint,
    ) -> &mut GroupTally {
        let server = self.server(connection.server(), server_name(connection), hint);
        server.connection(connection, verdict.code, verdict.severity)
    }

    /// Keeps what the server of a connection that was counted presented in the clear, for those who compare it with
    /// others; as far as there is room.
    pub(crate) fn presented(&mut self, connection: &Connection) {
        let session = connection.application.session.as_ref();
        if let Some(list) = session.and_then(|session| session.certificates.as_ref())
            && self.presented + list.octets() <= Self::PRESENTED
            && self
                .server(connection.server(), server_name(connection), &mut Hint::default())
                .certificate(list)
        {
            self.presented += list.octets();
        }
    }

    /// Counts a connection of which nothing but SYNs was seen, and its verdict.
    pub(crate) fn opening(&mut self, opening: &Opening, code: Code, severity: Severity) -> &mut GroupTally {
        let server = self.server(opening.server(), None, &mut Hint::default());
        server.connections += 1;
        server.failed_connections += u64::from(severity == Severity::Failure);
        let group = server.group(code, severity, opening.first);
        group.add(opening.id, opening.first);
        group
    }

    /// Keeps a connection that was counted as the example of its group, unless there is a better one by now.
    pub(crate) fn example(&mut self, outcome: Outcome) {
        let server = self.server(outcome.connection.server(), outcome.server_name(), &mut Hint::default());
        let Finding { code, severity, .. } = outcome.verdict;
        let group = server.group(code, severity, outcome.connection.first);
        if group.wants(outcome.connection.id) {
            group.example = Some(Box::new(outcome));
        }
    }

    /// What was seen of a server under a name: of all others, where there are too many.
    #[inline]
    fn server(&mut self, server: Endpoint, name: Option<&str>, hint: &mut Hint) -> &mut ServerTally {
        let place = self.place(server, name, hint);
        self.at(place)
    }

    #[allow(clippy::indexing_slicing, reason = "places are of this vector, which never shrinks")]
    fn at(&mut self, place: usize) -> &mut ServerTally {
        &mut self.servers[place]
    }

    /// Where a server and name stands, entered if it is new.
    #[inline]
    fn place(&mut self, server: Endpoint, name: Option<&str>, hint: &mut Hint) -> usize {
        let bits = (server.low_bits() ^ name.map_or(0, str::len)) % self.recent.len();
        let lately = self.recent.get(bits).copied().unwrap_or_default();
        let is_it = |hint: &Hint| {
            let entry = self.servers.get(hint.0 as usize);
            entry.is_some_and(|entry| entry.is(server, name))
        };
        let hinted = [*hint, lately].into_iter().find(is_it);
        let place = hinted.map_or_else(|| self.find_or_enter(server, name), |hint| hint.0 as usize);
        *hint = Hint(u32::try_from(place).unwrap_or(u32::MAX));
        if let Some(lately) = self.recent.get_mut(bits) {
            *lately = *hint;
        }
        place
    }

    fn find_or_enter(&mut self, server: Endpoint, name: Option<&str>) -> usize {
        let Self { index, servers, most, .. } = self;
        let is_full = most.is_some_and(|most| servers.len() >= most);
        let (server, name) = match find(index, servers, server, name) {
            None if is_full => (Self::OTHERS, Some(Self::OTHERS_NAME)),
            Some(place) => return place,
            None => (server, name),
        };
        find(index, servers, server, name).unwrap_or_else(|| {
            servers.push(ServerTally::new(server, name));
            let place = servers.len() - 1;
            let rehash = |&place: &usize| {
                servers.get(place).map_or(0, |entry| hash(entry.server, entry.name.as_deref()))
            };
            index.insert_unique(hash(server, name), place, rehash);
            place
        })
    }

    /// Adds what another part of the work counted.
    pub(crate) fn merge(&mut self, other: Self) {
        for theirs in other.servers {
            self.server(theirs.server, theirs.name.as_deref(), &mut Hint::default()).merge(theirs);
        }
    }

    /// All servers, in no order.
    pub(crate) fn servers(&self) -> &[ServerTally] {
        &self.servers
    }
}

impl ServerTally {
    /// How many lists of certificates are kept: that of each pod, before and after a renewal.
    const CERTIFICATES: usize = 8;

    #[inline]
    fn is(&self, server: Endpoint, name: Option<&str>) -> bool {
        self.server == server && self.name.as_deref() == name
    }

    fn new(server: Endpoint, name: Option<&str>) -> Self {
        Self {
            server,
            name: name.map(Into::into),
            connections: 0,
            answered_connections: 0,
            failed_connections: 0,
            calls: 0,
            failed_calls: 0,
            latency: None,
            certificates: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// Counts a call and how it went.
    fn call(&mut self, call: &Call, severity: Severity) {
        self.calls += 1;
        if severity == Severity::Failure {
            self.failed_calls += 1;
        } else if let Some(last_byte) = call.last_byte.filter(|_| call.is_answered()) {
            let took = last_byte.since(call.start);
            self.latency.get_or_insert_with(|| Box::new(LatencyTally::new(took))).add(took);
        }
    }

    /// Counts a connection with this verdict.
    fn connection(&mut self, connection: &Connection, code: Code, severity: Severity) -> &mut GroupTally {
        self.connections += 1;
        self.answered_connections += u64::from(connection.opened.is_some() && connection.syn_ack.is_some());
        self.failed_connections += u64::from(severity == Severity::Failure);
        let group = self.group(code, severity, connection.first);
        group.add(connection.id, connection.first);
        group
    }

    /// Keeps a list, unless it is known.
    fn certificate(&mut self, list: &CertificateList) -> bool {
        let is_new = !self.certificates.contains(list);
        if is_new {
            // In an order of their own, so that the same ones remain however the work is split.
            let place = self.certificates.partition_point(|known| known < list);
            self.certificates.insert(place, list.clone());
            self.certificates.truncate(Self::CERTIFICATES);
        }
        is_new
    }

    fn group(&mut self, code: Code, severity: Severity, first: Moment) -> &mut GroupTally {
        // A code is mostly the same text in the same place.
        let is_it = |known: Code| {
            known.class == code.class && (std::ptr::eq(known.name, code.name) || known.name == code.name)
        };
        let place = self.groups.iter().position(|group| is_it(group.code)).unwrap_or_else(|| {
            self.groups.push(GroupTally {
                code,
                severity,
                count: 0,
                first,
                last: first,
                ids: Vec::new(),
                example: None,
            });
            self.groups.len() - 1
        });
        #[allow(clippy::indexing_slicing, reason = "the place was found or made above")]
        &mut self.groups[place]
    }

    /// Adds what was seen of the same server, under this name or another.
    pub(crate) fn merge(&mut self, other: Self) {
        self.connections += other.connections;
        self.answered_connections += other.answered_connections;
        self.failed_connections += other.failed_connections;
        self.calls += other.calls;
        self.failed_calls += other.failed_calls;
        match (&mut self.latency, other.latency) {
            (Some(ours), Some(theirs)) => ours.merge(&theirs),
            (ours @ None, theirs) => *ours = theirs,
            (Some(_), None) => {}
        }
        for list in other.certificates {
            self.certificate(&list);
        }
        for theirs in other.groups {
            match self.groups.iter_mut().find(|group| group.code == theirs.code) {
                Some(ours) => ours.merge(theirs),
                None => self.groups.push(theirs),
            }
        }
    }
}

impl GroupTally {
    /// How many ids are kept.
    const IDS: usize = 8;

    /// Whether the connection with this id, which was counted here, is the first that is worth showing.
    pub(crate) fn wants(&self, id: u64) -> bool {
        self.severity != Severity::Ok && self.example.as_ref().is_none_or(|one| id < one.connection.id)
    }

    fn add(&mut self, id: u64, first: Moment) {
        self.count += 1;
        self.seen(first);
        self.id(id);
    }

    fn seen(&mut self, first: Moment) {
        if first.time < self.first.time {
            self.first = first;
        }
        if first.time > self.last.time {
            self.last = first;
        }
    }

    fn id(&mut self, id: u64) {
        if self.ids.len() == Self::IDS && self.ids.last().is_some_and(|last| *last < id) {
            return;
        }
        let place = self.ids.partition_point(|&known| known < id);
        if place < Self::IDS {
            self.ids.insert(place, id);
            self.ids.truncate(Self::IDS);
        }
    }

    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.seen(other.first);
        self.seen(other.last);
        for id in other.ids {
            self.id(id);
        }
        let ours = self.example.as_ref().map_or(u64::MAX, |one| one.connection.id);
        if other.example.as_ref().is_some_and(|theirs| theirs.connection.id < ours) {
            self.example = other.example;
        }
    }
}

impl LatencyTally {
    #[allow(clippy::expect_used, reason = "three digits are within what a histogram allows")]
    fn new(first: Elapsed) -> Self {
        let histogram = Histogram::new(3).expect("three significant digits are valid");
        Self { histogram, min: first, max: first }
    }

    fn add(&mut self, took: Elapsed) {
        self.histogram.saturating_record(u64::try_from(took.as_nanos() / 1000).unwrap_or(0).max(1));
        self.min = self.min.min(took);
        self.max = self.max.max(took);
    }

    /// Adds the calls of another.
    pub(crate) fn merge(&mut self, other: &Self) {
        // Both resize themselves, so that adding cannot fail.
        let _ = self.histogram.add(&other.histogram);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// What the given part (0 to 1) of the calls did not exceed.
    pub(crate) fn quantile(&self, part: f64) -> Elapsed {
        let micros = self.histogram.value_at_quantile(part);
        let exact = Elapsed::from_nanos(i64::try_from(micros).unwrap_or(i64::MAX).saturating_mul(1000));
        exact.clamp(self.min, self.max)
    }
}
