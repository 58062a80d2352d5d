//! Turns groups of failures and warnings into paragraphs: what happened, how often, one example, what to do next.

use std::fmt::{self, Write};

use hookscope::report::schema::{Evidence, Example, Group, Lookup};

use crate::invocation;

use super::layout::{GAP, GLUE, Page, Text};
use super::numbers::{clock, counted, duration, range, same_day};
use super::style::{COPY, FAINT, PLAIN, STRONG, of_severity};
use super::table::{self, Align};
use super::{Detail, Story, filter, notes, prose, steps, subject, timeline, whom, zone};

/// Writes one line for each group, however long: how often, what, who.
pub(super) fn lines(page: &mut Page<'_>, groups: &[&Group]) -> fmt::Result {
    table::write(page, 0, &ALIGNS, &table::without(&rows(groups), SERVICE))
}

/// Writes the same with titles; addresses are left out where the page is too narrow.
pub(super) fn overview(page: &mut Page<'_>, story: &Story<'_>, groups: &[&Group]) -> fmt::Result {
    let shown = story.shown(groups.len());
    let titles = ["", "failed", "cause", "webhook", "service", "address"];
    let mut table = vec![titles.map(|title| Text::new().styled(FAINT, title)).to_vec()];
    table.extend(rows(groups.get(..shown).unwrap_or(groups)));
    if !groups.iter().any(|group| subject::service(group).is_some()) {
        table = table::without(&table, SERVICE);
    }
    while table::width(&table) > page.paper.width && table.first().is_some_and(|row| row.len() > SERVICE) {
        table = table::without(&table, table.first().map_or(0, |row| row.len() - 1));
    }
    table::write(page, 0, &ALIGNS, &table)?;
    notes::more(page, 3, groups.len() - shown)
}

/// Column of what names the server beside its webhook: it and what follows give way on a narrow page.
const SERVICE: usize = 4;
const ALIGNS: [Align; 2] = [Align::Left, Align::Right];

fn rows(groups: &[&Group]) -> Vec<Vec<Text>> {
    let row = |group: &&Group| {
        let verdict = subject::verdict(group);
        let (sign, style) = of_severity(verdict.severity);
        vec![
            Text::new().styled(style, sign),
            Text::new().plain(subject::share(group)),
            Text::new().styled(style, verdict.code),
            Text::new().styled(STRONG, subject::name(group)),
            Text::new().plain(subject::service(group).unwrap_or_default()),
            Text::new().styled(FAINT, subject::address(group).unwrap_or_default()),
        ]
    };
    groups.iter().map(row).collect()
}

/// Writes everything about a kind of failure.
pub(super) fn failure(page: &mut Page<'_>, story: &Story<'_>, group: &Group) -> fmt::Result {
    let verdict = subject::verdict(group);
    introduction(page, story, group)?;
    page.blank()?;
    example(page, story, group)?;
    if !verdict.hints.is_empty() {
        page.blank()?;
        page.line(2, &Text::new().styled(STRONG, "What to do next"))?;
        steps::write(page, 2, &verdict.hints)?;
    }
    page.blank()?;
    if let Some(filter) = filter::of(group) {
        page.line(2, &labelled("Wireshark", &filter))?;
    }
    page.line(2, &labelled("More", &format!("{} explain {}", invocation::name(), verdict.code)))
}

/// Writes what matters about a kind of warning.
pub(super) fn warning(page: &mut Page<'_>, story: &Story<'_>, group: &Group) -> fmt::Result {
    introduction(page, story, group)?;
    if story.detail == Detail::Verbose {
        page.blank()?;
        example(page, story, group)?;
    }
    page.line(
        2,
        &labelled("More", &format!("{} explain {}", invocation::name(), subject::verdict(group).code)),
    )
}

fn labelled(label: &str, copy: &str) -> Text {
    Text::new().styled(FAINT, label).padded(11).styled(COPY, copy)
}

/// Heading, the summary in plain words, and how often it happened.
fn introduction(page: &mut Page<'_>, story: &Story<'_>, group: &Group) -> fmt::Result {
    let verdict = subject::verdict(group);
    page.paragraph(0, 2, &subject::heading(group))?;
    if let Some(whom) = &group.cluster {
        let place = whom::place(whom, subject::host(group));
        let candidates = whom::candidates(whom, story.all || story.detail == Detail::Verbose);
        let faint = [place, candidates].into_iter().flatten();
        faint.map(|it| Text::new().styled(FAINT, it)).try_for_each(|it| page.paragraph(2, 2, &it))?;
    }
    page.paragraph(2, 2, &Text::new().plain(prose::summary(group)))?;
    let mut facts = vec![format!("{} {}", subject::share(group), plural(group)), when(story, group)];
    facts.extend(verdict.cause.map(|cause| format!("cause: {}", in_words(cause.name()))));
    if whom::is_ignored(group.cluster.as_ref(), story.report.cluster.as_ref()) {
        facts.push("failurePolicy: Ignore, requests go on without it".to_owned());
    }
    if verdict.certainty == "inferred" {
        facts.push("inferred from the pattern of packets".to_owned());
    }
    let facts = facts.join(&format!(" ·{GLUE}"));
    page.paragraph(2, 2, &Text::new().plain(facts))?;
    if let Some(error) = &verdict.apiserver_error {
        page.item(2, &Text::new().styled(FAINT, "kube-apiserver says: "), &Text::new().plain(error))?;
    }
    let ids = if story.detail == Detail::Verbose { ids(group) } else { None };
    let faint = [rest(story, group), ids];
    faint.into_iter().flatten().try_for_each(|it| page.paragraph(2, 2, &Text::new().styled(FAINT, it)))
}

fn plural(group: &Group) -> String {
    let s = if group.of == 1 { "" } else { "s" };
    format!("{}{s}", subject::noun(group))
}

/// From the first to the last of them, with the date where the capture spans several days.
fn when(story: &Story<'_>, group: &Group) -> String {
    let capture = &story.report.capture;
    let dated =
        !matches!((&capture.first, &capture.last), (Some(first), Some(last)) if same_day(first, last));
    range(&group.first, &group.last, dated)
}

/// How the same webhook did where it answered.
fn rest(story: &Story<'_>, group: &Group) -> Option<String> {
    let endpoint = story
        .report
        .endpoints
        .iter()
        .find(|endpoint| endpoint.server == group.server && endpoint.server_name == group.server_name)?;
    let latency = endpoint.latency_s?;
    Some(format!(
        "Its answered calls took {} at the median, {} at most.",
        duration(latency.p50),
        duration(latency.max)
    ))
}

/// One of them in full: who spoke to whom, and what was sent when.
fn example(page: &mut Page<'_>, story: &Story<'_>, group: &Group) -> fmt::Result {
    let verbose = story.detail == Detail::Verbose;
    let verdict = subject::verdict(group);
    match &group.example {
        Example::Connection { connection, timeline } => {
            let facts = [
                format!("{} {}", clock(&connection.start), zone::name(&connection.start)),
                format!("{} → {}", connection.client, connection.server),
                format!("id {}", connection.id),
            ];
            let mut title = Text::new().styled(STRONG, "Example").glued(PLAIN, "  ");
            for (index, fact) in facts.iter().enumerate() {
                title = if index == 0 { title } else { title.styled(FAINT, format!(" ·{GLUE}")) };
                title = title.glued(PLAIN, fact);
            }
            page.paragraph(2, 4, &title)?;
            if timeline.is_empty() {
                return evidence(page, &verdict.evidence);
            }
            timeline::write(page, 2, timeline, &verdict.evidence, verbose)?;
            if verbose {
                page.blank()?;
                page.line(2, &Text::new().styled(STRONG, "Evidence"))?;
                evidence(page, &verdict.evidence)?;
            }
            Ok(())
        }
        Example::Lookup(lookup) => {
            page.paragraph(2, 4, &Text::new().styled(STRONG, "Lookup").plain(GAP).plain(asked(lookup)))?;
            evidence(page, &verdict.evidence)
        }
    }
}

/// Who asked whom, how often, and when the answer came.
fn asked(lookup: &Lookup) -> String {
    let mut asked = format!("{} asked {} for its {} record", lookup.client, lookup.server, lookup.kind);
    let _ = write!(asked, ", {}", counted(lookup.attempts, "attempt"));
    if let Some(seconds) = lookup.seconds {
        let _ = write!(asked, ", answered after {}", duration(seconds));
    }
    asked
}

/// The first of them by the ids that other commands and the JSON report know.
fn ids(group: &Group) -> Option<String> {
    let ids: Vec<String> = group.ids.iter().map(u64::to_string).collect();
    let more = if (ids.len() as u64) < group.count { ", …" } else { "" };
    (group.count > 1 && !ids.is_empty()).then(|| format!("Their ids: {}{more}", ids.join(", ")))
}

/// A cause as people write it.
fn in_words(cause: &str) -> String {
    cause.replace('-', " ").replace(" ca", " CA").replace("san", "SAN")
}

/// The packets that prove it, a line each.
fn evidence(page: &mut Page<'_>, evidence: &[Evidence]) -> fmt::Result {
    let name = |item: &Evidence| timeline::frame(item.file.as_deref(), item.frame);
    let width = evidence.iter().map(|item| name(item).chars().count()).max().unwrap_or(0) + 2;
    for item in evidence {
        let label = Text::new().styled(FAINT, name(item)).padded(width);
        page.item(4, &label, &Text::new().plain(prose::numbers(&item.note)))?;
    }
    Ok(())
}
