//! What the integration tests share: fixtures, reading them, and inspecting packets that are held in memory.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod conclusions;
pub(crate) mod stories;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hookscope::packet::{Frame, LinkType};
use hookscope::report::Input;
use hookscope::report::schema::Report;
use hookscope::time::Timestamp;
use hookscope::{Config, Inspection, Inspector, Keep, Packet};
use hookscope_capture::{Options, for_each_batch};
use hookscope_testkit::{Capture, Record};

/// The workspace's `fixtures/`.
pub(crate) fn fixtures_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// A capture under `fixtures/`, and the report that is expected of it.
#[derive(Clone, Debug)]
pub(crate) struct Fixture {
    /// Its folder: a verdict's code, or what the captures in it have in common.
    pub(crate) folder: String,
    /// Its file name.
    pub(crate) file: String,
}

impl Fixture {
    /// Folders that gather captures by something other than a verdict.
    pub(crate) const OTHER_FOLDERS: [&str; 3] = ["formats", "incident", "stacks"];

    /// All fixtures in order of their paths.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for folder in names(&fixtures_root()) {
            for file in names(&fixtures_root().join(&folder)) {
                if !file.ends_with(".json") {
                    all.push(Self { folder: folder.clone(), file });
                }
            }
        }
        assert!(all.len() > 50, "the fixtures are missing");
        all
    }

    /// Those that are small enough to be run through many times.
    pub(crate) fn small() -> Vec<Self> {
        let mut all = Self::all();
        all.retain(|fixture| fixture.path().metadata().is_ok_and(|file| file.len() < 40_000));
        all
    }

    /// The code that at least one of its verdicts must have; none where the folder says nothing about that.
    pub(crate) fn code(&self) -> Option<&str> {
        (!Self::OTHER_FOLDERS.contains(&self.folder.as_str())).then_some(&self.folder)
    }

    /// Whether the rule for its code is still to come.
    pub(crate) fn is_pending(&self) -> bool {
        self.code().is_some_and(is_pending)
    }

    /// The capture.
    pub(crate) fn path(&self) -> PathBuf {
        fixtures_root().join(&self.folder).join(&self.file)
    }

    /// The expected report.
    pub(crate) fn golden(&self) -> PathBuf {
        let stem = self.file.split('.').next().unwrap_or_default();
        fixtures_root().join(&self.folder).join(format!("{stem}.json"))
    }

    /// Its packets.
    pub(crate) fn read(&self) -> Recording {
        let mut recording = Recording::read(&self.path());
        // Reports must not depend on where the fixtures lie.
        let directory = format!("{}/", fixtures_root().join(&self.folder).display());
        recording.input.files = vec![self.file.clone()];
        for warning in &mut recording.input.warnings {
            *warning = warning.replace(&directory, "");
        }
        recording
    }

    /// Everything is kept, but of the incident, in which hundreds of connections are healthy. The slow
    /// handshake that was recorded took four seconds.
    pub(crate) fn config(&self) -> Config {
        Config {
            keep: if self.folder == "incident" { Keep::Failures } else { Keep::All },
            slow: (self.folder == "slow-tls-handshake").then_some(Duration::from_secs(3)),
            ..Config::default()
        }
    }
}

impl std::fmt::Display for Fixture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.folder, self.file)
    }
}

/// Whether no rule gives this code yet, or what the rule rests on is not read yet.
pub(crate) fn is_pending(code: &str) -> bool {
    let is_missing = |code: &str| hookscope::diagnosis::page_of(code).is_none();
    is_missing(code) || code == "fin-in-response" && is_missing("http-status")
}

fn names(directory: &Path) -> Vec<String> {
    let entries =
        std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("a readable entry").file_name().to_string_lossy().into_owned())
        .filter(|name| !name.ends_with(".md"))
        .collect();
    names.sort();
    names
}

/// A packet with its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) time: Timestamp,
    pub(crate) frame: Frame,
    pub(crate) link_type: LinkType,
    pub(crate) interface: u16,
    pub(crate) wire_len: u32,
    pub(crate) data: Vec<u8>,
}

impl Held {
    /// As the engine takes it.
    pub(crate) fn packet(&self) -> Packet<'_> {
        Packet {
            time: self.time,
            frame: self.frame,
            link_type: self.link_type,
            interface: self.interface,
            wire_len: self.wire_len,
            data: &self.data,
        }
    }
}

/// Packets in memory, and what their reader knew of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recording {
    pub(crate) packets: Vec<Held>,
    pub(crate) input: Input,
}

impl Recording {
    /// Reads a capture file as the command line does.
    pub(crate) fn read(path: &Path) -> Self {
        let mut packets = Vec::new();
        let summary = for_each_batch(&[path], &Options::default(), |batch, _| {
            packets.extend(batch.iter().map(|packet| Held {
                time: packet.time,
                frame: packet.frame,
                link_type: packet.link_type,
                interface: packet.interface,
                wire_len: packet.wire_len,
                data: packet.data.to_vec(),
            }));
            ControlFlow::Continue(())
        })
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let input = Input {
            files: summary.files.iter().map(|file| file.name.clone()).collect(),
            truncated: summary.truncated(),
            warnings: summary.warnings().map(ToString::to_string).collect(),
            ..Input::default()
        };
        Self { packets, input }
    }

    /// The packets of a capture that a test made.
    pub(crate) fn of(capture: &Capture) -> Self {
        let packet = |(number, record): (u64, &Record)| Held {
            time: Timestamp::from_nanos(record.time_ns),
            frame: Frame::new(0, number),
            link_type: LinkType(capture.link_type),
            interface: 0,
            wire_len: record.wire_len,
            data: record.data.clone(),
        };
        let packets = (1..).zip(&capture.records).map(packet).collect();
        Self { packets, input: Input { files: vec!["story".to_owned()], ..Input::default() } }
    }

    /// As the test kit has it, if all packets are of one interface.
    pub(crate) fn to_capture(&self) -> Option<Capture> {
        let first = self.packets.first()?;
        let is_one = self
            .packets
            .iter()
            .all(|packet| (packet.link_type, packet.interface) == (first.link_type, first.interface));
        let records = self.packets.iter().map(|packet| Record {
            time_ns: packet.time.as_nanos(),
            wire_len: packet.wire_len,
            data: packet.data.clone(),
        });
        is_one.then(|| Capture { link_type: first.link_type.0, records: records.collect() })
    }

    /// The packets as the engine takes them.
    pub(crate) fn packets(&self) -> Vec<Packet<'_>> {
        self.packets.iter().map(Held::packet).collect()
    }

    /// What the engine finds in batches of so many packets.
    pub(crate) fn inspect_in(&self, batch: usize, config: Config) -> Inspection {
        let mut inspector = Inspector::new(config);
        for packets in self.packets().chunks(batch) {
            inspector.observe_batch(packets);
        }
        inspector.finish()
    }

    /// What the engine reports.
    pub(crate) fn report(&self, config: Config) -> Report {
        self.inspect_in(4096, config).report(&self.input)
    }

    /// The report with everything in it.
    pub(crate) fn report_all(&self) -> Report {
        self.report(Config { keep: Keep::All, ..Config::default() })
    }
}

/// A report as `--format json` prints it, over several lines.
pub(crate) fn json(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("a report is JSON");
    text.push('\n');
    text
}

/// All codes in a report, of connections and lookups.
pub(crate) fn codes(report: &Report) -> Vec<&'static str> {
    let connections = report.connections.iter().map(|connection| connection.verdict.code);
    connections.chain(report.lookups.iter().map(|lookup| lookup.verdict.code)).collect()
}

/// The first lines in which two texts differ, with a little of what stands before them.
pub(crate) fn difference(expected: &str, actual: &str) -> String {
    const CONTEXT: usize = 3;
    const SHOWN: usize = 12;
    let (expected, actual): (Vec<_>, Vec<_>) = (expected.lines().collect(), actual.lines().collect());
    let same = expected.iter().zip(&actual).take_while(|(one, other)| one == other).count();
    let tail = |one: &[&str], other: &[&str]| {
        let common = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
        common.min(one.len().min(other.len()) - same)
    };
    let common = tail(&expected, &actual);
    let mut out = format!("at line {}:\n", same + 1);
    let mut show = |mark: char, lines: &[&str]| {
        for line in lines.iter().take(SHOWN) {
            out.push_str(&format!("  {mark} {line}\n"));
        }
        if lines.len() > SHOWN {
            out.push_str(&format!("  {mark} … and {} more lines\n", lines.len() - SHOWN));
        }
    };
    show(' ', &expected[same.saturating_sub(CONTEXT)..same]);
    show('-', &expected[same..expected.len() - common]);
    show('+', &actual[same..actual.len() - common]);
    out
}
