//! Every capture under `fixtures/` gives the report that lies beside it.
//!
//! `HOOKSCOPE_BLESS=1 cargo test -p hookscope --test fixtures` writes the reports anew, and the captures of the
//! scripted stories with them: read the difference before you commit it.

mod common;

use std::fs;
use std::sync::Once;

use common::{Fixture, codes, difference, fixtures_root, json, stories};

fn is_blessing() -> bool {
    std::env::var_os("HOOKSCOPE_BLESS").is_some()
}

#[test]
fn every_fixture_gives_its_expected_report() {
    write_stories_if_blessing();
    let mut failures = Vec::new();
    for fixture in Fixture::all().into_iter().filter(|fixture| !fixture.is_pending()) {
        let report = fixture.read().report(fixture.config());
        if let Some(code) = fixture.code()
            && !codes(&report).contains(&code)
        {
            failures.push(format!("{fixture}: no verdict is {code}, but {:?}", codes(&report)));
        }
        let actual = json(&report);
        if is_blessing() {
            fs::write(fixture.golden(), &actual).unwrap();
        }
        match fs::read_to_string(fixture.golden()) {
            Ok(expected) if expected == actual => {}
            Ok(expected) => failures.push(format!("{fixture} {}", difference(&expected, &actual))),
            Err(error) => failures.push(format!("{}: {error}", fixture.golden().display())),
        }
    }
    assert!(
        failures.is_empty(),
        "{}\n{} fixtures differ. If that is meant: HOOKSCOPE_BLESS=1 cargo test -p hookscope --test fixtures",
        failures.join("\n"),
        failures.len()
    );
}

#[test]
fn every_expected_report_belongs_to_a_fixture() {
    let expected: Vec<_> = Fixture::all().iter().map(Fixture::golden).collect();
    for folder in fs::read_dir(fixtures_root()).unwrap().map(|entry| entry.unwrap().path()) {
        for path in fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            let is_orphan = path.extension().is_some_and(|kind| kind == "json") && !expected.contains(&path);
            assert!(!is_orphan, "{} is the report of no fixture: remove it", path.display());
        }
    }
}

#[test]
fn every_story_of_a_fixture_is_the_one_that_is_told() {
    write_stories_if_blessing();
    for story in stories::all().into_iter().filter(|story| story.is_fixture) {
        let path = fixtures_root().join(story.code).join(story.file_name());
        let written = fs::read(&path).unwrap_or_default();
        assert!(
            written == story.capture().to_pcap(),
            "{} is not what its story tells: HOOKSCOPE_BLESS=1 cargo test -p hookscope --test fixtures",
            path.display()
        );
    }
}

fn write_stories_if_blessing() {
    static WRITTEN: Once = Once::new();
    WRITTEN.call_once(|| {
        let stories = stories::all().into_iter().filter(|story| is_blessing() && story.is_fixture);
        for story in stories {
            let folder = fixtures_root().join(story.code);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(story.file_name()), story.capture().to_pcap()).unwrap();
        }
    });
}

#[test]
fn a_difference_shows_the_lines_that_differ_and_what_stands_before_them() {
    let shown = difference("a\nb\nc\nd\ne\n", "a\nb\nX\nd\ne\n");
    assert_eq!(shown, "at line 3:\n    a\n    b\n  - c\n  + X\n");
    assert_eq!(difference("a\na\n", "a\n"), "at line 2:\n    a\n  - a\n");
}
