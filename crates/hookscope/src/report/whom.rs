//! Servers -> whom the cluster's objects know them as: webhooks, Service, pod and node.

use crate::cluster::{Cluster, Target, WebhookId};
use crate::connection::Connection;
use crate::diagnosis::whom::webhooks;
use crate::flow::key::Endpoint;
use crate::inspect::outcome::Outcome;
use crate::inspect::tally::ServerTally;
use crate::report::build::Builder;
use crate::report::names::Name;
use crate::report::schema;

impl Builder<'_> {
    pub(crate) fn cluster(&self) -> Option<&Cluster> {
        self.inspection.config.cluster.as_deref()
    }

    /// What the Service is called whose address an ICMP error quotes.
    pub(crate) fn name_of_quoted(&self, connection: &Connection) -> Option<Name<'_>> {
        let quoted = connection.unreachable.as_deref()?.destination?;
        let text = self.cluster()?.host(quoted.socket())?;
        Some(Name { text, source: "cluster" })
    }

    /// The webhooks that a connection may have been opened for, narrowed by what its server is called.
    pub(crate) fn webhooks_of(&self, outcome: &Outcome) -> Vec<WebhookId> {
        let Some(cluster) = self.cluster() else { return Vec::new() };
        let found = webhooks(&outcome.connection, cluster);
        narrowed(cluster, found, self.name(outcome).map(|name| name.text))
    }

    /// The same for connections to a server, where no single one is meant.
    pub(crate) fn webhooks_at(&self, server: &ServerTally) -> Vec<WebhookId> {
        let Some(cluster) = self.cluster() else { return Vec::new() };
        let asked = match server.name.as_deref() {
            Some(name) => crate::cluster::Asked::Name(name),
            None => crate::cluster::Asked::Unknown,
        };
        let found = cluster.find(server.server.socket(), asked);
        narrowed(cluster, found, self.server_name(server))
    }

    /// Whom a connection was opened to.
    pub(crate) fn whom_of(&self, outcome: &Outcome) -> Option<schema::Whom> {
        self.whom(outcome.connection.server(), &self.webhooks_of(outcome))
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

/// `namespace/name:port`.
pub(crate) fn service(target: &Target) -> Option<String> {
    match target {
        Target::Service { service, port, .. } => Some(format!("{service}:{port}")),
        Target::Url(_) => None,
    }
}

/// Of webhooks those that are called by `name`, if any are.
fn narrowed(cluster: &Cluster, found: Vec<WebhookId>, name: Option<&str>) -> Vec<WebhookId> {
    let Some(name) = name.filter(|_| found.len() > 1) else { return found };
    let by_name = |id: &WebhookId| {
        let host = cluster.webhook(*id).and_then(crate::cluster::Webhook::host);
        host.is_some_and(|host| host.eq_ignore_ascii_case(name))
    };
    let named: Vec<_> = found.iter().copied().filter(by_name).collect();
    if named.is_empty() { found } else { named }
}
