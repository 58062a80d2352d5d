//! What the tests share: recordings of a real kube-apiserver, the objects of its cluster, and changes to both.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hookscope::cluster::{Cluster, Objects};
use hookscope::report::Input;
use hookscope::report::schema::{Connection, Report};
use hookscope::{Config, Inspector, Keep};
use hookscope_capture::{Options, for_each_batch};
use hookscope_cluster::Reader;
use serde_json::Value;

/// The objects of the recordings in `fixtures/`, of which webhook `NAME.lab.io` is the one of `NAME.pcap`.
pub(crate) fn recordings() -> Value {
    serde_json::from_str(include_str!("../objects/recordings.json")).unwrap()
}

/// The objects of `fixtures/incident`.
pub(crate) fn incident() -> Value {
    serde_json::from_str(include_str!("../objects/incident.json")).unwrap()
}

pub(crate) fn read(objects: &Value) -> Objects {
    let mut reader = Reader::default();
    reader.read("objects.json", objects.to_string().as_bytes()).unwrap();
    let reading = reader.finish();
    assert_eq!(reading.problems, []);
    reading.objects
}

/// The webhook of this name, to change it.
pub(crate) fn webhook<'v>(objects: &'v mut Value, name: &str) -> &'v mut Value {
    let items = objects["items"].as_array_mut().unwrap().iter_mut();
    let mut webhooks = items.filter_map(|item| item["webhooks"].as_array_mut()).flatten();
    webhooks.find(|webhook| webhook["name"] == name).unwrap_or_else(|| panic!("no webhook {name}"))
}

/// The object of this kind and name, to change it.
pub(crate) fn object<'v>(objects: &'v mut Value, kind: &str, name: &str) -> &'v mut Value {
    let mut items = objects["items"].as_array_mut().unwrap().iter_mut();
    items.find(|item| item["kind"] == kind && item["metadata"]["name"] == name).unwrap()
}

/// Only the webhooks of which `keep` says so, and all other objects.
pub(crate) fn only(mut objects: Value, keep: impl Fn(&str) -> bool) -> Value {
    let items = objects["items"].as_array_mut().unwrap();
    items.retain(|item| {
        item["webhooks"].as_array().is_none_or(|all| all.iter().any(|it| keep(it["name"].as_str().unwrap())))
    });
    objects
}

/// A capture under `fixtures/`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name);
    assert!(path.exists(), "{}", path.display());
    path
}

/// The report of a fixture, with these objects.
pub(crate) fn report(capture: &str, objects: &Value) -> Report {
    let cluster = Some(Arc::new(Cluster::new(read(objects))));
    inspect(capture, Config { keep: Keep::All, cluster, ..Config::default() })
}

pub(crate) fn inspect(capture: &str, config: Config) -> Report {
    let mut inspector = Inspector::new(config);
    for_each_batch(&[fixture(capture)], &Options::default(), |packets, _| {
        inspector.observe_batch(packets);
        ControlFlow::Continue(())
    })
    .unwrap();
    let report = inspector.finish().report(&Input::default());
    // With objects, too, what is written can be read back.
    let text = serde_json::to_string(&report).unwrap();
    let again: Report = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), text);
    report
}

/// The connection whose verdict is the gravest.
pub(crate) fn worst(report: &Report) -> &Connection {
    report.connections.iter().max_by_key(|it| it.verdict.severity).unwrap()
}
