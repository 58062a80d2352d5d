//! Links lead somewhere: to files that exist, to headings that exist, to every page of the book.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::{BOOK, pages, read, root};

/// A page without what stands in code, where brackets are no links.
fn prose(text: &str) -> String {
    let mut out = String::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            let outside = line.split('`').enumerate().filter(|(index, _)| index % 2 == 0);
            out.extend(outside.map(|(_, part)| part));
        }
        out.push('\n');
    }
    out
}

/// What links and images lead to, with the line.
fn targets(text: &str) -> Vec<(usize, String)> {
    let in_line = |(number, line): (usize, &str)| {
        let ends = line.match_indices("](").map(|(at, _)| at + 2);
        let target = |start: usize| Some(line.get(start..)?.split([')', ' ']).next()?.to_owned());
        ends.filter_map(target).map(|target| (number, target)).collect::<Vec<_>>()
    };
    (1..).zip(prose(text).lines()).flat_map(in_line).collect()
}

/// The anchor that code hosts and mdBook give a heading.
fn anchor(heading: &str) -> String {
    let letter = |c: char| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        _ => c.is_alphanumeric().then(|| c.to_lowercase().next().unwrap_or(c)),
    };
    heading.trim_start_matches('#').trim().chars().filter_map(letter).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    let mut is_code = false;
    let headings = text.lines().filter(|line| {
        is_code ^= line.trim_start().starts_with("```");
        !is_code && line.starts_with('#')
    });
    headings.map(anchor).collect()
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut path, part| {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            part => path.push(part),
        }
        path
    })
}

#[test]
fn every_link_leads_somewhere() {
    let mut links = 0;
    for name in pages() {
        let text = read(&name);
        for (line, target) in targets(&text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            links += 1;
            let (file, heading) =
                target.split_once('#').map_or((&*target, None), |(file, to)| (file, Some(to)));
            let path = if file.is_empty() {
                PathBuf::from(&name)
            } else {
                plain(&Path::new(&name).parent().unwrap().join(file))
            };
            assert!(root().join(&path).exists(), "{name}:{line} leads to {target}: no {}", path.display());
            if let Some(heading) = heading {
                let there = anchors(&read(path.to_str().unwrap()));
                assert!(there.contains(heading), "{name}:{line} leads to #{heading}: it has {there:?}");
            }
        }
    }
    assert!(links > 100, "{links} links");
}

#[test]
fn links_are_found_and_anchors_formed() {
    let found = targets("a [b](c.md#d) ![e](f.png)\n```\n[g](h)\n```\n`[i](j)`");
    assert_eq!(found, [(1, "c.md#d".to_owned()), (1, "f.png".to_owned())]);
    assert_eq!(anchor("## Give it the cluster's `--objects`, now"), "give-it-the-clusters---objects-now");
    assert_eq!(plain(Path::new("docs/src/../../README.md")), Path::new("README.md"));
}

#[test]
fn the_summary_names_every_page_of_the_book_once() {
    let summary = format!("{BOOK}/SUMMARY.md");
    let listed: Vec<_> =
        targets(&read(&summary)).into_iter().map(|(_, page)| format!("{BOOK}/{page}")).collect();
    let once: BTreeSet<_> = listed.iter().cloned().collect();
    assert_eq!(once.len(), listed.len(), "{summary} names a page twice");
    let there: BTreeSet<_> =
        pages().into_iter().filter(|page| page.starts_with(BOOK) && *page != summary).collect();
    assert_eq!(once, there);
}
