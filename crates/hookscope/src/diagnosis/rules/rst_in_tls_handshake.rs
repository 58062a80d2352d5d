//! A RST between the TCP handshake and the end of the TLS handshake.

use crate::diagnosis::case::{Case, How};
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Prose, Story};
use crate::diagnosis::verdict::{By, Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::side::Side;

#[derive(Debug)]
pub(super) struct RstInTlsHandshake;

const PAGE: Page = page!(Rst, Failure, "rst-in-tls-handshake");

impl Rule for RstInTlsHandshake {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        if !case.is_in_tls_handshake() || case.is_idle_before_hello() {
            return None;
        }
        let connection = case.connection;
        let close = case.first_close()?;
        let rst = case.rst_of(close.side)?;
        // A client that resets before it said anything probes the port; one that resets a silent server gave up.
        let client_may = case.server_spoke() && case.tls().is_some();
        if close.how == How::Fin || close.side == Side::Client && !client_may {
            return None;
        }
        let hello = case.tls().and_then(|session| session.client_hello.as_ref()).map(|hello| hello.at);
        let note = if close.side == Side::Server { "RST by the server" } else { "RST by the client" };
        Some(
            Finding::failure(&Self, PAGE.code, Phase::Tls, rst)
                .by(close.side)
                .shown(connection.established, "TCP connection established")
                .shown(hello, "ClientHello")
                .shown(rst, note),
        )
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let connection = story.case.connection;
        let hello = story.case.tls().is_some_and(|session| session.client_hello.is_some());
        let when = if hello { "after the ClientHello" } else { "before the client said anything" };
        let server = story.server();
        if story.finding.by == Some(By::Side(Side::Client)) {
            return Prose::only(format!("The client reset its connection to {server} in the middle of the TLS handshake"))
                .hint("Look in kube-apiserver's log at that time for why it gave up: `grep 'failed calling webhook'`")
                .hint("See whether connection tracking of this host marks packets invalid: `conntrack -S`");
        }
        let answered = if story.case.server_spoke() { "" } else { ", without a byte of TLS" };
        Prose::only(format!("{server} reset the connection in the TLS handshake, {when}{answered}"))
            .hint(format!("Read the webhook's log at that time: {}", story.show_logs()))
            .hint("If a service mesh sidecar or proxy accepts the connection in its place: exclude the webhook's port from it, or set mTLS to PERMISSIVE for it")
            .hint(format!("Try the handshake from this host: `openssl s_client -connect {}`", connection.server()))
    }
}
