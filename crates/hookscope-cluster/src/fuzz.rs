//! Hostile text -> a cluster's objects, and what a report says with them: the body of the fuzz target in `fuzz/`.
//!
//! Not for use: built with the feature `fuzz` alone, and for tests.

use std::net::SocketAddr;
use std::sync::Arc;

use hookscope::cluster::{Asked, Cluster, Objects};
use hookscope::packet::{Frame, LinkType};
use hookscope::report::Input;
use hookscope::time::Timestamp;
use hookscope::{Config, Inspector, Keep, Packet};

use crate::{Error, Reader, Reading};

/// A target: its name, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// The targets of this crate.
pub const TARGETS: [Target; 1] = [("objects", objects)];

/// JSON or YAML, whichever it looks like.
pub fn objects(data: &[u8]) {
    let (read, reading) = read(data);
    if let Err(Error::Json { line, column, .. } | Error::Yaml { line, column, .. }) = &read {
        let lines = 2 + data.iter().filter(|byte| b"\r\n".contains(byte)).count();
        assert!((1..=lines).contains(line) && *column <= data.len() + 1, "there is no {line}:{column}");
    }
    assert!(reading.problems.len() <= 100);
    for problem in &reading.problems {
        assert!(problem.at.line >= 1 && !problem.reason.is_empty());
    }
    if reading.objects.is_empty() {
        return;
    }
    let again = self::read(data);
    assert_eq!((&again.0, &again.1), (&read, &reading), "it reads otherwise the second time");
    let cluster = Cluster::new(reading.objects.clone());
    holds(&cluster);
    report(&reading.objects, Cluster::new(reading.objects.clone()));
}

fn read(data: &[u8]) -> (Result<(), Error>, Reading) {
    let mut reader = Reader::default();
    let result = reader.read("objects", data);
    (result, reader.finish())
}

/// Whoever is asked for is found again.
fn holds(cluster: &Cluster) {
    for (id, webhook) in cluster.webhooks() {
        assert!(cluster.named(&webhook.name).any(|(named, _)| named == id));
        for destination in cluster.destinations(id) {
            let server = destination.address;
            assert!(
                cluster.find(server, Asked::Unknown).contains(&id),
                "{server} is not of {}",
                webhook.name
            );
        }
        let _ = webhook.host().map(|host| cluster.of_host(&host).len());
        let _ = cluster.deadline(&[id]);
    }
}

/// A connection to a server of the first webhook is refused.
fn report(objects: &Objects, cluster: Cluster) {
    let first = cluster.webhooks().flat_map(|(id, _)| cluster.destinations(id)).next();
    let (ip, port) = match first.map(|first| first.address) {
        Some(SocketAddr::V4(server)) => (server.ip().octets(), server.port()),
        _ => ([10, 244, 1, 1], 9443),
    };
    let config = Config { cluster: Some(Arc::new(cluster)), keep: Keep::All, ..Config::default() };
    let mut inspector = Inspector::new(config);
    let client = ([10, 0, 0, 10], 48_630_u16);
    for (number, from, to, flags) in [(1, client, (ip, port), 2), (2, (ip, port), client, 0x14)] {
        let ip = [&[0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0][..], &from.0, &to.0].concat();
        let ports = [from.1.to_be_bytes(), to.1.to_be_bytes()].concat();
        let tcp = [&ports[..], &[0; 8], &[0x50, flags, 255, 255, 0, 0, 0, 0]].concat();
        inspector.observe(&Packet {
            time: Timestamp::from_nanos(1_795_361_344_000_000_000 + number as i64),
            frame: Frame::new(0, number),
            link_type: LinkType::RAW,
            interface: 0,
            wire_len: 40,
            data: &[ip, tcp].concat(),
        });
    }
    let inspection = inspector.finish();
    let report = inspection.report(&Input::default());
    assert_eq!(report.connections.len(), 1);
    let told = report.cluster.map_or(0, |cluster| cluster.webhooks.len());
    assert!(told <= objects.webhooks.len());
    let _ = inspection.groups(&Input::default());
}

/// Inputs to begin with: each object of a list by itself, as JSON and as what YAML makes of it.
pub fn seeds(json: &str) -> Vec<Vec<u8>> {
    let list: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let items = list["items"].as_array().map_or(&[][..], Vec::as_slice);
    let mut seeds = Vec::new();
    for item in items.iter().chain([&list]).map(ToString::to_string).filter(|item| item.len() < 6_000) {
        seeds.push(item.clone().into_bytes());
        seeds.push(format!("--- {item}\n").into_bytes());
    }
    seeds.push(YAML.as_bytes().to_vec());
    seeds
}

/// What YAML has and JSON has not.
const YAML: &str = r#"apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: &name hook}
webhooks:
- name: hook.lab.io
  timeoutSeconds: 5
  clientConfig: &config
    service: {namespace: ns, name: *name, port: 443, path: "/a"}
    caBundle: >-
      LS0tLS1CRUdJTg
  rules:
  - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}
- name: other.lab.io
  clientConfig: {<<: *config, url: "https://10.0.0.7:8443/x"}
---
kind: List
apiVersion: v1
items:
- kind: Service
  metadata: {namespace: ns, name: hook}
  spec:
    clusterIP: 10.96.0.20
    selector: {app: hook}
    ports: [{port: 443, targetPort: https, protocol: TCP}]
- kind: Pod
  metadata: {namespace: ns, name: hook-1, labels: {app: hook}}
  spec: {nodeName: node-1, containers: [{name: a, ports: [{name: https, containerPort: 9443}]}]}
  status: {podIP: 10.244.1.1, phase: Running}
- kind: EndpointSlice
  metadata: {namespace: ns, name: hook-x, labels: {kubernetes.io/service-name: hook}}
  addressType: IPv4
  endpoints: [{addresses: [10.244.1.1], conditions: {ready: true}}]
  ports: [{name: "", port: 9443}]
...
"#;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_target_takes_its_seeds_cut_and_changed_anywhere() {
        let seeds = seeds(include_str!("../tests/objects/recordings.json"));
        assert!(seeds.len() > 20);
        for seed in seeds {
            objects(&seed);
            for at in (0..seed.len()).step_by(seed.len() / 3 + 1) {
                objects(&seed[..at]);
                let mut changed = seed.clone();
                changed[at] ^= 0x11;
                objects(&changed);
            }
        }
    }

    #[test]
    fn every_finding_of_the_past_is_taken() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        for (name, body) in TARGETS {
            for path in fs::read_dir(fuzz.join("findings").join(name)).into_iter().flatten() {
                body(&fs::read(path.unwrap().path()).unwrap());
            }
            assert!(fuzz.join(format!("targets/{name}.rs")).exists());
        }
    }
}
