//! What kube-apiserver says where the TLS handshake failed, but for the server's certificate. The names of alerts are
//! those of Go's `crypto/tls`.

use super::{Giver, Look, Wording, by};
use crate::diagnosis::message::facts::Facts;
use crate::side::Side;

fn by_server(facts: &Facts) -> bool {
    facts.is_by(Side::Server)
}

fn by_client(facts: &Facts) -> bool {
    facts.is_by(Side::Client)
}

/// An alert of the server's.
const fn alert(texts: &'static [&'static str], meaning: &'static str, given_by: &'static [Giver]) -> Wording {
    Wording { texts, cause: None, meaning, given_by, apart: CLIENT_CERTIFICATE, look: Look::Call }
}

/// A failure that kube-apiserver found itself.
const fn own(texts: &'static [&'static str], meaning: &'static str, given_by: &'static [Giver]) -> Wording {
    Wording { texts, cause: None, meaning, given_by, apart: ANSWER, look: Look::Call }
}

const ANSWER: &str =
    "The server's first bytes, and the client's alert: TLS 1.3 encrypts it once there are keys.";

const CLIENT_CERTIFICATE: &str = "The TLS version: TLS 1.3 encrypts an alert about the client's certificate, and only \
                                  its size and place show it; TLS 1.2 sends it in the clear.";

/// The server's alert about the client's certificate: in the clear, or encrypted in TLS 1.3.
macro_rules! about_client {
    ($code:literal) => {
        &[by($code).when(by_server), by("tls-client-rejected").rarely()]
    };
}

/// See [`super::all`].
pub(super) const WORDINGS: &[Wording] = &[
    alert(
        &["remote error: tls: certificate required"],
        "The webhook demands a client certificate, and kube-apiserver has none to give.",
        &[by("tls-client-rejected"), by("tls-certificate-required").when(by_server)],
    ),
    alert(
        &["remote error: tls: bad certificate"],
        "The webhook rejected kube-apiserver's client certificate, or that there was none.",
        &[by("tls-bad-certificate").when(by_server), by("tls-client-rejected").rarely()],
    ),
    alert(
        &["remote error: tls: unknown certificate authority"],
        "The webhook does not know the CA of kube-apiserver's client certificate.",
        about_client!("tls-unknown-ca"),
    ),
    alert(
        &["remote error: tls: expired certificate"],
        "The webhook says that kube-apiserver's client certificate has expired.",
        about_client!("tls-certificate-expired"),
    ),
    alert(
        &["remote error: tls: revoked certificate"],
        "The webhook says that kube-apiserver's client certificate was revoked.",
        about_client!("tls-certificate-revoked"),
    ),
    alert(
        &["remote error: tls: unsupported certificate"],
        "The webhook cannot use kube-apiserver's client certificate because of its type.",
        about_client!("tls-unsupported-certificate"),
    ),
    alert(
        &["remote error: tls: unknown certificate"],
        "The webhook rejected kube-apiserver's client certificate without saying why.",
        about_client!("tls-certificate-unknown"),
    ),
    alert(
        &["remote error: tls: access denied"],
        "The webhook accepted the certificates, and its access control refused.",
        about_client!("tls-access-denied"),
    ),
    alert(
        &["remote error: tls: handshake failure"],
        "The webhook found no common parameters, or wants a client certificate (TLS 1.2).",
        &[by("tls-handshake-failure").when(by_server)],
    ),
    alert(
        &["remote error: tls: protocol version not supported"],
        "The two sides have no TLS version in common.",
        &[by("tls-protocol-version").when(by_server)],
    ),
    alert(
        &["remote error: tls: insufficient security level"],
        "The webhook wants stronger parameters than kube-apiserver offers.",
        &[by("tls-insufficient-security").when(by_server)],
    ),
    alert(
        &["remote error: tls: unrecognized name"],
        "The webhook has no certificate for the name in the SNI.",
        &[by("tls-unrecognized-name").when(by_server)],
    ),
    alert(
        &["remote error: tls: no application protocol"],
        "The webhook does not speak http/1.1 on this port.",
        &[by("tls-no-application-protocol").when(by_server)],
    ),
    alert(
        &["remote error: tls: internal error"],
        "The webhook failed by itself in the TLS handshake, most often for want of a certificate.",
        &[by("tls-internal-error").when(by_server)],
    ),
    alert(
        &["remote error: tls: unexpected message"],
        "The webhook got a handshake message that was not due.",
        &[by("tls-unexpected-message").when(by_server)],
    ),
    alert(
        &["remote error: tls: illegal parameter"],
        "The webhook found a value in the handshake that is not allowed.",
        &[by("tls-illegal-parameter").when(by_server)],
    ),
    alert(
        &["remote error: tls: missing extension"],
        "The webhook misses a TLS extension.",
        &[by("tls-missing-extension").when(by_server)],
    ),
    alert(
        &["remote error: tls: error decoding message"],
        "The webhook could not parse a handshake message.",
        &[by("tls-decode-error").when(by_server)],
    ),
    alert(
        &["remote error: tls: error decrypting message"],
        "A cryptographic check of the handshake failed on the webhook's side.",
        &[by("tls-decrypt-error").when(by_server)],
    ),
    alert(
        &["remote error: tls: {alert}", "remote error: {alert}"],
        "The webhook ended the TLS handshake with an alert.",
        &[by("tls-alert").when(by_server)],
    ),
    own(
        &["http: server gave HTTP response to HTTPS client"],
        "The webhook's port speaks plain HTTP, and TLS was expected.",
        &[by("plaintext-http")],
    ),
    own(
        &[
            "tls: first record does not look like a TLS handshake",
            "first record does not look like a TLS handshake",
            "tls: oversized record received with length {length}",
            "tls: unsupported SSLv2 handshake received",
            "tls: received record with version {version} when expecting version {other}",
        ],
        "What answers on the webhook's port speaks no TLS.",
        &[by("not-tls"), by("plaintext-http").rarely()],
    ),
    own(
        &[
            "tls: server selected unsupported protocol version {version}",
            "tls: no supported versions satisfy MinVersion and MaxVersion",
            "tls: protocol version not supported",
        ],
        "The webhook speaks only versions of TLS that kube-apiserver does not (301 is TLS 1.0, 302 TLS 1.1).",
        &[by("tls-protocol-version").when(by_client)],
    ),
    own(
        &["tls: received unexpected handshake message of type {kind} when waiting for {other}"],
        "The webhook sent a handshake message that was not due.",
        &[by("tls-unexpected-message").when(by_client)],
    ),
    own(
        &["tls: server's certificate contains an unsupported type of public key: {kind}"],
        "kube-apiserver cannot use the webhook's certificate because of its key.",
        &[by("tls-unsupported-certificate").when(by_client), by("tls-certificate-rejected").rarely()],
    ),
    own(
        &["tls: server chose an unconfigured cipher suite", "tls: server selected unsupported {what}"],
        "The webhook chose what kube-apiserver had not offered.",
        &[by("tls-handshake-failure").when(by_client), by("tls-illegal-parameter").rarely()],
    ),
    own(
        &["tls: {why}"],
        "kube-apiserver ended the TLS handshake because of something the webhook sent.",
        &[
            by("tls-alert").when(by_client).alike(&[
                by("tls-illegal-parameter").when(by_client),
                by("tls-missing-extension").when(by_client),
                by("tls-decrypt-error").when(by_client),
                by("tls-internal-error").when(by_client),
                by("tls-insufficient-security").when(by_client),
                by("tls-access-denied").when(by_client),
                by("tls-certificate-revoked").when(by_client),
                by("tls-unrecognized-name").when(by_client),
                by("tls-no-application-protocol").when(by_client),
                by("tls-certificate-required").when(by_client),
            ]),
            by("tls-certificate-rejected").rarely(),
        ],
    ),
];
