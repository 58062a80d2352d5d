//! TLS 1.3: the server closes right after the client's (empty) Certificate: it requires a client certificate.

use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Prose, Story};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::side::Side;
use crate::time::Elapsed;

#[derive(Debug)]
pub(super) struct TlsClientRejected;

const PAGE: Page = page!(TlsAlert, Failure, "tls-client-rejected");

impl TlsClientRejected {
    /// A server that closes later than this, and was sent no request, was only idle.
    const PROMPT: Elapsed = Elapsed::from_millis(1000);
}

impl Rule for TlsClientRejected {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let session = case.tls()?;
        let certificate = session.client_certificate()?;
        let alert = session.closed(Side::Server)?;
        let unanswered = match case.last_call() {
            Some(call) => call.index == 0 && call.first_byte.is_none(),
            None if session.server_spoke => false,
            None => session.complete.is_some_and(|complete| alert.since(complete) <= Self::PROMPT),
        };
        let client_closed_first = case.first_close_by(Side::Client).is_some();
        if !unanswered || client_closed_first {
            return None;
        }
        Some(
            Finding::failure(&Self, PAGE.code, Phase::Tls, alert)
                .by(Side::Server)
                .inferred()
                .shown(certificate, "the client's Certificate, encrypted")
                .shown(alert, "an alert-sized record of the server, before any response")
                .shown(case.connection.halves.server.closed_at(), "the server closes"),
        )
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        Prose::only(format!(
            "{} requires a client certificate and did not accept the client's: it answered it with an alert and closed",
            story.server()
        ))
        .hint(format!(
            "See whether it asks for a client certificate (this prints a line only then): `openssl s_client -connect {} </dev/null 2>/dev/null | grep -E 'Requested Signature Algorithms|Client Certificate Types'`",
            story.case.connection.server()
        ))
        .hint("Turn mutual TLS off for the webhook's port (a service mesh in STRICT mode, or the server's own ClientAuth)")
        .hint("Or give kube-apiserver a client certificate for it: --admission-control-config-file with a kubeConfigFile for the webhook admission plugins")
    }
}
