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
fn every_option_is_in_the_book_and_no_other() {
    let page = read("docs/src/command-line.md");
    let rows: String = page.lines().filter(|line| line.starts_with("| `-")).collect();
    assert_eq!(options_in(&rows), known_options());
}
