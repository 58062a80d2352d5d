//! Every code has a page of one form, a fixture, and the name and class that the outside was promised.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use common::{Fixture, fixtures_root};
use hookscope::diagnosis::{Page, pages};

/// Classes and codes as they are promised: other tools read them. Add, never change.
const PROMISED: &[(&str, &[&str])] = &[
    ("ok", &["ok", "idle"]),
    ("syn-drop", &["syn-unanswered", "syn-ack-ignored", "syn-retransmitted"]),
    ("rst", &["connection-refused", "rst-in-tls-handshake", "rst-before-response", "rst-in-response"]),
    (
        "icmp-unreachable",
        &["icmp-port-unreachable", "icmp-host-unreachable", "icmp-net-unreachable", "icmp-admin-prohibited"],
    ),
    (
        "tls-alert",
        &[
            "tls-bad-certificate",
            "tls-unknown-ca",
            "tls-certificate-expired",
            "tls-certificate-unknown",
            "tls-unsupported-certificate",
            "tls-certificate-revoked",
            "tls-certificate-required",
            "tls-handshake-failure",
            "tls-protocol-version",
            "tls-insufficient-security",
            "tls-unrecognized-name",
            "tls-no-application-protocol",
            "tls-internal-error",
            "tls-access-denied",
            "tls-unexpected-message",
            "tls-illegal-parameter",
            "tls-missing-extension",
            "tls-decode-error",
            "tls-decrypt-error",
            "tls-alert",
            "tls-certificate-rejected",
            "tls-client-rejected",
        ],
    ),
    ("tls-stall", &["tls-no-server-hello", "tls-handshake-incomplete"]),
    ("protocol-mismatch", &["plaintext-http", "not-tls"]),
    ("closed-early", &["fin-in-tls-handshake", "fin-before-response", "fin-in-response", "client-aborted"]),
    ("slow-response", &["deadline-exceeded", "response-stalled", "slow", "slow-tls-handshake"]),
    ("path-blackhole", &["stale-connection", "mtu-blackhole", "data-unacknowledged"]),
    ("dns-failure", &["dns-nxdomain", "dns-servfail", "dns-refused", "dns-timeout"]),
    ("http-error", &["http-status", "proxy-refused"]),
    ("not-sent", &["nothing-sent"]),
    ("unknown", &["capture-incomplete"]),
];

const WARNINGS: [&str; 3] = ["syn-retransmitted", "slow", "slow-tls-handshake"];
const HEALTHY: [&str; 3] = ["ok", "idle", "capture-incomplete"];

/// Codes whose rules are still to come: strike off each that came.
const TO_COME: [&str; 0] = [];

/// Codes that no capture alone can show: `nothing-sent` takes the apiserver's log.
const WITHOUT_FIXTURE: [&str; 1] = ["nothing-sent"];

/// Options of other programs that pages name alone.
const OF_OTHERS: [&str; 4] =
    ["--admission-control-config-file", "--enable-aggregator-routing", "--reject-with", "--tls-min-version"];

const HEADINGS: [&str; 5] = [
    "## What the packets show",
    "## What kube-apiserver says",
    "## What causes it",
    "## What to do",
    "## Not to be confused with",
];

fn promised() -> BTreeMap<&'static str, &'static str> {
    PROMISED.iter().flat_map(|(class, codes)| codes.iter().map(|code| (*code, *class))).collect()
}

fn name(page: &Page) -> &'static str {
    page.code.name
}

#[test]
fn codes_are_unique_and_in_kebab_case() {
    let mut seen = BTreeSet::new();
    for page in pages() {
        let code = name(page);
        assert!(seen.insert(code), "{code} is given twice");
        let is_kebab = code.split('-').all(|word| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        assert!(is_kebab, "{code} is not in kebab-case");
    }
}

#[test]
fn codes_classes_and_severities_are_the_promised_ones() {
    let promised = promised();
    for page in pages() {
        let code = name(page);
        assert_eq!(promised.get(code), Some(&page.code.class.name()), "{code}");
        let severity = match code {
            _ if WARNINGS.contains(&code) => "warning",
            _ if HEALTHY.contains(&code) => "ok",
            _ => "failure",
        };
        assert_eq!(page.severity.name(), severity, "{code}");
    }
    let missing = promised.keys().filter(|code| pages().iter().all(|page| name(page) != **code));
    let missing: Vec<_> = missing.filter(|code| !TO_COME.contains(code)).collect();
    assert!(missing.is_empty(), "promised, and given by no rule: {missing:?}");
}

#[test]
fn every_page_has_the_headings_in_order_and_a_summary_of_one_sentence() {
    for page in pages() {
        let code = name(page);
        assert!(page.text.starts_with(&format!("# {code}\n\n")), "{code}.md must begin with its code");
        let headings: Vec<_> = page.text.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, HEADINGS, "{code}.md");
        let summary = page.summary();
        assert!(
            summary.len() <= 100,
            "{code}.md: its summary has {} characters, more than 100",
            summary.len()
        );
        let sentence = summary.strip_suffix('.');
        assert!(
            sentence.is_some_and(|text| !text.contains(". ")),
            "{code}.md: {summary:?} is no one sentence"
        );
        assert!(
            page.text.ends_with('\n') && !page.text.ends_with("\n\n"),
            "{code}.md must end with one newline"
        );
    }
}

#[test]
fn codes_that_pages_mention_exist() {
    for page in pages() {
        let section = page.text.split(HEADINGS[4]).nth(1).unwrap_or_default();
        for line in section.lines().filter_map(|line| line.strip_prefix("- ")) {
            let heads = line.split(": ").next().unwrap_or_default();
            for code in heads.split('`').skip(1).step_by(2) {
                let exists = pages().iter().any(|other| name(other) == code);
                assert!(exists, "{}.md sends its reader to {code}", name(page));
            }
        }
    }
}

#[test]
fn options_and_subcommands_that_pages_mention_exist() {
    // The tables of options are held against the program.
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/command-line.md");
    let page = fs::read_to_string(page).unwrap();
    let rows: String = page.lines().filter(|line| line.starts_with("| `-")).collect();
    let options: BTreeSet<_> = options(&rows).collect();
    assert!(options.contains("--deadline"), "the book has no table of options");
    for page in pages() {
        for code in code_of(page.text) {
            let own = code.strip_prefix("hookscope ");
            if let Some(command) = own.and_then(|rest| rest.split_whitespace().next()) {
                let exists =
                    ["analyze", "explain", "FILE", "FILE..."].contains(&command) || command.starts_with('-');
                assert!(exists, "{}.md names `hookscope {command}`", name(page));
            }
            // An option that stands alone is hookscope's, unless it is known to be another program's.
            let own = own.or_else(|| code.starts_with("--").then_some(code));
            for option in own.into_iter().flat_map(self::options) {
                let exists = options.contains(option) || OF_OTHERS.contains(&option);
                assert!(exists, "{}.md names {option}", name(page));
            }
        }
    }
}

/// What stands in code: spans, and lines of blocks.
fn code_of(page: &str) -> impl Iterator<Item = &str> {
    page.split("```").enumerate().flat_map(|(index, part)| {
        let is_block = index % 2 == 1;
        let spans = part.split('`').skip(1).step_by(2).filter(move |_| !is_block);
        spans.chain(part.lines().skip(1).filter(move |_| is_block).map(str::trim))
    })
}

/// The long options in a text.
fn options(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|char: char| !char.is_ascii_alphanumeric() && char != '-');
    words.filter(|word| word.starts_with("--") && word.len() > 2)
}

#[test]
fn every_page_belongs_to_a_promised_code() {
    let promised = promised();
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diagnosis/rules");
    for path in fs::read_dir(rules).unwrap().map(|entry| entry.unwrap().path()) {
        let code = path.file_stem().unwrap().to_string_lossy().into_owned();
        let is_page = path.extension().is_some_and(|extension| extension == "md");
        assert!(!is_page || promised.contains_key(code.as_str()), "{} explains no code", path.display());
    }
}

#[test]
fn every_code_has_a_fixture() {
    let fixtures = Fixture::all();
    let without = |page: &&&Page| !fixtures.iter().any(|fixture| fixture.code() == Some(name(page)));
    for page in pages().iter().filter(without) {
        let code = name(page);
        assert!(
            WITHOUT_FIXTURE.contains(&code),
            "{code} has no fixture: record one into fixtures/{code}/, or tell a story in tests/common/stories.rs"
        );
    }
}

#[test]
fn every_folder_of_fixtures_is_named_after_a_code_or_says_what_it_gathers() {
    let promised = promised();
    for fixture in Fixture::all() {
        let is_known = fixture.code().is_none_or(|code| promised.contains_key(code));
        assert!(is_known, "{}: no such code", fixtures_root().join(&fixture.folder).display());
    }
}
