//! Every target on its seeds, on what is near them, and on every finding of the past.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hookscope_testkit::{Capture, Rng};

use super::*;
use crate::packet::{Frame, LinkType, Packet};
use crate::time::Timestamp;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// What captures of the fixtures begin with, and what is told by hand.
fn seeds() -> Vec<Seed> {
    let mut seeds = by_hand();
    let folders = files(&workspace().join("fixtures"));
    let plain = folders.iter().filter(|folder| !folder.ends_with("formats")).flat_map(|folder| files(folder));
    let small = plain.filter(|path| path.extension().is_some_and(|kind| kind == "pcap"));
    for path in small.filter(|path| path.metadata().unwrap().len() < 20_000) {
        let capture = Capture::read(&fs::read(path).unwrap());
        let packets: Vec<_> = (1..)
            .zip(&capture.records)
            .map(|(number, record)| Packet {
                time: Timestamp::from_nanos(record.time_ns),
                frame: Frame::new(0, number),
                link_type: LinkType(capture.link_type),
                interface: 0,
                wire_len: record.wire_len,
                data: &record.data,
            })
            .collect();
        seeds.extend(of_capture(&packets));
    }
    let chains = ["leaf", "ca", "leaf-below", "intermediate", "leaf-p384", "leaf-ed25519"];
    for name in chains {
        let der = crate::trust::tests::der(name);
        seeds.push(("certificate", [&[0][..], &der].concat()));
        let ca = crate::trust::tests::der("ca");
        let link = |root: u16, der: &[u8]| [&(root | der.len() as u16).to_be_bytes()[..], der].concat();
        seeds.push(("certificate", [&[80][..], &link(0, &der), &link(0x8000, &ca)].concat()));
    }
    let log = fs::read(workspace().join("crates/hookscope/tests/data/apiserver.log")).unwrap();
    seeds.extend(log.split_inclusive(|byte| *byte == b'\n').take(60).map(|line| ("log", line.to_vec())));
    seeds
}

fn body(name: &str) -> fn(&[u8]) {
    let (_, body) = TARGETS.into_iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name}"));
    body
}

#[test]
fn every_target_takes_its_seeds() {
    let seeds = seeds();
    for (name, body) in TARGETS {
        let own: Vec<_> = seeds.iter().filter(|(target, _)| *target == name).collect();
        assert!(own.len() >= 2, "{name} has no seeds");
        own.iter().for_each(|(_, seed)| body(seed));
        body(&[]);
    }
}

#[test]
fn every_target_takes_what_is_near_its_seeds() {
    let mut rng = Rng::new(17);
    for (name, seed) in seeds().iter().step_by(7) {
        for flips in [1, 2, 8] {
            let mut near = seed.clone();
            rng.flip_bytes(&mut near, flips);
            near.truncate(rng.below(near.len()) + 1);
            body(name)(&near);
        }
    }
}

#[test]
fn every_finding_of_the_past_is_taken() {
    for (name, body) in TARGETS {
        for path in files(&workspace().join("fuzz/findings").join(name)) {
            println!("{}", path.display());
            body(&fs::read(path).unwrap());
        }
    }
}

#[test]
fn every_target_has_its_program_and_every_finding_its_target() {
    let names = |folder: &str| -> BTreeSet<String> {
        let files = files(&workspace().join(folder));
        files.iter().map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    let programs = names("fuzz/targets");
    assert!(TARGETS.iter().all(|(name, _)| programs.contains(*name)), "{programs:?}");
    assert!(names("fuzz/findings").is_subset(&programs));
}
