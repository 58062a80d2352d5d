//! The story of one connection in packets: what a person would mark in Wireshark.

use std::borrow::Cow;

use crate::diagnosis::verdict::By;
use crate::http::Proxied;
use crate::inspect::outcome::Outcome;
use crate::packet::Moment;
use crate::report::build::Files;
use crate::report::schema::Event;
use crate::side::Side;
use crate::tls::session::Session;

/// How many of a connection's last calls are told.
const CALLS: usize = 3;

struct Step {
    at: Moment,
    by: By,
    what: Cow<'static, str>,
}

/// The steps of a connection, in order; those that prove its verdict are marked.
pub(crate) fn timeline(outcome: &Outcome, files: &Files) -> Vec<Event> {
    let connection = &outcome.connection;
    let mut steps = Steps(Vec::new());
    steps.connect(outcome);
    if let Some(proxied) = connection.application.proxied() {
        steps.proxy(proxied);
    }
    if let Some(session) = &connection.application.session {
        steps.tls(session);
    }
    steps.calls(outcome);
    steps.path(outcome);
    steps.unreachable(outcome);
    steps.close(outcome);
    steps.evidence(outcome);
    let mut steps = steps.0;
    steps.sort_by(|one, other| {
        (one.at.time, one.at.frame.number()).cmp(&(other.at.time, other.at.frame.number()))
    });
    steps
        .into_iter()
        .map(|step| Event {
            after_s: step.at.since(connection.first).as_secs(),
            frame: step.at.frame.number(),
            file: files.name(step.at.frame),
            by: step.by.name(),
            what: step.what.into_owned(),
            decisive: step.at == outcome.verdict.at
                || outcome.verdict.at == Moment::END
                    && outcome.verdict.evidence.last().is_some_and(|last| last.at == step.at),
        })
        .collect()
}

struct Steps(Vec<Step>);

impl Steps {
    fn add(&mut self, at: Option<Moment>, by: Side, what: impl Into<Cow<'static, str>>) {
        if let Some(at) = at {
            self.0.push(Step { at, by: By::Side(by), what: what.into() });
        }
    }

    fn connect(&mut self, outcome: &Outcome) {
        let connection = &outcome.connection;
        let syns = connection.halves.client.syn;
        self.add(connection.opened, Side::Client, "SYN");
        if connection.last_syn() != connection.opened {
            self.add(connection.last_syn(), Side::Client, format!("SYN again, number {syns}"));
        }
        self.add(connection.syn_ack, Side::Server, "SYN-ACK");
        if connection.last_syn_ack() != connection.syn_ack {
            let number = connection.halves.server.syn_ack;
            self.add(connection.last_syn_ack(), Side::Server, format!("SYN-ACK again, number {number}"));
        }
        self.add(connection.established, Side::Client, "ACK: connected");
    }

    fn proxy(&mut self, proxied: &Proxied) {
        self.add(Some(proxied.asked), Side::Client, format!("CONNECT {}", proxied.target));
        if let Some(answer) = &proxied.answer {
            let what = match &answer.refusal {
                Some(refusal) => format!("the proxy answers {} {}", refusal.status, refusal.reason),
                None => "the proxy opens the tunnel".to_owned(),
            };
            self.add(Some(answer.at), Side::Server, what);
        }
    }

    fn tls(&mut self, session: &Session) {
        if let Some(hello) = &session.client_hello {
            let name = hello.said.as_ref().and_then(|said| said.server_name.as_deref());
            let name = name.map(|name| format!(" for {name}")).unwrap_or_default();
            self.add(Some(hello.at), Side::Client, format!("ClientHello{name}"));
        }
        if let Some(hello) = &session.server_hello {
            let version = hello.said.as_ref().map(|said| format!(", {}", said.version)).unwrap_or_default();
            self.add(Some(hello.at), Side::Server, format!("ServerHello{version}"));
        }
        for alert in session.alerts() {
            self.add(Some(alert.at), alert.by, format!("alert: {}", alert.description));
        }
        self.add(session.client_certificate(), Side::Client, "client Certificate (by its size)");
        self.add(session.rejected(), Side::Client, "alert instead of Finished (by its size)");
        self.add(session.complete, Side::Client, "TLS handshake complete");
        for side in [Side::Client, Side::Server] {
            let closed = session.closed(side).filter(|at| Some(*at) != session.rejected());
            let in_clear = session.alerts().iter().any(|alert| Some(alert.at) == closed);
            self.add(closed.filter(|_| !in_clear), side, "close_notify or alert (by its size)");
        }
    }

    fn calls(&mut self, outcome: &Outcome) {
        let skipped = outcome.calls.len().saturating_sub(CALLS);
        for judged in outcome.calls.iter().skip(skipped) {
            let call = &judged.call;
            let number = call.index + 1;
            self.add(
                Some(call.requested),
                Side::Client,
                format!("request {number}, {} bytes", call.request_bytes),
            );
            self.add(
                call.first_byte,
                Side::Server,
                format!("response {number}, {} bytes", call.response_bytes),
            );
        }
        self.add(outcome.connection.application.calls.late(), Side::Server, "data after the client closed");
    }

    fn path(&mut self, outcome: &Outcome) {
        for side in [Side::Client, Side::Server] {
            if let Some(stuck) = outcome.connection.halves[side].stuck() {
                self.add(Some(stuck.first), side, format!("{} bytes sent again", stuck.length));
                if stuck.last != stuck.first {
                    let what = format!("{} bytes sent again, number {}", stuck.length, stuck.count);
                    self.add(Some(stuck.last), side, what);
                }
            }
        }
    }

    fn unreachable(&mut self, outcome: &Outcome) {
        if let Some(error) = outcome.connection.unreachable.as_deref() {
            let what = format!("ICMP {} from {}", error.kind, error.reporter.ip());
            self.0.push(Step { at: error.at, by: By::Network, what: what.into() });
        }
    }

    fn close(&mut self, outcome: &Outcome) {
        for side in [Side::Client, Side::Server] {
            let half = &outcome.connection.halves[side];
            self.add(half.fin_at(), side, "FIN");
            self.add(half.rst_at(), side, "RST");
        }
    }

    /// Packets that prove the verdict and are not told yet.
    fn evidence(&mut self, outcome: &Outcome) {
        for evidence in &outcome.verdict.evidence {
            if !self.0.iter().any(|step| step.at == evidence.at) {
                let by = outcome.verdict.by.and_then(|by| by.side()).unwrap_or(Side::Client);
                self.add(Some(evidence.at), by, evidence.note.clone());
            }
        }
    }
}
