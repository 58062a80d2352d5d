//! A TLS handshake that began on both sides and stopped, without an alert or a RST to say why.

use crate::diagnosis::case::{Case, How};
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Human, Prose, Story};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::packet::Moment;
use crate::side::Side;

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
        let server = session.first_record.server?;
        let gave_up =
            case.first_close_by(Side::Client).filter(|close| close.how != How::Rst).map(|close| close.at);
        if gave_up.is_none() && (case.first_close().is_some() || !case.is_overdue(began)) {
            return None;
        }
        Some(
            Finding::failure(&Self, PAGE.code, Phase::Tls, gave_up.unwrap_or(Moment::END))
                .shown(began, "ClientHello")
                .shown(session.server_flight.unwrap_or(server), "the server's last handshake record")
                .shown(gave_up, "the client gives up"),
        )
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let began = story.case.tls().and_then(|session| session.client_hello.as_ref()).map(|hello| hello.at);
        let took = began.map(|began| {
            Human(story.finding.end.map_or_else(|| story.case.waited(began), |end| end.since(began)))
        });
        let took = took.map(|took| format!(" after {took}")).unwrap_or_default();
        Prose::only(format!("The TLS handshake with {} began and was not complete{took}", story.server()))
            .hint(format!("Read the webhook's log at that time: {}", story.show_logs()))
            .hint("See whether its flight of certificates arrives whole: large segments that are lost point to an MTU problem")
            .hint(format!("Try the handshake from this host: `openssl s_client -connect {}`", story.case.connection.server()))
    }
}
