//! A server that closes while a request waits for its response.

use crate::diagnosis::case::{Case, How};
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Human, Prose, Story};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::side::Side;

#[derive(Debug)]
pub(super) struct FinBeforeResponse;

const PAGE: Page = page!(ClosedEarly, Failure, "fin-before-response");

impl Rule for FinBeforeResponse {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let call = case.waiting_call().filter(|call| !case.may_be_http2(call))?;
        let close = case.first_close_by(Side::Server)?;
        if close.how == How::Rst || case.rst_of(Side::Server).is_some() {
            return None;
        }
        let fin = case.connection.halves.server.fin_at();
        let finding = Finding::failure(&Self, PAGE.code, Phase::Request, close.at)
            .by(Side::Server)
            .shown(call.requested, "request");
        let finding = match close.how {
            How::Alert => finding.inferred().shown(close.at, "close_notify-sized record of the server"),
            _ => finding,
        };
        Some(finding.shown(fin, "FIN by the server"))
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let server = story.server();
        let waited = story.call.map(|call| story.finding.at.since(call.requested));
        let summary = match waited {
            Some(waited) if waited.as_nanos() < 0 => {
                format!(
                    "{server} was closing the idle connection when the request came, and did not answer it"
                )
            }
            Some(waited) => format!(
                "{server} closed the connection {} after the request, without a response",
                Human(waited)
            ),
            None => format!("{server} closed the connection without a response"),
        };
        let prose = Prose::only(summary);
        let reused = story.call.is_some_and(|call| call.index > 0);
        let prose = if reused {
            prose.hint("The connection had been idle: make the server's idle timeout longer than the client's 90 s (IdleTimeout in Go), and check proxies between")
        } else {
            prose
        };
        prose
            .hint(format!(
                "Read the webhook's log at that time for a panic or a shutdown: {}",
                story.show_logs()
            ))
            .hint(format!("See whether its pods were restarted or rolled out (RESTARTS, AGE; none listed: the pod is gone): {}", story.show_pods()))
    }
}
