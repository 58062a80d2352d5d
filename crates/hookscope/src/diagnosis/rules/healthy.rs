//! Nothing wrong: calls that were answered, or connections without calls.

use crate::call::Call;
use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Human, Prose, Story, count};
use crate::diagnosis::verdict::{Code, Finding, Phase, Severity};
use crate::diagnosis::{Page, Rule};

#[derive(Debug)]
pub(super) struct Healthy;

const OK: Page = page!(Ok, Ok, "ok");
const IDLE: Page = page!(Ok, Ok, "idle");

impl Rule for Healthy {
    fn pages(&self) -> &'static [Page] {
        &[OK, IDLE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        Some(match case.last_call() {
            Some(_) => Finding::fine(&Self, OK.code, Phase::Response),
            None => Finding::fine(&Self, IDLE.code, Phase::Idle),
        })
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        if story.finding.code == IDLE.code {
            return Prose::only("No call was made on this connection, and nothing is wrong with it");
        }
        match story.call {
            Some(call) => Prose::only(match call.last_byte {
                Some(last) => format!("Answered in {}", Human(last.since(call.start))),
                None => "Answered".to_owned(),
            }),
            None => {
                let calls = u64::from(story.case.connection.application.calls.count);
                Prose::only(format!("{} answered in time", count(calls, "call")))
            }
        }
    }
}

/// The verdict on a connection with calls and nothing wrong.
pub(in crate::diagnosis) fn healthy() -> (Code, Severity) {
    (OK.code, OK.severity)
}

/// The finding of those who looked and found nothing.
pub(in crate::diagnosis) fn nothing() -> Finding {
    Finding::fine(&Healthy, IDLE.code, Phase::Idle)
}

/// The verdict on a call that was answered, and with which nothing is wrong.
pub(in crate::diagnosis) fn healthy_call(call: &Call) -> Finding {
    Finding::fine(&Healthy, OK.code, Phase::Response)
        .shown(call.requested, "request")
        .shown(call.first_byte, "response")
}
