//! A server's certificate (RFC 5280) -> who it is for, who issued it, when it is valid, and what is wrong with it.
//!
//! It is read by `x509-parser`, and only when somebody looks at it: for a verdict or a report.

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;

use std::net::IpAddr;

use crate::time::Timestamp;

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// Distinguished name of the subject.
    pub(crate) subject: String,
    /// Distinguished name of the issuer.
    pub(crate) issuer: String,
    /// Subject alternative names: DNS names and IP addresses.
    pub(crate) names: Vec<String>,
    /// Start of its validity.
    pub(crate) not_before: Timestamp,
    /// End of its validity.
    pub(crate) not_after: Timestamp,
}

impl Certificate {
    /// Reads X.509 DER; `None` where it is none.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.iter().flat_map(|extension| &extension.value.general_names);
        let validity = certificate.validity();
        Some(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            names: names.filter_map(name).collect(),
            not_before: timestamp(validity.not_before),
            not_after: timestamp(validity.not_after),
        })
    }

    /// Whether it is for `server`, by the rules of RFC 9525, section 6.3: a wildcard stands for one whole label, the
    /// first.
    pub(crate) fn is_for(&self, server: &str) -> bool {
        let server = server.trim_end_matches('.');
        self.names.iter().any(|name| {
            let name = name.trim_end_matches('.');
            name.eq_ignore_ascii_case(server)
                || name.strip_prefix("*.").is_some_and(|parent| {
                    server.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent))
                })
        })
    }

    /// Whether it names any IP address.
    pub(crate) fn names_an_address(&self) -> bool {
        self.names.iter().any(|name| name.parse::<IpAddr>().is_ok())
    }
}

/// The name as reports show it; other kinds of names are of no use to a TLS server.
fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match **bytes {
            [a, b, c, d] => Some(IpAddr::from([a, b, c, d]).to_string()),
            ref other => <[u8; 16]>::try_from(other).ok().map(|bytes| IpAddr::from(bytes).to_string()),
        },
        _ => None,
    }
}

fn timestamp(time: ASN1Time) -> Timestamp {
    Timestamp::from_nanos(time.timestamp().saturating_mul(1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(names: &[&str]) -> Certificate {
        Certificate {
            subject: String::new(),
            issuer: String::new(),
            names: names.iter().map(|&name| name.to_owned()).collect(),
            not_before: Timestamp::MIN,
            not_after: Timestamp::MIN,
        }
    }

    #[test]
    fn names_match_without_case_and_wildcards_one_label() {
        let it = certificate(&["Hook.default.svc", "*.metallb-system.svc"]);
        assert!(it.is_for("hook.default.svc"));
        assert!(it.is_for("webhook-service.metallb-system.svc"));
        assert!(!it.is_for("a.b.metallb-system.svc"));
        assert!(!it.is_for("metallb-system.svc"));
        assert!(!it.is_for("other.default.svc"));
    }

    #[test]
    fn addresses_are_told_from_names() {
        assert!(certificate(&["a.svc", "10.0.0.1"]).names_an_address());
        assert!(!certificate(&["a.svc"]).names_an_address());
    }

    #[test]
    fn bytes_that_are_no_certificate_are_none() {
        assert_eq!(Certificate::read(&[]), None);
        assert_eq!(Certificate::read(&[0x30, 0x82, 0xff, 0xff, 1]), None);
    }
}
