//! Queries and responses -> lookups that are over. One query is taken for another's repetition as follows.
//!
//! | a query for what the same client asked before | is |
//! | --- | --- |
//! | from the same socket with the same id, within 100 ms, to the same server or seen elsewhere | a copy of the packet: another interface, before or after address translation |
//! | from the same socket with the same id | the same, repeated (glibc; a stub that asks several servers at once) |
//! | after an error other than NXDOMAIN, within 1 s | the same, asked of the next server or once more |
//! | over TCP after a truncated answer | the same |
//! | 0.5 s to 6 s after a query that nothing has answered | the same, repeated from a new socket (Go) |
//! | else | another lookup |
//!
//! A response belongs to the query whose socket, id and question it bears, for 5 s; its source is not compared,
//! because address translation may stand between the two. NOERROR and NXDOMAIN settle a lookup. Six seconds of the
//! capture's clock after its last event it is over; until then it meets the other candidates of a search list.

use std::collections::BTreeSet;
use std::time::Duration;

use hashbrown::HashMap;

use super::learned::Learned;
use super::search::first_label;
use super::{Answer, Attempt, Excuse, Heard, Lookup, Socket, Transport};
use crate::config::Limits;
use crate::flow::key::{Address, Keyed};
use crate::time::{Elapsed, Timestamp};
use crate::wire::dns::{Opcode, RecordType, ResponseCode, Role};

/// Lookups that are under way.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    open: HashMap<u64, Open, Keyed>,
    next: u64,
    /// When each is over.
    due: BTreeSet<(Timestamp, u64)>,
    /// The lookup that last asked from a socket.
    by_socket: HashMap<Socket, u64, Keyed>,
    /// Lookups of names with the same first label: repetitions and candidates of a search list are found here.
    akin: HashMap<(Address, Box<str>), Vec<u64>, Keyed>,
    /// Those that are over, in the order of their ends.
    pub(crate) over: Vec<Over>,
    /// Names of the addresses in the answers.
    pub(crate) learned: Learned,
    /// Lookups that were ended early because there were too many.
    pub(crate) given_up: u64,
}

#[derive(Debug)]
struct Open {
    lookup: Lookup,
    due: Timestamp,
}

/// A lookup, and the time up to which it was watched.
#[derive(Debug)]
pub(crate) struct Over {
    pub(crate) lookup: Lookup,
    pub(crate) now: Timestamp,
}

impl Tracker {
    /// No resolver repeats a query so soon.
    const COPY: Elapsed = Elapsed::from_millis(100);
    /// How soon after an error the next server is asked.
    const NEXT_SERVER: Elapsed = Elapsed::from_millis(1_000);
    /// A little more than resolvers wait.
    const LINGER: Duration = Duration::from_secs(6);
    /// How many queries of one lookup are kept one by one.
    const ATTEMPTS: usize = 8;
    /// How many lookups of one first label are compared. Past it the oldest are no longer repeated or excused.
    const AKIN: usize = 32;

    /// Takes the next message.
    pub(crate) fn observe(&mut self, heard: &Heard, limits: &Limits) {
        self.advance(heard.clock);
        if heard.message.opcode != Opcode::QUERY {
            return;
        }
        match heard.message.role {
            Role::Query => self.query(heard, limits),
            Role::Response => self.response(heard, limits),
        }
    }

    /// Ends the lookups to which nothing happened for long enough at `clock`.
    pub(crate) fn advance(&mut self, clock: Timestamp) {
        while let Some(&(due, number)) = self.due.first().filter(|(due, _)| *due <= clock) {
            self.end(number, due);
        }
    }

    /// No message follows.
    pub(crate) fn finish(&mut self, clock: Timestamp) {
        while let Some(&(due, number)) = self.due.first() {
            self.end(number, due.min(clock));
        }
    }

    fn query(&mut self, heard: &Heard, limits: &Limits) {
        let Some(question) = &heard.message.question else { return };
        if !matches!(question.record_type, RecordType::A | RecordType::AAAA) {
            return;
        }
        let socket = Socket::of(heard);
        let same = self
            .by_socket
            .get(&socket)
            .copied()
            .filter(|number| self.open.get(number).is_some_and(|open| open.lookup.question == *question));
        if let Some(lookup) = same.and_then(|number| self.open.get(&number)).map(|open| &open.lookup) {
            if lookup.attempts.iter().any(|attempt| attempt.is_copied_by(&socket, heard)) {
                return;
            }
            if lookup.is_settled() {
                return self.begin(heard, limits);
            }
        }
        match same.or_else(|| self.repeated_by(heard)) {
            Some(number) => self.attempt(number, heard),
            None => self.begin(heard, limits),
        }
    }

    /// The oldest lookup of the same client and question that waits for being repeated.
    fn repeated_by(&self, heard: &Heard) -> Option<u64> {
        let question = heard.message.question.as_ref()?;
        let akin = self.akin.get(&(heard.client.address, first_label(&question.name).into()))?;
        akin.iter().copied().find(|number| {
            self.open
                .get(number)
                .is_some_and(|open| open.lookup.question == *question && open.lookup.is_repeated_by(heard))
        })
    }

    fn begin(&mut self, heard: &Heard, limits: &Limits) {
        let Some(question) = &heard.message.question else { return };
        while self.open.len() >= limits.lookups.max(1) {
            let Some(&(_, oldest)) = self.due.first() else { break };
            self.end(oldest, heard.clock);
            self.given_up += 1;
        }
        let number = self.next;
        self.next += 1;
        let akin = self.akin.entry((heard.client.address, first_label(&question.name).into())).or_default();
        if akin.len() >= Self::AKIN {
            akin.remove(0);
        }
        akin.push(number);
        let lookup = Lookup {
            id: heard.position,
            client: heard.client.address,
            question: question.clone(),
            count: 0,
            attempts: Vec::new(),
            addresses: Vec::new(),
            excuse: None,
        };
        self.open.insert(number, Open { lookup, due: heard.clock });
        self.attempt(number, heard);
    }

    fn attempt(&mut self, number: u64, heard: &Heard) {
        let socket = Socket::of(heard);
        let Some(open) = self.open.get_mut(&number) else { return };
        let lookup = &mut open.lookup;
        lookup.count += 1;
        if lookup.attempts.len() >= Self::ATTEMPTS {
            let forgotten = lookup.attempts.remove(1).socket;
            if self.by_socket.get(&forgotten) == Some(&number) {
                self.by_socket.remove(&forgotten);
            }
        }
        lookup.attempts.push(Attempt {
            socket,
            vantage: heard.vantage,
            server: heard.server,
            asked: heard.at,
            answer: None,
        });
        self.by_socket.insert(socket, number);
        self.linger(number, heard.clock);
    }

    fn response(&mut self, heard: &Heard, limits: &Limits) {
        let (socket, message) = (Socket::of(heard), &heard.message);
        let Some(&number) = self.by_socket.get(&socket) else { return };
        let Some(Open { lookup, .. }) = self.open.get_mut(&number) else { return };
        if lookup.is_settled() || message.question.as_ref().is_some_and(|one| *one != lookup.question) {
            return;
        }
        let unanswered = |attempt: &&mut Attempt| {
            attempt.socket == socket
                && attempt.answer.is_none()
                && heard.at.since(attempt.asked) < Lookup::PATIENCE
        };
        let mut waiting: Vec<_> = lookup.attempts.iter_mut().filter(unanswered).collect();
        // Of a stub that asks several servers at once, the one that answers.
        waiting.sort_by_key(|attempt| attempt.server == heard.server);
        let Some(attempt) = waiting.pop() else { return };
        attempt.answer = Some(Answer {
            at: heard.at,
            code: message.response_code,
            truncated: message.truncated,
            position: heard.position,
        });
        if message.response_code == ResponseCode::NO_ERROR {
            lookup.addresses.clone_from(&message.addresses);
            self.learned.learn(&lookup.addresses, &lookup.question.name, heard.position, limits);
        }
        self.linger(number, heard.clock);
        self.excuse(number);
    }

    /// Something happened to a lookup: it is not over yet.
    fn linger(&mut self, number: u64, clock: Timestamp) {
        let Some(open) = self.open.get_mut(&number) else { return };
        self.due.remove(&(open.due, number));
        open.due = clock.later(Self::LINGER);
        self.due.insert((open.due, number));
    }

    /// A lookup was answered: sees which errors that explains, its own or others'.
    fn excuse(&mut self, number: u64) {
        let Some(Open { lookup, .. }) = self.open.get(&number) else { return };
        let akin = self.akin.get(&lookup.akin()).map(Vec::as_slice).unwrap_or_default();
        let mut excuses = Vec::new();
        for other in akin.iter().filter(|other| **other != number) {
            let Some(Open { lookup: theirs, .. }) = self.open.get(other) else { continue };
            excuses.extend(theirs.excused_by(lookup).map(|excuse| (*other, excuse)));
            excuses.extend(lookup.excused_by(theirs).map(|excuse| (number, excuse)));
        }
        for (number, excuse) in excuses {
            let Some(Open { lookup, .. }) = self.open.get_mut(&number) else { continue };
            if !matches!(lookup.excuse, Some(Excuse::Resolved(_))) {
                lookup.excuse = Some(excuse);
            }
        }
    }

    fn end(&mut self, number: u64, now: Timestamp) {
        let Some(Open { lookup, due }) = self.open.remove(&number) else { return };
        self.due.remove(&(due, number));
        for attempt in &lookup.attempts {
            if self.by_socket.get(&attempt.socket) == Some(&number) {
                self.by_socket.remove(&attempt.socket);
            }
        }
        let key = lookup.akin();
        if let Some(akin) = self.akin.get_mut(&key) {
            akin.retain(|other| *other != number);
            if akin.is_empty() {
                self.akin.remove(&key);
            }
        }
        self.over.push(Over { lookup, now });
    }
}

impl Attempt {
    /// Whether `heard` is this query once more as the capture saw it, not as the client sent it.
    fn is_copied_by(&self, socket: &Socket, heard: &Heard) -> bool {
        self.socket == *socket
            && heard.at.since(self.asked) < Tracker::COPY
            && (self.server == heard.server || self.vantage != heard.vantage)
    }
}

impl Lookup {
    fn akin(&self) -> (Address, Box<str>) {
        (self.client, first_label(&self.question.name).into())
    }

    /// Whether a query from a new socket repeats this lookup's last one.
    fn is_repeated_by(&self, heard: &Heard) -> bool {
        let Some(last) = self.attempts.last() else { return false };
        match last.answer {
            _ if self.is_settled() => false,
            Some(answer) if answer.truncated => heard.transport == Transport::Tcp,
            Some(answer) => heard.at.since(answer.at) <= Tracker::NEXT_SERVER,
            None => heard.at.since(last.asked) >= Self::REPETITION,
        }
    }
}
