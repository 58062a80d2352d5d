//! A certificate that a client rejected, and the webhooks' `caBundle`s -> what was wrong with it: proven where the
//! certificate is visible, else what the objects explain by themselves.

use crate::cluster::{CaBundle, Cluster, Webhook, WebhookId};
use crate::diagnosis::case::Case;
use crate::diagnosis::verdict::{Cause, Finding};
use crate::side::Side;
use crate::time::Timestamp;
use crate::tls::certificate::CertificateList;
use crate::trust::{Broken, Bundle, Flaw, Identity, Trust, Unusable, identify, verify};

/// What is known of a rejected certificate.
#[derive(Clone, Debug)]
pub(crate) struct Proof {
    /// The certificates that the server presented, its own first: none where they were encrypted.
    pub(crate) presented: Vec<Identity>,
    /// How each webhook that may have been called sees it.
    pub(crate) views: Vec<View>,
}

/// How one webhook's `caBundle` sees the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    /// The webhook.
    pub(crate) webhook: WebhookId,
    /// The host that its certificate must be for.
    pub(crate) host: String,
    /// Whom it trusts.
    pub(crate) trusted: Vec<Identity>,
    /// What follows.
    pub(crate) opinion: Opinion,
}

/// What a `caBundle` says of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opinion {
    /// The presented chain was verified against it.
    Verified(Trust),
    /// It is empty: the CAs of kube-apiserver's host count, and these are not known here.
    Empty,
    /// It is not base64.
    NotBase64,
    /// It is not a bundle.
    Unusable(Unusable),
    /// The certificate was encrypted, and all that the bundle holds was out of date.
    OutOfDate,
    /// The certificate was encrypted; those that the same server presented on other connections do not verify.
    Elsewhere(Broken),
    /// Nothing: the certificate was encrypted, or is not verified at all.
    Nothing,
}

/// The moment at which a client rejected its server's certificate, if that is what `finding` says.
pub(crate) fn rejected(case: &Case<'_>, finding: &Finding) -> Option<Timestamp> {
    if finding.by?.side()? != Side::Client {
        return None;
    }
    let session = case.tls()?;
    let alert = session.alerts().iter().find(|alert| alert.is_fatal && alert.by == Side::Client);
    let about = match alert {
        Some(alert) => alert.at == finding.at && alert.description.is_about_certificate(),
        None => session.rejected() == Some(finding.at),
    };
    about.then_some(finding.at.time)
}

impl Proof {
    /// What `webhooks` say of a chain that was rejected `at` some time; `list` is the chain, `elsewhere` are those that
    /// the server presented on other connections.
    pub(crate) fn new(
        cluster: &Cluster,
        webhooks: &[WebhookId],
        list: Option<&CertificateList>,
        elsewhere: &[CertificateList],
        at: Timestamp,
    ) -> Option<Self> {
        let view = |id: &WebhookId| Some(View::new(*id, cluster.webhook(*id)?, list, elsewhere, at));
        let mut views: Vec<View> = webhooks.iter().filter_map(view).collect();
        if list.is_none() {
            // Whoever trusts somebody else than the others do is the more likely one.
            let alike: Vec<usize> = views
                .iter()
                .map(|view| views.iter().filter(|other| other.trusted == view.trusted).count())
                .collect();
            let mut places: Vec<_> = alike.into_iter().zip(views).collect();
            places.sort_by_key(|(alike, _)| *alike);
            views = places.into_iter().map(|(_, view)| view).collect();
        }
        let presented = list.into_iter().flat_map(CertificateList::iter).filter_map(identify).collect();
        (!views.is_empty()).then_some(Self { presented, views })
    }

    /// The views that account for the rejection: of webhooks that share a server, those that do not trust it.
    pub(crate) fn culprits(&self) -> impl Iterator<Item = &View> {
        let any = self.views.iter().any(View::explains);
        self.views.iter().filter(move |view| !any || view.explains())
    }

    /// Where the presented chain breaks, if it is the same for all webhooks that it breaks for.
    pub(crate) fn broken(&self) -> Option<(&View, &Broken)> {
        let mut broken = self.culprits().filter_map(|view| match &view.opinion {
            Opinion::Verified(Trust::Broken(broken)) => Some((view, broken)),
            _ => None,
        });
        let first = broken.next()?;
        broken.all(|(_, other)| other.flaw.cause() == first.1.flaw.cause()).then_some(first)
    }

    /// Two webhooks of the server that trust different CAs, so that no certificate suits both.
    pub(crate) fn disagreement(&self) -> Option<(&View, &View)> {
        let mut views = self.views.iter().filter(|view| !view.trusted.is_empty());
        let first = views.next()?;
        let strangers = |view: &&View| !view.trusted.iter().any(|it| first.trusted.contains(it));
        views.find(strangers).map(|other| (first, other))
    }

    /// The cause, where it is proven.
    pub(crate) fn cause(&self) -> Option<Cause> {
        self.broken().map(|(_, broken)| broken.flaw.cause())
    }
}

impl View {
    fn new(
        id: WebhookId,
        webhook: &Webhook,
        list: Option<&CertificateList>,
        elsewhere: &[CertificateList],
        at: Timestamp,
    ) -> Self {
        let host = webhook.host().unwrap_or_default();
        let (trusted, opinion) = match &webhook.ca_bundle {
            CaBundle::Empty => (Vec::new(), Opinion::Empty),
            CaBundle::NotBase64 => (Vec::new(), Opinion::NotBase64),
            CaBundle::Unverified => (Vec::new(), Opinion::Nothing),
            CaBundle::Bytes(bytes) => match Bundle::read(bytes) {
                Err(unusable) => (Vec::new(), Opinion::Unusable(unusable)),
                Ok(bundle) => (bundle.identities(), opinion(&bundle, &host, list, elsewhere, at)),
            },
        };
        Self { webhook: id, host, trusted, opinion }
    }

    /// Whether the rejection follows from it.
    pub(crate) const fn explains(&self) -> bool {
        !matches!(self.opinion, Opinion::Verified(Trust::Trusted | Trust::Undecided) | Opinion::Nothing)
    }
}

fn opinion(
    bundle: &Bundle,
    host: &str,
    list: Option<&CertificateList>,
    elsewhere: &[CertificateList],
    at: Timestamp,
) -> Opinion {
    let verified = |list: &CertificateList| {
        let chain: Vec<&[u8]> = list.iter().collect();
        verify(&chain, bundle, host, at)
    };
    if let Some(list) = list {
        return Opinion::Verified(verified(list));
    }
    if bundle.is_out_of_date(at) {
        return Opinion::OutOfDate;
    }
    let mut broken = Vec::new();
    for list in elsewhere {
        match verified(list) {
            Trust::Broken(one) => broken.push(one),
            // One that verifies may be the one that was presented.
            Trust::Trusted | Trust::Undecided => return Opinion::Nothing,
        }
    }
    broken.into_iter().next().map_or(Opinion::Nothing, Opinion::Elsewhere)
}

impl Flaw {
    /// The cause that reports name. Go says `certificate signed by unknown authority` wherever no way leads to a root.
    pub(crate) const fn cause(self) -> Cause {
        match self {
            Self::Expired => Cause::Expired,
            Self::NotYetValid => Cause::NotYetValid,
            Self::NoSan => Cause::NoSan,
            Self::NameMismatch => Cause::NameMismatch,
            Self::NotForServers => Cause::KeyUsage,
            Self::UnknownIssuer | Self::OtherKey | Self::NotCa | Self::WeakSignature | Self::PathTooLong => {
                Cause::UnknownCa
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
