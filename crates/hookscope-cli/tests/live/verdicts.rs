//! Captures that are sent on an interface get, live, the verdicts that the files get.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::network::{Network, fixture};
use hookscope_testkit::{Capture, link};

/// Who had which verdict, and how often each was given.
fn conclusions(report: &str) -> (Vec<String>, Value) {
    let report: Value = serde_json::from_str(report).unwrap_or_else(|error| panic!("{error}: {report}"));
    let mut connections: Vec<String> = report["connections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} > {} {}", one["client"], one["server"], one["verdict"]["code"]))
        .collect();
    let lookups = report["lookups"].as_array().unwrap().iter();
    connections.extend(lookups.map(|one| format!("{} {}", one["name"], one["verdict"]["code"])));
    connections.sort();
    (connections, report["summary"].clone())
}

fn from_file(path: &Path) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_hookscope")).args(["--format", "json"]).arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// One capture of each kind that can be sent as it is: from Ethernet, of bearable length, alone in its file.
fn captures() -> Vec<PathBuf> {
    let mut captures = Vec::new();
    let mut folders: Vec<_> = fixture("").read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    // Captures that are broken on purpose cannot be sent.
    folders.retain(|folder| folder.is_dir() && folder.file_name().is_some_and(|name| name != "formats"));
    for folder in folders {
        let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|kind| kind == "pcap"));
        files.sort();
        captures.extend(files.into_iter().find(|file| {
            let bytes = std::fs::read(file).unwrap();
            if bytes.len() > 200_000
                || u32::from_le_bytes(bytes[20..24].try_into().unwrap()) != u32::from(link::ETHERNET)
            {
                return false;
            }
            let capture = Capture::read(&bytes);
            let (first, last) = (capture.records.first().unwrap(), capture.records.last().unwrap());
            capture.records.iter().all(|record| record.is_whole())
                && Duration::from_nanos((last.time_ns - first.time_ns).unsigned_abs())
                    < Duration::from_secs(25)
        }));
    }
    captures
}

#[test]
fn what_is_sent_gets_the_verdicts_that_the_file_gets() {
    if Network::new().is_none() {
        return;
    }
    let captures = captures();
    assert!(captures.len() > 20, "too few captures can be sent: {captures:?}");
    let failures: Vec<String> = std::thread::scope(|scope| {
        let each = captures.iter().map(|capture| {
            scope.spawn(move || {
                let network = Network::new().unwrap();
                let live = network.live(&["--format", "json", "--threads", "1"]);
                network.replay(capture);
                let left = live.stop();
                let (expected, got) = (conclusions(&from_file(capture)), conclusions(&left.out));
                let expected_status = if expected.1["failed_connections"] == 0
                    && expected.1["failed_lookups"] == 0
                    && expected.1["failed_calls"] == 0
                {
                    0
                } else {
                    1
                };
                (expected != got || left.status != Some(expected_status)).then(|| {
                    format!(
                        "{}: {expected:#?}\nis live, ending with {:?}\n{got:#?}",
                        capture.display(),
                        left.status
                    )
                })
            })
        });
        let each: Vec<_> = each.collect();
        each.into_iter().filter_map(|one| one.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), captures.len(), failures.join("\n"));
}
