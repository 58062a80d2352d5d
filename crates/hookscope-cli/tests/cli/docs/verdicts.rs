//! A page of the book for each verdict: what `explain` says of it, and a capture that shows it.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use hookscope::diagnosis::{Page, page_of, pages};

use super::samples::sample;
use super::{BOOK, hold, root};

/// Codes whose example is not the fixture with the shortest name, or takes an option to be seen.
const EXAMPLES: [(&str, &str); 7] = [
    ("capture-incomplete", "--all fixtures/capture-incomplete/story-capture-incomplete.pcap"),
    ("deadline-exceeded", "fixtures/deadline-exceeded/deadline-10s.pcap"),
    ("idle", "--all fixtures/idle/story-idle.pcap"),
    ("nothing-sent", "--log docs/samples/service-not-found.log fixtures/ok/ok-tls13.pcap"),
    ("ok", "--all fixtures/ok/ok-tls13.pcap"),
    ("slow-tls-handshake", "--slow 3s fixtures/slow-tls-handshake/tls-slow-handshake-ok.pcap"),
    ("tls-certificate-rejected", "fixtures/tls-certificate-rejected/tls13-unknown-ca.pcap"),
];

/// The heading before which the example stands.
const AFTER_EXAMPLE: &str = "## What kube-apiserver says\n";
const WRITTEN: &str = "<!-- Written by HOOKSCOPE_BLESS=1 cargo test -p hookscope-cli --test cli docs: change the rule's page \
                       instead, crates/hookscope/src/diagnosis/rules/ -->\n";

/// What to give hookscope to see a code.
fn arguments(code: &str) -> String {
    if let Some((_, arguments)) = EXAMPLES.iter().find(|(of, _)| *of == code) {
        return (*arguments).to_owned();
    }
    let folder = root().join("fixtures").join(code);
    let files = fs::read_dir(folder).unwrap_or_else(|error| panic!("fixtures/{code}: {error}"));
    let names = files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned());
    let captures = names.filter(|name| !name.ends_with(".json"));
    let first = captures.min_by_key(|name| (name.starts_with("story-"), name.len(), name.clone()));
    format!("fixtures/{code}/{}", first.unwrap_or_else(|| panic!("fixtures/{code} has no capture")))
}

/// Where the capture of an example comes from.
fn origin(code: &str, arguments: &str) -> &'static str {
    if code == "nothing-sent" {
        "Four answered calls of a real kube-apiserver, and beside them a line of a log, written for this example:"
    } else if arguments.contains("/story-") {
        "A conversation told with the test kit:"
    } else if ["ok", "idle"].contains(&code) {
        "Calls of a real kube-apiserver:"
    } else {
        "A real kube-apiserver, with the fault injected:"
    }
}

/// The codes after "Not to be confused with", as links.
fn linked(section: &str) -> String {
    section.split('`').enumerate().fold(String::new(), |mut out, (index, part)| {
        let is_code = index % 2 == 1;
        let page = if is_code { page_of(part).filter(|page| page.code.name == part) } else { None };
        match page {
            Some(_) => write!(out, "[`{part}`]({part}.md)").unwrap(),
            None if is_code => write!(out, "`{part}`").unwrap(),
            None => out.push_str(part),
        }
        out
    })
}

/// The page of the book.
fn page_of_book(page: &Page) -> String {
    let code = page.code.name;
    let (before, after) =
        page.text.split_once(AFTER_EXAMPLE).unwrap_or_else(|| panic!("{code}.md has no such heading"));
    let (title, before) = before.split_once("\n\n").unwrap();
    let (after, confused) = after.split_once("## Not to be confused with\n").unwrap();
    let (class, severity, arguments) = (page.code.class.name(), page.severity.name(), arguments(code));
    let (origin, sample) = (origin(code, &arguments), sample(&format!("hookscope {arguments}")));
    assert!(sample.contains(code), "{sample} does not show {code}");
    format!(
        "{WRITTEN}{title}\n\nclass `{class}` · severity {severity} · [all verdicts](../verdicts.md)\n\n{before}## An example\n{origin}\n\n\
         ```console\n{sample}```\n\n{AFTER_EXAMPLE}{after}## Not to be confused with\n{}",
        linked(confused)
    )
}

/// The table of all codes, with links that begin with `to`.
fn table(to: &str) -> String {
    let mut table = "| class | code | severity | what happened |\n| --- | --- | --- | --- |\n".to_owned();
    let mut above = "";
    for page in pages() {
        let class = page.code.class.name();
        let shown = if class == above { String::new() } else { format!("`{class}`") };
        let (code, severity) = (page.code.name, page.severity.name());
        let summary = page.summary().replace('|', "\\|");
        writeln!(table, "| {shown} | [`{code}`]({to}{code}.md) | {severity} | {summary} |").unwrap();
        above = class;
    }
    table
}

/// The same for the README: a line for each class.
fn classes(to: &str) -> String {
    let mut table = "| class | codes |\n| --- | --- |".to_owned();
    let mut above = "";
    for page in pages() {
        let (class, code) = (page.code.class.name(), page.code.name);
        if class == above {
            table.push(' ');
        } else {
            write!(table, "\n| `{class}` | ").unwrap();
        }
        write!(table, "[{code}]({to}{code}.md)").unwrap();
        above = class;
    }
    table
        .lines()
        .map(|line| if line.ends_with('|') { format!("{line}\n") } else { format!("{line} |\n") })
        .collect()
}

/// A text with what stands between two lines replaced.
fn with_between(text: &str, first: &str, last: &str, inner: &str) -> String {
    let (before, rest) = text.split_once(&format!("{first}\n")).unwrap_or_else(|| panic!("no {first}"));
    let (_, after) = rest.split_once(last).unwrap_or_else(|| panic!("no {last}"));
    format!("{before}{first}\n{inner}{last}{after}")
}

#[test]
fn each_verdict_has_its_page_with_a_capture_that_shows_it() {
    for page in pages() {
        hold(&format!("{BOOK}/verdicts/{}.md", page.code.name), |_| page_of_book(page));
    }
}

#[test]
fn tables_name_all_codes() {
    for (name, inner) in
        [("README.md", classes("docs/src/verdicts/")), ("docs/src/verdicts.md", table("verdicts/"))]
    {
        hold(name, |text| with_between(text, "<!-- codes -->", "<!-- end of codes -->", &inner));
    }
}

#[test]
fn the_books_summary_lists_the_verdicts_in_the_order_of_the_catalogue() {
    let name = format!("{BOOK}/SUMMARY.md");
    let item = |page: &&Page| format!("  - [{0}](verdicts/{0}.md)\n", page.code.name);
    let items: String = pages().iter().map(item).collect();
    hold(&name, |text| with_between(text, "- [Every verdict](verdicts.md)", "\n# ", &items));
}

#[test]
fn no_page_is_left_of_a_code_that_is_gone() {
    let codes: BTreeSet<_> = pages().iter().map(|page| format!("{}.md", page.code.name)).collect();
    for entry in fs::read_dir(root().join(BOOK).join("verdicts")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(codes.contains(&name), "{name} explains no code");
    }
}
