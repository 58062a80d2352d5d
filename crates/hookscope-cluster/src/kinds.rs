//! One object of a kind that matters -> the objects of [`hookscope::cluster`].

use std::net::IpAddr;
use std::time::Duration;

use hookscope::cluster::{
    CaBundle, EndpointAddress, Endpoints, FailurePolicy, Namespace, Node, ObjectName, Objects, Pod, PortRef,
    Rule, Selector, Service, ServicePort, Webhook, WebhookKind,
};
use serde::Deserialize;

use crate::collect::{Metadata, Source};
use crate::parts::{ClientConfig, LabelSelector, Map, Port, ServiceReference, ca_bundle, labels};

/// Reads an object of `kind` into `objects`: `false` where the kind says nothing of webhooks, an error where the
/// object cannot be understood. Without a version, the kind alone counts.
pub(crate) fn read(
    version: Option<&str>,
    kind: &str,
    source: &Source<'_>,
    objects: &mut Objects,
) -> Result<bool, String> {
    let group = version.map(|version| version.split_once('/').map_or("", |(group, _)| group));
    let is = |name, of| kind == name && group.is_none_or(|group| group == of);
    // What v1beta1 leaves out is something else than what v1 does.
    let is_beta = version.is_some_and(|version| version.ends_with("/v1beta1"));
    if is("ValidatingWebhookConfiguration", "admissionregistration.k8s.io") {
        configuration(source.read()?, WebhookKind::Validating, is_beta, objects)?;
    } else if is("MutatingWebhookConfiguration", "admissionregistration.k8s.io") {
        configuration(source.read()?, WebhookKind::Mutating, is_beta, objects)?;
    } else if is("CustomResourceDefinition", "apiextensions.k8s.io") {
        conversion(source.read()?, objects)?;
    } else if is("APIService", "apiregistration.k8s.io") {
        api_service(source.read()?, objects);
    } else if is("Service", "") {
        objects.services.push(service(source.read()?));
    } else if is("EndpointSlice", "discovery.k8s.io") {
        objects.endpoints.extend(slice(source.read()?));
    } else if is("Endpoints", "") {
        objects.endpoints.extend(endpoints(source.read()?));
    } else if is("Pod", "") {
        objects.pods.push(pod(source.read()?));
    } else if is("Node", "") {
        objects.nodes.push(node(source.read()?));
    } else if is("Namespace", "") {
        objects.namespaces.push(namespace(source.read()?));
    } else {
        return Ok(false);
    }
    Ok(true)
}

#[derive(Deserialize)]
struct Configuration {
    #[serde(default)]
    metadata: Metadata,
    webhooks: Option<Vec<Hook>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hook {
    name: String,
    client_config: ClientConfig,
    timeout_seconds: Option<u32>,
    failure_policy: Option<Policy>,
    namespace_selector: Option<LabelSelector>,
    object_selector: Option<LabelSelector>,
    rules: Option<Vec<HookRule>>,
    match_conditions: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Deserialize)]
enum Policy {
    Fail,
    Ignore,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HookRule {
    operations: Option<Vec<String>>,
    api_groups: Option<Vec<String>>,
    resources: Option<Vec<String>>,
    scope: Option<String>,
}

fn configuration(
    read: Configuration,
    kind: WebhookKind,
    is_beta: bool,
    objects: &mut Objects,
) -> Result<(), String> {
    let configuration = read.metadata.name.unwrap_or_default();
    let (default_timeout, default_policy) = if is_beta { (30, Policy::Ignore) } else { (10, Policy::Fail) };
    let mut webhooks = Vec::new();
    for (place, hook) in read.webhooks.unwrap_or_default().into_iter().enumerate() {
        let (target, ca_bundle) = hook.client_config.read(&format!("webhooks[{place}].clientConfig"))?;
        let policy = hook.failure_policy.as_ref().unwrap_or(&default_policy);
        webhooks.push(Webhook {
            kind,
            configuration: configuration.clone(),
            name: hook.name,
            target,
            timeout: Some(Duration::from_secs(hook.timeout_seconds.unwrap_or(default_timeout).max(1).into())),
            failure_policy: match policy {
                Policy::Fail => FailurePolicy::Fail,
                Policy::Ignore => FailurePolicy::Ignore,
            },
            ca_bundle,
            namespace_selector: LabelSelector::read(hook.namespace_selector),
            object_selector: LabelSelector::read(hook.object_selector),
            rules: hook.rules.unwrap_or_default().into_iter().map(rule).collect(),
            match_conditions: hook.match_conditions.map_or(0, |list| list.len()),
        });
    }
    objects.webhooks.extend(webhooks);
    Ok(())
}

fn rule(rule: HookRule) -> Rule {
    Rule {
        operations: rule.operations.unwrap_or_default(),
        api_groups: rule.api_groups.unwrap_or_default(),
        resources: rule.resources.unwrap_or_default(),
        cluster_only: rule.scope.as_deref() == Some("Cluster"),
    }
}

#[derive(Deserialize)]
struct Definition {
    #[serde(default)]
    metadata: Metadata,
    spec: Option<DefinitionSpec>,
}

#[derive(Deserialize)]
struct DefinitionSpec {
    conversion: Option<Conversion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Conversion {
    webhook: Option<ConversionWebhook>,
    /// That of v1beta1.
    webhook_client_config: Option<ClientConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConversionWebhook {
    client_config: Option<ClientConfig>,
}

fn conversion(read: Definition, objects: &mut Objects) -> Result<(), String> {
    let Some(conversion) = read.spec.and_then(|spec| spec.conversion) else { return Ok(()) };
    let client_config = conversion.webhook.and_then(|webhook| webhook.client_config);
    if let Some(config) = client_config.or(conversion.webhook_client_config) {
        let (target, ca_bundle) = config.read("spec.conversion.webhook.clientConfig")?;
        let name = read.metadata.name.unwrap_or_default();
        objects.webhooks.push(called(WebhookKind::Conversion, name, target, ca_bundle));
    }
    Ok(())
}

/// What is called like a webhook, and has neither deadline nor rules of its own.
fn called(
    kind: WebhookKind,
    name: String,
    target: hookscope::cluster::Target,
    ca_bundle: CaBundle,
) -> Webhook {
    Webhook {
        kind,
        configuration: name.clone(),
        name,
        target,
        timeout: None,
        failure_policy: FailurePolicy::Fail,
        ca_bundle,
        namespace_selector: Selector::default(),
        object_selector: Selector::default(),
        rules: Vec::new(),
        match_conditions: 0,
    }
}

#[derive(Deserialize)]
struct ApiService {
    #[serde(default)]
    metadata: Metadata,
    spec: Option<ApiServiceSpec>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiServiceSpec {
    service: Option<ServiceReference>,
    ca_bundle: Option<String>,
    #[serde(rename = "insecureSkipTLSVerify")]
    insecure: Option<bool>,
}

fn api_service(read: ApiService, objects: &mut Objects) {
    let Some(spec) = read.spec else { return };
    // Without a Service it is kube-apiserver's own.
    let Some(service) = spec.service else { return };
    let ca_bundle = match spec.insecure {
        Some(true) => CaBundle::Unverified,
        _ => ca_bundle(spec.ca_bundle.as_deref()),
    };
    let name = read.metadata.name.unwrap_or_default();
    objects.webhooks.push(called(WebhookKind::ApiService, name, service.target(), ca_bundle));
}

#[derive(Deserialize)]
struct ServiceObject {
    #[serde(default)]
    metadata: Metadata,
    spec: Option<ServiceSpec>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServiceSpec {
    #[serde(rename = "clusterIP")]
    cluster_ip: Option<String>,
    #[serde(rename = "clusterIPs")]
    cluster_ips: Option<Vec<String>>,
    external_name: Option<String>,
    ports: Option<Vec<Ports>>,
    selector: Option<Map>,
    publish_not_ready_addresses: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ports {
    name: Option<String>,
    protocol: Option<String>,
    port: Option<u16>,
    target_port: Option<Port>,
}

fn service(read: ServiceObject) -> Service {
    let name = read.metadata.object_name();
    let Some(spec) = read.spec else { return Service { name, ..Service::default() } };
    let ips = spec.cluster_ips.unwrap_or_default().into_iter().chain(spec.cluster_ip);
    let mut cluster_ips: Vec<IpAddr> = ips.filter_map(|ip| ip.parse().ok()).collect();
    cluster_ips.sort_unstable();
    cluster_ips.dedup();
    let port = |port: Ports| {
        let number = port.port?;
        Some(ServicePort {
            name: port.name.unwrap_or_default(),
            port: number,
            target: port.target_port.map_or(PortRef::Number(number), |port| match port.0 {
                PortRef::Number(0) => PortRef::Number(number),
                port => port,
            }),
            is_tcp: is_tcp(port.protocol.as_deref()),
        })
    };
    Service {
        name,
        cluster_ips,
        external_name: spec.external_name.filter(|name| !name.is_empty()),
        ports: spec.ports.unwrap_or_default().into_iter().filter_map(port).collect(),
        selector: labels(spec.selector),
        publishes_not_ready: spec.publish_not_ready_addresses.unwrap_or(false),
    }
}

fn is_tcp(protocol: Option<&str>) -> bool {
    matches!(protocol, None | Some("" | "TCP"))
}

#[derive(Deserialize)]
struct EndpointSlice {
    #[serde(default)]
    metadata: Metadata,
    endpoints: Option<Vec<Endpoint>>,
    ports: Option<Vec<Ports>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint {
    addresses: Option<Vec<String>>,
    conditions: Option<Conditions>,
    target_ref: Option<Reference>,
    node_name: Option<String>,
}

#[derive(Deserialize)]
struct Conditions {
    ready: Option<bool>,
}

#[derive(Deserialize)]
struct Reference {
    kind: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
}

fn slice(read: EndpointSlice) -> Option<Endpoints> {
    const SERVICE: &str = "kubernetes.io/service-name";
    let own = read.metadata.object_name();
    let label = read.metadata.labels.as_ref().and_then(|labels| labels.get(SERVICE)).cloned().flatten()?;
    let addresses = read.endpoints.unwrap_or_default().into_iter().flat_map(|endpoint| {
        // Unknown counts as ready (discovery.k8s.io/v1, EndpointConditions).
        let ready = endpoint.conditions.and_then(|conditions| conditions.ready).unwrap_or(true);
        let pod = endpoint.target_ref.and_then(|reference| reference.pod(&own.namespace));
        let node = endpoint.node_name;
        // Names instead of addresses (addressType FQDN) are not looked up.
        let ips = endpoint.addresses.unwrap_or_default().into_iter().filter_map(|ip| ip.parse().ok());
        ips.map(move |ip| EndpointAddress { ip, ready, pod: pod.clone(), node: node.clone() })
            .collect::<Vec<_>>()
    });
    Some(Endpoints {
        service: ObjectName::new(own.namespace.clone(), label),
        ports: numbers(read.ports),
        addresses: addresses.collect(),
        name: own.name,
    })
}

impl Reference {
    /// The pod that it names, which is in `namespace` unless it says otherwise.
    fn pod(self, namespace: &str) -> Option<ObjectName> {
        let is_pod = self.kind.as_deref() == Some("Pod");
        let namespace = self.namespace.unwrap_or_else(|| namespace.to_owned());
        is_pod.then_some(ObjectName::new(namespace, self.name?))
    }
}

/// TCP ports that have a number.
fn numbers(ports: Option<Vec<Ports>>) -> Vec<(String, u16)> {
    let ports = ports.unwrap_or_default().into_iter().filter(|port| is_tcp(port.protocol.as_deref()));
    ports.filter_map(|port| Some((port.name.unwrap_or_default(), port.port?))).collect()
}

#[derive(Deserialize)]
struct EndpointsObject {
    #[serde(default)]
    metadata: Metadata,
    subsets: Option<Vec<Subset>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subset {
    addresses: Option<Vec<Address>>,
    not_ready_addresses: Option<Vec<Address>>,
    ports: Option<Vec<Ports>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Address {
    ip: String,
    node_name: Option<String>,
    target_ref: Option<Reference>,
}

fn endpoints(read: EndpointsObject) -> Vec<Endpoints> {
    let service = read.metadata.object_name();
    let address = |address: Address, ready| {
        Some(EndpointAddress {
            ip: address.ip.parse().ok()?,
            ready,
            pod: address.target_ref.and_then(|reference| reference.pod(&service.namespace)),
            node: address.node_name,
        })
    };
    let subset = |(place, subset): (usize, Subset)| {
        let ready = subset.addresses.unwrap_or_default().into_iter().filter_map(|it| address(it, true));
        let not_ready =
            subset.not_ready_addresses.unwrap_or_default().into_iter().filter_map(|it| address(it, false));
        Endpoints {
            service: service.clone(),
            name: format!("subsets[{place}]"),
            ports: numbers(subset.ports),
            addresses: ready.chain(not_ready).collect(),
        }
    };
    read.subsets.unwrap_or_default().into_iter().enumerate().map(subset).collect()
}

#[derive(Deserialize)]
struct PodObject {
    #[serde(default)]
    metadata: Labelled,
    spec: Option<PodSpec>,
    status: Option<PodStatus>,
}

/// Metadata of an object whose labels are asked for.
#[derive(Default, Deserialize)]
struct Labelled {
    namespace: Option<String>,
    name: Option<String>,
    labels: Option<Map>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodSpec {
    node_name: Option<String>,
    host_network: Option<bool>,
    containers: Option<Vec<Container>>,
    init_containers: Option<Vec<Container>>,
}

#[derive(Deserialize)]
struct Container {
    ports: Option<Vec<ContainerPort>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerPort {
    name: Option<String>,
    container_port: Option<u16>,
    protocol: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodStatus {
    phase: Option<String>,
    #[serde(rename = "podIP")]
    pod_ip: Option<String>,
    #[serde(rename = "podIPs")]
    pod_ips: Option<Vec<PodIp>>,
    conditions: Option<Vec<Condition>>,
}

#[derive(Deserialize)]
struct PodIp {
    ip: Option<String>,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: Option<String>,
    status: Option<String>,
}

fn pod(read: PodObject) -> Pod {
    let metadata = Metadata { namespace: read.metadata.namespace, name: read.metadata.name, labels: None };
    let mut pod =
        Pod { name: metadata.object_name(), labels: labels(read.metadata.labels), ..Pod::default() };
    if let Some(spec) = read.spec {
        pod.node = spec.node_name;
        pod.host_network = spec.host_network.unwrap_or(false);
        let containers = [spec.containers, spec.init_containers].into_iter().flatten().flatten();
        let ports = containers.flat_map(|container| container.ports.unwrap_or_default());
        let tcp = ports.filter(|port| is_tcp(port.protocol.as_deref()));
        pod.ports = tcp.filter_map(|port| Some((port.name, port.container_port?))).collect();
    }
    let Some(status) = read.status else { return pod };
    // The address of a pod that is over may be another's by now.
    if !matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")) {
        let several = status.pod_ips.unwrap_or_default().into_iter().filter_map(|it| it.ip);
        pod.ips = several.chain(status.pod_ip).filter_map(|ip| ip.parse().ok()).collect();
        pod.ips.sort_unstable();
        pod.ips.dedup();
    }
    let conditions = status.conditions.unwrap_or_default();
    let ready = conditions.into_iter().find(|condition| condition.kind.as_deref() == Some("Ready"));
    pod.ready = ready.map(|condition| condition.status.as_deref() == Some("True"));
    pod
}

#[derive(Deserialize)]
struct NodeObject {
    #[serde(default)]
    metadata: Metadata,
    status: Option<NodeStatus>,
}

#[derive(Deserialize)]
struct NodeStatus {
    addresses: Option<Vec<NodeAddress>>,
}

#[derive(Deserialize)]
struct NodeAddress {
    address: Option<String>,
}

fn node(read: NodeObject) -> Node {
    let addresses = read.status.and_then(|status| status.addresses).unwrap_or_default();
    Node {
        name: read.metadata.name.unwrap_or_default(),
        // Host names are among them.
        ips: addresses.into_iter().filter_map(|it| it.address?.parse().ok()).collect(),
    }
}

#[derive(Deserialize)]
struct NamespaceObject {
    #[serde(default)]
    metadata: Labelled,
}

fn namespace(read: NamespaceObject) -> Namespace {
    let name = read.metadata.name.unwrap_or_default();
    let mut labels = labels(read.metadata.labels);
    // Every namespace has it since Kubernetes 1.22.
    labels.entry("kubernetes.io/metadata.name".to_owned()).or_insert_with(|| name.clone());
    Namespace { name, labels }
}
