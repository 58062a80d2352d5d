//! Turns what becomes known while packets come into a line each: when, what, who, and what happened.

use std::fmt::{self, Write};

use hookscope::report::Notice;
use hookscope::report::schema::{Lookup, Summary, Verdict};

use super::layout::{GAP, GLUE, Page, Paper, Text};
use super::numbers::{clock, counted};
use super::prose;
use super::style::{FAINT, PLAIN, STRONG, of_severity};
use super::whom;

/// Writes what is wrong with a connection or a call, on one line; with its packets below if it is to be `verbose`.
pub(crate) fn notice(out: &mut dyn Write, paper: Paper, notice: &Notice, verbose: bool) -> fmt::Result {
    let (connection, verdict) = (&notice.connection, notice.verdict());
    let name = connection.server_name.as_ref();
    let full =
        name.map_or_else(|| connection.server.clone(), |name| format!("{name} ({})", connection.server));
    let webhook = whom::webhook(connection.cluster.as_ref());
    let service = name.filter(|_| webhook.is_some()).map(|name| format!(" · {name}")).unwrap_or_default();
    let called = webhook.as_ref().or(name).unwrap_or(&connection.server);
    let mut text = head(&notice.at.to_string(), verdict, called);
    if let Some(before) = notice.revises {
        text = text.styled(STRONG, format!("not {before} after all: "));
    }
    text = text.plain(prose::short(&full, &verdict.summary));
    let call = notice.call.map(|call| format!(" · call {call}")).unwrap_or_default();
    let who =
        format!("{service} · {} → {} · id {}{call}", connection.client, connection.server, connection.id);
    line(out, paper, text.styled(FAINT, who), verdict, verbose)
}

/// Writes that a lookup failed.
pub(crate) fn lookup(
    out: &mut dyn Write,
    paper: Paper,
    at: &str,
    lookup: &Lookup,
    verbose: bool,
) -> fmt::Result {
    let webhook = whom::webhook(lookup.cluster.as_ref());
    let called = webhook.as_ref().unwrap_or(&lookup.name);
    let text = head(at, &lookup.verdict, called).plain(prose::numbers(&lookup.verdict.summary));
    let who = format!(" · {} asked {} for {}", lookup.client, lookup.server, lookup.kind);
    line(out, paper, text.styled(FAINT, who), &lookup.verdict, verbose)
}

fn head(at: &str, verdict: &Verdict, name: &str) -> Text {
    let (sign, style) = of_severity(verdict.severity);
    let text =
        Text::new().styled(FAINT, clock(at)).plain(" ").styled(style, format!("{sign} {}", verdict.code));
    text.plain(GAP).styled(STRONG, name).plain(GAP)
}

fn line(out: &mut dyn Write, paper: Paper, text: Text, verdict: &Verdict, verbose: bool) -> fmt::Result {
    let page = &mut Page::new(out, paper);
    page.line(0, &text)?;
    if verbose {
        for evidence in &verdict.evidence {
            let frame = Text::new().styled(FAINT, format!("#{}", evidence.frame)).padded(8);
            page.line(4, &frame.plain(prose::numbers(&evidence.note)))?;
        }
    }
    Ok(())
}

/// How it goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pulse<'a> {
    pub(crate) at: &'a str,
    /// Since the beginning.
    pub(crate) summary: &'a Summary,
    pub(crate) packets: u64,
    pub(crate) open: u64,
    pub(crate) dropped: u64,
}

/// Writes how it goes, on one line.
pub(crate) fn pulse(out: &mut dyn Write, paper: Paper, pulse: &Pulse<'_>) -> fmt::Result {
    let Summary { calls, failed_calls, connections, failed_connections, failed_lookups, .. } = *pulse.summary;
    let failed = |failed: u64| if failed > 0 { format!(", {failed} failed") } else { String::new() };
    let mut facts = vec![
        counted(pulse.packets, "packet"),
        format!("{} judged{}", counted(connections, "connection"), failed(failed_connections)),
        format!("{} open", pulse.open),
        format!("{}{}", counted(calls, "call"), failed(failed_calls)),
    ];
    if failed_lookups > 0 {
        facts.push(format!("{} failed", counted(failed_lookups, "lookup")));
    }
    if pulse.dropped > 0 {
        facts.push(format!("{} dropped", counted(pulse.dropped, "packet")));
    }
    let facts = facts.join(&format!(" ·{GLUE}")).replace(' ', &GLUE.to_string());
    let text = Text::new().styled(FAINT, clock(pulse.at)).plain(" ").glued(PLAIN, facts);
    Page::new(out, paper).line(0, &text)
}

#[cfg(test)]
mod tests {
    use hookscope::packet::{Frame, Moment};
    use hookscope::report::Trace;
    use hookscope::report::schema::Example;
    use hookscope::time::Timestamp;

    use super::super::sample;
    use super::*;

    const AT: Timestamp = Timestamp::from_nanos(1_763_825_677_681_000_000);

    fn told(revises: Option<&'static str>, colour: bool, verbose: bool) -> String {
        let Example::Connection { connection, .. } = sample::deadline().groups.remove(0).example else {
            panic!("the sample is a connection")
        };
        let first = Moment { time: AT, frame: Frame::new(0, 1) };
        let trace = Trace { id: connection.id, keys: Vec::new(), first, last: first };
        let notice = Notice { at: AT, connection: *connection, call: None, revises, is_over: false, trace };
        let mut out = String::new();
        super::notice(&mut out, Paper { width: 10_000, colour }, &notice, verbose).unwrap();
        out
    }

    #[test]
    fn a_failure_is_one_line_that_says_when_what_who_and_how() {
        let line = told(None, false, false);
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(
            line.starts_with("15:34:37.681 ✗ deadline-exceeded  webhook.knative-serving.svc  "),
            "{line}"
        );
        assert!(line.contains("within the deadline of 10 s"), "{line}");
        assert!(line.ends_with(" · 10.0.0.10:35674 → 10.244.1.1:9457 · id 21\n"), "{line}");
        assert!(!line.contains('\u{1b}') && told(None, true, false).contains("\u{1b}[1m"), "{line}");
    }

    #[test]
    fn what_is_no_longer_true_is_taken_back() {
        let line = told(Some("syn-unanswered"), false, false);
        assert!(line.contains("not syn-unanswered after all: "), "{line}");
    }

    #[test]
    fn packets_stand_below_where_they_are_asked_for() {
        let lines = told(None, false, true);
        assert!(
            lines.lines().count() > 2 && lines.lines().skip(1).all(|line| line.starts_with("    #")),
            "{lines}"
        );
    }

    #[test]
    fn how_it_goes_is_one_line() {
        let summary = Summary { calls: 1234, failed_calls: 2, connections: 40, ..Summary::default() };
        let it = Pulse { at: &AT.to_string(), summary: &summary, packets: 99_999, open: 7, dropped: 3 };
        let mut out = String::new();
        pulse(&mut out, Paper { width: 10_000, colour: false }, &it).unwrap();
        assert_eq!(
            out,
            "15:34:37.681 99,999 packets · 40 connections judged · 7 open · 1,234 calls, 2 failed · 3 packets dropped\n"
        );
    }
}
