//! What packets show -> events that a line of the log may speak of, found by when they began and ended.

use std::net::SocketAddr;

use crate::diagnosis::healthy_call;
use crate::diagnosis::verdict::{Cause, Class, Finding, Severity};
use crate::flow::key::Endpoint;
use crate::inspect::outcome::{JudgedCall, Outcome};
use crate::report::build::Builder;
use crate::time::{Elapsed, Timestamp};

/// A call, or a connection that failed before it carried one.
pub(super) struct Event<'a> {
    pub(super) outcome: &'a Outcome,
    /// The call on it.
    pub(super) judged: Option<&'a JudgedCall>,
    pub(super) start: Timestamp,
    /// When it was over, where packets show that; else when the last packet came.
    pub(super) end: Timestamp,
    pub(super) code: &'static str,
    pub(super) cause: Option<Cause>,
    /// Whether the capture cannot tell what happened.
    pub(super) is_unclear: bool,
    pub(super) client: Endpoint,
    /// The addresses that it was sent to, before and behind translation, as far as packets show them.
    pub(super) servers: Vec<SocketAddr>,
    /// The name in its ClientHello, or the target of its CONNECT.
    pub(super) asked: Option<&'a str>,
    /// What its server is called otherwise.
    pub(super) known_as: Option<String>,
    /// Names of the webhooks that it may have been opened for.
    pub(super) webhooks: Vec<&'a str>,
}

impl Event<'_> {
    /// Whether the packets show that it failed.
    pub(super) fn has_failed(&self) -> bool {
        match self.judged {
            Some(judged) => {
                judged.finding.as_ref().is_some_and(|finding| finding.severity == Severity::Failure)
            }
            None => self.outcome.verdict.severity == Severity::Failure,
        }
    }
}

/// All events, and where to find them by time.
pub(super) struct Events<'a> {
    pub(super) all: Vec<Event<'a>>,
    /// Their beginnings and their ends, in order.
    starts: Vec<(Timestamp, usize)>,
    ends: Vec<(Timestamp, usize)>,
    /// By the client's port.
    ports: Vec<(u16, usize)>,
}

impl<'a> Events<'a> {
    /// All that were kept.
    pub(super) fn of(builder: &'a Builder<'a>) -> Self {
        let mut all = Vec::new();
        for outcome in builder.found.outcomes {
            of_outcome(builder, outcome, &mut all);
        }
        let sorted = |time: fn(&Event<'_>) -> Timestamp| {
            let mut times: Vec<_> =
                all.iter().enumerate().map(|(place, event)| (time(event), place)).collect();
            times.sort_unstable();
            times
        };
        let (starts, ends) = (sorted(|event| event.start), sorted(|event| event.end));
        let mut ports: Vec<_> =
            all.iter().enumerate().map(|(place, event)| (event.client.port, place)).collect();
        ports.sort_unstable();
        Self { all, starts, ends, ports }
    }

    /// Those that began within `window` of `time`.
    pub(super) fn began(&self, time: Timestamp, window: Elapsed) -> impl Iterator<Item = usize> {
        near(&self.starts, time, window)
    }

    /// Those that ended within `window` of `time`.
    pub(super) fn ended(&self, time: Timestamp, window: Elapsed) -> impl Iterator<Item = usize> {
        near(&self.ends, time, window)
    }

    /// Those of a client's port.
    pub(super) fn of_port(&self, port: u16) -> impl Iterator<Item = usize> {
        let first = self.ports.partition_point(|(other, _)| *other < port);
        let rest = self.ports.get(first..).unwrap_or_default().iter();
        rest.take_while(move |(other, _)| *other == port).map(|(_, place)| *place)
    }
}

fn near(times: &[(Timestamp, usize)], time: Timestamp, window: Elapsed) -> impl Iterator<Item = usize> {
    let from = Timestamp::from_nanos(time.as_nanos().saturating_sub(window.as_nanos()));
    let first = times.partition_point(|(at, _)| *at < from);
    let rest = times.get(first..).unwrap_or_default().iter();
    rest.take_while(move |(at, _)| at.since(time) <= window).map(|(_, place)| *place)
}

fn of_outcome<'a>(builder: &'a Builder<'a>, outcome: &'a Outcome, all: &mut Vec<Event<'a>>) {
    let connection = &outcome.connection;
    let verdict = &outcome.verdict;
    let ids = builder.webhooks_of(&outcome.view());
    let cluster = builder.cluster();
    let names = ids.iter().filter_map(|id| Some(cluster?.webhook(*id)?.name.as_str()));
    let webhooks: Vec<&str> = names.collect();
    let sni = outcome.server_name();
    let target = connection.application.proxied().map(|proxied| host_of(&proxied.target));
    let known_as = builder.name(connection).map(|name| name.text.to_owned());
    let quoted = connection.unreachable.as_deref().and_then(|unreachable| unreachable.destination);
    let servers = [Some(connection.server()), quoted].into_iter().flatten().map(|server| server.socket());
    let servers: Vec<SocketAddr> = servers.collect();
    let event = |finding: &Finding, judged, start, end| Event {
        outcome,
        judged,
        start,
        end,
        code: finding.code.name,
        cause: finding.cause,
        is_unclear: finding.code.class == Class::Unknown,
        client: connection.client(),
        servers: servers.clone(),
        asked: target.or(sni),
        known_as: known_as.clone(),
        webhooks: webhooks.clone(),
    };
    let last = connection.last.time;
    let mut has_failed = false;
    for judged in &outcome.calls {
        let healthy;
        let finding = match &judged.finding {
            Some(finding) => &**finding,
            None => {
                healthy = healthy_call(&judged.call);
                &healthy
            }
        };
        has_failed |= finding.severity == Severity::Failure;
        let answered = judged.call.last_byte.filter(|_| finding.severity != Severity::Failure);
        let end = answered.or(finding.end).map_or(last, |end| end.time);
        all.push(event(finding, Some(judged), judged.call.start.time, end));
    }
    let is_unclear = verdict.code.class == Class::Unknown && outcome.calls.is_empty();
    if verdict.severity == Severity::Failure && !has_failed || is_unclear {
        let end = verdict.end.map_or(last, |end| end.time);
        all.push(event(verdict, None, connection.first.time, end));
    }
}

fn host_of(target: &str) -> &str {
    target.rsplit_once(':').map_or(target, |(host, _)| host)
}
