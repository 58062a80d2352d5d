//! Objects -> who stands behind an address: webhook, Service, pod and node; and the way back.
//!
//! A webhook names a Service and a port; the Service has ClusterIPs and, by EndpointSlices, Endpoints or its own
//! selector, the addresses of pods. Captures show the latter, ICMP errors the former.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::cluster::objects::{Objects, Target, Url, Webhook};
use crate::cluster::resolve::Resolver;

/// A webhook's place in [`Objects::webhooks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookId(pub usize);

/// What a connection's ClientHello says of whom it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    /// There was none, or the part of it that would say was not captured.
    Unknown,
    /// No name: Go sends none where it was given an IP address.
    NoName,
    /// This name.
    Name(&'a str),
}

/// How an address leads to a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Via {
    /// It is its Service's ClusterIP.
    ClusterIp,
    /// It is one of the endpoints behind its Service.
    Endpoint,
    /// It is what its URL says.
    Url,
}

/// An address that a webhook's calls go to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Destination {
    /// Address and port.
    pub address: SocketAddr,
    /// How it leads there.
    pub via: Via,
    /// Whether it takes calls, as far as the objects say.
    pub ready: bool,
    /// The pod and the node behind it.
    pub place: Place,
}

/// Where a server runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// `namespace/name` of the pod.
    pub pod: Option<String>,
    /// The node.
    pub node: Option<String>,
}

/// A cluster's objects, and an index of them by address and by name.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    objects: Objects,
    /// For each webhook, the addresses that its calls go to.
    destinations: Vec<Vec<Destination>>,
    by_address: HashMap<SocketAddr, Vec<WebhookId>, FixedState>,
    by_host: HashMap<String, Vec<WebhookId>, FixedState>,
    /// The Services behind each address, by the name that a client calls them.
    services: HashMap<SocketAddr, Vec<String>, FixedState>,
    /// The pod with an address of its own, and the node.
    places: HashMap<IpAddr, Place, FixedState>,
    shortest_timeout: Option<Duration>,
}

impl Place {
    /// What two sources agree on.
    pub(super) fn agreed(self, other: &Self) -> Self {
        Self {
            pod: self.pod.filter(|pod| Some(pod) == other.pod.as_ref()),
            node: self.node.filter(|node| Some(node) == other.node.as_ref()),
        }
    }
}

impl Cluster {
    /// Indexes objects.
    pub fn new(objects: Objects) -> Self {
        let mut cluster = Self::default();
        let resolver = Resolver::new(&objects);
        for (id, webhook) in objects.webhooks.iter().enumerate().map(|(id, it)| (WebhookId(id), it)) {
            let destinations = resolver.webhook(webhook);
            for destination in &destinations {
                cluster.by_address.entry(destination.address).or_default().push(id);
            }
            if let Some(host) = webhook.host() {
                cluster.by_host.entry(host).or_default().push(id);
            }
            let timeouts = [cluster.shortest_timeout, webhook.timeout];
            cluster.shortest_timeout = timeouts.into_iter().flatten().min();
            cluster.destinations.push(destinations);
        }
        for service in &objects.services {
            let host = service.host();
            for port in &service.ports {
                for destination in resolver.service(service, port.port) {
                    let hosts = cluster.services.entry(destination.address).or_default();
                    if hosts.last() != Some(&host) {
                        hosts.push(host.clone());
                    }
                }
            }
        }
        cluster.places = resolver.into_places();
        cluster.objects = objects;
        cluster
    }

    /// The objects.
    pub const fn objects(&self) -> &Objects {
        &self.objects
    }

    /// A webhook.
    pub fn webhook(&self, id: WebhookId) -> Option<&Webhook> {
        self.objects.webhooks.get(id.0)
    }

    /// All webhooks.
    pub fn webhooks(&self) -> impl Iterator<Item = (WebhookId, &Webhook)> {
        self.objects.webhooks.iter().enumerate().map(|(id, webhook)| (WebhookId(id), webhook))
    }

    /// Webhooks of this name, of which several configurations may have one each.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (WebhookId, &'a Webhook)> {
        self.webhooks().filter(move |(_, webhook)| webhook.name == name)
    }

    /// The addresses that a webhook's calls go to: none where its Service does not exist or has nothing behind it.
    pub fn destinations(&self, id: WebhookId) -> &[Destination] {
        self.destinations.get(id.0).map_or(&[], Vec::as_slice)
    }

    /// The webhooks that a connection to `server` may have been opened for: those whose calls go to that address and,
    /// where the connection says a name, are made by it. Where none of that name has the address (the objects are of
    /// another hour, or the address is that of a proxy), those of that name, and of them those with that port.
    pub fn find(&self, server: SocketAddr, asked: Asked<'_>) -> Vec<WebhookId> {
        let here = self.by_address.get(&server).map_or(&[][..], Vec::as_slice);
        match asked {
            Asked::Unknown => here.to_vec(),
            Asked::NoName => here.iter().copied().filter(|&id| self.has_address_for_host(id)).collect(),
            Asked::Name(name) => {
                let named = self.of_host(name);
                let both: Vec<_> = here.iter().copied().filter(|id| named.contains(id)).collect();
                if !both.is_empty() {
                    return both;
                }
                let same_port = self.served(name, server.port());
                if same_port.is_empty() { named.to_vec() } else { same_port }
            }
        }
    }

    /// The webhooks that are called by `name`, on any port.
    pub fn of_host(&self, name: &str) -> &[WebhookId] {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.by_host.get(&name).map_or(&[][..], Vec::as_slice)
    }

    /// The webhooks that may be served on `port` of a host that is called `name`, at whatever address.
    pub fn served(&self, name: &str, port: u16) -> Vec<WebhookId> {
        self.of_host(name).iter().copied().filter(|id| self.has_port(*id, port)).collect()
    }

    /// The name that clients call the server at this address by, if there is but one: that of webhooks before that of
    /// Services.
    pub fn host(&self, server: SocketAddr) -> Option<&str> {
        let ids = self.by_address.get(&server).map_or(&[][..], Vec::as_slice);
        let mut hosts = ids.iter().filter_map(|id| {
            let host = self.webhook(*id)?.host()?;
            self.by_host.get_key_value(&host).map(|(host, _)| host.as_str())
        });
        match hosts.next() {
            Some(first) => hosts.all(|other| other == first).then_some(first),
            None => match self.services.get(&server)?.as_slice() {
                [only] => Some(only),
                _ => None,
            },
        }
    }

    /// Where the server at this address runs, when it serves one of `webhooks`.
    pub fn place(&self, server: SocketAddr, webhooks: &[WebhookId]) -> Place {
        let mut told = webhooks
            .iter()
            .flat_map(|id| self.destinations(*id))
            .filter(|destination| destination.address == server && destination.via == Via::Endpoint)
            .map(|destination| &destination.place);
        let Some(first) = told.next() else {
            return self.places.get(&server.ip()).cloned().unwrap_or_default();
        };
        told.fold(first.clone(), |place, other| place.agreed(other))
    }

    /// The deadline of calls that may be of any of `webhooks`: the longest, since no sooner one can be said to have
    /// passed. `None` where none of them says one.
    pub fn deadline(&self, webhooks: &[WebhookId]) -> Option<Duration> {
        webhooks.iter().filter_map(|id| self.webhook(*id)?.timeout).max()
    }

    /// The shortest deadline of all webhooks.
    pub const fn shortest_timeout(&self) -> Option<Duration> {
        self.shortest_timeout
    }

    /// Whether calls of a webhook go to this port of some endpoint.
    fn has_port(&self, id: WebhookId, port: u16) -> bool {
        match self.webhook(id).map(|webhook| &webhook.target) {
            Some(Target::Url(url)) => Url::read(url).is_some_and(|url| url.port == port),
            Some(Target::Service { .. }) => {
                let mut endpoints = self.destinations(id).iter().filter(|it| it.via == Via::Endpoint);
                endpoints.any(|it| it.address.port() == port)
            }
            None => false,
        }
    }

    fn has_address_for_host(&self, id: WebhookId) -> bool {
        self.webhook(id).is_some_and(|webhook| match &webhook.target {
            Target::Url(url) => Url::read(url).is_some_and(|url| url.ip().is_some()),
            Target::Service { .. } => false,
        })
    }
}

#[cfg(test)]
mod tests;
