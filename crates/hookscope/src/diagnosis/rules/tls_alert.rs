//! A fatal alert in the clear; for a client's alert about the certificate, what is wrong with it.

use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Apart, Date, Prose, Story};
use crate::diagnosis::verdict::{By, Cause, Class, Code, Finding, Phase};
use crate::diagnosis::{Page, Rule, proof_prose};
use crate::side::Side;
use crate::tls::certificate::Certificate;
use crate::tls::session::Alert;

#[derive(Debug)]
pub(super) struct TlsAlert;

const PAGES: &[Page] = &[
    page!(TlsAlert, Failure, "tls-bad-certificate"),
    page!(TlsAlert, Failure, "tls-unknown-ca"),
    page!(TlsAlert, Failure, "tls-certificate-expired"),
    page!(TlsAlert, Failure, "tls-certificate-unknown"),
    page!(TlsAlert, Failure, "tls-unsupported-certificate"),
    page!(TlsAlert, Failure, "tls-certificate-revoked"),
    page!(TlsAlert, Failure, "tls-certificate-required"),
    page!(TlsAlert, Failure, "tls-handshake-failure"),
    page!(TlsAlert, Failure, "tls-protocol-version"),
    page!(TlsAlert, Failure, "tls-insufficient-security"),
    page!(TlsAlert, Failure, "tls-unrecognized-name"),
    page!(TlsAlert, Failure, "tls-no-application-protocol"),
    page!(TlsAlert, Failure, "tls-internal-error"),
    page!(TlsAlert, Failure, "tls-access-denied"),
    page!(TlsAlert, Failure, "tls-unexpected-message"),
    page!(TlsAlert, Failure, "tls-illegal-parameter"),
    page!(TlsAlert, Failure, "tls-missing-extension"),
    page!(TlsAlert, Failure, "tls-decode-error"),
    page!(TlsAlert, Failure, "tls-decrypt-error"),
    page!(TlsAlert, Failure, "tls-alert"),
];

impl Rule for TlsAlert {
    fn pages(&self) -> &'static [Page] {
        PAGES
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let session = case.tls()?;
        let alert = session.alerts().iter().find(|alert| alert.is_fatal)?;
        let code = Code { class: Class::TlsAlert, name: alert.description.code() };
        let hello = session.client_hello.as_ref().map(|hello| hello.at);
        let finding = Finding::failure(&Self, code, Phase::Tls, alert.at)
            .by(alert.by)
            .shown(hello, "ClientHello")
            .shown(session.server_flight, "the server's last handshake record")
            .shown(alert.at, format!("alert by the {}: {}", alert.by.name(), alert.description));
        Some(Finding { cause: cause(case, alert), ..finding })
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let by = story.finding.by;
        let alert = story.case.tls().and_then(|session| {
            session.alerts().iter().find(|alert| alert.is_fatal && Some(By::Side(alert.by)) == by)
        });
        let Some(alert) = alert else { return Prose::default() };
        match alert.by {
            Side::Client => by_client(story, alert),
            Side::Server => by_server(story, alert),
        }
    }
}

/// What is wrong with the certificate that a client rejects, as far as the certificate itself shows it.
fn cause(case: &Case<'_>, alert: &Alert) -> Option<Cause> {
    if alert.by != Side::Client || !alert.description.is_about_certificate() {
        return None;
    }
    let session = case.tls()?;
    let certificate = Certificate::read(session.leaf()?)?;
    let offered = session.offered();
    let is_for_server = match offered.and_then(|offered| offered.server_name.as_deref()) {
        Some(name) => Some(certificate.is_for(name)),
        // What was not captured may have been there.
        None if offered.is_none_or(|offered| offered.is_cut) => None,
        // Go sends no SNI where it was given an address, and then needs an IP SAN. Which address that was, address
        // translation hides.
        None => Some(certificate.names_an_address()),
    };
    if alert.at.time > certificate.not_after {
        Some(Cause::Expired)
    } else if alert.at.time < certificate.not_before {
        Some(Cause::NotYetValid)
    } else if certificate.names.is_empty() {
        Some(Cause::NoSan)
    } else if is_for_server? {
        Some(Cause::UnknownCa)
    } else {
        Some(Cause::NameMismatch)
    }
}

fn by_client(story: &Story<'_>, alert: &Alert) -> Prose {
    let server = story.server();
    let certificate = story.case.tls().and_then(|session| session.leaf()).and_then(Certificate::read);
    let summary =
        |why: &str| format!("The client rejected the certificate of {server} ({}): {why}", alert.description);
    let namespace = story.service().map_or("NAMESPACE", |(_, namespace)| namespace);
    let rotate = format!(
        "Renew the certificate and restart the webhook's pods: with cert-manager, `cmctl renew -n {namespace} CERTIFICATE`; else rerun the job that made it"
    );
    if alert.description.is_about_certificate()
        && let Some(prose) =
            proof_prose::describe(story, &format!("the certificate of {server} ({})", alert.description))
    {
        return prose;
    }
    let Some(certificate) = certificate.filter(|_| alert.description.is_about_certificate()) else {
        return Prose::only(format!(
            "The client ended the TLS handshake with {server}: {}",
            alert.description
        ))
        .hint(format!("Look at what the server presents: {}", story.show_certificate()));
    };
    match story.finding.cause {
        Some(Cause::Expired) => Prose::only(summary(&format!(
            "it expired at {}, {} before",
            Date(certificate.not_after),
            Apart(alert.at.time.since(certificate.not_after))
        )))
        .hint(format!("Confirm: {}", story.show_certificate()))
        .hint(rotate)
        .hint("If the date looks right: check the clocks of this host and of the issuer's (`timedatectl`)"),
        Some(Cause::NotYetValid) => Prose::only(summary(&format!(
            "it is valid only from {}, {} later",
            Date(certificate.not_before),
            Apart(certificate.not_before.since(alert.at.time))
        )))
        .hint("Check the clocks of this host and of the host that issued it: `timedatectl`")
        .hint(format!("Confirm: {}", story.show_certificate())),
        Some(Cause::NoSan) => Prose::only(summary("it has no subject alternative name, only a common name"))
            .hint(
                "Issue it anew with a DNS SAN of the form SERVICE.NAMESPACE.svc: Go ignores the common name",
            )
            .hint(format!("Confirm: {}", story.show_certificate())),
        Some(Cause::NameMismatch) => {
            let names = certificate.names.join(", ");
            let wanted = story.wanted_name();
            Prose::only(summary(&format!("it is for {names}, not for {wanted}")))
                .hint(format!("If another program answers on port {}: give the webhook a port of its own (10250 is the kubelet's)", story.port()))
                .hint(format!("Else issue the certificate anew with the SAN {wanted}"))
                .hint(format!("Confirm: {}", story.show_certificate()))
        }
        None => {
            let wanted = story.wanted_name();
            Prose::only(summary(
                "its dates are right; the capture does not tell whether its name and its issuer are",
            ))
            .hint(format!("Read which check failed in kube-apiserver's log: {}", show_apiserver_log(story)))
            .hint(format!(
                "Look at what the server presents: issuer, SAN {wanted}: {}",
                story.show_certificate()
            ))
            .hint(format!(
                "Compare its issuer with the webhook configuration's caBundle: {}",
                show_ca_bundle(story)
            ))
        }
        Some(Cause::UnknownCa | Cause::KeyUsage) => {
            let prose = Prose::only(summary(&format!("its issuer, {}, is not trusted", certificate.issuer)))
                .hint(format!("Compare that issuer with the CAs in the webhook configuration's caBundle: {}", show_ca_bundle(story)))
                .hint("Put the issuing CA into caBundle again: with cert-manager, check the inject-ca-from annotation and cainjector's log");
            prose.hint(
                "If the CA was rotated: restart the webhook's pods, so that they present the new certificate",
            )
        }
    }
}

/// The command that shows what kube-apiserver says about certificates from the story's beginning on.
pub(super) fn show_apiserver_log(story: &Story<'_>) -> String {
    format!(
        "`kubectl -n kube-system logs -l component=kube-apiserver --tail=-1 --since-time={} | grep 'x509:'` (a managed \
         control plane has this log in the provider's console)",
        story.beginning()
    )
}

/// The command that shows who the CAs are that webhook configurations trust: those of the server, if its Service is
/// known.
pub(super) fn show_ca_bundle(story: &Story<'_>) -> String {
    let of_service = match story.service() {
        Some((service, namespace)) => {
            format!(" | select(.service.name == \"{service}\" and .service.namespace == \"{namespace}\")")
        }
        None => String::new(),
    };
    format!(
        "`kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o json | jq -r \
         '.items[].webhooks[]?.clientConfig{of_service} | .caBundle // empty | @base64d' | \
         openssl crl2pkcs7 -nocrl -certfile /dev/stdin | openssl pkcs7 -print_certs -noout`"
    )
}

fn by_server(story: &Story<'_>, alert: &Alert) -> Prose {
    let server = story.server();
    let why = match alert.description.0 {
        40 => "no parameters that both sides accept, or a client certificate is required (TLS 1.2)",
        42..=46 | 48 => "it does not accept the client's certificate",
        70 => "it does not speak a TLS version that the client offers",
        71 => "it demands stronger parameters than the client offers",
        80 => "it failed inside, often for want of a usable certificate",
        112 => "it has no certificate for the name that was called",
        116 => "it requires a client certificate, and the client has none",
        120 => "it does not speak HTTP/1.1, the only protocol that kube-apiserver offers",
        _ => "it could not go on with the handshake",
    };
    let offered = story.case.tls().and_then(|session| session.offered()).map(|offered| offered.version);
    let offer = offered.map(|version| format!(" (the client offers up to {version})")).unwrap_or_default();
    let prose = Prose::only(format!("{server} ended the TLS handshake with {}: {why}", alert.description))
        .hint(format!("Read the webhook's log at that time: {}", story.show_logs()));
    let connection = story.case.connection.server();
    match alert.description.0 {
        70 => prose.hint(format!("Raise the server's TLS versions to 1.2 and 1.3{offer}; see what it speaks: `openssl s_client -connect {connection} -tls1_2`")),
        40 | 116 | 42..=46 | 48 => prose
            .hint(format!("See whether it asks for a client certificate (this prints a line only then): `openssl s_client -connect {connection} </dev/null 2>/dev/null | grep -E 'Requested Signature Algorithms|Client Certificate Types'`"))
            .hint("If it does: turn mutual TLS off for the webhook's port, or give kube-apiserver a client certificate for it (--admission-control-config-file, kubeConfigFile)"),
        112 => prose.hint(format!("Give the server a certificate and name for {}", story.name.unwrap_or("the SNI in the ClientHello"))),
        120 => prose.hint("Add http/1.1 to the server's ALPN protocols (NextProtos in Go)"),
        _ => prose.hint(format!("Try the handshake from this host: `openssl s_client -connect {connection}`")),
    }
}
