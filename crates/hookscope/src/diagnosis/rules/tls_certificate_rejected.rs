//! TLS 1.3: the client sends an alert-sized record where its Finished was due: it rejects the certificate.

use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page;
use crate::diagnosis::rules::tls_alert::{show_apiserver_log, show_ca_bundle};
use crate::diagnosis::story::{Prose, Story};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule, proof_prose};
use crate::side::Side;

#[derive(Debug)]
pub(super) struct TlsCertificateRejected;

const PAGE: Page = page!(TlsAlert, Failure, "tls-certificate-rejected");

impl Rule for TlsCertificateRejected {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let session = case.tls()?;
        let rejected = session.rejected()?;
        let server_spoke = session.server_began.filter(|first| first.is_before(rejected))?;
        let hello = session.client_hello.as_ref().map(|hello| hello.at);
        let closed = case.connection.halves.client.closed_at();
        Some(
            Finding::failure(&Self, PAGE.code, Phase::Tls, rejected)
                .by(Side::Client)
                .inferred()
                .shown(hello, "ClientHello")
                .shown(session.server_flight.unwrap_or(server_spoke), "the server's certificate, encrypted")
                .shown(rejected, "an alert-sized record where the client's Finished was due")
                .shown(closed, "the client closes"),
        )
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let server = story.server();
        if let Some(prose) = proof_prose::describe(story, &format!("the certificate of {server}")) {
            return prose;
        }
        let san = story.wanted_name();
        Prose::only(format!(
            "The client rejected the certificate of {}: it answered it with an alert instead of finishing the handshake",
            server
        ))
        .hint(format!("Read which check failed in kube-apiserver's log, as TLS 1.3 encrypts certificate and alert: {}", show_apiserver_log(story)))
        .hint(format!("Look at what the server presents: issuer, dates, SAN {san}: {}", story.show_certificate()))
        .hint(proof_prose::compare(story).unwrap_or_else(|| {
            format!("Unknown CA: compare its issuer with the webhook configuration's caBundle: {}", show_ca_bundle(story))
        }))
        .hint("Expired or not yet valid: renew it, restart the pods, check the clocks")
        .hint(format!("Wrong name or no SAN: issue it anew with the SAN {san}; see that no other program answers on port {}", story.port()))
    }
}
