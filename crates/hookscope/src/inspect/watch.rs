//! What becomes known of connections while they are still open, for those who watch packets as they come.
//!
//! A connection is looked at when something about it can be said: when it was closed, when what it waits for is overdue,
//! when an answer came late. Looks are set like alarms, by the connection's own moments, and happen when the clock passes
//! them: that of the packets, or the driver's where none come. A look changes nothing of the connection, so that what is
//! said in the end is the same with looks and without. Where that differs from what was said before, it is said again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use hashbrown::HashMap;

use crate::call::Call;
use crate::config::{Config, Keep};
use crate::connection::Connection;
use crate::diagnosis::case::Case;
use crate::diagnosis::healthy_call;
use crate::diagnosis::verdict::{Code, Finding, Severity};
use crate::diagnosis::whom::{deadline, deadline_at};
use crate::flow::key::Endpoint;
use crate::inspect::outcome::{JudgedCall, Outcome, server_name};
use crate::inspect::tracked::Tracked;
use crate::packet::Moment;
use crate::side::Side;
use crate::time::{Elapsed, Timestamp};

/// A connection or a call that is to be counted, once.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Counted {
    /// The server.
    pub server: SocketAddr,
    /// Its name, as the ClientHello has it, else the cluster's objects.
    pub server_name: Option<Box<str>>,
    /// The code of the verdict.
    pub code: &'static str,
    /// The severity of the verdict.
    pub severity: Severity,
    /// How long an answered call took.
    pub total: Option<Elapsed>,
}

impl Counted {
    fn of(connection: &Connection, code: Code, severity: Severity) -> Self {
        let server_name = server_name(connection).map(Into::into);
        let server = connection.server().socket();
        Self { server, server_name, code: code.name, severity, total: None }
    }

    fn call(connection: &Connection, call: &Call, finding: Option<&Finding>) -> Self {
        let (code, severity) = match finding {
            Some(finding) => (finding.code, finding.severity),
            None => (healthy_call(call).code, Severity::Ok),
        };
        let answered = call.last_byte.filter(|_| call.is_answered() && severity != Severity::Failure);
        let total = answered.map(|last| last.since(call.start));
        Self { total, ..Self::of(connection, code, severity) }
    }
}

/// What a notice is about: a connection as a whole, or one of its calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    /// The call's index; none for the connection.
    pub(crate) call: Option<u32>,
    /// The code that was given before.
    pub(crate) revises: Option<Code>,
}

/// Where a connection is that is still open.
#[derive(Debug)]
pub(crate) enum Spot {
    /// In this place of the shard, if it bears this id there.
    Tracked(u32, u64),
    /// Here: of an opening, all that is known of it.
    Opening(Box<Tracked>),
}

/// Something to be said of a connection that is still open.
#[derive(Debug)]
pub(crate) struct Early {
    pub(crate) spot: Spot,
    /// The time of the look.
    pub(crate) now: Timestamp,
    pub(crate) verdict: Finding,
    /// The call that is under way or was the last, where it is not among those that were judged.
    pub(crate) last: Option<JudgedCall>,
    pub(crate) about: Vec<About>,
}

/// A connection that is over, and what is to be said of it.
#[derive(Debug)]
pub(crate) struct Over {
    pub(crate) outcome: Outcome,
    pub(crate) about: Vec<About>,
    /// Whether it is for the report, too.
    pub(crate) is_kept: bool,
}

/// What was said of a connection so far.
#[derive(Debug, Default)]
struct Said {
    verdict: Option<(Code, Severity)>,
    /// Indices of calls that were announced, and so counted.
    calls: Vec<u32>,
}

/// When a connection is looked at next, and when it was last.
#[derive(Clone, Copy, Debug)]
struct Alarm {
    set: Timestamp,
    looked: Timestamp,
}

impl Alarm {
    const NONE: Self = Self { set: Timestamp::MAX, looked: Timestamp::MIN };
}

/// When the connections in the places of a slab are looked at.
#[derive(Debug, Default)]
struct Alarms {
    /// By place.
    alarms: Vec<Alarm>,
    /// Places to be looked at, by time in ticks.
    ticks: BTreeMap<i64, Vec<u32>>,
}

impl Alarms {
    /// How fine alarms are.
    const TICK: i64 = 50_000_000;

    /// Sets the alarm of a place, unless it goes off earlier, or was looked at since.
    fn set(&mut self, at: u32, due: Timestamp) {
        let place = at as usize;
        if self.alarms.len() <= place {
            self.alarms.resize(place + 1, Alarm::NONE);
        }
        let Some(alarm) = self.alarms.get_mut(place) else { return };
        if due < alarm.set && due > alarm.looked {
            alarm.set = due;
            self.ticks.entry(due.as_nanos().div_euclid(Self::TICK)).or_default().push(at);
        }
    }

    /// The places whose alarms go off at `clock`.
    fn due(&mut self, clock: Timestamp) -> Vec<u32> {
        let tick = clock.as_nanos().div_euclid(Self::TICK);
        let mut due = Vec::new();
        while let Some(entry) = self.ticks.first_entry().filter(|entry| *entry.key() < tick) {
            let before = entry.key().saturating_add(1).saturating_mul(Self::TICK);
            for at in entry.remove() {
                // Alarms that were set anew, or belong to an earlier connection in that place, do not count.
                if let Some(alarm) = self.alarms.get_mut(at as usize)
                    && alarm.set.as_nanos() < before
                {
                    *alarm = Alarm { set: Timestamp::MAX, looked: clock };
                    due.push(at);
                }
            }
        }
        due
    }

    /// Nothing is in that place any more.
    fn clear(&mut self, at: u32) {
        if let Some(alarm) = self.alarms.get_mut(at as usize) {
            *alarm = Alarm::NONE;
        }
    }
}

/// What a shard knows for those who watch.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    tracked: Alarms,
    openings: Alarms,
    said: HashMap<u64, Said, foldhash::fast::FixedState>,
    pub(crate) early: Vec<Early>,
    pub(crate) over: Vec<Over>,
    pub(crate) calls: Vec<Counted>,
    pub(crate) connections: Vec<Counted>,
}

impl Watch {
    /// How long packets may still say more about how a connection ended.
    const GRACE: Duration = Duration::from_millis(150);
    /// How long after its deadline a client may show that it keeps it.
    const LATE: Duration = Duration::from_millis(250);
    /// After so long without a byte a response is taken to be complete.
    const QUIET: Duration = Duration::from_millis(1000);

    /// A SYN for `server` came to a place.
    pub(crate) fn opened(&mut self, at: u32, server: Endpoint, first: Moment, config: &Config) {
        self.openings.set(at, overdue(first, deadline_at(server, config)));
    }

    /// Something happened to the connection in a place.
    pub(crate) fn happened(&mut self, at: u32, tracked: &Tracked, clock: Timestamp, config: &Config) {
        if let Some(due) = due(&tracked.connection, clock, config) {
            self.tracked.set(at, due);
        }
    }

    /// The places whose alarms go off at `clock`.
    pub(crate) fn due(&mut self, clock: Timestamp) -> Vec<u32> {
        self.tracked.due(clock)
    }

    /// The same for openings.
    pub(crate) fn due_openings(&mut self, clock: Timestamp) -> Vec<u32> {
        self.openings.due(clock)
    }

    /// Looks at the connection in a place, and notes what is to be said.
    pub(crate) fn look(&mut self, at: u32, tracked: &Tracked, now: Timestamp, config: &Config) {
        if let Some((verdict, last, about)) = self.news(tracked, now, config) {
            let spot = Spot::Tracked(at, tracked.connection.id);
            self.early.push(Early { spot, now, verdict, last, about });
        }
        // The alarm may have been that of an earlier call; of what has ended only another packet says more.
        let connection = &tracked.connection;
        if !has_ended(&Case { connection, now, config }) {
            self.happened(at, tracked, now, config);
        }
    }

    /// Looks at an opening, which would be this connection.
    pub(crate) fn look_at_opening(&mut self, tracked: Tracked, now: Timestamp, config: &Config) {
        if let Some((verdict, last, about)) = self.news(&tracked, now, config) {
            self.early.push(Early { spot: Spot::Opening(Box::new(tracked)), now, verdict, last, about });
        }
    }

    /// What is to be said of a connection as it stands at `now`; counts what that is about.
    fn news(
        &mut self,
        tracked: &Tracked,
        now: Timestamp,
        config: &Config,
    ) -> Option<(Finding, Option<JudgedCall>, Vec<About>)> {
        let connection = &tracked.connection;
        let (verdict, last) = tracked.verdict(now, config);
        let said = self.said.entry(connection.id).or_default();
        let before = said.calls.len();
        let about = said.news(&verdict, tracked.calls().iter().chain(&last));
        if about.is_empty() {
            if said.verdict.is_none() && said.calls.is_empty() {
                self.said.remove(&connection.id);
            }
            return None;
        }
        if about.iter().any(|news| news.call.is_none() && news.revises.is_none()) {
            self.connections.push(Counted::of(connection, verdict.code, verdict.severity));
        }
        let new = said.calls.get(before..).unwrap_or_default();
        for judged in tracked.calls().iter().chain(&last).filter(|judged| new.contains(&judged.call.index)) {
            self.calls.push(Counted::call(connection, &judged.call, judged.finding.as_deref()));
        }
        Some((verdict, last, about))
    }

    /// A call was judged for good.
    pub(crate) fn judged(&mut self, connection: &Connection, call: &Call, finding: Option<&Finding>) {
        let said = self.said.get(&connection.id);
        if !said.is_some_and(|said| said.calls.contains(&call.index)) {
            self.calls.push(Counted::call(connection, call, finding));
        }
    }

    /// Nothing is in that place any more.
    pub(crate) fn closed(&mut self, at: u32) {
        self.tracked.clear(at);
    }

    /// The same for openings.
    pub(crate) fn closed_opening(&mut self, at: u32) {
        self.openings.clear(at);
    }

    /// A connection is over. Gives back what is to be said of it; where all are wanted, at least its verdict.
    pub(crate) fn over(&mut self, tracked: &Tracked, verdict: &Finding, config: &Config) -> Vec<About> {
        let connection = &tracked.connection;
        let mut said = self.said.remove(&connection.id).unwrap_or_default();
        if said.verdict.is_none() {
            self.connections.push(Counted::of(connection, verdict.code, verdict.severity));
        }
        let mut about = said.news(verdict, tracked.calls().iter());
        if about.is_empty() && config.keep == Keep::All {
            about.push(About { call: None, revises: None });
        }
        about
    }
}

impl Said {
    /// What has to be said of a connection with this verdict and these calls, and was not.
    fn news<'c>(&mut self, verdict: &Finding, calls: impl Iterator<Item = &'c JudgedCall>) -> Vec<About> {
        let mut news = Vec::new();
        let of_connection = (verdict.code, verdict.severity);
        let revises = self.verdict.filter(|said| *said != of_connection).map(|(code, _)| code);
        let is_new = self.verdict.is_none() && verdict.severity != Severity::Ok;
        if is_new || revises.is_some() {
            news.push(About { call: None, revises });
            self.verdict = Some(of_connection);
        }
        for judged in calls {
            let Some(finding) = judged.finding.as_deref() else { continue };
            let index = judged.call.index;
            if finding.severity == Severity::Ok || self.calls.contains(&index) {
                continue;
            }
            self.calls.push(index);
            // What makes the connection's verdict is said with it.
            let is_same = finding.code == verdict.code && finding.at == verdict.at;
            if !(is_same && news.iter().any(|news| news.call.is_none())) {
                news.push(About { call: Some(index), revises: None });
            }
        }
        news
    }
}

/// When there may be something to say of a connection to which something happened at `clock`; none while it is idle or
/// all goes well.
fn due(connection: &Connection, clock: Timestamp, config: &Config) -> Option<Timestamp> {
    let case = Case { connection, now: clock, config };
    if has_ended(&case) {
        return Some(clock.later(Watch::GRACE));
    }
    let overdue = |since: Moment| overdue(since, deadline(connection, config));
    let Some(established) = connection.established else {
        return connection.opened.map(overdue);
    };
    if let Some(call) = case.last_call() {
        return match call.last_byte.filter(|_| call.is_answered()) {
            None => Some(overdue(call.start)),
            Some(last) if case.is_slow(last.since(call.start)) => Some(last.time.later(Watch::QUIET)),
            Some(_) => None,
        };
    }
    if connection.halves[Side::Client].syn > 1 && connection.opened.is_some() {
        return Some(established.time.later(Watch::GRACE));
    }
    let hello = case.tls().filter(|session| session.complete.is_none())?.client_hello.as_ref()?;
    Some(overdue(hello.at))
}

/// Whether a side closed, or an ICMP error says that packets do not arrive.
fn has_ended(case: &Case<'_>) -> bool {
    case.first_close().is_some() || case.connection.unreachable.is_some()
}

/// When something that waits since that moment is overdue.
fn overdue(since: Moment, deadline: Duration) -> Timestamp {
    since.time.later(deadline).later(Watch::LATE)
}
