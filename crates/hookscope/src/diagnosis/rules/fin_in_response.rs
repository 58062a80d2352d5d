//! A server that closes in the middle of a response, as plain HTTP shows.

use crate::diagnosis::case::{Case, How};
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Prose, Story};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::side::Side;

#[derive(Debug)]
pub(super) struct FinInResponse;

const PAGE: Page = page!(ClosedEarly, Failure, "fin-in-response");

impl Rule for FinInResponse {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let call = case.last_call()?;
        let first_byte = call.first_byte?;
        let complete = call.http?.is_complete;
        let close = case.first_close_by(Side::Server).filter(|close| close.how == How::Fin)?;
        (!complete).then(|| {
            Finding::failure(&Self, PAGE.code, Phase::Response, close.at)
                .by(Side::Server)
                .shown(call.requested, "request")
                .shown(first_byte, "the response begins")
                .shown(close.at, "FIN by the server before its end")
        })
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let bytes = story.call.map_or(0, |call| call.response_bytes);
        Prose::only(format!(
            "{} closed the connection in the middle of its response, after {bytes} bytes",
            story.server()
        ))
        .hint(format!("Read the server's log at that time: {}", story.show_logs()))
        .hint(format!(
            "See whether it was restarted (RESTARTS, AGE; none listed: the pod is gone): {}",
            story.show_pods()
        ))
    }
}
