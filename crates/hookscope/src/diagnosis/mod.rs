//! Facts of a connection -> its verdict: the rules, and which of their findings counts.
//!
//! One diagnosis is one rule: a file in `rules` with its page beside it and a line in the catalogue. A rule looks
//! at a `Case` and says what it found or nothing; no rule knows another. Of all findings the first failure counts,
//! in order of the packets, else the first warning; a failure's first cause is therefore its verdict.

pub(crate) mod case;
pub(crate) mod catalogue;
mod custom;
pub mod message;
mod plain;
pub(crate) mod proof;
mod proof_prose;
mod rules;
pub(crate) mod story;
pub(crate) mod verdict;
pub(crate) mod whom;

pub use catalogue::{Page, page_of, pages};

use std::fmt;

use crate::call::Call;
use crate::connection::Opening;
use crate::diagnosis::case::Case;
use crate::diagnosis::story::{Prose, Story};
use crate::diagnosis::verdict::{Code, Finding, Severity};
use crate::lookup::Lookup;
use crate::time::Timestamp;

/// One diagnosis.
pub(crate) trait Rule: fmt::Debug + Sync {
    /// The codes that it gives, with their pages.
    fn pages(&self) -> &'static [Page];

    /// Judges a connection that is over, or was watched to the end.
    fn connection(&self, _case: &Case<'_>) -> Option<Finding> {
        None
    }

    /// Judges a call that was answered.
    fn call(&self, _case: &Case<'_>, _call: &Call) -> Option<Finding> {
        None
    }

    /// Puts a finding of this rule in words.
    fn describe(&self, _story: &Story<'_>) -> Prose {
        Prose::default()
    }

    /// Puts a finding of this rule about a lookup in words.
    fn describe_lookup(&self, _lookup: &Lookup, _now: Timestamp) -> Prose {
        Prose::default()
    }
}

/// The verdict on a connection that is over, or was watched to the end; `calls` are the verdicts on its calls.
pub(crate) fn judge_connection<'f>(case: &Case<'_>, calls: impl Iterator<Item = &'f Finding>) -> Finding {
    findings(case).chain(calls.cloned()).reduce(first).unwrap_or_else(rules::nothing)
}

/// The verdict on a connection that was answered and nothing is wrong with, if a few facts tell that it is one: what
/// [`judge_connection`] would say, and that nothing is wrong with its last call either.
pub(crate) fn judge_plain(case: &Case<'_>) -> Option<(Code, Severity)> {
    let is_plain = plain::is_plain(case);
    debug_assert!(!is_plain || plain::is_so(case), "{case:?}");
    is_plain.then(rules::healthy)
}

/// The verdict on a connection of which nothing but its SYNs was seen, up to `now`: what [`judge_connection`] would say,
/// for where there are millions of them, and no rules of an embedder's own.
pub(crate) fn judge_opening(opening: &Opening, now: Timestamp) -> (Code, Severity) {
    rules::judge_opening(opening.count(), opening.waited(now))
}

/// The verdict on a call that was not answered, or not whole: what became of its connection since it began.
pub(crate) fn judge_open_call(case: &Case<'_>, call: &Call) -> Finding {
    findings(case)
        .filter(|finding| !finding.at.is_before(call.start))
        .reduce(first)
        .unwrap_or_else(rules::nothing)
}

/// What is wrong with a call that was answered: mostly nothing.
pub(crate) fn judge_call(case: &Case<'_>, call: &Call) -> Option<Finding> {
    if plain::is_plain_call(case, call) {
        debug_assert!(plain::is_so_of_call(case, call), "{call:?}");
        return None;
    }
    let found = rules::OF_CALLS.iter().filter_map(|rule| rule.call(case, call)).reduce(first);
    if case.config.rules.is_empty() {
        found
    } else {
        custom::of_call(case, call).into_iter().chain(found).reduce(first)
    }
}

/// All that any rule finds of a connection, an embedder's own first: on the same packet the first counts.
fn findings<'c>(case: &'c Case<'_>) -> impl Iterator<Item = Finding> + 'c {
    custom::of_connection(case).chain(rules::RULES.iter().filter_map(|rule| rule.connection(case)))
}

/// The verdict on a call that was answered, and with which nothing is wrong.
pub(crate) fn healthy_call(call: &Call) -> Finding {
    rules::healthy_call(call)
}

/// The verdict on a call that kube-apiserver's log names and no packet shows.
pub(crate) fn nothing_sent() -> Finding {
    rules::nothing_sent()
}

/// The verdict on a call that kube-apiserver's log names and the capture does not cover.
pub(crate) fn capture_incomplete() -> Finding {
    rules::capture_incomplete()
}

/// The verdict on a lookup that is over, or was watched up to `now`.
pub(crate) fn judge_lookup(lookup: &Lookup, now: Timestamp) -> Finding {
    rules::judge_lookup(lookup, now)
}

/// Which of two findings counts.
fn first(one: Finding, other: Finding) -> Finding {
    let other_counts = other.severity > one.severity
        || other.severity == one.severity
            && other.severity != Severity::Ok
            && other.at != crate::packet::Moment::END
            && (one.at == crate::packet::Moment::END || other.at.is_before(one.at));
    if other_counts { other } else { one }
}
