//! A RST by the server right after a part of its response.

use crate::diagnosis::case::{Case, How};
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Human, Prose, Story};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::side::Side;
use crate::time::Elapsed;

#[derive(Debug)]
pub(super) struct RstInResponse;

const PAGE: Page = page!(Rst, Failure, "rst-in-response");

impl RstInResponse {
    /// A server that resets later than this has finished its response.
    const SOON: Elapsed = Elapsed::from_millis(1000);
}

impl Rule for RstInResponse {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let call = case.last_call()?;
        let last_byte = call.last_byte.filter(|_| call.first_byte.is_some())?;
        let close = case.first_close_by(Side::Server).filter(|close| close.how == How::Rst)?;
        let complete = call.http.is_some_and(|response| response.is_complete);
        // Without keys the end of a response is not seen: only a RST right behind it was in the middle of it.
        let is_seen = call.http.is_some();
        if complete || !is_seen && close.at.since(last_byte) > Self::SOON {
            return None;
        }
        let finding = Finding::failure(&Self, PAGE.code, Phase::Response, close.at)
            .by(Side::Server)
            .shown(call.requested, "request")
            .shown(call.first_byte, "the response begins")
            .shown(close.at, "RST by the server");
        Some(if is_seen { finding } else { finding.inferred() })
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let (bytes, after) = story.call.map_or((0, String::new()), |call| {
            let after = call.last_byte.map(|last| Human(story.finding.at.since(last)).to_string());
            (call.response_bytes, after.unwrap_or_default())
        });
        Prose::only(format!(
            "{} reset the connection in the middle of its response: {bytes} bytes came, a RST {after} later",
            story.server()
        ))
        .hint(format!("Read the webhook's log at that time for a crash or a panic: {}", story.show_logs()))
        .hint(format!("See whether its container was restarted or killed for memory (RESTARTS, AGE; none listed: the pod is gone): {}", story.show_pods()))
    }
}
