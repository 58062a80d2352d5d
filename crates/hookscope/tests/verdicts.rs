//! One short story for each verdict, told packet by packet: its code, who caused it, how it is known, and when.

mod common;

use common::{Recording, is_pending, stories};
use hookscope::verdict::By;

#[test]
fn every_story_gets_its_verdict() {
    let mut failures = Vec::new();
    for story in stories::all().iter().filter(|story| !is_pending(story.code)) {
        let report = Recording::of(&story.capture()).report_all();
        let verdicts = || report.connections.iter().map(|connection| &connection.verdict);
        let verdict = match (&report.lookups[..], verdicts().count()) {
            ([lookup], _) => &lookup.verdict,
            ([], 1) => verdicts().next().unwrap(),
            (lookups, connections) => {
                failures.push(format!(
                    "{}: {connections} connections, {} lookups",
                    story.name,
                    lookups.len()
                ));
                continue;
            }
        };
        let by = verdict.by.map(By::name);
        let actual = (verdict.code, by, verdict.certainty.name(), verdict.phase.name());
        let expected = (story.code, story.by, story.certainty, story.phase);
        if actual != expected {
            failures.push(format!("{}: {actual:?}, not {expected:?}", story.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_failure_and_warning_has_evidence_within_the_capture_and_every_failure_a_hint() {
    for story in stories::all().iter().filter(|story| !is_pending(story.code)) {
        let report = Recording::of(&story.capture()).report_all();
        let calls = report.connections.iter().flat_map(|connection| &connection.calls);
        let verdicts = report.connections.iter().map(|connection| &connection.verdict);
        let lookups = report.lookups.iter().map(|lookup| &lookup.verdict);
        for verdict in verdicts.chain(calls.map(|call| &call.verdict)).chain(lookups) {
            let name = &story.name;
            assert!(!verdict.summary.is_empty(), "{name} is not put in words");
            if verdict.severity == "failure" {
                assert!(!verdict.hints.is_empty(), "{name} has no hint");
            }
            if verdict.severity != "ok" {
                assert!(!verdict.evidence.is_empty(), "{name} has no evidence");
            }
            for evidence in &verdict.evidence {
                assert!(
                    (1..=report.capture.packets).contains(&evidence.frame),
                    "{name}: frame {}",
                    evidence.frame
                );
            }
            let frames: Vec<_> = verdict.evidence.iter().map(|evidence| evidence.frame).collect();
            assert!(frames.is_sorted(), "{name}: evidence is not in order of the packets: {frames:?}");
        }
    }
}

#[test]
fn stories_have_names_of_their_own() {
    let mut names: Vec<_> = stories::all().into_iter().map(|story| (story.code, story.name)).collect();
    names.sort();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
}
