//! What is concluded from captures, held against what is concluded from the same captures bent.
//!
//! `HOOKSCOPE_CAPTURES=DIR` adds every `*.pcap` in and below `DIR` whose link type the test kit can change, so that the
//! same tests run over captures that are no fixtures:
//!
//! ```text
//! HOOKSCOPE_CAPTURES=/captures cargo test --release -p hookscope --test metamorphic --test encapsulation
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::stories::{self, Story};
use super::{Fixture, Recording, is_pending};
use hookscope::report::schema::{Connection, Lookup, Report};
use hookscope_testkit::{Capture, link};

/// Endpoints, code, number of calls.
type Conclusion = (String, String, &'static str, usize);

/// A capture, and what is said of it as it is.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) capture: Capture,
    pub(crate) report: Report,
}

impl Sample {
    /// Whether an exception is about it: the end of its path, as the same capture may lie in several folders.
    fn is(&self, exception: &str) -> bool {
        self.name.strip_suffix(exception).is_some_and(|folder| folder.is_empty() || folder.ends_with('/'))
    }

    /// Octets of its packets.
    pub(crate) fn size(&self) -> usize {
        self.capture.records.iter().map(|record| record.data.len()).sum()
    }
}

/// Every fixture that is one capture of moderate size, every story, and what `HOOKSCOPE_CAPTURES` adds.
pub(crate) fn samples() -> &'static [Sample] {
    static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(|| {
        let sample = |(name, capture): (String, Capture)| {
            let report = Recording::of(&capture).report_all();
            Sample { name, capture, report }
        };
        captures().into_iter().chain(added()).map(sample).collect()
    });
    &SAMPLES
}

fn captures() -> Vec<(String, Capture)> {
    let recorded = Fixture::small().into_iter().filter(|fixture| !fixture.is_pending());
    let recorded = recorded.filter(|fixture| !fixture.file.starts_with("story-"));
    let recorded = recorded.filter_map(|fixture| Some((fixture.to_string(), fixture.read().to_capture()?)));
    let told = stories::all().into_iter().filter(|story| !is_pending(story.code));
    let told = told.map(|story: Story| (format!("{}/{}", story.code, story.file_name()), story.capture()));
    recorded.chain(told).collect()
}

/// The captures in and below the folder that the environment names.
fn added() -> Vec<(String, Capture)> {
    let Some(root) = std::env::var_os("HOOKSCOPE_CAPTURES") else { return Vec::new() };
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(root)];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "pcap") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "HOOKSCOPE_CAPTURES holds no *.pcap");
    let capture = |path: &Path| Recording::read(path).to_capture();
    let is_known = |capture: &Capture| {
        [link::ETHERNET, link::LINUX_SLL, link::LINUX_SLL2, link::RAW].contains(&capture.link_type)
    };
    let read = |path: PathBuf| Some((path.display().to_string(), capture(&path).filter(is_known)?));
    files.into_iter().filter_map(read).collect()
}

/// What a report concludes of each connection and lookup, known by its endpoints.
pub(crate) fn conclusions(report: &Report) -> Vec<Conclusion> {
    let connection =
        |one: &Connection| (one.client.clone(), one.server.clone(), one.verdict.code, one.calls.len());
    let lookup = |one: &Lookup| (one.client.clone(), one.name.clone(), one.verdict.code, 0);
    let connections = report.connections.iter().map(connection);
    let mut all: Vec<_> = connections.chain(report.lookups.iter().map(lookup)).collect();
    all.sort();
    all
}

/// Holds the conclusions of every sample, but for those in `exceptions`, against those of the transformed one.
#[track_caller]
pub(crate) fn assert_invariant(exceptions: &[&str], transform: impl Fn(&Capture) -> Capture) {
    hold(samples().iter(), exceptions, |sample| {
        let after = Recording::of(&transform(&sample.capture)).report_all();
        let (before, after) = (conclusions(&sample.report), conclusions(&after));
        (before != after).then(|| format!("\n  - {before:?}\n  + {after:?}"))
    });
}

/// Asks of every sample how it differs. Of those that are in `exceptions`, by the ends of their paths, one has to.
#[track_caller]
pub(crate) fn hold<'a>(
    samples: impl Iterator<Item = &'a Sample>,
    exceptions: &[&str],
    differs: impl Fn(&Sample) -> Option<String>,
) {
    let mut failures = Vec::new();
    let mut unneeded = exceptions.to_vec();
    unneeded.retain(|exception| self::samples().iter().any(|sample| sample.is(exception)));
    for sample in samples {
        let Some(difference) = differs(sample) else { continue };
        unneeded.retain(|exception| !sample.is(exception));
        if !exceptions.iter().any(|exception| sample.is(exception)) {
            failures.push(format!("{}: {difference}", sample.name));
        }
    }
    assert!(failures.is_empty(), "{} samples:\n{}", failures.len(), failures.join("\n"));
    assert!(unneeded.is_empty(), "these need no exception any more: {unneeded:?}");
}
