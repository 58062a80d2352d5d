use std::time::Duration;

use super::*;
use crate::cluster::{
    CaBundle, EndpointAddress, Endpoints, FailurePolicy, Node, ObjectName, Pod, PortRef, Selector, Service,
    ServicePort, WebhookKind,
};

fn webhook(name: &str, target: Target, seconds: u64) -> Webhook {
    Webhook {
        kind: WebhookKind::Validating,
        configuration: format!("{name}-configuration"),
        name: name.to_owned(),
        target,
        timeout: Some(Duration::from_secs(seconds)),
        failure_policy: FailurePolicy::Fail,
        ca_bundle: CaBundle::Empty,
        namespace_selector: Selector::default(),
        object_selector: Selector::default(),
        rules: Vec::new(),
        match_conditions: 0,
    }
}

fn of_service(namespace: &str, name: &str, port: u16) -> Target {
    Target::Service { service: ObjectName::new(namespace, name), port, path: None }
}

fn service(namespace: &str, name: &str, vip: &str, ports: &[(&str, u16, PortRef)]) -> Service {
    Service {
        name: ObjectName::new(namespace, name),
        cluster_ips: vec![vip.parse().unwrap()],
        ports: ports
            .iter()
            .map(|(name, port, target)| ServicePort {
                name: (*name).to_owned(),
                port: *port,
                target: target.clone(),
                is_tcp: true,
            })
            .collect(),
        selector: [("app".to_owned(), name.to_owned())].into(),
        ..Service::default()
    }
}

fn slice(namespace: &str, service: &str, ports: &[(&str, u16)], pods: &[(&str, &str)]) -> Endpoints {
    Endpoints {
        service: ObjectName::new(namespace, service),
        name: format!("{service}-x"),
        ports: ports.iter().map(|(name, port)| ((*name).to_owned(), *port)).collect(),
        addresses: pods
            .iter()
            .map(|(ip, pod)| EndpointAddress {
                ip: ip.parse().unwrap(),
                ready: true,
                pod: Some(ObjectName::new(namespace, *pod)),
                node: Some("n1".to_owned()),
            })
            .collect(),
    }
}

fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

fn names(cluster: &Cluster, address: &str, asked: Asked<'_>) -> Vec<String> {
    let found = cluster.find(at(address), asked);
    found.iter().map(|id| cluster.webhook(*id).unwrap().name.clone()).collect()
}

/// Two Services, whose ports have names and lead to the same pod's port, and one webhook at a URL.
fn cluster() -> Cluster {
    let named = |name: &str| PortRef::Name(name.to_owned());
    Cluster::new(Objects {
        webhooks: vec![
            webhook("a", of_service("one", "alpha", 443), 5),
            webhook("b", of_service("two", "beta", 8443), 30),
            webhook("c", Target::Url("https://10.9.9.9:9443/ok".to_owned()), 1),
            webhook("gone", of_service("two", "nobody", 443), 2),
        ],
        services: vec![
            service("one", "alpha", "10.96.0.1", &[("https", 443, named("hook"))]),
            service(
                "two",
                "beta",
                "10.96.0.2",
                &[("metrics", 443, named("m")), ("https", 8443, named("hook"))],
            ),
        ],
        endpoints: vec![
            slice(
                "one",
                "alpha",
                &[("https", 9443)],
                &[("10.244.0.7", "alpha-1"), ("10.244.0.8", "alpha-2")],
            ),
            slice("two", "beta", &[("metrics", 9090), ("https", 9443)], &[("10.244.0.8", "beta-1")]),
        ],
        ..Objects::default()
    })
}

#[test]
fn a_webhook_is_found_by_its_clusterip_and_by_its_endpoints() {
    let cluster = cluster();
    assert_eq!(names(&cluster, "10.96.0.1:443", Asked::Unknown), ["a"]);
    assert_eq!(names(&cluster, "10.244.0.7:9443", Asked::Unknown), ["a"]);
    assert_eq!(names(&cluster, "10.96.0.2:8443", Asked::Unknown), ["b"]);
    assert!(names(&cluster, "10.96.0.2:443", Asked::Unknown).is_empty());
    assert!(names(&cluster, "10.244.0.8:9090", Asked::Unknown).is_empty());
}

#[test]
fn of_several_behind_an_address_the_name_decides() {
    let cluster = cluster();
    assert_eq!(names(&cluster, "10.244.0.8:9443", Asked::Unknown), ["a", "b"]);
    assert_eq!(names(&cluster, "10.244.0.8:9443", Asked::Name("Beta.two.svc.")), ["b"]);
    assert_eq!(cluster.host(at("10.244.0.8:9443")), None);
    assert_eq!(cluster.host(at("10.244.0.7:9443")), Some("alpha.one.svc"));
    assert_eq!(cluster.host(at("10.244.0.8:9090")), Some("beta.two.svc"));
}

#[test]
fn a_connection_without_a_name_is_for_an_address() {
    let cluster = cluster();
    assert_eq!(names(&cluster, "10.9.9.9:9443", Asked::NoName), ["c"]);
    // A kubelet's probe of the pod.
    assert!(names(&cluster, "10.244.0.7:9443", Asked::NoName).is_empty());
}

#[test]
fn a_name_counts_where_the_address_has_changed() {
    let cluster = cluster();
    assert_eq!(names(&cluster, "10.244.5.5:9443", Asked::Name("alpha.one.svc")), ["a"]);
    assert_eq!(names(&cluster, "10.244.5.5:1", Asked::Name("alpha.one.svc")), ["a"]);
    assert!(names(&cluster, "10.244.0.7:9443", Asked::Name("other.svc")).is_empty());
}

#[test]
fn the_longest_deadline_of_several_counts() {
    let cluster = cluster();
    let ids = cluster.find(at("10.244.0.8:9443"), Asked::Unknown);
    assert_eq!(cluster.deadline(&ids), Some(Duration::from_secs(30)));
    assert_eq!(cluster.deadline(&[]), None);
    assert_eq!(cluster.shortest_timeout(), Some(Duration::from_secs(1)));
}

#[test]
fn pod_and_node_are_those_that_the_slice_names() {
    let cluster = cluster();
    let ids = cluster.find(at("10.244.0.8:9443"), Asked::Name("beta.two.svc"));
    let place = cluster.place(at("10.244.0.8:9443"), &ids);
    assert_eq!((place.pod.as_deref(), place.node.as_deref()), (Some("two/beta-1"), Some("n1")));
    let both = cluster.find(at("10.244.0.8:9443"), Asked::Unknown);
    let place = cluster.place(at("10.244.0.8:9443"), &both);
    assert_eq!((place.pod, place.node.as_deref()), (None, Some("n1")));
}

#[test]
fn a_service_that_does_not_exist_leads_nowhere() {
    let cluster = cluster();
    let (id, _) = cluster.named("gone").next().unwrap();
    assert!(cluster.destinations(id).is_empty());
}

#[test]
fn without_slices_the_selector_and_the_containers_ports_tell() {
    let pod = Pod {
        name: ObjectName::new("one", "alpha-1"),
        labels: [("app".to_owned(), "alpha".to_owned())].into(),
        ips: vec!["10.244.0.7".parse().unwrap(), "fd00::7".parse().unwrap()],
        node: Some("n1".to_owned()),
        ready: Some(false),
        ports: vec![(Some("hook".to_owned()), 9443), (None, 8080)],
        ..Pod::default()
    };
    let other = Pod { name: ObjectName::new("two", "alpha-1"), ..pod.clone() };
    let cluster = Cluster::new(Objects {
        webhooks: vec![webhook("a", of_service("one", "alpha", 443), 5)],
        services: vec![service("one", "alpha", "10.96.0.1", &[("", 443, PortRef::Name("hook".to_owned()))])],
        pods: vec![pod, other],
        nodes: vec![Node { name: "n1".to_owned(), ips: vec!["192.168.1.21".parse().unwrap()] }],
        ..Objects::default()
    });
    assert_eq!(names(&cluster, "[fd00::7]:9443", Asked::Unknown), ["a"]);
    let endpoints: Vec<_> = cluster.destinations(WebhookId(0)).iter().map(|it| (it.via, it.ready)).collect();
    assert_eq!(endpoints, [(Via::ClusterIp, true), (Via::Endpoint, false), (Via::Endpoint, false)]);
    // Two pods have the address: neither is named.
    assert_eq!(cluster.place(at("10.244.0.7:1"), &[]).pod, None);
    assert_eq!(cluster.place(at("192.168.1.21:9443"), &[]).node.as_deref(), Some("n1"));
}

#[test]
fn urls_are_read_as_far_as_they_matter() {
    let read = |url| Url::read(url).map(|url| (url.host, url.port));
    assert_eq!(read("https://Hook.example/a?b"), Some(("hook.example".to_owned(), 443)));
    assert_eq!(read("https://[fd00::1]:9443/ok"), Some(("fd00::1".to_owned(), 9443)));
    assert_eq!(read("https://u@h:8443"), Some(("h".to_owned(), 8443)));
    for none in ["http://a", "a.svc:443", "https://", "https://a:99999/", "https://[fd00::1"] {
        assert_eq!(read(none), None, "{none}");
    }
}
