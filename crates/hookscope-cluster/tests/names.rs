//! Webhooks, Services, pods and nodes of connections, those included that never said a name.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{fixture, incident, inspect, object, read, recordings, report, worst};
use hookscope::cluster::Cluster;
use hookscope::{Config, Keep};
use serde_json::json;

#[test]
fn every_connection_of_the_incident_is_named_after_its_webhook() {
    let report = report("incident/incident.pcap.zst", &incident());
    let mut counts: BTreeMap<(String, &str), u64> = BTreeMap::new();
    for connection in report.connections.iter().filter(|it| it.verdict.severity == "failure") {
        let whom = connection.cluster.as_ref().unwrap();
        let [webhook] = whom.webhooks.as_slice() else { panic!("{whom:?}") };
        *counts.entry((webhook.clone(), connection.verdict.code)).or_default() += 1;
        let service = whom.service.as_deref().unwrap();
        let (namespace, _) = service.split_once('/').unwrap();
        assert!(whom.pod.as_deref().unwrap().starts_with(&format!("{namespace}/")), "{whom:?}");
        assert_eq!(whom.node.as_deref(), Some("worker-1"));
        assert!(connection.server_name.as_deref().unwrap().ends_with(&format!(".{namespace}.svc")));
        let unnamed = ["syn-unanswered", "connection-refused"].contains(&connection.verdict.code);
        assert_eq!(connection.server_name_source, Some(if unnamed { "cluster" } else { "sni" }));
    }
    let counts: Vec<_> =
        counts.iter().map(|((webhook, code), count)| (webhook.as_str(), *code, *count)).collect();
    assert_eq!(
        counts,
        [
            ("inc-badca.lab.io", "tls-certificate-rejected", 38),
            ("inc-badca12.lab.io", "tls-bad-certificate", 45),
            ("inc-dropped.lab.io", "syn-unanswered", 53),
            ("inc-refused.lab.io", "connection-refused", 46),
            ("inc-resets.lab.io", "rst-before-response", 41),
            ("inc-slowone.lab.io", "deadline-exceeded", 21),
        ]
    );
}

/// Each recording is of one webhook, which is named after it; others may share its server.
#[test]
fn the_webhook_of_each_recording_is_among_those_that_are_named() {
    let cluster = Arc::new(Cluster::new(read(&recordings())));
    let mut seen = 0;
    for folder in std::fs::read_dir(fixture("")).unwrap().map(|it| it.unwrap().path()) {
        for path in std::fs::read_dir(&folder).into_iter().flatten().map(|it| it.unwrap().path()) {
            let name = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".pcap"));
            let Some(stem) = name else { continue };
            let webhook = format!("{stem}.lab.io");
            // Where only a URL says the host, and where another webhook was called, packets do not lead to it.
            let leads_nowhere =
                stem.starts_with("dns-") || stem.starts_with("ipv6-") || stem == "synack-drop-return";
            if leads_nowhere || cluster.named(&webhook).next().is_none() {
                continue;
            }
            let capture = format!("{}/{stem}.pcap", folder.file_name().unwrap().to_str().unwrap());
            let config = Config { keep: Keep::All, cluster: Some(Arc::clone(&cluster)), ..Config::default() };
            let report = inspect(&capture, config);
            let mut whom = report.connections.iter().filter_map(|it| it.cluster.as_ref());
            let names_it = whom.any(|it| it.webhooks.contains(&webhook));
            assert!(names_it, "{stem}");
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn an_icmp_error_tells_the_service_by_the_address_that_it_quotes() {
    let report = report("icmp-port-unreachable/no-endpoints-lo.pcap", &recordings());
    let connection = worst(&report);
    assert_eq!(connection.server, "10.96.0.20:443");
    assert_eq!(connection.server_name.as_deref(), Some("webhook-service.metallb-system.svc"));
    let service = connection.cluster.as_ref().unwrap().service.as_deref();
    assert_eq!(service, Some("metallb-system/webhook-service:443"));
}

#[test]
fn a_server_that_no_object_knows_stays_as_it_was() {
    let report = report("formats/vxlan-4789.pcap", &json!({"kind": "List", "items": []}));
    assert!(
        report.connections.iter().all(|it| it.cluster.is_none() && it.server_name_source != Some("cluster"))
    );
    assert!(report.cluster.unwrap().webhooks.is_empty());
}

#[test]
fn what_a_client_said_counts_more_than_objects_of_another_hour() {
    let mut objects = incident();
    // The address has another Service by now.
    for slice in ["cert-manager-webhook-abc12", "gatekeeper-webhook-service-abc12"] {
        object(&mut objects, "EndpointSlice", slice)["endpoints"] = json!([{"addresses": ["10.244.9.9"]}]);
    }
    let report = report("incident/incident.pcap.zst", &objects);
    let moved = report.endpoints.iter().find(|it| it.server == "10.244.1.1:8443").unwrap();
    assert_eq!(moved.server_name.as_deref(), Some("cert-manager-webhook.cert-manager.svc"));
    assert_eq!(moved.cluster.as_ref().unwrap().webhooks, ["inc-healthy12.lab.io"]);
    assert_eq!(moved.cluster.as_ref().unwrap().pod, None);
}

#[test]
fn how_the_work_is_split_changes_nothing() {
    let cluster = Arc::new(Cluster::new(read(&incident())));
    let report = |shards| {
        let config =
            Config { keep: Keep::Failures, shards, cluster: Some(Arc::clone(&cluster)), ..Config::default() };
        serde_json::to_value(inspect("incident/incident.pcap.zst", config)).unwrap()
    };
    let one = report(1);
    for shards in [2, 7] {
        assert!(report(shards) == one, "{shards} shards");
    }
}
