//! Objects that cannot work as they are, and the connections that show it.
//!
//! Objects are collected at another time than packets, so packets have the last word: what they contradict is not
//! said.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cluster::{
    CaBundle, Cluster, FailurePolicy, Labels, ObjectName, Pod, Rule, Service, Via, Webhook, WebhookId,
    WebhookKind,
};
use crate::diagnosis::story::{count, is_host_name};
use crate::inspect::tally::{LatencyTally, ServerTally};
use crate::report::build::Builder;
use crate::report::schema::{self, Finding};
use crate::trust::{Bundle, Unusable};
use crate::verdict::Severity;

/// Ids of connections that a finding names.
const IDS: usize = 8;

/// Resources that pods are made of, with their API groups: who rejects them in a webhook's own namespace keeps it from
/// coming back.
const PODS: &[(&str, &str)] = &[
    ("", "pods"),
    ("apps", "replicasets"),
    ("apps", "deployments"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
];
/// Other resources that programs write in their own namespace.
const OTHERS: &[(&str, &str)] = &[
    ("", "configmaps"),
    ("", "secrets"),
    ("", "serviceaccounts"),
    ("", "services"),
    ("coordination.k8s.io", "leases"),
    ("batch", "jobs"),
];

/// A webhook and what the capture shows of it.
struct Seen<'a> {
    cluster: &'a Cluster,
    id: WebhookId,
    webhook: &'a Webhook,
    servers: Vec<&'a ServerTally>,
    /// Whether these servers serve no other webhook.
    is_alone: bool,
}

impl Builder<'_> {
    /// What is wrong with the cluster's objects: those with most connections first.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let Some(cluster) = self.cluster() else { return Vec::new() };
        let mut servers: BTreeMap<WebhookId, Vec<&ServerTally>> = BTreeMap::new();
        let mut all = self.servers.clone();
        all.sort_by_key(|server| (server.server, server.name.as_deref()));
        for server in all {
            for id in self.webhooks_at(server) {
                servers.entry(id).or_default().push(server);
            }
        }
        let mut findings = Vec::new();
        for (id, webhook) in cluster.webhooks() {
            let servers = servers.remove(&id).unwrap_or_default();
            let is_alone = servers.iter().all(|server| self.webhooks_at(server).len() == 1);
            let seen = Seen { cluster, id, webhook, servers, is_alone };
            let rules: [fn(&Self, &Seen<'_>) -> Option<Finding>; 5] =
                [Self::unreachable, Self::not_listening, Self::bundle, Self::deadline, Self::own_namespace];
            findings.extend(rules.iter().filter_map(|rule| rule(self, &seen)));
        }
        findings.sort_by_key(|it| (it.severity != Severity::Failure, std::cmp::Reverse(it.connections)));
        findings
    }

    /// Its Service does not exist, lacks the port, or has nothing behind it.
    fn unreachable(&self, seen: &Seen<'_>) -> Option<Finding> {
        let name = seen.webhook.service()?;
        let services = &seen.cluster.objects().services;
        if services.is_empty() || seen.was_connected() {
            return None;
        }
        let Some(service) = services.iter().find(|service| service.name == *name) else {
            let text = format!(
                "Service {name} does not exist: kube-apiserver fails each call before anything is sent"
            );
            let advice = format!(
                "Install what serves it, or delete the leftover {} {}",
                seen.webhook.kind.object(),
                shown(&seen.webhook.configuration)
            );
            return Some(seen.failure("service-missing", text, advice));
        };
        let number = seen.port()?;
        let Some(port) = service.port(number) else {
            let ports: Vec<String> = service.ports.iter().map(|port| port.port.to_string()).collect();
            let text = format!(
                "Service {name} has no port {number}, only {}: kube-apiserver fails each call before anything is sent",
                if ports.is_empty() { "none".to_owned() } else { ports.join(", ") }
            );
            return Some(seen.failure(
                "service-port-missing",
                text,
                "Give the webhook's clientConfig a port of the Service".to_owned(),
            ));
        };
        if service.external_name.is_some() || !seen.cluster.knows_endpoints() {
            return None;
        }
        let endpoints: Vec<_> =
            seen.cluster.destinations(seen.id).iter().filter(|it| it.via == Via::Endpoint).collect();
        if endpoints.iter().any(|it| it.ready || service.publishes_not_ready) {
            return None;
        }
        let behind = match endpoints.len() {
            0 => seen.nobody_behind(service),
            1 => "the pod behind it is not ready".to_owned(),
            all => format!("none of the {all} pods behind it is ready"),
        };
        let text = format!(
            "Service {name} has no ready endpoint for its port {number} (targetPort {}): {behind}",
            port.target
        );
        let advice = format!(
            "Bring its pods to Ready: `kubectl -n {} get pods,endpointslices -o wide`; then read their events and readiness probes",
            shown(&name.namespace)
        );
        Some(seen.failure("service-without-endpoints", text, advice))
    }

    /// Nothing listens on the port that its Service leads to.
    fn not_listening(&self, seen: &Seen<'_>) -> Option<Finding> {
        let name = seen.webhook.service()?;
        if seen.was_connected() {
            return None;
        }
        let refused = seen.connections_of("connection-refused");
        if refused == 0 {
            return None;
        }
        let service = seen.cluster.objects().services.iter().find(|service| service.name == *name)?;
        let port = service.port(seen.port()?)?;
        let server =
            seen.servers.iter().find(|it| it.groups.iter().any(|it| it.code.name == "connection-refused"))?;
        let here = server.server;
        let declared = declared_ports(&seen.pods(service), here.port);
        let leads = format!(
            "port {} of {}, where port {} of Service {name} leads (targetPort {})",
            here.port,
            here.address.ip(),
            port.port,
            port.target
        );
        let refused = count(refused, "connection");
        let text = match declared {
            Some(declared) => {
                format!(
                    "Nothing listens on {leads}: {refused} refused; the pod's containers declare {declared}"
                )
            }
            // Containers need not say on which ports they listen.
            None => {
                format!("{refused} refused on {leads}: nothing listens there, or a firewall answers for it")
            }
        };
        let advice = format!(
            "Make targetPort the port that the container listens on: `kubectl -n {} get svc {} -o yaml`",
            shown(&name.namespace),
            shown(&name.name)
        );
        Some(seen.failure("target-port-not-listening", text, advice))
    }

    /// Its `caBundle` trusts nobody.
    fn bundle(&self, seen: &Seen<'_>) -> Option<Finding> {
        let unusable = |what: &str| {
            let text = format!(
                "Its caBundle {what}: kube-apiserver cannot make a client of it, and fails each call before anything is sent"
            );
            let advice = format!(
                "Put the CA of the webhook's certificate into {} {}, as PEM in base64",
                seen.webhook.kind.object(),
                shown(&seen.webhook.configuration)
            );
            Some(seen.failure("ca-bundle-unusable", text, advice))
        };
        match &seen.webhook.ca_bundle {
            CaBundle::Empty | CaBundle::Unverified => None,
            CaBundle::NotBase64 => unusable("is not base64"),
            CaBundle::Bytes(bytes) => match Bundle::read(bytes) {
                Err(Unusable::NotPem) => unusable("is not PEM"),
                Err(Unusable::NoCertificate) => unusable("holds no certificate that can be read"),
                Ok(bundle) => {
                    let now = self.found.traffic.clock();
                    let dates: Vec<String> = bundle
                        .identities()
                        .iter()
                        .take(3)
                        .map(|it| format!("{} ({} to {})", it.subject, it.not_before, it.not_after))
                        .collect();
                    bundle.is_out_of_date(now).then(|| {
                        let text = format!(
                            "All that its caBundle trusts was out of date at the end of the capture: {}",
                            dates.join(", ")
                        );
                        let advice = "Renew the CA, the webhook's certificate and the caBundle".to_owned();
                        seen.failure("ca-bundle-out-of-date", text, advice)
                    })
                }
            },
        }
        .filter(|_| seen.answered() == 0)
    }

    /// Its deadline is shorter than what it takes when all is well.
    fn deadline(&self, seen: &Seen<'_>) -> Option<Finding> {
        let timeout = seen.webhook.timeout?;
        let mut all: Option<LatencyTally> = None;
        for latency in seen.servers.iter().filter_map(|server| server.latency.as_deref()) {
            match &mut all {
                Some(all) => all.merge(latency),
                None => all = Some(latency.clone()),
            }
        }
        let p99 = all?.quantile(0.99);
        if p99 <= timeout.into() {
            return None;
        }
        let text = format!(
            "Its timeoutSeconds, {} s, is less than what its answered calls take: {:.2} s at the 99th percentile",
            timeout.as_secs(),
            p99.as_secs()
        );
        let most = Duration::from_secs(30);
        let enough = (p99.as_secs() * 2.0).ceil().clamp(1.0, most.as_secs_f64());
        let advice = format!("Raise timeoutSeconds, to {enough} for example, or make the webhook faster");
        Some(seen.warning("deadline-below-latency", text, advice))
    }

    /// It fails, requests fail with it, and among them are those of its own namespace.
    fn own_namespace(&self, seen: &Seen<'_>) -> Option<Finding> {
        let webhook = seen.webhook;
        let is_admission = matches!(webhook.kind, WebhookKind::Validating | WebhookKind::Mutating);
        if !is_admission || webhook.failure_policy != FailurePolicy::Fail || seen.failed() == 0 {
            return None;
        }
        let name = webhook.service()?;
        let labels = seen.cluster.labels_of(&name.namespace, webhook)?;
        if !webhook.namespace_selector.selects(&labels) {
            return None;
        }
        let matched = |list: &[(&'static str, &'static str)]| -> Vec<&'static str> {
            let any = |group: &str, resource: &str| {
                webhook.rules.iter().any(|rule: &Rule| rule.matches_create(group, resource))
            };
            list.iter()
                .filter(|(group, resource)| any(group, resource))
                .map(|(_, resource)| *resource)
                .collect()
        };
        let service = seen.cluster.objects().services.iter().find(|service| service.name == *name);
        let pods = service.map(|service| seen.pods(service)).unwrap_or_default();
        let selects_pods = webhook.object_selector.is_empty()
            || pods.iter().any(|pod| webhook.object_selector.selects(&pod.labels));
        let own = if selects_pods { matched(PODS) } else { Vec::new() };
        let mut all = own.clone();
        all.extend(matched(OTHERS));
        if !selects_pods {
            all.splice(0..0, matched(PODS));
        }
        if all.is_empty() {
            return None;
        }
        let labelled = if webhook.object_selector.is_empty() {
            ""
        } else {
            ", of those that its objectSelector selects"
        };
        let conditions =
            if webhook.match_conditions > 0 { ", unless its matchConditions leave them out" } else { "" };
        let effect = if own.is_empty() {
            ""
        } else {
            ": while it fails, its own pods cannot be made anew, and it cannot come back by itself"
        };
        // Which of several webhooks was called, the packets do not tell.
        let fails = if seen.is_alone { "It fails" } else { "Calls to the server that it shares fail" };
        let text = format!(
            "{fails}, its failurePolicy is Fail, and it is called for its own namespace {} ({}{labelled}{conditions}){effect}",
            name.namespace,
            all.join(", ")
        );
        let advice = format!(
            "Leave its namespace out: a namespaceSelector with kubernetes.io/metadata.name NotIn [{}]",
            name.namespace
        );
        Some(seen.warning("fail-policy-own-namespace", text, advice))
    }
}

impl<'a> Seen<'a> {
    fn finding(&self, severity: Severity, code: &'static str, summary: String, advice: String) -> Finding {
        let mut ids: Vec<u64> = self.groups().flat_map(|group| group.ids.iter().copied()).collect();
        ids.sort_unstable();
        ids.truncate(IDS);
        Finding {
            code,
            severity,
            webhook: self.webhook.name.clone(),
            kind: self.webhook.kind.name(),
            configuration: self.webhook.configuration.clone(),
            service: self.webhook.service().map(ToString::to_string),
            connections: self.groups().map(|group| group.count).sum(),
            ids,
            summary,
            hints: vec![advice],
        }
    }

    fn failure(&self, code: &'static str, summary: String, advice: String) -> Finding {
        self.finding(Severity::Failure, code, summary, advice)
    }

    fn warning(&self, code: &'static str, summary: String, advice: String) -> Finding {
        self.finding(Severity::Warning, code, summary, advice)
    }

    /// Failed connections, by server and code.
    fn groups(&self) -> impl Iterator<Item = &'a crate::inspect::tally::GroupTally> {
        let failed = Severity::Failure;
        self.servers.iter().flat_map(|server| &server.groups).filter(move |group| group.severity == failed)
    }

    fn failed(&self) -> u64 {
        self.servers.iter().map(|server| server.failed_connections).sum()
    }

    fn connections_of(&self, code: &str) -> u64 {
        self.groups().filter(|group| group.code.name == code).map(|group| group.count).sum()
    }

    fn answered(&self) -> u64 {
        self.servers.iter().map(|server| server.calls - server.failed_calls.min(server.calls)).sum()
    }

    /// Whether any connection to it was opened: then it was there, whatever the objects say.
    fn was_connected(&self) -> bool {
        self.servers.iter().any(|server| server.answered_connections > 0)
    }

    /// The port of its Service.
    fn port(&self) -> Option<u16> {
        match &self.webhook.target {
            crate::cluster::Target::Service { port, .. } => Some(*port),
            crate::cluster::Target::Url(_) => None,
        }
    }

    /// The pods behind its Service.
    fn pods(&self, service: &Service) -> Vec<&'a Pod> {
        let objects = self.cluster.objects();
        let slices = objects.endpoints.iter().filter(|slice| slice.service == service.name);
        let named: Vec<&ObjectName> =
            slices.flat_map(|slice| &slice.addresses).filter_map(|address| address.pod.as_ref()).collect();
        objects.pods.iter().filter(|pod| named.contains(&&pod.name) || service.selects(pod)).collect()
    }

    /// Why a Service has no endpoints at all.
    fn nobody_behind(&self, service: &Service) -> String {
        let pods = self.pods(service);
        if service.selector.is_empty() {
            return "it has no selector, and nobody made endpoints for it".to_owned();
        }
        match pods.as_slice() {
            [] if self.cluster.objects().pods.is_empty() => "it has no endpoints".to_owned(),
            [] => "no pod has the labels of its selector".to_owned(),
            pods if pods.iter().all(|pod| pod.ready == Some(false)) => {
                format!("of {} none is ready", count(pods.len() as u64, "pod"))
            }
            pods => {
                let ports: Vec<String> =
                    pods.iter().flat_map(|pod| &pod.ports).filter_map(|(name, _)| name.clone()).collect();
                let named = if ports.is_empty() { "none".to_owned() } else { ports.join(", ") };
                format!(
                    "no container of its {} has a port of that name (named ports: {named})",
                    count(pods.len() as u64, "pod")
                )
            }
        }
    }
}

impl Cluster {
    /// Whether endpoints were collected, or pods that stand for them.
    fn knows_endpoints(&self) -> bool {
        !self.objects().endpoints.is_empty() || !self.objects().pods.is_empty()
    }

    /// The labels of a namespace. Where it was not collected, these are those that every one has, if the webhook asks
    /// for no other.
    fn labels_of(&self, namespace: &str, webhook: &Webhook) -> Option<Labels> {
        const NAME: &str = "kubernetes.io/metadata.name";
        if let Some(known) = self.objects().namespaces.iter().find(|known| known.name == namespace) {
            return Some(known.labels.clone());
        }
        let is_enough = webhook.namespace_selector.requirements.iter().all(|it| it.key == NAME);
        is_enough.then(|| [(NAME.to_owned(), namespace.to_owned())].into())
    }
}

/// The ports that containers of these pods declare, where they declare some and `port` is none of them.
fn declared_ports(pods: &[&Pod], port: u16) -> Option<String> {
    let mut ports: Vec<_> = pods.iter().flat_map(|pod| &pod.ports).collect();
    if ports.is_empty() || ports.iter().any(|(_, number)| *number == port) {
        return None;
    }
    ports.sort();
    ports.dedup();
    let named = ports.into_iter().map(|(name, number)| match name {
        Some(name) => format!("{number} ({name})"),
        None => number.to_string(),
    });
    Some(named.collect::<Vec<_>>().join(", "))
}

/// A name that can stand in a command.
fn shown(name: &str) -> &str {
    if is_host_name(name) { name } else { "NAME" }
}

impl Builder<'_> {
    /// What the cluster's objects add to the report.
    pub(crate) fn cluster_report(&self) -> Option<schema::ClusterReport> {
        let cluster = self.cluster()?;
        let webhook = |(id, webhook): (WebhookId, &Webhook)| schema::WebhookReport {
            name: webhook.name.clone(),
            kind: webhook.kind.name(),
            configuration: webhook.configuration.clone(),
            service: crate::report::whom::service(&webhook.target),
            url: match &webhook.target {
                crate::cluster::Target::Url(url) => Some(url.clone()),
                crate::cluster::Target::Service { .. } => None,
            },
            path: match &webhook.target {
                crate::cluster::Target::Service { path, .. } => path.clone(),
                crate::cluster::Target::Url(_) => None,
            },
            timeout_s: webhook.timeout.map(|timeout| timeout.as_secs_f64()),
            failure_policy: webhook.failure_policy.name(),
            servers: cluster.destinations(id).iter().map(|it| it.address.to_string()).collect(),
        };
        Some(schema::ClusterReport {
            webhooks: cluster.webhooks().map(webhook).collect(),
            findings: self.findings(),
        })
    }
}
