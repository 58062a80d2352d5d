//! The JSON of every report reads back into the types that it was written from, and they write the same again.

mod common;

use std::fs;

use common::{Fixture, difference, json};
use hookscope::report::schema::Report;

fn read(text: &str) -> Report {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_expected_report_comes_back_to_the_byte() {
    for fixture in Fixture::all().into_iter().filter(|fixture| !fixture.is_pending()) {
        let written = fs::read_to_string(fixture.golden()).unwrap();
        let again = json(&read(&written));
        assert!(again == written, "{fixture} {}", difference(&written, &again));
    }
}

#[test]
fn what_is_no_report_is_refused() {
    let fixture = Fixture::all().remove(0);
    let written = fs::read_to_string(fixture.golden()).unwrap();
    let severity = r#""severity": ""#;
    assert!(written.contains(severity));
    for (from, to) in [
        ("\"capture\"", "\"captured\""),
        (severity, r#""severity": "un"#),
        ("\"lookups\": [", "\"lookups\": [{}, "),
    ] {
        let error = serde_json::from_str::<Report>(&written.replacen(from, to, 1));
        assert!(error.is_err(), "{to} was read");
    }
    let word = written.replacen("hookscope/1", &"x".repeat(1_000), 1);
    assert!(serde_json::from_str::<Report>(&word).unwrap_err().to_string().contains("not a word"));
}
