//! A chain of certificates, and whom a client trusts -> whether Go's `crypto/x509` would accept it, and if not, which
//! link breaks.
//!
//! It follows `Certificate.Verify` of Go with a server's name, the roots that a `caBundle` holds and nothing else:
//! validity and name of the server's certificate first, then every way from it over the certificates that were
//! presented to a root, each step with its names, signature, validity, basic constraints and path length; at last
//! the extended key usages of the chain. Time is an argument: that of the packet.

mod bundle;
mod certificate;
mod signature;

pub(crate) use bundle::{Bundle, Unusable};
pub(crate) use certificate::{Identity, identify};

use certificate::Parsed;
use signature::Signature;

use crate::time::Timestamp;

/// Whether a chain is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It is.
    Trusted,
    /// It is not, and this is why.
    Broken(Broken),
    /// Something in it is not understood here.
    Undecided,
}

/// Where a chain breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// What is wrong.
    pub(crate) flaw: Flaw,
    /// With which certificate.
    pub(crate) link: Identity,
    /// Whether it is the server's own.
    pub(crate) is_leaf: bool,
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Its validity is over.
    Expired,
    /// Its validity has not begun.
    NotYetValid,
    /// It has no subject alternative name.
    NoSan,
    /// It is for other names.
    NameMismatch,
    /// Nobody of its issuer's name is trusted or was presented.
    UnknownIssuer,
    /// Somebody of its issuer's name is trusted or was presented, and another key signed it.
    OtherKey,
    /// Its issuer is known, and may not issue certificates.
    NotCa,
    /// It is signed with MD5 or SHA-1.
    WeakSignature,
    /// Its issuer allows fewer certificates below it.
    PathTooLong,
    /// It is not for servers (extended key usage).
    NotForServers,
}

impl Flaw {
    /// Its stable name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::NoSan => "no-san",
            Self::NameMismatch => "name-mismatch",
            Self::UnknownIssuer => "unknown-issuer",
            Self::OtherKey => "other-key",
            Self::NotCa => "not-ca",
            Self::WeakSignature => "weak-signature",
            Self::PathTooLong => "path-too-long",
            Self::NotForServers => "not-for-servers",
        }
    }
}

/// Go gives up after so many signatures.
const MAX_SIGNATURES: usize = 100;

/// Verifies `chain`, the server's own certificate first, for the server `name` (a host name or an IP address) at `now`.
pub(crate) fn verify(chain: &[&[u8]], roots: &Bundle, name: &str, now: Timestamp) -> Trust {
    let mut presented = chain.iter().map(|der| Parsed::read(der));
    let Some(Some(leaf)) = presented.next() else { return Trust::Undecided };
    // What cannot be read of the rest cannot be a step.
    let others: Vec<Parsed<'_>> = presented.flatten().collect();
    let roots: Vec<Parsed<'_>> = roots.certificates().iter().filter_map(|der| Parsed::read(der)).collect();
    let flaw = leaf.flaw_in_time(now).or_else(|| leaf.flaw_in_name(name));
    if let Some(flaw) = flaw {
        return Trust::Broken(Broken { flaw, link: leaf.identity(), is_leaf: true });
    }
    let mut search =
        Search { roots: &roots, others: &others, now, signatures: 0, is_unsure: false, misused: None };
    let broken = if roots.iter().any(|root| root.der == leaf.der) {
        search.usage(&[&leaf])
    } else {
        search.climb(&[&leaf])
    };
    match broken {
        None => Trust::Trusted,
        Some(_) if search.is_unsure => Trust::Undecided,
        Some(broken) => Trust::Broken(search.misused.unwrap_or(broken)),
    }
}

/// The search for a way to a root.
struct Search<'a> {
    roots: &'a [Parsed<'a>],
    others: &'a [Parsed<'a>],
    now: Timestamp,
    signatures: usize,
    /// Whether a step may be one, and cannot be judged.
    is_unsure: bool,
    /// A chain led to a root, and is not for servers.
    misused: Option<Broken>,
}

impl<'a> Search<'a> {
    /// Goes on from the last certificate of `chain`: `None` once a root is reached, else what stood in the way.
    fn climb(&mut self, chain: &[&Parsed<'a>]) -> Option<Broken> {
        let last = *chain.last()?;
        let broken = |flaw, with: &Parsed<'_>| {
            Some(Broken {
                flaw,
                link: with.identity(),
                is_leaf: with.der == chain.first().map_or(&[][..], |it| it.der),
            })
        };
        // What Go returns: what is wrong with the last issuer whose key fits, else why no key fits.
        let (mut unfit, mut unsigned) = (None, None);
        let roots = self.roots.iter().map(|it| (it, true));
        let candidates: Vec<_> = roots.chain(self.others.iter().map(|it| (it, false))).collect();
        for (issuer, is_root) in candidates {
            if !issuer.has_name_of_issuer(last) || chain.iter().any(|known| known.der == issuer.der) {
                continue;
            }
            self.signatures += 1;
            if self.signatures > MAX_SIGNATURES {
                self.is_unsure = true;
                break;
            }
            let flaw = if !issuer.may_issue() {
                Some(Flaw::NotCa)
            } else {
                match signature::check(&last.x509, issuer.x509.public_key()) {
                    Signature::Good => None,
                    Signature::Bad => Some(Flaw::OtherKey),
                    Signature::Weak => Some(Flaw::WeakSignature),
                    Signature::Unknown => {
                        self.is_unsure = true;
                        continue;
                    }
                }
            };
            if let Some(flaw) = flaw {
                unsigned = unsigned.or_else(|| broken(flaw, last));
                continue;
            }
            let flaw =
                issuer.flaw_in_time(self.now).or_else(|| issuer.flaw_as_issuer(is_root, chain.len() - 1));
            unfit = flaw.and_then(|flaw| broken(flaw, issuer));
            if unfit.is_some() {
                continue;
            }
            if issuer.has_name_constraints() {
                self.is_unsure = true;
                continue;
            }
            let longer: Vec<_> = chain.iter().copied().chain([issuer]).collect();
            if !is_root {
                unfit = self.climb(&longer);
                unfit.as_ref()?;
            } else {
                match self.usage(&longer) {
                    None => return None,
                    misused => self.misused = misused,
                }
            }
        }
        unfit.or(unsigned).or_else(|| broken(Flaw::UnknownIssuer, last))
    }

    /// What keeps a whole chain from being one of a server: `None` if nothing does.
    fn usage(&self, chain: &[&Parsed<'_>]) -> Option<Broken> {
        let misused = chain.iter().rev().find(|link| !link.is_for_servers())?;
        let is_leaf = chain.first().is_some_and(|leaf| leaf.der == misused.der);
        Some(Broken { flaw: Flaw::NotForServers, link: misused.identity(), is_leaf })
    }
}

#[cfg(test)]
pub(crate) mod tests;
