//! Webhook -> Service -> addresses, as kube-proxy and the EndpointSlice controller connect them.

use std::net::{IpAddr, SocketAddr};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::cluster::directory::{Destination, Place, Via};
use crate::cluster::objects::{
    EndpointAddress, Endpoints, ObjectName, Objects, Pod, PortRef, Service, ServicePort, Target, Url, Webhook,
};

type ByName<'a, T> = HashMap<&'a ObjectName, T, FixedState>;

/// Objects by the names that they call each other.
pub(super) struct Resolver<'a> {
    services: ByName<'a, &'a Service>,
    slices: ByName<'a, Vec<&'a Endpoints>>,
    pods: ByName<'a, &'a Pod>,
    by_namespace: HashMap<&'a str, Vec<&'a Pod>, FixedState>,
    /// Who has which address: pods with one of their own, and nodes.
    places: HashMap<IpAddr, Place, FixedState>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(objects: &'a Objects) -> Self {
        let mut slices: ByName<'_, Vec<_>> = HashMap::default();
        for slice in &objects.endpoints {
            slices.entry(&slice.service).or_default().push(slice);
        }
        let mut by_namespace: HashMap<_, Vec<_>, _> = HashMap::default();
        for pod in &objects.pods {
            by_namespace.entry(pod.name.namespace.as_str()).or_default().push(pod);
        }
        Self {
            services: objects.services.iter().map(|service| (&service.name, service)).collect(),
            slices,
            pods: objects.pods.iter().map(|pod| (&pod.name, pod)).collect(),
            by_namespace,
            places: places(objects),
        }
    }

    /// Who has which address.
    pub(super) fn into_places(self) -> HashMap<IpAddr, Place, FixedState> {
        self.places
    }

    /// Where a webhook's calls go.
    pub(super) fn webhook(&self, webhook: &Webhook) -> Vec<Destination> {
        match &webhook.target {
            Target::Service { service, port, .. } => {
                self.services.get(service).map(|service| self.service(service, *port)).unwrap_or_default()
            }
            Target::Url(url) => self.url(url),
        }
    }

    fn url(&self, url: &str) -> Vec<Destination> {
        let Some((ip, port)) = Url::read(url).and_then(|url| Some((url.ip()?, url.port))) else {
            return Vec::new();
        };
        let place = self.places.get(&ip).cloned().unwrap_or_default();
        vec![Destination { address: SocketAddr::new(ip, port), via: Via::Url, ready: true, place }]
    }

    /// Where calls of a Service's port go.
    pub(super) fn service(&self, service: &Service, port: u16) -> Vec<Destination> {
        let Some(port) = service.port(port) else { return Vec::new() };
        let mut found: Vec<Destination> = Vec::new();
        for &ip in &service.cluster_ips {
            let address = SocketAddr::new(ip, port.port);
            found.push(Destination { address, via: Via::ClusterIp, ready: true, place: Place::default() });
        }
        let mut endpoints = match self.slices.get(&service.name) {
            Some(slices) => slices.iter().flat_map(|slice| self.slice(slice, port)).collect(),
            // No slices were collected: the Service's selector says the same.
            None if self.slices.is_empty() => self.selected(service, port),
            None => Vec::new(),
        };
        endpoints.sort_by_key(|endpoint: &Destination| (endpoint.address, !endpoint.ready));
        endpoints.dedup_by_key(|endpoint| endpoint.address);
        found.extend(endpoints);
        found
    }

    fn slice(&self, slice: &'a Endpoints, port: &ServicePort) -> Vec<Destination> {
        let numbers = slice.ports.iter().filter(|(name, _)| *name == port.name).map(|(_, number)| *number);
        let of_port = |number| {
            slice.addresses.iter().map(move |address| Destination {
                address: SocketAddr::new(address.ip, number),
                via: Via::Endpoint,
                ready: address.ready,
                place: self.place(address),
            })
        };
        numbers.flat_map(of_port).collect()
    }

    fn selected(&self, service: &Service, port: &ServicePort) -> Vec<Destination> {
        let mut found = Vec::new();
        let pods = self.by_namespace.get(service.name.namespace.as_str()).into_iter().flatten();
        for pod in pods.filter(|pod| service.selects(pod)) {
            let ready = pod.ready != Some(false) || service.publishes_not_ready;
            for number in pod.ports_of(&port.target) {
                found.extend(pod.ips.iter().map(|&ip| Destination {
                    address: SocketAddr::new(ip, number),
                    via: Via::Endpoint,
                    ready,
                    place: Place::of(pod),
                }));
            }
        }
        found
    }

    fn place(&self, address: &EndpointAddress) -> Place {
        let known = self.places.get(&address.ip);
        let pod = address.pod.as_ref();
        let node = || pod.and_then(|pod| self.pods.get(pod)?.node.clone());
        Place {
            pod: pod.map(ToString::to_string).or_else(|| known?.pod.clone()),
            node: address.node.clone().or_else(node).or_else(|| known?.node.clone()),
        }
    }
}

impl Place {
    fn of(pod: &Pod) -> Self {
        Self { pod: Some(pod.name.to_string()), node: pod.node.clone() }
    }
}

/// Who has which address. Pods on their node's network have none of their own.
fn places(objects: &Objects) -> HashMap<IpAddr, Place, FixedState> {
    let mut places: HashMap<IpAddr, Place, FixedState> = HashMap::default();
    for pod in objects.pods.iter().filter(|pod| !pod.host_network) {
        for ip in &pod.ips {
            let place = Place::of(pod);
            places.entry(*ip).and_modify(|known| *known = known.clone().agreed(&place)).or_insert(place);
        }
    }
    for node in &objects.nodes {
        for ip in &node.ips {
            places.entry(*ip).or_insert_with(|| Place { pod: None, node: Some(node.name.clone()) });
        }
    }
    places
}

impl Service {
    /// The host that it is called by: `name.namespace.svc`.
    pub fn host(&self) -> String {
        format!("{}.{}.svc", self.name.name, self.name.namespace).to_ascii_lowercase()
    }

    /// Its TCP port of this number.
    pub fn port(&self, number: u16) -> Option<&ServicePort> {
        self.ports.iter().find(|port| port.is_tcp && port.port == number)
    }

    /// Whether its selector selects a pod.
    pub fn selects(&self, pod: &Pod) -> bool {
        self.name.namespace == pod.name.namespace
            && !self.selector.is_empty()
            && self.selector.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
    }
}

impl Pod {
    /// The numbers that a Service's target port means in this pod: none where no container has a port of that name.
    pub fn ports_of(&self, target: &PortRef) -> Vec<u16> {
        match target {
            PortRef::Number(number) => vec![*number],
            PortRef::Name(name) => self
                .ports
                .iter()
                .filter(|(named, _)| named.as_deref() == Some(name))
                .map(|(_, number)| *number)
                .collect(),
        }
    }
}
