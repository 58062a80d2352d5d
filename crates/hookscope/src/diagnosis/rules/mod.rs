//! The catalogue: one line for each diagnosis. Order matters only where two findings rest on the same packet.

mod capture_incomplete;
mod client_aborted;
mod connection_refused;
mod deadline_exceeded;
mod dns;
mod fin_before_response;
mod fin_in_response;
mod fin_in_tls_handshake;
mod healthy;
mod http_status;
mod icmp_unreachable;
mod nothing_sent;
mod path_blackhole;
mod protocol_mismatch;
mod proxy_refused;
mod response_stalled;
mod rst_before_response;
mod rst_in_response;
mod rst_in_tls_handshake;
mod slow;
mod syn_ack_ignored;
mod syn_retransmitted;
mod syn_unanswered;
mod tls_alert;
mod tls_certificate_rejected;
mod tls_client_rejected;
mod tls_handshake_incomplete;
mod tls_no_server_hello;

pub(in crate::diagnosis) use capture_incomplete::finding as capture_incomplete;
pub(in crate::diagnosis) use dns::judge as judge_lookup;
pub(in crate::diagnosis) use healthy::{healthy, healthy_call, nothing};
pub(in crate::diagnosis) use nothing_sent::finding as nothing_sent;
pub(in crate::diagnosis) use response_stalled::is_stalled;
pub(in crate::diagnosis) use syn_unanswered::judge_opening;

use crate::diagnosis::Rule;

/// All diagnoses.
pub(super) const RULES: &[&dyn Rule] = &[
    &dns::Dns,
    &syn_unanswered::SynUnanswered,
    &syn_ack_ignored::SynAckIgnored,
    &syn_retransmitted::SynRetransmitted,
    &connection_refused::ConnectionRefused,
    &icmp_unreachable::IcmpUnreachable,
    &path_blackhole::PathBlackhole,
    &tls_alert::TlsAlert,
    &tls_certificate_rejected::TlsCertificateRejected,
    &tls_client_rejected::TlsClientRejected,
    &protocol_mismatch::ProtocolMismatch,
    &rst_in_tls_handshake::RstInTlsHandshake,
    &fin_in_tls_handshake::FinInTlsHandshake,
    &tls_no_server_hello::TlsNoServerHello,
    &tls_handshake_incomplete::TlsHandshakeIncomplete,
    &rst_before_response::RstBeforeResponse,
    &rst_in_response::RstInResponse,
    &fin_before_response::FinBeforeResponse,
    &fin_in_response::FinInResponse,
    &proxy_refused::ProxyRefused,
    &http_status::HttpStatus,
    &deadline_exceeded::DeadlineExceeded,
    &client_aborted::ClientAborted,
    &response_stalled::ResponseStalled,
    &slow::Slow,
    &nothing_sent::NothingSent,
    &capture_incomplete::CaptureIncomplete,
    &healthy::Healthy,
];

/// Those of them that judge answered calls, too.
pub(super) const OF_CALLS: &[&dyn Rule] = &[&http_status::HttpStatus, &slow::Slow];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rules_that_judge_calls_are_asked_to() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/diagnosis/rules");
        let judges = |path: &std::path::Path| {
            path.extension().is_some_and(|kind| kind == "rs")
                && !path.ends_with("mod.rs")
                && std::fs::read_to_string(path).unwrap().contains("fn call(")
        };
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        assert_eq!(files.filter(|path| judges(path)).count(), OF_CALLS.len());
    }
}
