//! Holds the report against the texts in `tests/snapshots`; `HOOKSCOPE_BLESS=1` writes them anew.

pub(crate) mod sample;

use std::fmt;
use std::path::Path;

use super::*;

/// Compares `shown` with a snapshot, or makes it the snapshot.
fn hold(name: &str, shown: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if std::env::var_os("HOOKSCOPE_BLESS").is_some() {
        std::fs::write(&path, shown).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == shown, "{name} is not as it was; HOOKSCOPE_BLESS=1 accepts this:\n{shown}");
}

fn paper(width: usize) -> Paper {
    Paper { width, colour: false }
}

fn written(write: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut out = String::new();
    write(&mut out).unwrap();
    out
}

fn story(sample: &sample::Sample, detail: Detail) -> Story<'_> {
    let left_out = LeftOut::default();
    Story {
        report: &sample.report,
        groups: &sample.groups,
        left_out,
        typed: Typed::default(),
        all: false,
        detail,
    }
}

fn told(sample: &sample::Sample, width: usize, detail: Detail) -> String {
    written(|out| report(out, paper(width), &story(sample, detail)))
}

#[test]
fn an_incident_is_told_on_narrow_and_wide_pages() {
    let incident = sample::incident();
    for width in [80, 100, 120] {
        hold(&format!("incident-{width}.txt"), &told(&incident, width, Detail::Normal));
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    let incident = sample::incident();
    let paper = Paper { width: 100, colour: true };
    let coloured = written(|out| report(out, paper, &story(&incident, Detail::Normal)));
    hold("incident-100-colour.txt", &coloured);
    let mut plain = String::new();
    for (index, part) in coloured.split("\u{1b}[").enumerate() {
        plain.push_str(if index == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(plain, told(&incident, 100, Detail::Normal));
}

#[test]
fn quiet_is_a_line_for_each_failure() {
    hold("incident-quiet.txt", &told(&sample::incident(), 40, Detail::Quiet));
    assert_eq!(told(&sample::healthy(3), 80, Detail::Quiet), "");
}

#[test]
fn verbose_tells_more() {
    hold("incident-verbose-120.txt", &told(&sample::incident(), 120, Detail::Verbose));
}

#[test]
fn one_failure_needs_no_overview() {
    hold("deadline-80.txt", &told(&sample::deadline(), 80, Detail::Normal));
}

#[test]
fn what_was_logged_is_told_with_what_the_packets_say_to_it() {
    for width in [80, 120] {
        hold(&format!("log-{width}.txt"), &told(&sample::logged(), width, Detail::Normal));
    }
    let quiet = told(&sample::logged(), 80, Detail::Quiet);
    assert!(quiet.ends_with("✗  1  nothing-sent  gone.example.io\n"), "{quiet}");
}

#[test]
fn a_failed_lookup_is_told_with_its_queries() {
    hold("lookup-100.txt", &told(&sample::lookup(), 100, Detail::Normal));
}

#[test]
fn a_healthy_capture_says_so_and_lists_its_busiest_webhooks() {
    hold("healthy-100.txt", &told(&sample::healthy(3), 100, Detail::Normal));
    hold("healthy-many-80.txt", &told(&sample::healthy(24), 80, Detail::Normal));
    let many = sample::healthy(24);
    let all = Story { all: true, ..story(&many, Detail::Normal) };
    assert_eq!(written(|out| report(out, paper(100), &all)).matches(".svc").count(), 24);
}

#[test]
fn of_very_many_failures_the_most_frequent_are_told() {
    let scan = sample::scan(400);
    let text = told(&scan, 100, Detail::Normal);
    assert_eq!(text.matches("hookscope explain connection-refused").count(), 10);
    assert_eq!(text.matches("and 390 more (--all shows them)").count(), 2);
    let all = Story { all: true, ..story(&scan, Detail::Normal) };
    let all = written(|out| report(out, paper(100), &all));
    assert_eq!(all.matches("hookscope explain connection-refused").count(), 400);
    assert_eq!(told(&scan, 100, Detail::Quiet).lines().count(), 400);
}

#[test]
fn on_request_every_connection_has_its_line() {
    let mut sample = sample::incident();
    let examples = sample.groups.iter().filter_map(|group| match &group.example {
        hookscope::report::schema::Example::Connection { connection, .. } => Some((**connection).clone()),
        hookscope::report::schema::Example::Lookup(_) => None,
    });
    sample.report.connections = examples.collect();
    let listed =
        |all| written(|out| report(out, paper(100), &Story { all, ..story(&sample, Detail::Normal) }));
    let text = listed(true);
    hold("listing-100.txt", text.split_once("All connections").unwrap().1);
    assert!(!listed(false).contains("All connections"));
}

#[test]
fn an_empty_capture_says_how_to_capture() {
    hold("empty-80.txt", &told(&sample::empty(), 80, Detail::Normal));
}

#[test]
fn connections_without_calls_are_not_called_healthy() {
    hold("no-calls-80.txt", &told(&sample::no_calls(), 80, Detail::Normal));
}

#[test]
fn each_connection_without_a_call_is_counted_once_by_its_verdict() {
    let text = told(&sample::incident(), 120, Detail::Normal);
    assert!(
        text.contains("12 connections got no verdict (capture-incomplete): to 127.0.0.1:2379."),
        "{text}"
    );
    assert!(
        text.contains("297 connections carried no webhook call (idle): to 127.0.0.1:6443, 127.0.0.1:2379."),
        "{text}"
    );
    let text = told(&sample::no_calls(), 120, Detail::Normal);
    assert!(text.contains("18 connections carried no webhook call (idle): to 127.0.0.1:2379."), "{text}");
}

#[test]
fn what_could_not_be_judged_is_not_called_healthy() {
    let mut sample = sample::healthy(1);
    let unjudged = || [("capture-incomplete", 2)].into_iter().collect();
    let endpoint = &mut sample.report.endpoints[0];
    (endpoint.verdicts, sample.report.summary.verdicts) = (unjudged(), unjudged());
    let text = told(&sample, 100, Detail::Normal);
    assert!(text.contains("? Nothing failed that could be judged.\n"), "{text}");
    assert!(text.contains("\n? policy-00.team-0.svc") && !text.contains('✓'), "{text}");
    sample.report.endpoints[0].latency_s = None;
    let text = told(&sample, 100, Detail::Normal);
    assert!(!text.contains("Webhooks without failures") && !text.contains('✓'), "{text}");
    assert!(text.contains("2 connections got no verdict (capture-incomplete): to policy-00"), "{text}");
}

#[test]
fn what_the_filters_leave_out_is_said() {
    let empty = sample::empty();
    let left_out = LeftOut { connections: 12, nameless: 3, failed_nameless: 2 };
    let filtered = |left_out| {
        let typed = Typed { name: true, ..Typed::default() };
        let story = Story { left_out, typed, ..story(&empty, Detail::Normal) };
        written(|out| report(out, paper(120), &story))
    };
    let text = filtered(left_out);
    assert!(text.contains("! The filters leave none of the 12 connections. --name must match"), "{text}");
    assert!(
        text.contains("! 3 connections (2 failed) to servers without a known name are left out"),
        "{text}"
    );
    assert!(!text.contains("No TCP connection was seen"), "{text}");

    let healthy = sample::healthy(3);
    let story =
        Story { left_out: LeftOut { failed_nameless: 0, ..left_out }, ..story(&healthy, Detail::Normal) };
    let text = written(|out| report(out, paper(120), &story));
    assert!(text.contains("\n3 connections (0 failed) to servers without a known name"), "{text}");
    assert!(!text.contains("The filters leave none"), "{text}");
}

#[test]
fn a_capture_that_breaks_off_without_calls_gets_no_tick() {
    for mut sample in [sample::no_calls(), sample::empty()] {
        sample.report.capture.truncated = true;
        let text = told(&sample, 120, Detail::Normal);
        assert!(!text.contains('✓') && text.contains("copy it again"), "{text}");
    }
}

#[test]
fn no_line_trails_spaces_and_only_what_is_copied_is_too_long() {
    for sample in
        [sample::incident(), sample::deadline(), sample::lookup(), sample::healthy(24), sample::empty()]
    {
        for width in [40, 80, 100, 120] {
            for line in told(&sample, width, Detail::Normal).lines() {
                assert_eq!(line, line.trim_end(), "trailing spaces");
                let copied = ["kubectl", "Wireshark", "tcpdump", "nft", "openssl", "More "]
                    .iter()
                    .any(|it| line.contains(it));
                assert!(width < 80 || copied || line.chars().count() <= width, "{width}: {line}");
            }
        }
    }
}

#[test]
fn codes_are_listed_by_class() {
    hold("codes-80.txt", &written(|out| codes(out, paper(80), &sample::codes())));
}

#[test]
fn a_page_is_rendered() {
    hold("page-80.txt", &written(|out| page(out, paper(80), &sample::codes()[1])));
}
