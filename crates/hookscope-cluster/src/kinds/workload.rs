//! Pods, nodes and namespaces.

use hookscope::cluster::{Namespace, Node, Pod};
use serde::Deserialize;

use crate::collect::Metadata;
use crate::kinds::service::is_tcp;
use crate::parts::{Map, labels};

#[derive(Deserialize)]
pub(super) struct PodObject {
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

pub(super) fn pod(read: PodObject) -> Pod {
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
pub(super) struct NodeObject {
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

pub(super) fn node(read: NodeObject) -> Node {
    let addresses = read.status.and_then(|status| status.addresses).unwrap_or_default();
    Node {
        name: read.metadata.name.unwrap_or_default(),
        // Host names are among them.
        ips: addresses.into_iter().filter_map(|it| it.address?.parse().ok()).collect(),
    }
}

#[derive(Deserialize)]
pub(super) struct NamespaceObject {
    #[serde(default)]
    metadata: Labelled,
}

pub(super) fn namespace(read: NamespaceObject) -> Namespace {
    let name = read.metadata.name.unwrap_or_default();
    let mut labels = labels(read.metadata.labels);
    // Every namespace has it since Kubernetes 1.22.
    labels.entry("kubernetes.io/metadata.name".to_owned()).or_insert_with(|| name.clone());
    Namespace { name, labels }
}
