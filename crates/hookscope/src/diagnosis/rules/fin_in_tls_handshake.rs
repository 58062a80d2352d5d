//! A server that closes before the TLS handshake is complete, without an alert.

use crate::diagnosis::case::{Case, How};
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Prose, Story};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::side::Side;

#[derive(Debug)]
pub(super) struct FinInTlsHandshake;

const PAGE: Page = page!(ClosedEarly, Failure, "fin-in-tls-handshake");

impl Rule for FinInTlsHandshake {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        if !case.is_in_tls_handshake() || case.is_idle_before_hello() {
            return None;
        }
        let close = case.first_close_by(Side::Server)?;
        if close.how == How::Rst || case.rst_of(Side::Server).is_some() {
            return None;
        }
        let hello = case.tls().and_then(|session| session.client_hello.as_ref()).map(|hello| hello.at);
        Some(
            Finding::failure(&Self, PAGE.code, Phase::Tls, close.at)
                .by(Side::Server)
                .shown(case.connection.established, "TCP connection established")
                .shown(hello, "ClientHello")
                .shown(
                    close.at,
                    if close.how == How::Fin { "FIN by the server" } else { "the server closes" },
                ),
        )
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let connection = story.case.connection;
        let hello = story.case.tls().and_then(|session| session.client_hello.as_ref()).map(|hello| hello.at);
        let when = match hello {
            Some(hello) if hello.is_before(story.finding.at) => "after the ClientHello",
            Some(_) => "before the ClientHello came",
            None => "before the client said anything",
        };
        let answered = if story.case.server_spoke() { "" } else { " and without a byte of TLS" };
        Prose::only(format!("{} closed the connection {when}, without an alert{answered}", story.server()))
            .hint(format!("Read the webhook's log at that time: {}", story.show_logs()))
            .hint("If a service mesh sidecar accepts the connection in its place: exclude the webhook's port from it, or set mTLS to PERMISSIVE for it")
            .hint(format!("Try the handshake from this host: `openssl s_client -connect {}`", connection.server()))
    }
}
