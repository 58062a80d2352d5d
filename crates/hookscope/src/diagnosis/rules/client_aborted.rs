//! A client that closes while its call is open, at a time that is no deadline.

use crate::diagnosis::case::{Case, How};
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Human, Prose, Story};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::side::Side;

#[derive(Debug)]
pub(super) struct ClientAborted;

const PAGE: Page = page!(ClosedEarly, Failure, "client-aborted");

impl Rule for ClientAborted {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        // Without its SYN, when the call began is not known.
        case.connection.opened?;
        let call = case.open_call()?;
        // A bare RST while nothing has come is the host's; a program that closes with octets unread resets.
        let may_reset = call.first_byte.is_some();
        let close = case.first_close_by(Side::Client).filter(|close| close.how != How::Rst || may_reset)?;
        if case.is_one_sided() || case.may_be_http2(call) || case.deadline_kept(call, close.at).is_some() {
            return None;
        }
        let phase = if call.first_byte.is_some() { Phase::Response } else { Phase::Request };
        Some(
            Finding::failure(&Self, PAGE.code, phase, close.at)
                .by(Side::Client)
                .shown(call.requested, "request")
                .shown(call.first_byte, "the response begins")
                .shown(close.at, "the client closes"),
        )
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let after = story.call.map(|call| format!(" {} into it", Human(story.finding.at.since(call.start))));
        Prose::only(format!(
            "The client gave up its call to {}{}, which is no deadline: its own caller went away or ran out of time",
            story.server(),
            after.unwrap_or_default()
        ))
        .hint("See who made the API request and how long it was willing to wait (kubectl's --request-timeout, a controller's context): the audit log of kube-apiserver at that time names it")
        .hint("See whether earlier webhooks of the same request used up its time (34 s for all of them)")
        .hint(format!("See whether the webhook is slow besides: {}", story.show_logs()))
    }
}
