//! A `caBundle` -> the certificates in it, as Go's `CertPool.AppendCertsFromPEM` takes them.

use x509_parser::pem::Pem;

use crate::time::Timestamp;
use crate::trust::certificate::Parsed;
use crate::trust::{Identity, identify};

/// The roots that a client trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bundle {
    certificates: Vec<Vec<u8>>,
}

/// Why bytes are no bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// There is no PEM block in them.
    NotPem,
    /// There is none with a certificate that can be read.
    NoCertificate,
}

impl Bundle {
    /// Certificates of one bundle that are looked at: those of all public CAs are fewer.
    const MAX: usize = 1000;

    /// Reads PEM. As in Go, blocks of another type and certificates that cannot be read are passed over, unless all are.
    pub(crate) fn read(pem: &[u8]) -> Result<Self, Unusable> {
        let mut has_block = false;
        let mut certificates = Vec::new();
        for block in Pem::iter_from_buffer(pem).take(Self::MAX).map_while(Result::ok) {
            has_block = true;
            if block.label == "CERTIFICATE" && Parsed::read(&block.contents).is_some() {
                certificates.push(block.contents);
            }
        }
        match (has_block, certificates.is_empty()) {
            (_, false) => Ok(Self { certificates }),
            (true, true) => Err(Unusable::NoCertificate),
            (false, true) => Err(Unusable::NotPem),
        }
    }

    /// The certificates (X.509 DER).
    pub(crate) fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    /// Who is trusted.
    pub(crate) fn identities(&self) -> Vec<Identity> {
        self.certificates.iter().filter_map(|der| identify(der)).collect()
    }

    /// Whether nobody in it can vouch for anything at `now`, since all of it has expired or is not valid yet.
    pub(crate) fn is_out_of_date(&self, now: Timestamp) -> bool {
        self.certificates.iter().filter_map(|der| Parsed::read(der)).all(|it| it.flaw_in_time(now).is_some())
    }
}
