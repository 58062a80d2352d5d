//! Writes inputs to begin with, made of the fixtures: `seeds DIRECTORY`, a folder in it for each target.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use hookscope::fuzz::{by_hand, of_capture};
use hookscope_capture::{Options, for_each_batch};

fn files(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.as_ref()).into_iter().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn main() {
    let to = PathBuf::from(std::env::args_os().nth(1).expect("where to"));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut seeds: BTreeMap<&str, Vec<Vec<u8>>> = BTreeMap::new();
    let mut add = |target, seed| seeds.entry(target).or_default().push(seed);
    by_hand().into_iter().for_each(|(target, seed)| add(target, seed));
    for path in files(workspace.join("fixtures")).into_iter().flat_map(files) {
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        let file = fs::read(&path).expect("a fixture");
        match kind {
            "pcap" | "pcapng" if file.len() < 8_000 => add("capture", [&[7, 3][..], &file].concat()),
            "gz" | "zst" | "lz4" if file.len() < 8_000 => add("compressed", file),
            "json" | "md" => continue,
            _ => {}
        }
        // Small batches: the front of a large capture is enough.
        let read = for_each_batch(&[&path], &Options { batch: 200, ..Options::default() }, |packets, _| {
            of_capture(packets).into_iter().for_each(|(target, seed)| add(target, seed));
            ControlFlow::Break(())
        });
        read.unwrap_or_else(|error| panic!("{error}"));
    }
    for name in ["recordings", "incident"] {
        let json = workspace.join(format!("crates/hookscope-cluster/tests/objects/{name}.json"));
        let json = fs::read_to_string(json).expect("objects");
        hookscope_cluster::fuzz::seeds(&json).into_iter().for_each(|seed| add("objects", seed));
    }
    for name in ["apiserver.log", "messages.tsv"] {
        let log = fs::read(workspace.join("crates/hookscope/tests/data").join(name)).expect("a log");
        let lines = log.split_inclusive(|byte| *byte == b'\n').filter(|line| line.len() < 2_000);
        lines.step_by(7).for_each(|line| add("log", line.to_vec()));
    }
    let chains = fs::read_to_string(workspace.join("crates/hookscope/src/trust/tests/chains.pem"));
    certificates(&chains.expect("certificates")).into_iter().for_each(|seed| add("certificate", seed));
    for (target, seeds) in seeds {
        let folder = to.join(target);
        fs::create_dir_all(&folder).expect("a folder");
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:04}")), seed).expect("room for seeds");
        }
    }
}

/// Each certificate alone, as text, and in a chain with those beside it.
fn certificates(pem: &str) -> Vec<Vec<u8>> {
    let blocks = pem.split_inclusive("-----END CERTIFICATE-----\n");
    let blocks: Vec<_> =
        blocks.filter_map(|block| block.find("-----BEGIN").and_then(|at| block.get(at..))).collect();
    let mut seeds: Vec<_> = blocks.iter().map(|block| [b"@", block.as_bytes()].concat()).collect();
    let ders: Vec<_> = blocks.iter().filter_map(|block| hookscope::fuzz::der(block)).collect();
    seeds.extend(ders.iter().map(|der| [&[0][..], der].concat()));
    let link = |root: u16, der: &[u8]| [&(root | der.len() as u16).to_be_bytes()[..], der].concat();
    let root = ders.first().map(|ca| link(0x8000, ca)).unwrap_or_default();
    for (number, der) in ders.iter().enumerate() {
        seeds.push([&[80][..], &link(0, der), &root].concat());
        if let Some(before) = number.checked_sub(1).and_then(|before| ders.get(before)) {
            seeds.push([&[80][..], &link(0, der), &link(0, before), &root].concat());
            seeds.push([&[80][..], &link(0, der), &link(0x8000, before)].concat());
        }
    }
    seeds
}
