//! A request that is not answered until the client gives up at its deadline.

use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Human, Prose, Story};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::packet::Moment;
use crate::side::Side;

#[derive(Debug)]
pub(super) struct DeadlineExceeded;

const PAGE: Page = page!(SlowResponse, Failure, "deadline-exceeded");

impl Rule for DeadlineExceeded {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let call = case.waiting_call()?;
        let (deadline, gave_up) = match case.first_close() {
            Some(close) if close.side == Side::Client => {
                (case.deadline_kept(call, close.at)?, Some(close.at))
            }
            Some(_) => return None,
            None if case.is_overdue(call.start) && !case.is_one_sided() => (case.deadline(), None),
            None => return None,
        };
        let finding = Finding::failure(&Self, PAGE.code, Phase::Request, gave_up.unwrap_or(Moment::END))
            .shown(call.requested, "request begins")
            .shown((call.request_end != call.requested).then_some(call.request_end), "request complete")
            .shown(gave_up, "the client gives up and closes")
            .shown(case.connection.application.calls.late(), "the answer, too late");
        Some(Finding { deadline: Some(deadline), ..finding })
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let deadline = story.finding.deadline.unwrap_or_default();
        let late = match (story.case.connection.application.calls.late(), story.call) {
            (Some(late), Some(call)) => {
                format!("; its answer came {} into the call, too late", Human(late.since(call.start)))
            }
            _ => String::new(),
        };
        let reached =
            if story.case.connection.halves.client.is_acknowledged() { " and acknowledged" } else { "" };
        Prose::only(format!(
            "{} did not answer within the deadline of {} s: the request was sent{reached}, no response byte came{late}",
            story.server(),
            deadline.as_secs()
        ))
        .hint(format!("Read what the webhook was doing at that time: {}", story.show_logs()))
        .hint(format!("See whether it lacks CPU: {}", story.show_usage()))
        .hint("See whether it calls the API or another service itself and waits for that, or is called for its own pods (exclude them with namespaceSelector)")
        .hint("Give it more time or less work: timeoutSeconds up to 30, narrower rules, matchConditions, more replicas")
    }
}
