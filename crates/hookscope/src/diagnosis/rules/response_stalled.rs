//! A response that began and did not end until the client gave up at its deadline.

use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Human, Prose, Story};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::side::Side;
use crate::time::Elapsed;

#[derive(Debug)]
pub(super) struct ResponseStalled;

const PAGE: Page = page!(SlowResponse, Failure, "response-stalled");

impl ResponseStalled {
    /// A client that closes sooner after the last byte closes because the response is complete.
    const SILENCE: Elapsed = Elapsed::from_millis(200);
}

/// Whether the last call's response was broken off.
pub(in crate::diagnosis) fn is_stalled(case: &Case<'_>) -> bool {
    ResponseStalled.connection(case).is_some()
}

impl Rule for ResponseStalled {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let call = case.last_call()?;
        let (first_byte, last_byte) = (call.first_byte?, call.last_byte?);
        let close = case.first_close_by(Side::Client)?;
        let complete = call.http.is_some_and(|response| response.is_complete);
        let goes_on = case.connection.application.calls.late().is_some();
        // Without keys the end of a response is not seen: only silence tells that it was not reached.
        let is_seen = call.http.is_some();
        if complete || !is_seen && close.at.since(last_byte) < Self::SILENCE && !goes_on {
            return None;
        }
        let deadline = case.deadline_met(close.at.since(call.start));
        let deadline = deadline.or_else(|| case.deadline_kept(call, close.at).filter(|_| is_seen))?;
        let finding = Finding::failure(&Self, PAGE.code, Phase::Response, close.at)
            .shown(call.requested, "request")
            .shown(first_byte, "the response begins")
            .shown(last_byte, "its last byte so far")
            .shown(close.at, "the client gives up and closes");
        let finding = if is_seen { finding } else { finding.inferred() };
        Some(Finding { deadline: Some(deadline), ..finding })
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let bytes = story.call.map_or(0, |call| call.response_bytes);
        let silence = story.call.and_then(|call| call.last_byte).map(|last| story.finding.at.since(last));
        Prose::only(format!(
            "{} began its response and did not end it within the deadline of {} s: {bytes} bytes came, then nothing for {}",
            story.server(),
            story.finding.deadline.unwrap_or_default().as_secs(),
            Human(silence.unwrap_or_default()),
        ))
        .hint(format!("Read what the webhook was doing at that time: {}", story.show_logs()))
        .hint("See whether it writes its headers before its work is done, and then waits (a lock, the API, another service)")
        .hint("Give it more time or less work: timeoutSeconds up to 30, narrower rules, more CPU")
    }
}
