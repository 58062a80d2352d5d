//! Turns what is left of a report into sentences: that nothing failed, what could not be judged, what was not seen.

use std::fmt;

use hookscope::report::LeftOut;
use hookscope::report::schema::Report;

use super::Story;
use super::layout::{GLUE, Page, Text};
use super::numbers::{count, counted};
use super::style::{COPY, FAINT, GOOD, WARNING};

/// What to run on the apiserver's host.
const TCPDUMP: &str = "tcpdump -i any -s 0 -w webhooks.pcap 'tcp or icmp or icmp6 or udp port 53'";
/// Servers without calls that are named.
const NAMED: usize = 3;

/// Says that nothing failed.
pub(super) fn nothing_failed(page: &mut Page<'_>, report: &Report) -> fmt::Result {
    page.blank()?;
    if report.summary.calls > 0 {
        let judged = if incomplete(report) == 0 { " Every call was answered in time." } else { "" };
        return page.paragraph(0, 2, &Text::new().styled(GOOD, "✓ Nothing failed.").plain(judged));
    }
    // Of a capture that breaks off nobody knows what the rest holds.
    let (sign, style) = if report.capture.truncated { ("!", WARNING) } else { ("✓", GOOD) };
    let text = Text::new().styled(style, format!("{sign} Nothing failed,"));
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

/// Connections that the capture does not show well enough.
fn incomplete(report: &Report) -> u64 {
    report.summary.verdicts.get("capture-incomplete").copied().unwrap_or(0)
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

/// Says what got no verdict and which servers got no call.
pub(super) fn left_over(page: &mut Page<'_>, story: &Story<'_>) -> fmt::Result {
    let mut notes = Vec::new();
    let incomplete = incomplete(story.report);
    if incomplete > 0 {
        let which = counted(incomplete, "connection");
        notes.push(format!(
            "{which} got no verdict: the capture begins too late or ends too early (capture-incomplete)."
        ));
    }
    if story.report.summary.calls > 0 {
        notes.extend(without_calls(story));
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

/// Servers that were no webhooks as far as the packets show: no request was read.
fn without_calls(story: &Story<'_>) -> Option<String> {
    let mut quiet: Vec<_> =
        story.report.endpoints.iter().filter(|it| it.failed == 0 && it.calls == 0).collect();
    quiet.sort_by_key(|endpoint| std::cmp::Reverse(endpoint.connections));
    let connections: u64 = quiet.iter().map(|endpoint| endpoint.connections).sum();
    let shown = if story.all { quiet.len() } else { NAMED };
    let names: Vec<&str> = quiet
        .iter()
        .take(shown)
        .map(|endpoint| endpoint.server_name.as_deref().unwrap_or(&endpoint.server))
        .collect();
    let more = if quiet.len() > shown {
        format!(" and {} more", count((quiet.len() - shown) as u64))
    } else {
        String::new()
    };
    (!names.is_empty()).then(|| {
        format!(
            "{} carried no webhook call: to {}{more}.",
            counted(connections, "connection"),
            names.join(", ")
        )
    })
}
