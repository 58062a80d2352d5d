//! One capture in several files: the ring of `tcpdump -C`, or a file for each of two interfaces. Its verdicts are those
//! of the whole.

mod common;

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use common::Dir;
use flate2::Compression;
use flate2::write::GzEncoder;
use hookscope::report::Input;
use hookscope::{Config, Inspector, Keep};
use hookscope_capture::{Options, for_each_batch};
use hookscope_testkit::transform::{Duplicates, Link, Outer, Tunnel, duplicate_all, nest, relink};
use hookscope_testkit::{Capture, Record, Rng, link};
use serde_json::{Value, json};

/// How many files a ring has.
const FILES: usize = 4;

/// The fixtures that are plain pcap files in the order of time, but for the large ones; and those of the folder that
/// `HOOKSCOPE_CAPTURES` names.
fn captures() -> Vec<(String, Capture)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")];
    folders.extend(std::env::var_os("HOOKSCOPE_CAPTURES").map(PathBuf::from));
    let mut pcaps = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            // These hold the same captures in other forms.
            if path.is_dir() && !path.ends_with("formats") && !path.ends_with("variants") {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "pcap")
                && path.metadata().unwrap().len() < 1_000_000
            {
                pcaps.push(path);
            }
        }
    }
    pcaps.sort();
    let captures = pcaps
        .into_iter()
        .map(|path| (path.display().to_string(), Capture::read(&std::fs::read(path).unwrap())));
    let captures: Vec<_> = captures
        .filter(|(_, capture)| {
            capture.records.len() >= FILES && capture.records.is_sorted_by_key(|record| record.time_ns)
        })
        .collect();
    assert!(captures.len() > 50);
    captures
}

/// The report of these files, as JSON.
fn report(paths: &[PathBuf]) -> Value {
    let mut inspector = Inspector::new(Config { keep: Keep::All, ..Config::default() });
    let summary = for_each_batch(paths, &Options::default(), |packets, _| {
        inspector.observe_batch(packets);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(summary.warnings().count(), 0);
    let files = summary.files.iter().map(|file| file.name.clone()).collect();
    serde_json::to_value(inspector.finish().report(&Input { files, ..Input::default() })).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The capture in four files, cut at arbitrary packets, two of them compressed; with each, how many packets lie before.
fn ring(dir: &Dir, capture: &Capture, rng: &mut Rng) -> Vec<(PathBuf, u64)> {
    let mut places: Vec<_> = (1..capture.records.len()).collect();
    rng.shuffle(&mut places);
    let mut cuts = places[..FILES - 1].to_vec();
    cuts.extend([0, capture.records.len()]);
    cuts.sort_unstable();
    let part = |(number, cut): (usize, &[usize])| {
        let records = capture.records[cut[0]..cut[1]].to_vec();
        let bytes = Capture { link_type: capture.link_type, records }.to_pcap();
        let (name, bytes) = match number % 2 {
            0 => (format!("ring.pcap{number}"), bytes),
            _ => (format!("ring.pcap{number}.gz"), gzip(&bytes)),
        };
        (dir.write(&name, bytes), cut[0] as u64)
    };
    cuts.windows(2).enumerate().map(part).collect()
}

/// Numbers the packets of a report as those of the whole, and takes the files away: each has to be named.
fn renumber(value: &mut Value, before: &BTreeMap<String, u64>) {
    match value {
        Value::Object(fields) => {
            if let Some(frame) = fields.get("frame").and_then(Value::as_u64) {
                let file = fields.insert("file".into(), Value::Null).unwrap();
                let file = file.as_str().unwrap_or_else(|| panic!("packet {frame} of no file: {fields:?}"));
                fields.insert("frame".into(), json!(frame + before[file]));
            }
            fields.values_mut().for_each(|value| renumber(value, before));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| renumber(value, before)),
        _ => {}
    }
}

#[test]
fn a_ring_in_the_wrong_order_is_the_capture_that_was_cut() {
    for (seed, (name, capture)) in (1..).zip(captures()) {
        let dir = Dir::new();
        let whole = report(&[dir.write("whole.pcap", capture.to_pcap())]);
        let rng = &mut Rng::new(seed);
        let mut ring = ring(&dir, &capture, rng);
        rng.shuffle(&mut ring);
        let paths: Vec<_> = ring.iter().map(|(path, _)| path.clone()).collect();
        let before = ring.iter().map(|(path, before)| (path.display().to_string(), *before)).collect();
        let mut parts = report(&paths);
        for field in ["summary", "endpoints", "connections", "lookups"] {
            renumber(&mut parts[field], &before);
            assert_eq!(parts[field], whole[field], "{name}: {field}, cut with seed {seed}");
        }
        assert_eq!(parts["capture"]["packets"], whole["capture"]["packets"]);
        assert_eq!(parts["capture"]["duplicates"], whole["capture"]["duplicates"]);
    }
}

/// What is counted and concluded of each connection and lookup: where it was seen does not matter.
fn counted(report: &Value) -> Vec<String> {
    let connections = report["connections"].as_array().unwrap().iter().map(|one| {
        let fields =
            ["client", "server", "packets", "bytes", "syn", "syn_ack", "rst", "fin", "retransmissions"];
        let counts: Vec<_> = fields.iter().map(|field| &one[field]).collect();
        let calls = one["calls"].as_array().unwrap();
        let calls: Vec<_> =
            calls.iter().map(|call| [&call["request_bytes"], &call["verdict"]["code"]]).collect();
        json!([counts, one["verdict"]["code"], calls]).to_string()
    });
    let lookups = report["lookups"].as_array().unwrap().iter();
    let lookups = lookups
        .map(|one| json!([one["client"], one["name"], one["attempts"], one["verdict"]["code"]]).to_string());
    let mut counted: Vec<_> = connections.chain(lookups).collect();
    counted.sort();
    counted
}

/// What two interfaces show of the same packets, a file for each.
fn of_two_interfaces(capture: &Capture, duplicates: Duplicates) -> [Capture; 2] {
    let both = duplicate_all(capture, duplicates);
    let own = |record: &Record| interface(record) == interface(&both.records[0]);
    let (first, second): (Vec<_>, Vec<_>) = both.records.iter().cloned().partition(own);
    [first, second].map(|records| relink(&Capture { link_type: both.link_type, records }, Link::Ethernet))
}

/// The interface index of a cooked header, version 2.
fn interface(record: &Record) -> &[u8] {
    &record.data[4..8]
}

#[test]
fn two_interfaces_files_of_the_same_packets_are_counted_once() {
    let vxlan = [(Tunnel::Vxlan { port: 8472, vni: 1 }, Outer::V4)];
    let mut rng = Rng::new(7);
    // Those of `any` hold several interfaces already, and a file of Ethernet could not say which.
    for (name, capture) in captures().into_iter().filter(|(_, capture)| capture.link_type == link::ETHERNET) {
        let dir = Dir::new();
        let whole = report(&[dir.write("whole.pcap", capture.to_pcap())]);
        for duplicates in
            [Duplicates { delay_us: 3, routed: false }, Duplicates { delay_us: 300, routed: true }]
        {
            let span = capture.records[capture.records.len() - 1].time_ns - capture.records[0].time_ns;
            if span < duplicates.delay_us * 1_000 {
                continue; // A file that begins when the other has ended is taken for its continuation.
            }
            let [inside, outside] = of_two_interfaces(&capture, duplicates);
            for outside in [nest(&outside, &vxlan), outside] {
                let mut paths = [
                    dir.write("cni0.pcap", inside.to_pcap()),
                    dir.write("eth0.pcap.gz", gzip(&outside.to_pcap())),
                ];
                rng.shuffle(&mut paths);
                let both = report(&paths);
                assert_eq!(counted(&both), counted(&whole), "{name}: {duplicates:?}");
                let segments = |report: &Value| -> u64 {
                    let all = report["connections"].as_array().unwrap().iter();
                    all.flat_map(|one| {
                        ["client", "server"].map(|side| one["packets"][side].as_u64().unwrap())
                    })
                    .sum()
                };
                let expected = segments(&whole) + 2 * whole["capture"]["duplicates"].as_u64().unwrap();
                assert_eq!(both["capture"]["duplicates"], expected, "{name}: {duplicates:?}");
            }
        }
    }
}
