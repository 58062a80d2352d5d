//! Services and what stands behind them.

use std::net::IpAddr;

use hookscope::cluster::{EndpointAddress, Endpoints, ObjectName, PortRef, Service, ServicePort};
use serde::Deserialize;

use crate::collect::Metadata;
use crate::parts::{Map, Port, labels};

#[derive(Deserialize)]
pub(super) struct ServiceObject {
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

pub(super) fn service(read: ServiceObject) -> Service {
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

pub(super) fn is_tcp(protocol: Option<&str>) -> bool {
    matches!(protocol, None | Some("" | "TCP"))
}

#[derive(Deserialize)]
pub(super) struct EndpointSlice {
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

pub(super) fn slice(read: EndpointSlice) -> Option<Endpoints> {
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
pub(super) struct EndpointsObject {
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

pub(super) fn endpoints(read: EndpointsObject) -> Vec<Endpoints> {
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
