//! How files of this workspace look: what a reader may count on in each of them.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file without its tests.
const BUDGET: usize = 500;
/// Files that are longer, each with the reason.
const LONGER: [&str; 0] = [];
/// What stops the program instead of saying what is wrong: not for the library.
const STOPS: [&str; 6] = [".unwrap()", ".expect(", "panic!(", "todo!(", "dbg!(", "unimplemented!("];
/// Lines of the library that stop the program all the same, each with its reason beside it.
const MAY_STOP: [&str; 1] = ["inspect/tally.rs"];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// All Rust files, by their path in the workspace.
fn files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders: Vec<_> = ["crates", "examples", "benches"].map(|name| workspace().join(name)).into();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            let name = path.strip_prefix(workspace()).unwrap().display().to_string();
            if path.is_dir() && !name.ends_with("/target") {
                folders.push(path);
            } else if name.ends_with(".rs") {
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(files.len() > 100, "the workspace is not where it should be");
    files
}

fn is_test_file(name: &str) -> bool {
    name.ends_with("/tests.rs") || name.contains("/tests/")
}

/// A file without its unit tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    for (name, text) in files() {
        let has_header = text.starts_with("//! ") || text.starts_with("#![doc");
        assert!(has_header || name.ends_with("tests.rs"), "{name} does not open with //!");
    }
}

#[test]
fn no_file_is_longer_than_one_can_read() {
    for (name, text) in files() {
        let lines =
            if is_test_file(&name) { text.lines().count() } else { without_tests(&text).lines().count() };
        let budget = if name.ends_with("/tests.rs") { BUDGET + BUDGET / 4 } else { BUDGET };
        assert!(
            lines <= budget || LONGER.contains(&name.as_str()),
            "{name} has {lines} lines, more than {budget}: split it by what its parts are for"
        );
    }
}

#[test]
fn lines_have_no_tabs_and_no_trailing_spaces() {
    for (name, text) in files() {
        for (number, line) in (1..).zip(text.lines()) {
            assert!(!line.contains('\t'), "{name}:{number} has a tab");
            assert!(!line.ends_with(' '), "{name}:{number} ends with a space");
        }
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{name} must end with one newline");
    }
}

#[test]
fn the_library_does_not_stop_the_program() {
    for (name, text) in files() {
        let Some(place) = name.strip_prefix("crates/hookscope/src/") else { continue };
        if is_test_file(&name) || MAY_STOP.contains(&place) {
            continue;
        }
        for (number, line) in (1..).zip(without_tests(&text).lines()) {
            let is_comment = line.trim_start().starts_with("//");
            let stop = STOPS.iter().find(|stop| !is_comment && line.contains(**stop));
            assert!(stop.is_none(), "{name}:{number} may stop the program: {}", line.trim());
        }
    }
}

#[test]
fn file_lists_have_no_entry_without_a_file() {
    let names: Vec<_> = files().into_iter().map(|(name, _)| name).collect();
    for name in LONGER
        .into_iter()
        .map(str::to_owned)
        .chain(MAY_STOP.map(|place| format!("crates/hookscope/src/{place}")))
    {
        assert!(names.contains(&name), "{name} is listed here and does not exist");
    }
}
