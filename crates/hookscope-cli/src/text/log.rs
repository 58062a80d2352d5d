//! Turns the failed calls that kube-apiserver logged into paragraphs: what it said, and what the packets say to that.

use std::fmt;

use hookscope::report::schema::{LogLine, Report};

use super::layout::{GLUE, Page, Text};
use super::numbers::{count, counted, range_in_zone, same_day};
use super::style::{FAINT, PLAIN, STRONG, WARNING, of_severity};
use super::{Detail, Story, notes, prose, steps};

/// What stands for an address or a time in an error that several lines share.
const ANY: &str = "…";

/// Failed calls of one webhook with one error, of which the packets say the same.
struct Kind<'a> {
    first: &'a LogLine,
    last: &'a LogLine,
    count: u64,
    error: String,
}

/// Whether the log names a failed call in the capture's time.
pub(super) fn names_failed_calls(report: &Report) -> bool {
    report.log.iter().any(|line| !line.outside)
}

/// Writes one line for each kind of call of which nothing was sent: no other list has them.
pub(super) fn lines(page: &mut Page<'_>, report: &Report) -> fmt::Result {
    for kind in kinds(report).iter().filter(|kind| kind.first.verdict.code == "nothing-sent") {
        let (sign, style) = of_severity("failure");
        let text = Text::new().styled(style, sign).plain("  ").plain(count(kind.count)).plain("  ");
        let text = text.styled(style, "nothing-sent").plain("  ").styled(STRONG, &kind.first.webhook);
        page.line(0, &text)?;
    }
    Ok(())
}

/// Writes all that the log says.
pub(super) fn write(page: &mut Page<'_>, story: &Story<'_>) -> fmt::Result {
    let report = story.report;
    let calls = || report.log.iter().filter(|line| line.repeats.is_none());
    if calls().next().is_none() {
        return Ok(());
    }
    page.section(!story.groups.is_empty())?;
    heading(page, report)?;
    let mut kinds = kinds(report);
    // What the failures above do not tell comes first.
    kinds.sort_by_key(|kind| {
        (kind.first.agrees && kind.first.connection.is_some(), std::cmp::Reverse(kind.count))
    });
    let shown = story.shown(kinds.len());
    for kind in kinds.iter().take(shown) {
        page.blank()?;
        write_kind(page, story, kind)?;
    }
    if shown < kinds.len() {
        page.blank()?;
        notes::more(page, 2, kinds.len() - shown)?;
    }
    outside(page, report)
}

/// How many calls it names, and how many of them the packets explain.
fn heading(page: &mut Page<'_>, report: &Report) -> fmt::Result {
    let inside = || report.log.iter().filter(|line| line.repeats.is_none() && !line.outside);
    // Of a call that sent nothing the packets show nothing.
    let is_unseen = |line: &&LogLine| line.verdict.code == "nothing-sent";
    let (all, unseen) = (inside().count() as u64, inside().filter(is_unseen).count() as u64);
    let explained = inside().filter(|line| line.agrees && !is_unseen(line)).count() as u64;
    let text = Text::new().styled(STRONG, "What kube-apiserver logged").glued(PLAIN, "  ");
    let facts = match all {
        0 => "no failed call in the time of the capture".to_owned(),
        _ if unseen == all => format!("{}, of which no packet was seen", counted(all, "failed call")),
        1 if explained == 1 => "1 failed call, explained by the packets".to_owned(),
        _ if explained == all => format!("{}, each explained by the packets", counted(all, "failed call")),
        _ => {
            let rest =
                if unseen == 0 { String::new() } else { format!(", {} without a packet", count(unseen)) };
            format!("{}, {} explained by the packets{rest}", counted(all, "failed call"), count(explained))
        }
    };
    page.paragraph(0, 2, &text.plain(facts))
}

fn write_kind(page: &mut Page<'_>, story: &Story<'_>, kind: &Kind<'_>) -> fmt::Result {
    let LogLine { verdict, webhook, .. } = kind.first;
    let is_ok = verdict.severity == "ok";
    let (sign, style) = if is_ok { ("!", WARNING) } else { of_severity(verdict.severity) };
    let text = Text::new().styled(style, format!("{sign} ")).styled(STRONG, webhook).glued(PLAIN, "  ");
    let text = text.plain(counted(kind.count, "call")).glued(PLAIN, "  ").styled(style, verdict.code);
    page.paragraph(0, 2, &text)?;
    page.item(2, &Text::new().styled(FAINT, "it says  "), &Text::new().plain(&kind.error))?;
    if let Some(answer) = answer(kind.first) {
        page.item(2, &Text::new().styled(FAINT, "packets  "), &Text::new().plain(answer))?;
    }
    page.paragraph(2, 2, &Text::new().styled(FAINT, place(story, kind)))?;
    if verdict.code == "nothing-sent" && !verdict.hints.is_empty() {
        page.line(2, &Text::new().styled(STRONG, "What to do next"))?;
        steps::write(page, 2, &verdict.hints)?;
    }
    Ok(())
}

/// What the packets say, where that is not told with the failures above.
fn answer(line: &LogLine) -> Option<String> {
    let verdict = &line.verdict;
    let tied = line.connection.is_some();
    let summary = prose::numbers(&verdict.summary);
    match (tied, line.agrees) {
        (true, true) if verdict.severity != "ok" => None,
        (true, true) => {
            Some(format!("{summary}. Inside TLS that is all they show: the status is in the error"))
        }
        (true, false) => {
            let expected = verdict.apiserver_error.as_deref();
            let expected = expected.map(|error| format!("; that would be logged as: {error}"));
            Some(format!("they disagree. {summary}{}", expected.unwrap_or_default()))
        }
        (false, _) => Some(summary),
    }
}

/// Which lines, when, and on which connections.
fn place(story: &Story<'_>, kind: &Kind<'_>) -> String {
    let (first, last) = (kind.first, kind.last);
    let file = |line: &LogLine| line.file.as_ref().map(|file| format!("{file}:")).unwrap_or_default();
    let lines = if kind.count == 1 {
        format!("line {}{}", file(first), first.line)
    } else {
        format!("lines {}{} to {}{}", file(first), first.line, file(last), last.line)
    };
    let mut facts = vec![lines];
    if let (Some(first), Some(last)) = (&first.time, &last.time) {
        let capture = &story.report.capture;
        let dated =
            !matches!((&capture.first, &capture.last), (Some(one), Some(other)) if same_day(one, other));
        facts.push(range_in_zone(first, last, dated));
    }
    match first.fails_open {
        Some(true) => facts.push("failing open: the request went on".to_owned()),
        Some(false) if story.detail == Detail::Verbose => facts.push("failing closed".to_owned()),
        _ => {}
    }
    facts.extend(first.connection.filter(|_| kind.count == 1).map(|id| format!("id {id}")));
    facts.join(&format!(" ·{GLUE}"))
}

/// Says how many lines the capture does not cover.
fn outside(page: &mut Page<'_>, report: &Report) -> fmt::Result {
    let outside: Vec<_> = report.log.iter().filter(|line| line.outside && line.repeats.is_none()).collect();
    let (Some(first), Some(last)) = (outside.first(), outside.last()) else { return Ok(()) };
    let when = match (&first.time, &last.time) {
        (Some(first), Some(last)) => format!(" ({})", range_in_zone(first, last, true)),
        _ => String::new(),
    };
    let calls = counted(outside.len() as u64, "failed call");
    let were = if outside.len() == 1 { "was" } else { "were" };
    page.blank()?;
    page.paragraph(
        0,
        0,
        &Text::new().styled(FAINT, format!("{calls} {were} logged outside of the capture's time{when}.")),
    )
}

/// The calls of the capture's time, those that are alike as one.
fn kinds(report: &Report) -> Vec<Kind<'_>> {
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    for line in report.log.iter().filter(|line| line.repeats.is_none() && !line.outside) {
        let error = without_particulars(&line.error);
        let alike = |kind: &&mut Kind<'_>| {
            let first = kind.first;
            first.webhook == line.webhook
                && first.verdict.code == line.verdict.code
                && (first.agrees, first.connection.is_some()) == (line.agrees, line.connection.is_some())
                && without_particulars(&first.error) == error
        };
        match kinds.iter_mut().find(alike) {
            Some(kind) => {
                kind.count += 1;
                kind.last = line;
                kind.error = error;
            }
            None => kinds.push(Kind { first: line, last: line, count: 1, error: line.error.clone() }),
        }
    }
    kinds
}

/// An error without what differs from call to call.
fn without_particulars(error: &str) -> String {
    let differs = |word: &str| {
        word.parse::<std::net::SocketAddr>().is_ok()
            || word.len() == 20 && word.ends_with('Z') && word.contains('T')
    };
    let without = |word: &str| {
        let bare = word.trim_end_matches([':', ',']);
        let tail = word.get(bare.len()..).unwrap_or_default();
        let parts = bare.split("->").map(|part| if differs(part) { ANY } else { part });
        format!("{}{tail}", parts.collect::<Vec<_>>().join("->"))
    };
    error.split(' ').map(without).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_call_to_call_is_left_out() {
        for (error, shown) in [
            ("EOF", "EOF"),
            (
                "dial tcp 10.96.0.20:9999: connect: connection refused",
                "dial tcp …: connect: connection refused",
            ),
            (
                "read tcp 10.0.0.10:53004->10.96.0.21:9472: read: connection reset by peer",
                "read tcp …->…: read: connection reset by peer",
            ),
            (
                "x509: certificate is valid for webhook.other.svc, localhost, not a.b.svc",
                "x509: certificate is valid for webhook.other.svc, localhost, not a.b.svc",
            ),
            ("current time 2026-11-22T15:32:15Z is after 2026-11-12T15:14:40Z", "current time … is after …"),
        ] {
            assert_eq!(without_particulars(error), shown);
        }
    }
}
