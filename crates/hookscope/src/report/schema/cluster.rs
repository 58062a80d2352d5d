//! What a report says where it knows the cluster's objects.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::Word;
use crate::verdict::Severity;

/// What the cluster's objects add to what packets show.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct ClusterReport {
    /// All webhooks, in the order of the objects.
    pub webhooks: Vec<WebhookReport>,
    /// Objects that cannot work as they are: failures first, those with most connections first.
    pub findings: Vec<Finding>,
}

/// One webhook, as it is configured.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct WebhookReport {
    /// Its name, as kube-apiserver's log has it.
    pub name: String,
    /// `validating`, `mutating`, `conversion` or `apiservice`.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::words::word"))]
    pub kind: Word,
    /// The object that configures it.
    pub configuration: String,
    /// `namespace/name:port` of its Service.
    pub service: Option<String>,
    /// Its URL, where it has no Service.
    pub url: Option<String>,
    /// The path that is called at the Service.
    pub path: Option<String>,
    /// Its deadline; `null` where its kind has none.
    pub timeout_s: Option<f64>,
    /// `Fail` or `Ignore`.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::words::word"))]
    pub failure_policy: Word,
    /// The addresses that its calls go to: ClusterIPs and endpoints.
    pub servers: Vec<String>,
}

/// An object that cannot work as it is.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Finding {
    /// `service-missing`, `service-port-missing`, `service-without-endpoints`, `target-port-not-listening`,
    /// `ca-bundle-unusable`, `ca-bundle-out-of-date`, `deadline-below-latency` or `fail-policy-own-namespace`.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::words::word"))]
    pub code: Word,
    /// A failure where calls cannot succeed, else a warning. It does not change the exit status: packets do.
    pub severity: Severity,
    /// The webhook's name.
    pub webhook: String,
    /// Its kind.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::words::word"))]
    pub kind: Word,
    /// The object that configures it.
    pub configuration: String,
    /// `namespace/name` of its Service.
    pub service: Option<String>,
    /// Failed connections to it; none where nothing of a call leaves the host.
    pub connections: u64,
    /// Ids of the first few of them, in order.
    pub ids: Vec<u64>,
    /// One sentence in plain words.
    pub summary: String,
    /// What to do next, a step each.
    pub hints: Vec<String>,
}

/// Whom a server is known as to the cluster's objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Whom {
    /// Names of the webhooks that are called there: of several, packets do not tell which was called.
    pub webhooks: Vec<String>,
    /// The Service that they are called through, `namespace/name:port`, where it is one.
    pub service: Option<String>,
    /// The pod behind the address, `namespace/name`.
    pub pod: Option<String>,
    /// The node that it runs on.
    pub node: Option<String>,
}

impl Whom {
    /// Whether anything is known.
    pub fn is_known(&self) -> bool {
        *self != Self::default()
    }
}

/// How a rejected certificate looks to those who were to trust it.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Verification {
    /// The certificates that the server presented, its own first: none where they were encrypted.
    pub presented: Vec<CertificateIdentity>,
    /// Webhooks that may have been called; of several, those that account for the rejection.
    pub against: Vec<Against>,
}

/// What one webhook's `caBundle` says.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Against {
    /// The webhook.
    pub webhook: String,
    /// The object that configures it.
    pub configuration: String,
    /// What its certificate must be for.
    pub host: String,
    /// The certificates in its `caBundle`.
    pub trusted: Vec<CertificateIdentity>,
    /// What Go's verification of the presented chain says: `trusted`, `expired`, `not-yet-valid`, `no-san`,
    /// `name-mismatch`, `unknown-issuer`, `other-key`, `not-ca`, `weak-signature`, `path-too-long`, `not-for-servers`.
    /// Of a bundle that explains a rejection by itself: `ca-bundle-empty`, `ca-bundle-unusable`,
    /// `ca-bundle-out-of-date`; `elsewhere` where it does not trust what the server presented on other connections.
    /// `null` where nothing can be said.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::words::maybe"))]
    pub result: Option<Word>,
    /// The certificate at which the chain breaks.
    pub broken: Option<CertificateIdentity>,
}

/// Who a certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct CertificateIdentity {
    /// Distinguished name of the subject.
    pub subject: String,
    /// Distinguished name of the issuer.
    pub issuer: String,
    /// Subject key identifier, in hexadecimal.
    pub key_id: Option<String>,
    /// Key identifier of the issuer, in hexadecimal.
    pub authority_key_id: Option<String>,
    /// Start of its validity.
    pub not_before: String,
    /// End of its validity.
    pub not_after: String,
}
