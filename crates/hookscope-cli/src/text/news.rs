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
        format!("{} over{}", counted(connections, "connection"), failed(failed_connections)),
        format!("{} open", pulse.open),
        format!("{}{}", counted(calls, "call"), failed(failed_calls)),
    ];
    if failed_lookups > 0 {
        facts.push(format!("{} failed", counted(failed_lookups, "lookup")));
    }
    if pulse.dropped > 0 {
        facts.push(format!("{} dropped", counted(pulse.dropped, "packet")));
    }
    let facts = facts.join(&format!("{GLUE}· ")).replace(' ', &GLUE.to_string());
    let text = Text::new().styled(FAINT, clock(pulse.at)).plain(" ").glued(PLAIN, facts);
    Page::new(out, paper).line(0, &text)
}
