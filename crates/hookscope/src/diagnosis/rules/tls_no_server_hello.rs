//! A ClientHello that is acknowledged, and then silence.

use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Prose, Story};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};

#[derive(Debug)]
pub(super) struct TlsNoServerHello;

const PAGE: Page = page!(TlsStall, Failure, "tls-no-server-hello");

impl Rule for TlsNoServerHello {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        if !case.is_in_tls_handshake() {
            return None;
        }
        let halves = &case.connection.halves;
        let hello = case.tls()?.client_hello.as_ref()?.at;
        if case.server_spoke() || !halves.client.is_acknowledged() {
            return None;
        }
        let gave_up = case.gave_up_waiting(hello)?;
        let finding = Finding::failure(&Self, PAGE.code, Phase::Tls, gave_up);
        let end = finding.end;
        Some(finding.shown(hello, "ClientHello, acknowledged").shown(end, "the client gives up"))
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let waited = story.since_hello().map(|waited| format!(" in {waited}")).unwrap_or_default();
        let server = story.case.connection.server();
        Prose::only(format!("{} accepted the connection and the ClientHello, but sent no byte of TLS{waited}", story.server()))
            .hint(format!("See whether the webhook's process restarts (RESTARTS, AGE), is stuck or starved of CPU: {}; {}", story.show_pods(), story.show_usage()))
            .hint(format!("Read its log at that time: {}", story.show_logs()))
            .hint(format!("Try the handshake on the pod's node and from this host: `openssl s_client -connect {server}`. Fast there, silent here: a proxy or middlebox between swallows the ClientHello"))
    }
}
