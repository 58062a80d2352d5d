//! Servers -> whom the cluster's objects know them as: webhooks, Service, pod and node.

use std::rc::Rc;

use crate::cluster::{Asked, Cluster, Target, Webhook, WebhookId};
use crate::connection::Connection;
use crate::diagnosis::case::Case;
use crate::diagnosis::proof::{self, Opinion, Proof};
use crate::diagnosis::whom::{asked, webhooks};
use crate::flow::key::Endpoint;
use crate::inspect::outcome::View;
use crate::inspect::tally::ServerTally;
use crate::report::build::Builder;
use crate::report::names::Name;
use crate::report::schema;
use crate::time::Elapsed;
use crate::trust::{Identity, Trust};

impl Builder<'_> {
    pub(crate) fn cluster(&self) -> Option<&Cluster> {
        self.found.config.cluster.as_deref()
    }

    /// What the Service is called whose address an ICMP error quotes.
    pub(crate) fn name_of_quoted(&self, connection: &Connection) -> Option<Name<'_>> {
        let quoted = connection.unreachable.as_deref()?.destination?;
        let text = self.cluster()?.host(quoted.socket())?;
        Some(Name { text, source: "cluster" })
    }

    /// What is known of the certificate that a connection was rejected for.
    pub(crate) fn proof(&self, view: &View<'_>) -> Option<Rc<Proof>> {
        let config = &self.found.config;
        let case = Case { connection: view.connection, now: view.now, config };
        self.proofs.of(view, &case, config.cluster.as_deref()?)
    }

    /// How the certificate of a connection that was rejected for it looks to the webhooks' `caBundle`s.
    pub(crate) fn verification(&self, view: &View<'_>) -> Option<schema::Verification> {
        let (cluster, proof) = (self.cluster()?, self.proof(view)?);
        let presented = proof.presented.iter().map(identity).collect();
        let against = |view: &proof::View| {
            let webhook = cluster.webhook(view.webhook)?;
            let (result, link) = match &view.opinion {
                Opinion::Verified(Trust::Trusted) => (Some("trusted"), None),
                Opinion::Verified(Trust::Broken(broken)) => (Some(broken.flaw.name()), Some(&broken.link)),
                Opinion::Elsewhere(broken) => (Some("elsewhere"), Some(&broken.link)),
                Opinion::Empty => (Some("ca-bundle-empty"), None),
                Opinion::NotBase64 | Opinion::Unusable(_) => (Some("ca-bundle-unusable"), None),
                Opinion::OutOfDate => (Some("ca-bundle-out-of-date"), None),
                Opinion::Verified(Trust::Undecided) | Opinion::Nothing => (None, None),
            };
            Some(schema::Against {
                webhook: webhook.name.clone(),
                configuration: webhook.configuration.clone(),
                host: view.host.clone(),
                trusted: view.trusted.iter().map(identity).collect(),
                result,
                broken: link.map(identity),
            })
        };
        Some(schema::Verification { presented, against: proof.culprits().filter_map(against).collect() })
    }

    /// The webhooks that a connection may have been opened for, narrowed by what its server is called and by whose
    /// `caBundle` the certificate was rejected.
    pub(crate) fn webhooks_of(&self, view: &View<'_>) -> Vec<WebhookId> {
        let Some(cluster) = self.cluster() else { return Vec::new() };
        if let Some(proof) = self.proof(view) {
            return proof.culprits().map(|view| view.webhook).collect();
        }
        let found = webhooks(view.connection, cluster);
        // Who says no name in its ClientHello was given an address, and calls nobody by name.
        let name = self.name(view.connection).filter(|_| asked(view.connection) != Asked::NoName);
        let ids = narrowed(cluster, found, view.connection.server(), name.map(|name| name.text));
        by_deadline(cluster, ids, view)
    }

    /// The same for connections to a server, where no single one is meant.
    pub(crate) fn webhooks_at(&self, server: &ServerTally) -> Vec<WebhookId> {
        let Some(cluster) = self.cluster() else { return Vec::new() };
        let asked = match server.name.as_deref() {
            Some(name) => Asked::Name(name),
            None => Asked::Unknown,
        };
        let found = cluster.find(server.server.socket(), asked);
        narrowed(cluster, found, server.server, self.server_name(server))
    }

    /// Whether the filter lets one of these webhooks pass by its own name.
    pub(crate) fn admits_any(&self, ids: &[WebhookId]) -> bool {
        let filter = &self.found.config.filter;
        let Some(cluster) = self.cluster() else { return false };
        ids.iter().filter_map(|id| cluster.webhook(*id)).any(|it| filter.admits_name(Some(&it.name)))
    }

    /// Whom a connection was opened to.
    pub(crate) fn whom_of(&self, view: &View<'_>) -> Option<schema::Whom> {
        self.whom(view.connection.server(), &self.webhooks_of(view))
    }

    /// Whom connections to a server are opened to.
    pub(crate) fn whom_at(&self, server: &ServerTally) -> Option<schema::Whom> {
        self.whom(server.server, &self.webhooks_at(server))
    }

    fn whom(&self, server: Endpoint, ids: &[WebhookId]) -> Option<schema::Whom> {
        let cluster = self.cluster()?;
        let webhooks: Vec<_> = ids.iter().filter_map(|id| cluster.webhook(*id)).collect();
        let mut names: Vec<String> = Vec::new();
        for webhook in &webhooks {
            if !names.contains(&webhook.name) {
                names.push(webhook.name.clone());
            }
        }
        let mut services = webhooks.iter().map(|webhook| service(&webhook.target));
        let service = services.next().flatten();
        let service = service.filter(|first| services.all(|other| other.as_ref() == Some(first)));
        let place = cluster.place(server.socket(), ids);
        let whom = schema::Whom { webhooks: names, service, pod: place.pod, node: place.node };
        whom.is_known().then_some(whom)
    }
}

fn identity(identity: &Identity) -> schema::CertificateIdentity {
    schema::CertificateIdentity {
        subject: identity.subject.clone(),
        issuer: identity.issuer.clone(),
        key_id: identity.key_id.clone(),
        authority_key_id: identity.authority_key_id.clone(),
        not_before: identity.not_before.to_string(),
        not_after: identity.not_after.to_string(),
    }
}

/// `namespace/name:port`.
pub(crate) fn service(target: &Target) -> Option<String> {
    match target {
        Target::Service { service, port, .. } => Some(format!("{service}:{port}")),
        Target::Url(_) => None,
    }
}

/// Of several webhooks those first whose deadline the client kept: a sign, but no proof, since requests may be short
/// of time.
fn by_deadline(cluster: &Cluster, mut ids: Vec<WebhookId>, view: &View<'_>) -> Vec<WebhookId> {
    if let Some(kept) = view.verdict.deadline.filter(|_| view.verdict.end.is_some()) {
        ids.sort_by_key(|id| cluster.webhook(*id).and_then(|it| it.timeout).map(Elapsed::from) != Some(kept));
    }
    ids
}

/// Whom a lookup was made for.
pub(crate) fn of_lookup(cluster: Option<&Cluster>, name: &str) -> Option<schema::Whom> {
    let cluster = cluster?;
    let webhooks = cluster.of_host(name).iter().filter_map(|id| Some(cluster.webhook(*id)?.name.clone()));
    let mut whom = schema::Whom { webhooks: webhooks.collect(), ..schema::Whom::default() };
    whom.webhooks.dedup();
    whom.is_known().then_some(whom)
}

/// Of webhooks those that are called by `name`, if any are.
fn narrowed(
    cluster: &Cluster,
    found: Vec<WebhookId>,
    server: Endpoint,
    name: Option<&str>,
) -> Vec<WebhookId> {
    let Some(name) = name.filter(|_| found.len() != 1) else { return found };
    if found.is_empty() {
        // The host of a URL, by a name that DNS or another connection gave the address.
        return cluster.served(name, server.port);
    }
    let by_name = |id: &WebhookId| {
        let host = cluster.webhook(*id).and_then(Webhook::host);
        host.is_some_and(|host| host.eq_ignore_ascii_case(name))
    };
    let named: Vec<_> = found.iter().copied().filter(by_name).collect();
    if named.is_empty() { found } else { named }
}
