//! One certificate of a chain: what Go's `crypto/x509` asks of it.

use std::net::IpAddr;

use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate, X509Version};

use crate::time::Timestamp;
use crate::trust::Flaw;

/// Who a certificate is, for a reader who compares it with another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Distinguished name of the subject.
    pub(crate) subject: String,
    /// Distinguished name of the issuer.
    pub(crate) issuer: String,
    /// Subject key identifier, in hexadecimal.
    pub(crate) key_id: Option<String>,
    /// Key identifier of its issuer, in hexadecimal.
    pub(crate) authority_key_id: Option<String>,
    /// Start of its validity.
    pub(crate) not_before: Timestamp,
    /// End of its validity.
    pub(crate) not_after: Timestamp,
}

/// Who a certificate is; `None` where the bytes are none.
pub(crate) fn identify(der: &[u8]) -> Option<Identity> {
    Parsed::read(der).map(|parsed| parsed.identity())
}

/// A certificate that was read.
#[derive(Debug)]
pub(super) struct Parsed<'a> {
    pub(super) der: &'a [u8],
    pub(super) x509: X509Certificate<'a>,
}

impl<'a> Parsed<'a> {
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let (rest, x509) = X509Certificate::from_der(der).ok()?;
        // RFC 5280, section 4.1.1.2: what is signed names the algorithm as well.
        let is_consistent = x509.signature_algorithm == x509.tbs_certificate.signature;
        (rest.is_empty() && is_consistent).then_some(Self { der, x509 })
    }

    pub(super) fn identity(&self) -> Identity {
        let (mut key_id, mut authority_key_id) = (None, None);
        for extension in self.x509.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) => key_id = Some(hex(id.0)),
                ParsedExtension::AuthorityKeyIdentifier(id) => {
                    authority_key_id = id.key_identifier.as_ref().map(|id| hex(id.0));
                }
                _ => {}
            }
        }
        Identity {
            subject: self.x509.subject().to_string(),
            issuer: self.x509.issuer().to_string(),
            key_id,
            authority_key_id,
            not_before: self.not_before(),
            not_after: self.not_after(),
        }
    }

    fn not_before(&self) -> Timestamp {
        seconds(self.x509.validity().not_before.timestamp())
    }

    fn not_after(&self) -> Timestamp {
        seconds(self.x509.validity().not_after.timestamp())
    }

    pub(super) fn flaw_in_time(&self, now: Timestamp) -> Option<Flaw> {
        if now < self.not_before() {
            Some(Flaw::NotYetValid)
        } else if now > self.not_after() {
            Some(Flaw::Expired)
        } else {
            None
        }
    }

    /// What is wrong with its names for the server `name`. The common name never counts.
    pub(super) fn flaw_in_name(&self, name: &str) -> Option<Flaw> {
        let names = self.x509.subject_alternative_name().ok().flatten();
        let names: &[GeneralName<'_>] = names.as_ref().map_or(&[], |it| &it.value.general_names);
        let is_name =
            |it: &&GeneralName<'_>| matches!(it, GeneralName::DNSName(_) | GeneralName::IPAddress(_));
        if !names.iter().any(|it| is_name(&it)) {
            return Some(Flaw::NoSan);
        }
        let fits = match name.parse::<IpAddr>() {
            Ok(ip) => names.iter().any(|it| matches!(it, GeneralName::IPAddress(bytes) if is_ip(bytes, ip))),
            Err(_) => {
                names.iter().any(|it| matches!(it, GeneralName::DNSName(pattern) if is_host(pattern, name)))
            }
        };
        (!fits).then_some(Flaw::NameMismatch)
    }

    /// Whether its subject is who `other` names as its issuer.
    pub(super) fn has_name_of_issuer(&self, other: &Self) -> bool {
        self.x509.subject().as_raw() == other.x509.issuer().as_raw()
    }

    /// Whether it may sign certificates at all.
    pub(super) fn may_issue(&self) -> bool {
        let is_ca = match self.x509.basic_constraints() {
            Ok(Some(constraints)) => constraints.value.ca,
            // Versions 1 and 2 have no extensions to say so.
            Ok(None) => self.x509.version() != X509Version::V3,
            Err(_) => false,
        };
        is_ca
            && match self.x509.key_usage() {
                Ok(Some(usage)) => usage.value.flags == 0 || usage.value.key_cert_sign(),
                Ok(None) => true,
                Err(_) => false,
            }
    }

    /// What keeps it from issuing for a chain that has `intermediates` between it and the server's certificate.
    pub(super) fn flaw_as_issuer(&self, is_root: bool, intermediates: usize) -> Option<Flaw> {
        match self.x509.basic_constraints() {
            Ok(Some(constraints)) => {
                let most = constraints.value.path_len_constraint.filter(|_| constraints.value.ca);
                let is_longer = |most| usize::try_from(most).is_ok_and(|most| intermediates > most);
                most.is_some_and(is_longer).then_some(Flaw::PathTooLong)
            }
            // Only a root may be a CA without saying so.
            _ => (!is_root).then_some(Flaw::NotCa),
        }
    }

    /// Whether it may be in the chain of a server: it says so, or does not say what it is for.
    pub(super) fn is_for_servers(&self) -> bool {
        match self.x509.extended_key_usage() {
            Ok(Some(usage)) => usage.value.any || usage.value.server_auth,
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Whether it limits the names below it, which is not judged here.
    pub(super) fn has_name_constraints(&self) -> bool {
        !matches!(self.x509.name_constraints(), Ok(None))
    }
}

fn seconds(unix: i64) -> Timestamp {
    Timestamp::from_nanos(unix.saturating_mul(1_000_000_000))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn is_ip(bytes: &[u8], ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => bytes == ip.octets(),
        IpAddr::V6(ip) => bytes == ip.octets(),
    }
}

/// Whether `pattern` is `host`, or has a wildcard for its whole first label (RFC 9525, section 6.3).
fn is_host(pattern: &str, host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    if pattern.is_empty() || host.is_empty() {
        return false;
    }
    let same = pattern.eq_ignore_ascii_case(host);
    same || pattern.strip_prefix("*.").is_some_and(|parent| {
        host.split_once('.')
            .is_some_and(|(first, rest)| !first.is_empty() && rest.eq_ignore_ascii_case(parent))
    })
}
