//! A server that answers the ClientHello with something else than TLS.

use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Prose, Story};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::side::Side;

#[derive(Debug)]
pub(super) struct ProtocolMismatch;

const PLAINTEXT_HTTP: Page = page!(ProtocolMismatch, Failure, "plaintext-http");
const NOT_TLS: Page = page!(ProtocolMismatch, Failure, "not-tls");

impl Rule for ProtocolMismatch {
    fn pages(&self) -> &'static [Page] {
        &[PLAINTEXT_HTTP, NOT_TLS]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let application = &case.connection.application;
        let hello = case.tls()?.client_hello.as_ref()?.at;
        let answer = application.plain(Side::Server)?;
        let (code, note) = match application.first_octets(Side::Server) {
            b"HTTP/" => (PLAINTEXT_HTTP.code, "the server answers in plain HTTP"),
            _ => (NOT_TLS.code, "the server's first bytes are no TLS"),
        };
        Some(
            Finding::failure(&Self, code, Phase::Tls, answer)
                .by(Side::Server)
                .shown(hello, "ClientHello")
                .shown(answer, note),
        )
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let (server, port) = (story.server(), story.port());
        if story.finding.code == PLAINTEXT_HTTP.code {
            return Prose::only(format!("{server} answered the TLS ClientHello in plain HTTP: it does not speak TLS on that port"))
                .hint(format!("Confirm: `curl -sv http://{}/`", story.case.connection.server()))
                .hint(format!("Point the Service's targetPort at the webhook's TLS port instead of {port}, or turn TLS on there"))
                .hint(format!("See which ports its pods have: {}", story.find_pods()));
        }
        Prose::only(format!("{server} does not speak TLS: its first bytes are of another protocol"))
            .hint(format!(
                "See what answers there: `nc -w 2 {} {port} </dev/null | head -c 64 | xxd`",
                story.address()
            ))
            .hint(format!("Compare the Service's targetPort with the webhook's port: {}", story.find_pods()))
    }
}
