//! A call that was answered in time, but slowly: in the response, or already in the TLS handshake.

use crate::call::Call;
use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Human, Prose, Story};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::time::Elapsed;

#[derive(Debug)]
pub(super) struct Slow;

const SLOW: Page = page!(SlowResponse, Warning, "slow");
const SLOW_TLS_HANDSHAKE: Page = page!(SlowResponse, Warning, "slow-tls-handshake");

impl Rule for Slow {
    fn pages(&self) -> &'static [Page] {
        &[SLOW, SLOW_TLS_HANDSHAKE]
    }

    fn call(&self, case: &Case<'_>, call: &Call) -> Option<Finding> {
        let (first_byte, last_byte) = (call.first_byte?, call.last_byte?);
        let total = last_byte.since(call.start);
        if !case.is_slow(total) {
            return None;
        }
        let handshake = handshake(case).filter(|(from, to)| {
            // Only the call for which the connection was opened waits for the handshake.
            call.start.is_before(*from) && to.since(*from).as_nanos() > total.as_nanos() / 2
        });
        let finding = |page: Page, phase| Finding::warning(&Self, page.code, phase, last_byte);
        Some(match handshake {
            Some((from, to)) => finding(SLOW_TLS_HANDSHAKE, Phase::Tls)
                .shown(from, "ClientHello")
                .shown(to, "TLS handshake complete")
                .shown(last_byte, "response"),
            None => finding(SLOW, Phase::Response)
                .shown(call.requested, "request")
                .shown(first_byte, "first byte of the response")
                .shown((last_byte != first_byte).then_some(last_byte), "last byte of the response"),
        })
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let Some(call) = story.call else { return Prose::default() };
        let total = Human(call.last_byte.map_or(Elapsed::ZERO, |last| last.since(call.start)));
        let threshold = Human(story.case.slow());
        let server = story.server();
        if story.finding.code == SLOW_TLS_HANDSHAKE.code {
            let took = handshake(&story.case).map_or(Elapsed::ZERO, |(from, to)| to.since(from));
            return Prose::only(format!(
                "A call of {server} took {total} (slow from {threshold}), {} of it in the TLS handshake",
                Human(took)
            ))
            .hint(format!("See whether the webhook loads or fetches its certificate in the handshake, or lacks CPU for it: {}", story.show_usage()))
            .hint(format!("Measure it from this host: `time openssl s_client -connect {} </dev/null`", story.case.connection.server()));
        }
        Prose::only(format!("{server} took {total} to answer a call (slow from {threshold})"))
            .hint(format!("Read what the webhook was doing at that time: {}", story.show_logs()))
            .hint(format!("See whether it lacks CPU: {}", story.show_usage()))
    }
}

/// When the TLS handshake began and ended.
fn handshake(case: &Case<'_>) -> Option<(crate::packet::Moment, crate::packet::Moment)> {
    let session = case.tls()?;
    Some((session.client_hello.as_ref()?.at, session.complete?))
}
