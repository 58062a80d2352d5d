//! A capture that begins too late or ends too early to say.

use crate::call::Call;
use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Prose, Story};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};

#[derive(Debug)]
pub(super) struct CaptureIncomplete;

pub(super) const PAGE: Page = page!(Unknown, Ok, "capture-incomplete");

/// What the capture lacks.
#[derive(Clone, Copy, Debug)]
enum Lack {
    Begin,
    End,
    OneSide,
    Packets,
}

impl Rule for CaptureIncomplete {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let phase = match (case.connection.opened, case.last_call()) {
            (_, Some(call)) if call.first_byte.is_some() => Phase::Response,
            (_, Some(_)) => Phase::Request,
            (Some(_), None) if case.connection.established.is_none() => Phase::Connect,
            (Some(_), None) => Phase::Tls,
            (None, None) => Phase::Idle,
        };
        lack(case).map(|_| Finding::fine(&Self, PAGE.code, phase))
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        Prose::only(match lack(&story.case) {
            Some(Lack::OneSide) => {
                "Only one direction is in the capture: what the other side did is not known"
            }
            Some(Lack::Packets) => {
                "Packets, or parts of them, are missing from the capture where it would show what happened"
            }
            Some(Lack::End) => "The capture ends before anything can be said",
            Some(Lack::Begin) | None => "The capture begins too late to say what happened here",
        })
    }
}

/// The finding about a call that the capture does not cover.
pub(in crate::diagnosis) fn finding() -> Finding {
    Finding::fine(&CaptureIncomplete, PAGE.code, Phase::Connect)
}

fn lack(case: &Case<'_>) -> Option<Lack> {
    let connection = case.connection;
    let answered = case.last_call().is_some_and(Call::is_answered);
    if answered {
        return None;
    }
    if case.is_one_sided() {
        return Some(Lack::OneSide);
    }
    if case.waiting_call().is_some_and(|call| case.may_be_http2(call)) {
        return Some(Lack::Packets);
    }
    if case.is_unread() {
        return Some(Lack::Packets);
    }
    let unclear = case.last_call().is_some() || case.tls().is_some_and(|session| session.complete.is_none());
    if case.has_losses() && unclear {
        return Some(Lack::Packets);
    }
    let waits = case.open_call().is_some();
    let in_handshake = case.is_in_tls_handshake() && case.tls().is_some();
    if case.first_close().is_none() && (waits || in_handshake) {
        return Some(Lack::End);
    }
    if connection.opened.is_none() {
        let resets =
            connection.halves.client.rst_at().or_else(|| connection.halves.server.rst_at()).is_some();
        return (waits || resets).then_some(Lack::Begin);
    }
    (connection.established.is_none() && case.first_close().is_none()).then_some(Lack::End)
}
