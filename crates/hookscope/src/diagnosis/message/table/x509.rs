//! What kube-apiserver says where it rejected the server's certificate. Go before 1.20 left out `tls: failed to verify
//! certificate:`.

use super::{Giver, Look, Wording, by};
use crate::diagnosis::message::facts::Facts;
use crate::diagnosis::verdict::Cause;
use crate::side::Side;

const APART: &str = "The TLS version alone: TLS 1.3 hides the alert and the certificate, TLS 1.2 shows both. The message \
                     names the cause, which TLS 1.3 packets do not.";

/// The codes of a rejected certificate where `when` holds. Go sends bad_certificate whatever is wrong with it: `other` and
/// what follows are alerts of clients that are not kube-apiserver.
macro_rules! rejected {
    ($when:expr, $other:literal, $($alike:literal),+) => {
        &[
            by("tls-certificate-rejected").when($when),
            by("tls-bad-certificate").when($when),
            by($other)
                .when($when)
                .by_others()
                .alike(&[$(by($alike).when($when),)+ by("tls-unsupported-certificate").rarely()]),
        ]
    };
    ($when:expr, unknown_ca) => {
        rejected!($when, "tls-unknown-ca", "tls-certificate-unknown", "tls-certificate-expired")
    };
    ($when:expr, expired) => {
        rejected!($when, "tls-certificate-expired", "tls-certificate-unknown", "tls-unknown-ca")
    };
    ($when:expr) => {
        rejected!($when, "tls-certificate-unknown", "tls-unknown-ca", "tls-certificate-expired")
    };
}

fn of(facts: &Facts, cause: Cause) -> bool {
    facts.is_by(Side::Client) && facts.cause == Some(cause) && !facts.names_nobody
}

fn of_address(facts: &Facts) -> bool {
    let other = matches!(facts.cause, Some(Cause::Expired | Cause::NotYetValid | Cause::UnknownCa));
    facts.is_by(Side::Client) && facts.names_nobody && !other
}

fn expired(facts: &Facts) -> bool {
    facts.is_by(Side::Client) && facts.cause == Some(Cause::Expired)
}

fn not_yet_valid(facts: &Facts) -> bool {
    facts.is_by(Side::Client) && facts.cause == Some(Cause::NotYetValid)
}

fn unknown_ca(facts: &Facts) -> bool {
    facts.is_by(Side::Client) && facts.cause == Some(Cause::UnknownCa)
}

const GIVERS_OF_ANY: &[Giver] = rejected!(|facts| facts.is_by(Side::Client));

/// See [`super::all`].
pub(super) const WORDINGS: &[Wording] = &[
    Wording {
        texts: &[
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "x509: certificate signed by unknown authority",
            "unable to get local issuer certificate",
        ],
        cause: Some(Cause::UnknownCa),
        meaning: "The webhook's certificate was not issued by the caBundle of its configuration.",
        given_by: rejected!(unknown_ca, unknown_ca),
        apart: APART,
        look: Look::Call,
    },
    Wording {
        texts: &[
            "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time {now} is before {not_before}",
            "x509: certificate has expired or is not yet valid: current time {now} is before {not_before}",
        ],
        cause: Some(Cause::NotYetValid),
        meaning: "The webhook's certificate is not valid yet: a clock is wrong.",
        given_by: rejected!(not_yet_valid, expired),
        apart: APART,
        look: Look::Call,
    },
    Wording {
        texts: &[
            "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time {now} is after {not_after}",
            "x509: certificate has expired or is not yet valid",
            "certificate has expired",
        ],
        cause: Some(Cause::Expired),
        meaning: "The webhook's certificate, or a CA of it, has expired.",
        given_by: rejected!(expired, expired),
        apart: APART,
        look: Look::Call,
    },
    Wording {
        texts: &[
            "tls: failed to verify certificate: x509: cannot validate certificate for {address} because it doesn't contain any IP SANs",
            "x509: cannot validate certificate for {address} because it doesn't contain any IP SANs",
        ],
        cause: Some(Cause::NameMismatch),
        meaning: "The webhook is called by its address, and its certificate is for no address.",
        given_by: rejected!(of_address),
        apart: APART,
        look: Look::Call,
    },
    Wording {
        texts: &[
            "tls: failed to verify certificate: x509: certificate relies on legacy Common Name field, use SANs instead",
            "x509: certificate relies on legacy Common Name field",
            "relies on legacy Common Name field",
        ],
        cause: Some(Cause::NoSan),
        meaning: "The webhook's certificate bears its name only as common name, which Go ignores.",
        given_by: rejected!(|facts| of(facts, Cause::NoSan) && facts.is_common_name),
        apart: APART,
        look: Look::Call,
    },
    Wording {
        texts: &[
            "tls: failed to verify certificate: x509: certificate is not valid for any names, but wanted to match {name}",
            "x509: certificate is not valid for any names, but wanted to match {name}",
        ],
        cause: Some(Cause::NoSan),
        meaning: "The webhook's certificate names nobody as subject alternative name.",
        given_by: rejected!(|facts| of(facts, Cause::NoSan)),
        apart: APART,
        look: Look::Call,
    },
    Wording {
        texts: &[
            "tls: failed to verify certificate: x509: certificate is valid for {names}, not {name}",
            "x509: certificate is valid for {names}, not {name}",
        ],
        cause: Some(Cause::NameMismatch),
        meaning: "The webhook's certificate is for other names: it was issued for another Service, or another program answers.",
        given_by: rejected!(|facts| of(facts, Cause::NameMismatch)),
        apart: APART,
        look: Look::Call,
    },
    Wording {
        texts: &["tls: failed to parse certificate from server: {why}"],
        cause: None,
        meaning: "kube-apiserver could not parse the webhook's certificate.",
        given_by: &[
            by("tls-certificate-rejected").rarely(),
            by("tls-decode-error").when(|facts| facts.is_by(Side::Client)),
            by("tls-bad-certificate").rarely(),
        ],
        apart: APART,
        look: Look::Call,
    },
    Wording {
        texts: &[
            "tls: failed to verify certificate: x509: {why}",
            "x509: {why}",
            "certificate verify failed",
        ],
        cause: None,
        meaning: "kube-apiserver rejected the webhook's certificate.",
        given_by: GIVERS_OF_ANY,
        apart: APART,
        look: Look::Call,
    },
];
