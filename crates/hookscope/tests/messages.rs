//! What kube-apiserver said of labelled captures, held against what is predicted from their packets, and against what
//! `explain` makes of it. The table is `data/messages.tsv`; `same` says how the two compare:
//!
//! | sign | means |
//! | --- | --- |
//! | `=` | the same, but for ports and addresses: a capture has the pod's where the message has the Service's |
//! | `…` | the same where the packets tell; the prediction leaves the rest open |
//! | `x` | another message |
//! | `-` | nothing failed as far as the packets show: nothing is predicted |
//!
//! Captures that are no fixtures are looked for in `HOOKSCOPE_CAPTURES`; `HOOKSCOPE_BLESS=1` renews the table.

mod common;

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{Recording, fixtures_root};
use hookscope::diagnosis::message::{Quote, explain};
use hookscope::report::schema::{Report, Verdict};
use hookscope::{Config, Inspector};

const HEAD: &str =
    "# capture\tfixture\tdeadline\tcode\twhat kube-apiserver said\tsame\tpredicted from the packets";

/// A labelled capture.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    capture: String,
    fixture: String,
    deadline: String,
    code: String,
    said: String,
    same: String,
    predicted: String,
}

fn table() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/messages.tsv")
}

fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(table()).unwrap();
    let row = |line: &str| {
        let mut fields = line.split('\t').map(str::to_owned);
        let mut next = || fields.next().unwrap_or_else(|| panic!("{line}: a field is missing"));
        Row {
            capture: next(),
            fixture: next(),
            deadline: next(),
            code: next(),
            said: next(),
            same: next(),
            predicted: next(),
        }
    };
    let rows: Vec<Row> = text.lines().filter(|line| !line.starts_with('#')).map(row).collect();
    assert!(rows.len() > 140, "the table is not whole");
    rows
}

impl Row {
    fn path(&self) -> Option<PathBuf> {
        if self.fixture != "-" {
            return Some(fixtures_root().join(&self.fixture));
        }
        Some(PathBuf::from(std::env::var_os("HOOKSCOPE_CAPTURES")?).join(&self.capture))
    }

    /// What is predicted from the capture alone, with the defaults.
    fn predict(&self, report: &Report) -> Option<String> {
        let connections = report.connections.iter().map(|connection| &connection.verdict);
        let verdicts: Vec<&Verdict> =
            connections.chain(report.lookups.iter().map(|lookup| &lookup.verdict)).collect();
        let failure = verdicts.iter().find(|verdict| verdict.severity == "failure")?;
        failure.apiserver_error.clone()
    }
}

fn report(path: &Path) -> Report {
    let recording = Recording::read(path);
    let mut inspector = Inspector::new(Config { deadline: Duration::from_secs(10), ..Config::default() });
    for packet in &recording.packets {
        inspector.observe(&packet.packet());
    }
    inspector.finish().report(&recording.input)
}

/// How a prediction compares with what was said.
fn compare(predicted: &str, said: &str) -> &'static str {
    let said = without_addresses(&Quote::read(said).error);
    let predicted = without_addresses(predicted);
    if predicted == said {
        return "=";
    }
    let Some((head, tail)) = predicted.split_once('…') else { return "x" };
    if said.starts_with(head) && said.ends_with(tail) { "…" } else { "x" }
}

/// Addresses and ports of a text made alike.
fn without_addresses(text: &str) -> String {
    let is_address = |word: &str| {
        let word = word.trim_end_matches(':');
        word.parse::<std::net::SocketAddr>().is_ok() || word.parse::<std::net::IpAddr>().is_ok()
    };
    let words = text.split(' ').map(|word| {
        let parts = word.split("->").map(|part| if is_address(part) { "ADDRESS" } else { part });
        parts.collect::<Vec<_>>().join("->")
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn predictions_are_what_kube_apiserver_says() {
    let mut rows = rows();
    let mut renewed = String::from(HEAD);
    let before = rows.clone();
    for row in &mut rows {
        if let Some(path) = row.path().filter(|path| path.exists()) {
            let predicted = row.predict(&report(&path));
            row.same = predicted.as_deref().map_or("-", |predicted| compare(predicted, &row.said)).to_owned();
            row.predicted = predicted.unwrap_or_else(|| "-".to_owned());
        }
        let Row { capture, fixture, deadline, code, said, same, predicted } = &*row;
        renewed.push_str(&format!("\n{capture}\t{fixture}\t{deadline}\t{code}\t{said}\t{same}\t{predicted}"));
    }
    if std::env::var_os("HOOKSCOPE_BLESS").is_some() {
        std::fs::write(table(), renewed + "\n").unwrap();
    } else {
        for (row, before) in rows.iter().zip(&before) {
            assert_eq!(row, before, "HOOKSCOPE_BLESS=1 renews the table; read the difference");
        }
    }
    let failing: Vec<_> = rows.iter().filter(|row| row.code != "ok").collect();
    let same = failing.iter().filter(|row| row.same == "=" || row.same == "…").count();
    assert!(same * 100 >= failing.len() * 90, "only {same} of {} are predicted", failing.len());
}

#[test]
fn every_message_is_explained_by_the_labelled_code_among_at_most_three() {
    for Row { capture, code, said, .. } in rows() {
        for text in [said.clone(), format!("err=\"{}\"", said.replace('"', "\\\"")), Quote::read(&said).error]
        {
            let explanation = explain(&text);
            let candidates = &explanation.candidates;
            assert!((1..=3).contains(&candidates.len()), "{capture}: {text}: {candidates:?}");
            let named = candidates
                .iter()
                .any(|candidate| candidate.code == code || candidate.alike.contains(&code.as_str()));
            assert!(named, "{capture}: {text}: {candidates:?}");
            assert!(candidates.len() == 1 || !explanation.apart.is_empty(), "{capture}: {text}");
        }
    }
}
