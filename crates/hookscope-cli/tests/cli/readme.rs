//! Holds the README against the program: the table of codes, the samples of output, the options, the library snippet.
//!
//! `HOOKSCOPE_BLESS=1` writes table and samples anew.

use std::fs;
use std::path::{Path, PathBuf};

use hookscope::diagnosis::pages;

use crate::support::{Said, hookscope, said};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// What the program prints, run from the top of the repository.
fn run(args: &[&str]) -> String {
    let Said { status, out, err } = said(hookscope(args).current_dir(root()));
    assert!(matches!(status, Some(0 | 1)), "{args:?}: {err}");
    out
}

/// The README as it should be: table and samples as the program gives them.
fn as_it_should_be(readme: &str) -> String {
    let mut out = String::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        if line == "<!-- codes -->" {
            out.push_str(&table());
            lines.find(|line| *line == "<!-- end of codes -->").expect("the table of codes ends");
            out.push_str("<!-- end of codes -->\n");
        } else if let Some(args) = line.strip_prefix("$ hookscope ") {
            out.push_str(&run(&args.split(' ').collect::<Vec<_>>()));
            lines.find(|line| *line == "```").expect("the sample ends");
            out.push_str("```\n");
        }
    }
    out
}

fn table() -> String {
    let mut table = "| class | code | severity | what happened |\n| --- | --- | --- | --- |\n".to_owned();
    let mut above = "";
    for page in pages() {
        let class = page.code.class.name();
        let shown = if class == above { String::new() } else { format!("`{class}`") };
        let summary = page.summary().replace('|', "\\|");
        let (code, severity) = (page.code.name, page.severity.name());
        table.push_str(&format!("| {shown} | `{code}` | {severity} | {summary} |\n"));
        above = class;
    }
    table
}

#[test]
fn codes_and_samples_are_those_of_the_program() {
    let readme = readme();
    let expected = as_it_should_be(&readme);
    assert!(expected.contains("$ hookscope "), "there is a sample");
    if std::env::var_os("HOOKSCOPE_BLESS").is_some() {
        fs::write(root().join("README.md"), expected).unwrap();
    } else if let Some((is, should_be)) = readme.lines().zip(expected.lines()).find(|(is, be)| is != be) {
        panic!("README.md says\n  {is}\nfor\n  {should_be}\nHOOKSCOPE_BLESS=1 accepts this");
    } else {
        assert_eq!(readme.lines().count(), expected.lines().count(), "HOOKSCOPE_BLESS=1 renews README.md");
    }
}

#[test]
fn every_option_is_in_the_readme_and_no_other() {
    let options = |text: &str| {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let long = words.filter(|word| word.starts_with("--") && word.len() > 2);
        long.map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    let readme = readme();
    let rows: String = readme.lines().filter(|line| line.starts_with("| `-")).collect();
    let helps = [&["--help"][..], &["live", "--help"], &["extract", "--help"]];
    let expected = helps.into_iter().flat_map(|args| options(&run(args))).collect();
    assert_eq!(options(&rows), expected);
}

#[test]
fn the_library_snippet_is_an_example() {
    let readme = readme();
    let (_, after) = readme.split_once("```rust\n").expect("there is a snippet");
    let (snippet, _) = after.split_once("```").expect("the snippet ends");
    let example = fs::read_to_string(root().join("examples/file.rs")).unwrap();
    assert!(example.contains(snippet), "examples/file.rs has no\n{snippet}");
}
