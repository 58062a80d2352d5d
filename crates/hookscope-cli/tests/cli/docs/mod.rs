//! Holds what is written about the program against the program: samples, options, verdicts, links, blocks.
//!
//! `HOOKSCOPE_BLESS=1` writes anew what is generated: samples of output, tables of codes, the pages of verdicts.

mod blocks;
mod links;
mod options;
mod samples;
mod verdicts;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Where the book has its pages.
const BOOK: &str = "docs/src";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// All Markdown files of the repository, by their path from its top.
fn pages() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap().map(Result::unwrap) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = folder.join(&name);
            if name.ends_with(".md") {
                found.push(path.to_str().unwrap().to_owned());
            } else if entry.file_type().unwrap().is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            }
        }
    }
    found.sort();
    assert!(found.iter().any(|page| page == "README.md") && found.len() > 50, "{} pages", found.len());
    found
}

/// A fenced block of a page.
struct Block {
    /// What stands behind the opening fence, such as `sh`.
    language: String,
    /// The line of the opening fence, from 1.
    line: usize,
    /// Why it is not tried, where the line above says so: `<!-- not run: REASON -->`.
    not_run: Option<String>,
    /// What is in it.
    text: String,
}

/// The fenced blocks of a page; one that stands in a list is moved to the left.
fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut above = "";
    let mut lines = (1..).zip(text.lines());
    while let Some((line, opening)) = lines.next() {
        let indent = opening.len() - opening.trim_start().len();
        if let Some(language) = opening.trim_start().strip_prefix("```") {
            let inner = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```");
            let inner = inner.map(|line| format!("{}\n", line.get(indent..).unwrap_or_default())).collect();
            let reason = above.trim().strip_prefix("<!-- not run: ").and_then(|it| it.strip_suffix(" -->"));
            found.push(Block {
                language: language.to_owned(),
                line,
                not_run: reason.map(str::to_owned),
                text: inner,
            });
        }
        above = opening;
    }
    found
}

/// Compares a file with what should become of it, or writes that.
fn hold(name: &str, as_it_should_be: impl FnOnce(&str) -> String) {
    // Several tests may write parts of one file.
    static WRITING: Mutex<()> = Mutex::new(());
    let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let is = fs::read_to_string(root().join(name)).unwrap_or_default();
    let expected = as_it_should_be(&is);
    if std::env::var_os("HOOKSCOPE_BLESS").is_some() {
        fs::write(root().join(name), expected).unwrap();
    } else if let Some((is, should_be)) = is.lines().zip(expected.lines()).find(|(is, be)| is != be) {
        panic!("{name} says\n  {is}\nfor\n  {should_be}\nHOOKSCOPE_BLESS=1 accepts this");
    } else {
        assert_eq!(is.lines().count(), expected.lines().count(), "HOOKSCOPE_BLESS=1 renews {name}");
    }
}
