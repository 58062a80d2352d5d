//! Turns what is left of a report into sentences: that nothing failed, what could not be judged, what was not seen.

use std::collections::BTreeMap;
use std::fmt;

use hookscope::report::LeftOut;
use hookscope::report::schema::{Counts, EndpointReport, Report};

use super::Story;
use super::layout::{GLUE, Page, Text};
use super::numbers::{count, counted};
use super::style::{COPY, FAINT, GOOD, UNKNOWN, WARNING};

/// What to run on the apiserver's host.
const TCPDUMP: &str = "tcpdump -i any -s 0 -w webhooks.pcap 'tcp or icmp or icmp6 or udp port 53'";
/// Servers that are named in a sentence.
const NAMED: usize = 3;
/// The verdict on what the capture does not show well enough.
const INCOMPLETE: &str = "capture-incomplete";
/// The verdict on what carried no call.
const IDLE: &str = "idle";

/// Says that nothing failed.
pub(super) fn nothing_failed(page: &mut Page<'_>, report: &Report) -> fmt::Result {
    page.blank()?;
    let incomplete = given(&report.summary.verdicts, INCOMPLETE);
    // What nobody could judge is not well.
    let is_unknown = incomplete > 0 && !is_any_judged(&report.summary.verdicts);
    let (sign, style) = if is_unknown { UNKNOWN } else { ("✓", GOOD) };
    let that = if incomplete == 0 { "" } else { " that could be judged" };
    if report.summary.calls > 0 {
        let judged = if incomplete == 0 { " Every call was answered in time." } else { "" };
        let text = Text::new().styled(style, format!("{sign} Nothing failed{that}."));
        return page.paragraph(0, 2, &text.plain(judged));
    }
    // Of a capture that breaks off nobody knows what the rest holds.
    let (sign, style) = if report.capture.truncated { ("!", WARNING) } else { (sign, style) };
    let text = Text::new().styled(style, format!("{sign} Nothing failed{that},"));
    let text = text.plain(" but no webhook call was seen either:");
    let text = text.plain(format!(" {} without a request in HTTP/1.1 over TLS.", connections(report)));
    page.paragraph(0, 2, &text)?;
    how_to_capture(page, report)
}

fn connections(report: &Report) -> String {
    counted(report.summary.connections, "connection")
}

/// Says what a capture without any TCP connection means.
pub(super) fn nothing_to_see(page: &mut Page<'_>, story: &Story<'_>) -> fmt::Result {
    page.blank()?;
    if story.left_out.connections > 0 {
        return remarks(page, story);
    }
    let text = Text::new().styled(WARNING, "! No TCP connection was seen,");
    page.paragraph(0, 2, &text.plain(" so nothing can be said about webhook calls."))?;
    how_to_capture(page, story.report)
}

/// Which filters were given.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Typed {
    pub(crate) name: bool,
    pub(crate) server: bool,
    pub(crate) port: bool,
}

impl Typed {
    /// What each of them takes, for who let nothing pass.
    fn advice(self) -> impl Iterator<Item = &'static str> {
        let name =
            "--name must match the whole name, as the capture or --cluster tells it: try --name '*kyverno*'.";
        let server = "--server takes pods' addresses, not ClusterIPs.";
        let port = "--port takes the pods' port, not the Service's.";
        [(self.name, name), (self.server, server), (self.port, port)]
            .into_iter()
            .filter_map(|(is_given, advice)| is_given.then_some(advice))
    }
}

/// Says, where nothing failed, that there was nothing that could have: for those who asked for failures only.
pub(crate) fn unseen(report: &Report, left_out: &LeftOut) -> Option<String> {
    let summary = &report.summary;
    if summary.failed_connections + summary.failed_calls + summary.failed_lookups + summary.calls > 0 {
        return None;
    }
    let unseen = match (summary.connections, left_out.connections) {
        (0, 0) => "no TCP connection was seen, so nothing can be said about webhook calls".to_owned(),
        (0, _) => return None,
        _ => format!(
            "no webhook call was seen: {} without a request in HTTP/1.1 over TLS",
            connections(report)
        ),
    };
    Some(unseen.replace(GLUE, " "))
}

/// Says what the filters leave out that may have been meant, a sentence or two each.
pub(crate) fn filtered(report: &Report, left_out: &LeftOut, typed: Typed) -> Vec<String> {
    let mut remarks = Vec::new();
    if report.summary.connections == 0 && left_out.connections > 0 {
        let all = counted(left_out.connections, "connection");
        let mut remark = format!("The filters leave none of the {all}.");
        let list = "Without filters, --all lists all that there are.";
        typed.advice().chain([list]).for_each(|advice| {
            remark.push(' ');
            remark.push_str(advice);
        });
        remarks.push(remark);
    }
    remarks.extend((left_out.failed_nameless > 0).then(|| nameless(left_out)));
    remarks.into_iter().map(|remark| remark.replace(GLUE, " ")).collect()
}

fn nameless(left_out: &LeftOut) -> String {
    let connections = counted(left_out.nameless, "connection");
    let are = if left_out.nameless == 1 { "is" } else { "are" };
    let failed = count(left_out.failed_nameless);
    format!("{connections} ({failed} failed) to servers without a known name {are} left out by --name.")
}

fn remarks(page: &mut Page<'_>, story: &Story<'_>) -> fmt::Result {
    filtered(story.report, &story.left_out, story.typed)
        .iter()
        .try_for_each(|remark| page.item(0, &Text::new().styled(WARNING, "! "), &Text::new().plain(remark)))
}

fn how_to_capture(page: &mut Page<'_>, report: &Report) -> fmt::Result {
    if report.capture.truncated {
        let advice = "The capture breaks off: copy it again once tcpdump has ended, or capture anew.";
        page.paragraph(2, 2, &Text::new().plain(advice))?;
    }
    let advice = "Capture on the host of the kube-apiserver that makes the calls (each control-plane node makes \
                  its own), while they fail:";
    page.paragraph(2, 2, &Text::new().plain(advice))?;
    page.line(4, &Text::new().styled(COPY, TCPDUMP))
}

/// Whether a connection that carried a call, or failed to, was judged.
pub(super) fn is_any_judged(verdicts: &Counts) -> bool {
    verdicts.keys().any(|code| ![INCOMPLETE, IDLE].contains(code))
}

/// How many connections were given a verdict.
fn given(verdicts: &Counts, code: &str) -> u64 {
    verdicts.get(code).copied().unwrap_or(0)
}

/// Says that a list goes on.
pub(super) fn more(page: &mut Page<'_>, indent: usize, hidden: usize) -> fmt::Result {
    if hidden == 0 {
        return Ok(());
    }
    page.line(
        indent,
        &Text::new().styled(FAINT, format!("and {} more (--all shows them)", count(hidden as u64))),
    )
}

/// Says what got no verdict and what carried no call: each connection in one sentence, by its verdict.
pub(super) fn left_over(page: &mut Page<'_>, story: &Story<'_>) -> fmt::Result {
    let mut notes = Vec::new();
    if let Some((count, servers)) = with_verdict(story, INCOMPLETE) {
        let why = why_incomplete(story);
        notes.push(format!("{count} got no verdict ({INCOMPLETE}): to {servers}. {why}."));
    }
    if let Some((count, servers)) = with_verdict(story, IDLE) {
        notes.push(format!("{count} carried no webhook call ({IDLE}): to {servers}."));
    }
    let left_out = &story.left_out;
    // Failed ones are worth a warning.
    notes.extend((left_out.nameless > 0 && left_out.failed_nameless == 0).then(|| nameless(left_out)));
    if !notes.is_empty() || !filtered(story.report, left_out, story.typed).is_empty() {
        page.blank()?;
    }
    remarks(page, story)?;
    notes.iter().try_for_each(|note| page.paragraph(0, 0, &Text::new().styled(FAINT, note)))
}

/// How many connections have this verdict, and to whom, those with most of them first.
fn with_verdict(story: &Story<'_>, code: &str) -> Option<(String, String)> {
    let number = |endpoint: &EndpointReport| given(&endpoint.verdicts, code);
    let mut endpoints: Vec<_> = story.report.endpoints.iter().filter(|it| number(it) > 0).collect();
    endpoints.sort_by_key(|endpoint| std::cmp::Reverse(number(endpoint)));
    let shown = if story.all { endpoints.len() } else { NAMED };
    let names: Vec<&str> = endpoints
        .iter()
        .take(shown)
        .map(|endpoint| endpoint.server_name.as_deref().unwrap_or(&endpoint.server))
        .collect();
    let more = if endpoints.len() > shown {
        format!(" and {} more", count((endpoints.len() - shown) as u64))
    } else {
        String::new()
    };
    let all = endpoints.iter().map(|endpoint| number(endpoint)).sum();
    (all > 0).then(|| (counted(all, "connection"), format!("{}{more}", names.join(", "))))
}

/// What the capture lacks: as the verdicts say where they are at hand, else all that it can be.
fn why_incomplete(story: &Story<'_>) -> String {
    let verdicts = story.report.connections.iter().map(|connection| &connection.verdict);
    let mut reasons = BTreeMap::<&str, u64>::new();
    for verdict in verdicts.filter(|verdict| verdict.code == INCOMPLETE) {
        *reasons.entry(&verdict.summary).or_default() += 1;
    }
    match reasons.len() {
        0 => "The capture begins too late or ends too early for that, or lacks packets or one direction \
              (--all lists them)"
            .to_owned(),
        1 => reasons.into_keys().collect(),
        _ => {
            let parts: Vec<_> =
                reasons.iter().map(|(reason, number)| format!("{reason} ({})", count(*number))).collect();
            parts.join(". ")
        }
    }
}
