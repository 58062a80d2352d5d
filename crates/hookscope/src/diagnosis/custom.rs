//! Rules of an embedder's own, beside the built-in ones: what they are shown, and what becomes of what they find.

use std::sync::Arc;

use crate::call::Call;
use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page_of;
use crate::diagnosis::story::{Prose, Story};
use crate::diagnosis::verdict::{By, Code, Evidence, Finding};
use crate::diagnosis::{Page, Rule};
use crate::packet::Moment;
use crate::rule::{self, RuleError, Rules};
use crate::side::{PerSide, Side};
use crate::tls::session::Session;

impl Rules {
    /// Adds a rule.
    ///
    /// # Errors
    ///
    /// [`RuleError`] where its code is no kebab-case, a built-in one, or that of another rule.
    pub fn push(&mut self, rule: Arc<dyn rule::Rule>) -> Result<(), RuleError> {
        let code = rule.code();
        if page_of(code).is_some() { Err(RuleError::BuiltIn { code }) } else { self.add(rule) }
    }
}

/// Stands for all of them: the words came with the finding.
#[derive(Debug)]
struct Custom;

impl Rule for Custom {
    fn pages(&self) -> &'static [Page] {
        &[]
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        story.finding.prose.as_deref().cloned().unwrap_or_default()
    }
}

/// What they find of a connection.
pub(super) fn of_connection<'c>(case: &'c Case<'_>) -> impl Iterator<Item = Finding> + 'c {
    let rules = &case.config.rules;
    let shown = (!rules.is_empty()).then(|| shown(case));
    shown.into_iter().flat_map(move |shown| {
        let found = rules.iter().filter_map(|rule| Some(finding(rule, rule.connection(&shown)?)));
        found.collect::<Vec<_>>()
    })
}

/// What they find of a call that was answered.
#[cold]
pub(super) fn of_call(case: &Case<'_>, call: &Call) -> Vec<Finding> {
    let (shown, call) = (shown(case), shown_call(call));
    let rules = case.config.rules.iter();
    rules.filter_map(|rule| Some(finding(rule, rule.call(&shown, &call)?))).collect()
}

fn finding(rule: &dyn rule::Rule, found: rule::Finding) -> Finding {
    let code = Code { class: rule.class(), name: rule.code() };
    let rule::Finding { severity, certainty, by, phase, at, evidence, summary, hints } = found;
    Finding {
        severity,
        certainty,
        by: by.map(By::Side),
        evidence: evidence.into_iter().map(|(at, note)| Evidence { at, note }).collect(),
        prose: Some(Box::new(Prose { summary, hints })),
        ..Finding::failure(&Custom, code, phase, at.unwrap_or(Moment::END))
    }
}

/// What they are shown of a connection.
fn shown<'c>(case: &Case<'c>) -> rule::Case<'c> {
    let connection = case.connection;
    let calls = &connection.application.calls;
    let unreachable = connection.unreachable.as_deref();
    rule::Case {
        id: connection.id,
        client: connection.client().socket(),
        server: connection.server().socket(),
        server_name: case.tls().and_then(Session::offered).and_then(|offered| offered.server_name.as_deref()),
        first: connection.first,
        last: connection.last,
        now: case.now,
        opened: connection.opened,
        syn_ack: connection.syn_ack,
        established: connection.established,
        tls: case.tls().map(shown_tls),
        unreachable: unreachable.map(|error| rule::Unreachable {
            at: error.at,
            reporter: error.reporter.ip(),
            count: error.count.into(),
        }),
        calls: calls.count.into(),
        last_call: calls.last.as_ref().map(shown_call),
        deadline: case.deadline_of_calls(),
        has_losses: case.has_losses(),
        sent: PerSide { client: sent(case, Side::Client), server: sent(case, Side::Server) },
    }
}

fn sent(case: &Case<'_>, side: Side) -> rule::Sent {
    let half = &case.connection.halves[side];
    rule::Sent {
        packets: half.packets,
        bytes: half.bytes,
        retransmissions: half.retransmissions.into(),
        syns: u64::from(half.syn) + u64::from(half.syn_ack),
        data: half.data_at,
        fin: half.fin_at(),
        rst: half.rst_at(),
        closed: case.close_of(side).map(|close| close.at),
    }
}

fn shown_tls(session: &Session) -> rule::Tls<'_> {
    let chosen = session.server_hello.as_ref().and_then(|hello| hello.said.as_ref());
    let offered = || session.offered().and_then(|offered| offered.protocol.as_deref());
    let alerts = session.alerts().iter().map(|alert| rule::Alert {
        by: alert.by,
        at: alert.at,
        is_fatal: alert.is_fatal,
        description: alert.description.0,
    });
    rule::Tls {
        client_hello: session.client_hello.as_ref().map(|hello| hello.at),
        server_hello: session.server_hello.as_ref().map(|hello| hello.at),
        complete: session.complete,
        version: session.version().map(|version| version.0),
        cipher: chosen.map(|chosen| chosen.cipher.0),
        alpn: chosen.and_then(|chosen| chosen.protocol.as_deref()).or_else(offered),
        alerts: alerts.collect(),
    }
}

fn shown_call(call: &Call) -> rule::Call {
    rule::Call {
        index: call.index.into(),
        start: call.start,
        requested: call.requested,
        request_end: call.request_end,
        request_bytes: call.request_bytes,
        first_byte: call.first_byte,
        last_byte: call.last_byte,
        response_bytes: call.response_bytes,
        status: call.http.and_then(|http| http.status).map(Into::into),
        is_answered: call.is_answered(),
    }
}
