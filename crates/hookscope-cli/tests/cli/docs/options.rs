//! The tables of options in the book are the options of the program.

use std::collections::BTreeSet;

use super::read;
use crate::support::{Said, run};

/// The long options in a text.
pub(super) fn options_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
}

/// The options that the program's help names.
pub(super) fn known_options() -> BTreeSet<String> {
    let helps = [&["--help"][..], &["live", "--help"], &["extract", "--help"], &["explain", "--help"]];
    let help = |args: &[&str]| {
        let Said { status, out, err } = run(args);
        assert_eq!(status, Some(0), "{args:?}: {err}");
        options_in(&out)
    };
    helps.into_iter().flat_map(help).collect()
}

#[test]
fn the_objects_to_ask_for_are_those_of_the_book_and_the_command_can_be_copied() {
    let page = read("docs/src/cluster.md");
    let kinds = page.lines().find_map(|line| line.strip_prefix("kubectl get -A -o json ")).unwrap();
    let kinds = kinds.strip_suffix(" > cluster.json").unwrap();
    for args in [&["--help"][..], &["live", "--help"], &["extract", "--help"]] {
        let help = run(args).out;
        let mut lines = help.lines().map(str::trim);
        assert!(lines.any(|line| line == r"kubectl get -A -o json > cluster.json \"), "{args:?}: {help}");
        assert_eq!(lines.next(), Some(kinds), "{args:?}: {help}");
    }
}

#[test]
fn every_option_is_in_the_book_and_no_other() {
    let page = read("docs/src/command-line.md");
    let rows: String = page.lines().filter(|line| line.starts_with("| `-")).collect();
    assert_eq!(options_in(&rows), known_options());
}
