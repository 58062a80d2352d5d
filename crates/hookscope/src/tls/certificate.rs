//! A server's certificate (RFC 5280) -> who it is for, who issued it, when it is valid, and what is wrong with it.
//!
//! It is read by `x509-parser`, and only when somebody looks at it: for a verdict or a report.

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;

use std::net::IpAddr;
use std::sync::Arc;

use crate::bytes::Reader;
use crate::time::Timestamp;
use crate::tls::pool::Pool;

/// The certificates of one handshake (RFC 5246, section 7.4.2): the server's own first, then those that vouch for it.
/// They stay as they were sent; lists that are the same can share their octets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CertificateList(Arc<[u8]>);

impl CertificateList {
    /// Of longer chains the front is read.
    const MAX: usize = 16;
    /// Octets of one list that are kept: a chain of three with RSA keys takes a quarter of it.
    const MAX_OCTETS: usize = 16 << 10;

    /// Reads the body of a Certificate message; `None` where it holds none.
    pub(crate) fn read(body: &[u8], pool: &mut Pool) -> Option<Self> {
        let mut reader = Reader(body);
        reader.u24()?;
        let list = reader.0.get(..Self::MAX_OCTETS).unwrap_or(reader.0);
        certificates(list).next()?;
        Some(Self(pool.octets(list)?))
    }

    /// The certificates (X.509 DER), as far as the list is whole.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        certificates(&self.0)
    }

    /// How long it is.
    pub(crate) fn octets(&self) -> usize {
        self.0.len()
    }

    /// The server's own.
    pub(crate) fn leaf(&self) -> Option<&[u8]> {
        self.iter().next()
    }
}

fn certificates(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut reader = Reader(list);
    std::iter::from_fn(move || {
        let length = reader.u24()?;
        reader.take(length as usize)
    })
    .take(CertificateList::MAX)
}

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

    #[test]
    fn lists_are_read_as_far_as_they_are_whole() {
        let list = |body: &[u8]| {
            let list = CertificateList::read(body, &mut Pool::default())?;
            Some(list.iter().map(<[u8]>::to_vec).collect::<Vec<_>>())
        };
        assert_eq!(list(&[0, 0, 9, 0, 0, 2, 1, 2, 0, 0, 1, 3]), Some(vec![vec![1, 2], vec![3]]));
        assert_eq!(list(&[0, 0, 9, 0, 0, 2, 1, 2, 0, 0, 7, 3]), Some(vec![vec![1, 2]]));
        assert_eq!(list(&[0, 0, 9, 0, 0, 2, 1]), None);
        assert_eq!(list(&[0, 0, 0]), None);
        assert_eq!(list(&[]), None);
        let many = [&[0, 0, 0][..], &[0, 0, 1, 7].repeat(100)].concat();
        assert_eq!(list(&many).unwrap().len(), CertificateList::MAX);
        let long = [&[0, 0, 0, 0, 0xff, 0xff][..], &[7; 0xffff]].concat();
        assert_eq!(list(&long), None);
    }

    #[test]
    fn lists_that_are_the_same_share_their_octets() {
        let mut pool = Pool::default();
        let [one, other] =
            [(); 2].map(|()| CertificateList::read(&[0, 0, 5, 0, 0, 2, 1, 2], &mut pool).unwrap());
        assert!(Arc::ptr_eq(&one.0, &other.0));
    }

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
