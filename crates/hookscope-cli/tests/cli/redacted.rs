//! `--redact`: no name and no address of a capture, of a cluster's objects or of a log is in what is written.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{DEADLINE, fixture, hookscope, run, said};

/// Files beside the captures that reports may speak of.
fn beside(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).to_str().unwrap().to_owned()
}

fn fixtures() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(fixture(""))];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let is_small = path.metadata().unwrap().len() < 300_000;
            match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("pcap" | "pcapng" | "gz" | "zst" | "lz4") if is_small => found.push(path),
                _ => {}
            }
        }
    }
    assert!(found.len() > 100);
    found
}

/// Every text in a JSON value under one of these names.
fn texts<'v>(value: &'v Value, names: &[&str], found: &mut Vec<&'v str>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if names.contains(&name.as_str()) {
                    found.extend(value.as_str());
                    found.extend(value.as_array().into_iter().flatten().filter_map(Value::as_str));
                }
                texts(value, names, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| texts(value, names, found)),
        _ => {}
    }
}

const NAMES: [&str; 16] = [
    "server_name",
    "sni",
    "name",
    "san",
    "subject",
    "issuer",
    "client",
    "server",
    "servers",
    "webhook",
    "webhooks",
    "configuration",
    "service",
    "pod",
    "node",
    "url",
];

/// What must not be in a redacted report: whole names and addresses, and the parts of names that nobody else has.
fn secrets(report: &str) -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    let mut found = Vec::new();
    let report: Value = serde_json::from_str(report).unwrap();
    texts(&report, &NAMES, &mut found);
    for text in found {
        for word in text.split(|character: char| !character.is_alphanumeric() && !"._-:".contains(character))
        {
            let host = word.rsplit_once(':').map_or(word, |(host, _)| host);
            secrets.insert(host.to_owned());
            secrets.extend(host.split('.').filter(|label| label.contains('-')).map(str::to_owned));
        }
    }
    // Words of one letter or label may be ours, too; those are looked at elsewhere. Addresses of the host itself stay.
    secrets.retain(|secret| {
        let is_plain = secret.chars().all(|character| character.is_ascii_alphabetic());
        let has_letters_or_dots =
            secret.contains(|character: char| character.is_alphabetic() || character == '.');
        secret.len() > 4
            && !is_plain
            && has_letters_or_dots
            && !secret.starts_with("127.")
            && secret != "0.0.0.0"
    });
    without_ours(secrets)
}

/// Codes are nobody's secret, and fixtures are named after them.
fn without_ours(mut secrets: BTreeSet<String>) -> BTreeSet<String> {
    // Advice speaks of these by name.
    ["kube-apiserver", "cert-manager"].iter().for_each(|ours| drop(secrets.take(*ours)));
    let pages = hookscope::diagnosis::pages();
    secrets.retain(|it| !pages.iter().any(|page| page.code.name == it || page.code.class.name() == it));
    secrets
}

#[track_caller]
fn has_none(secrets: &BTreeSet<String>, text: &str, what: &str) {
    let lower = text.to_lowercase();
    for secret in secrets {
        let secret = secret.to_lowercase();
        let is_whole = |(at, _): (usize, &str)| {
            let is_edge =
                |character: Option<char>| !character.is_some_and(|it| it.is_alphanumeric() || it == '.');
            let behind = lower[at + secret.len()..].chars().next().filter(|it| *it != '.');
            is_edge(lower[..at].chars().next_back()) && is_edge(behind)
        };
        if let Some((at, _)) = lower.match_indices(&secret).find(|found| is_whole(*found)) {
            let around: String = lower[..].chars().skip(at.saturating_sub(60)).take(160).collect();
            panic!("{what}: {secret} in …{around}…");
        }
    }
}

const SHAPES: [&[&str]; 4] =
    [&["--format", "json", "--all"], &["--format", "ndjson", "--all"], &["--all", "-v"], &["-q"]];

fn is_redacted_in_all_shapes(args: &[&str]) {
    let plain = run(&[&["--format", "json", "--all"], args].concat());
    let mut secrets = secrets(&plain.out);
    let files = args.iter().filter_map(|arg| Path::new(arg).file_stem()?.to_str()).map(str::to_owned);
    secrets
        .extend(without_ours(files.filter(|name| name.contains('-') && !name.starts_with("--")).collect()));
    for shape in SHAPES {
        let said = run(&[&["--redact"], shape, args].concat());
        assert_eq!(said.status, plain.status, "{args:?}: {}", said.err);
        has_none(&secrets, &said.out, &format!("{args:?} {shape:?}"));
        has_none(&secrets, &said.err, &format!("{args:?} {shape:?}, standard error"));
    }
}

#[test]
fn no_fixture_gives_a_name_or_an_address_away() {
    for path in fixtures() {
        is_redacted_in_all_shapes(&[path.to_str().unwrap()]);
    }
}

#[test]
fn nor_do_the_clusters_objects_and_the_log() {
    let (objects, log) = (
        beside("hookscope-cluster/tests/objects/recordings.json"),
        beside("hookscope/tests/data/apiserver.log"),
    );
    for name in [DEADLINE, "tls-bad-certificate", "connection-refused", "syn-unanswered"] {
        let path = PathBuf::from(fixture(name));
        let first = || {
            std::fs::read_dir(&path)
                .unwrap()
                .map(|it| it.unwrap().path())
                .find(|it| it.extension().is_some_and(|it| it == "pcap"))
        };
        let path = if path.is_file() { path.clone() } else { first().unwrap() };
        is_redacted_in_all_shapes(&[path.to_str().unwrap(), "--cluster", &objects, "--log", &log]);
    }
}

#[test]
fn a_name_that_is_one_of_our_words_goes_where_it_is_a_name() {
    let is_one = |path: &PathBuf| {
        run(&["--format", "json", path.to_str().unwrap()]).out.contains("kubectl -n default")
    };
    let paths = std::fs::read_dir(fixture("tls-certificate-expired")).unwrap().map(|it| it.unwrap().path());
    let path = paths.into_iter().find(is_one).expect("an example in the namespace 'default'");
    let redacted = run(&["--redact", "--format", "json", path.to_str().unwrap()]);
    assert!(
        !redacted.out.contains("-n default") && redacted.out.contains("kubectl -n name-"),
        "{}",
        redacted.out
    );
}

#[test]
fn all_else_stays() {
    let report = |args: &[&str]| -> Value {
        let said = run(&[&["--format", "json", "--all", &fixture(DEADLINE)], args].concat());
        serde_json::from_str(&said.out).unwrap()
    };
    let (plain, redacted) = (report(&[]), report(&["--redact"]));
    assert_eq!(plain["summary"], redacted["summary"]);
    let (one, other) = (&plain["connections"][0], &redacted["connections"][0]);
    for field in ["id", "start", "end", "packets", "bytes", "connect_s", "server_name_source"] {
        assert_eq!(one[field], other[field], "{field}");
    }
    for field in ["class", "code", "severity", "certainty", "by", "phase", "deadline_s"] {
        assert_eq!(one["verdict"][field], other["verdict"][field], "{field}");
    }
    // Sentences are the same but for names: what was redacted has the same words around it.
    let words = |value: &Value| value["verdict"]["summary"].as_str().unwrap().split(' ').count();
    assert_eq!(words(one), words(other));
    let port = |value: &Value| value["server"].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
    assert_eq!(port(one), port(other));
    assert_ne!(one["community_id"], other["community_id"]);
}

#[test]
fn equal_names_are_equal_under_one_key_in_several_reports() {
    let server = |args: &[&str], key: Option<&str>| -> Value {
        let mut command = hookscope(&[&["--format", "json", "--all", &fixture(DEADLINE)], args].concat());
        if let Some(key) = key {
            command.env("HOOKSCOPE_REDACT_KEY", key);
        }
        let report: Value = serde_json::from_str(&said(&mut command).out).unwrap();
        let one = &report["connections"][0];
        serde_json::json!([one["server"], one["server_name"], one["client"], one["tls"]["sni"]])
    };
    let keyed = server(&["--redact-key", "a"], None);
    assert_eq!(keyed, server(&["--redact"], Some("a")));
    assert_eq!(keyed[1], keyed[3], "the same name in two fields");
    assert_ne!(keyed, server(&["--redact-key", "b"], None));
    assert_ne!(server(&["--redact"], None), server(&["--redact"], None));
}
