//! A TLS handshake that began on both sides and stopped, without an alert or a RST to say why.

use crate::diagnosis::case::{Case, How};
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Prose, Story};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};

#[derive(Debug)]
pub(super) struct TlsHandshakeIncomplete;

const PAGE: Page = page!(TlsStall, Failure, "tls-handshake-incomplete");

impl Rule for TlsHandshakeIncomplete {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        if !case.is_in_tls_handshake() {
            return None;
        }
        let session = case.tls()?;
        let began = session.client_hello.as_ref()?.at;
        let server = session.server_began?;
        let gave_up = case.gave_up_waiting(began)?;
        if case.first_close().is_some_and(|close| close.how == How::Rst) {
            return None;
        }
        let finding = Finding::failure(&Self, PAGE.code, Phase::Tls, gave_up);
        let end = finding.end;
        Some(
            finding
                .shown(began, "ClientHello")
                .shown(session.server_flight.unwrap_or(server), "the server's last handshake record")
                .shown(end, "the client gives up"),
        )
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let took = story.since_hello().map(|took| format!(" after {took}")).unwrap_or_default();
        Prose::only(format!("The TLS handshake with {} began and was not complete{took}", story.server()))
            .hint(format!("Read the webhook's log at that time: {}", story.show_logs()))
            .hint("See whether its flight of certificates arrives whole: large segments that are lost point to an MTU problem")
            .hint(format!("Try the handshake from this host: `openssl s_client -connect {}`", story.case.connection.server()))
    }
}
