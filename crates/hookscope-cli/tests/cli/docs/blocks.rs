//! Blocks of code: JSON parses, Rust is compiled elsewhere, and the README's figures are the book's.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{blocks, pages, read, root};

#[test]
fn json_parses() {
    for name in pages() {
        for block in blocks(&read(&name)).iter().filter(|block| block.language == "json") {
            let values = serde_json::Deserializer::from_str(&block.text).into_iter::<Value>();
            let values: Result<Vec<_>, _> = values.collect();
            assert!(
                values.as_ref().is_ok_and(|values| !values.is_empty()),
                "{name}:{}: {values:?}",
                block.line
            );
        }
    }
}

/// All Rust files below a folder, one after the other.
fn rust_below(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let text = |path: std::path::PathBuf| {
        if path.is_dir() {
            rust_below(&path)
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            fs::read_to_string(path).unwrap()
        } else {
            String::new()
        }
    };
    entries.map(text).collect()
}

#[test]
fn rust_is_that_of_examples_and_sources() {
    // What stands there is compiled and run with the tests; a copy on a page has to be the same.
    let sources = rust_below(&root().join("examples")) + &rust_below(&root().join("crates"));
    let mut found = 0;
    for name in pages() {
        for block in blocks(&read(&name)).iter().filter(|block| block.language == "rust") {
            found += 1;
            assert!(
                block.not_run.is_some() || sources.contains(&block.text),
                "{name}:{}: no Rust file has\n{}",
                block.line,
                block.text
            );
        }
    }
    assert!(found > 0, "there is Rust");
}

#[test]
fn the_readmes_figures_are_those_of_the_book() {
    let book = read("docs/src/speed.md");
    let readme = read("README.md");
    let (_, speed) = readme.split_once("\n## Speed\n").expect("the README speaks of speed");
    let (speed, _) = speed.split_once("\n## ").expect("and of more");
    let rows: Vec<_> = speed.lines().filter(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 3, "{rows:?}");
    for row in rows {
        assert!(book.lines().any(|line| line == row), "docs/src/speed.md does not have {row}");
    }
}
