//! What most connections are when they are over, and most calls: nothing is to be said of them but that they were
//! answered. A few facts tell, at a small part of what it takes to ask every rule.
//!
//! Of a connection that is healthy it may still say no, as rules may look closer; never yes of one of which a rule says
//! anything else. That is held against the rules wherever assertions are checked, and so in every test.

use crate::call::Call;
use crate::diagnosis::case::Case;
use crate::diagnosis::{findings, first, rules};
use crate::side::Side;
use crate::time::Elapsed;

/// Whether no rule says more of the connection than that its last call was answered, nor anything of that call.
pub(super) fn is_plain(case: &Case<'_>) -> bool {
    let connection = case.connection;
    let (halves, application) = (&connection.halves, &connection.application);
    let (Some(call), Some(session)) = (case.last_call(), case.tls()) else { return false };
    // The answer came, without plain HTTP to say how it was: nothing waits, and nothing is known to have been cut off.
    let is_answered = call.first_byte.is_some() && is_plain_call(case, call);
    // TCP: the first SYN was enough, and no segment was swallowed.
    let is_connected =
        connection.opened.is_some() && connection.established.is_some() && halves.client.syn < 2;
    let is_delivered = connection.unreachable.is_none()
        && halves.client.stuck().is_none()
        && halves.server.stuck().is_none();
    // TLS: the handshake is complete, nobody complained, and nothing else was spoken.
    let is_secured = session.complete.is_some()
        && session.rejected().is_none()
        && session.alerts().is_empty()
        && application.plain(Side::Server).is_none()
        && application.proxied().is_none();
    // The end: who closes behind an answer may have broken it off.
    let is_kept = || {
        halves.server.rst_at().is_none()
            && (case.close_of(Side::Client).is_none() || !rules::is_stalled(case))
    };
    is_answered && is_connected && is_delivered && is_secured && is_kept()
}

/// Whether no rule says anything of a call that was answered.
#[inline]
pub(super) fn is_plain_call(case: &Case<'_>, call: &Call) -> bool {
    let took = call.last_byte.map_or(Elapsed::ZERO, |last| last.since(call.start));
    case.config.rules.is_empty() && call.http.is_none() && !case.is_slow(took)
}

/// Whether the rules agree that a connection is plain.
pub(super) fn is_so(case: &Case<'_>) -> bool {
    let connection = findings(case).reduce(first);
    connection
        .is_some_and(|found| (found.code, found.severity) == rules::healthy() && found.evidence.is_empty())
        && case.last_call().is_some_and(|call| is_so_of_call(case, call))
}

/// Whether they agree that a call is.
pub(super) fn is_so_of_call(case: &Case<'_>, call: &Call) -> bool {
    case.config.rules.is_empty() && rules::OF_CALLS.iter().all(|rule| rule.call(case, call).is_none())
}

#[cfg(test)]
mod tests;
