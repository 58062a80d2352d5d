//! Turns the endpoints at which nothing failed into one line each, with how long their calls took.

use std::borrow::Cow;
use std::fmt;

use hookscope::report::schema::EndpointReport;

use super::layout::{Page, Text};
use super::numbers::{count, counted, duration};
use super::style::{FAINT, STRONG, UNKNOWN, of_severity};
use super::table::{self, Align};
use super::{Detail, Story, notes, whom};

/// Column of the address, the first to give way on a narrow page.
const ADDRESS: usize = 1;
/// Column of the percentile that gives way next.
const P99: usize = 6;
/// What stands over the columns.
const TITLES: [&str; 8] = ["  webhook", "address", "conns", "calls", "p50", "p95", "p99", "max"];

/// Writes the webhooks that answered every call, those with most calls first.
pub(super) fn write(page: &mut Page<'_>, story: &Story<'_>) -> fmt::Result {
    let mut healthy: Vec<_> =
        story.report.endpoints.iter().filter(|it| it.failed == 0 && it.calls > 0 && was_seen(it)).collect();
    if healthy.is_empty() {
        return Ok(());
    }
    healthy.sort_by_key(|endpoint| std::cmp::Reverse(endpoint.calls));
    let hidden = healthy.len() - story.shown(healthy.len());
    healthy.truncate(healthy.len() - hidden);

    page.section(!story.groups.is_empty())?;
    page.line(0, &Text::new().styled(STRONG, "Webhooks without failures"))?;
    let mut rows = vec![titles()];
    rows.extend(healthy.iter().map(|endpoint| row(endpoint, warned(story, endpoint))));
    table(page, &rows, names_are_enough(&healthy))?;
    if story.detail == Detail::Verbose {
        codes(page, &healthy)?;
    }
    notes::more(page, 2, hidden)
}

/// Writes the rows as wide as the page allows. The address gives way first, if the names are enough, then p99.
fn table(page: &mut Page<'_>, rows: &[Vec<Text>], names_are_enough: bool) -> fmt::Result {
    let fits = |rows: &[Vec<Text>]| table::width(rows) <= page.paper.width;
    let by_name = table::without(rows, ADDRESS);
    let shorter = table::without(&by_name, P99 - 1);
    if fits(rows) {
        table::write(page, 0, &aligns(2), rows)
    } else if names_are_enough && fits(&by_name) {
        table::write(page, 0, &aligns(1), &by_name)
    } else if names_are_enough && fits(&shorter) {
        table::write(page, 0, &aligns(1), &shorter)
    } else {
        stacked(page, rows)
    }
}

fn titles() -> Vec<Text> {
    TITLES.map(|title| Text::new().styled(FAINT, title)).to_vec()
}

/// The first columns are words, all others numbers.
fn aligns(words: usize) -> [Align; TITLES.len()] {
    std::array::from_fn(|column| if column < words { Align::Left } else { Align::Right })
}

/// Whether the capture shows an answer of it, or a verdict on a call: without, nobody knows how it is.
fn was_seen(endpoint: &EndpointReport) -> bool {
    endpoint.latency_s.is_some() || is_judged(endpoint)
}

/// Whether any of its connections with calls got a verdict.
fn is_judged(endpoint: &EndpointReport) -> bool {
    notes::is_any_judged(&endpoint.verdicts)
}

/// Whether some of its calls were answered, but not well.
fn warned(story: &Story<'_>, endpoint: &EndpointReport) -> bool {
    story
        .groups
        .iter()
        .any(|group| group.server == endpoint.server && group.server_name == endpoint.server_name)
}

fn row(endpoint: &EndpointReport, warned: bool) -> Vec<Text> {
    let (sign, style) = match (warned, is_judged(endpoint)) {
        (true, _) => of_severity("warning"),
        (false, true) => of_severity("ok"),
        (false, false) => UNKNOWN,
    };
    let name = name(endpoint);
    let address = if name == endpoint.server { "" } else { &endpoint.server };
    let mut row = vec![
        Text::new().styled(style, sign).plain(" ").plain(name),
        Text::new().styled(FAINT, address),
        Text::new().plain(count(endpoint.connections)),
        Text::new().plain(count(endpoint.calls)),
    ];
    if let Some(latency) = endpoint.latency_s {
        let times = [latency.p50, latency.p95, latency.p99, latency.max];
        row.extend(times.map(|seconds| Text::new().plain(duration(seconds))));
    }
    row
}

/// What it is called: by its webhook, else by its Service, else by its address.
fn name(endpoint: &EndpointReport) -> Cow<'_, str> {
    match whom::webhook(endpoint.cluster.as_ref()) {
        Some(webhook) => webhook.into(),
        None => endpoint.server_name.as_deref().unwrap_or(&endpoint.server).into(),
    }
}

/// Whether no two of them share a name.
fn names_are_enough(endpoints: &[&EndpointReport]) -> bool {
    let names: std::collections::BTreeSet<_> = endpoints.iter().map(|endpoint| name(endpoint)).collect();
    names.len() == endpoints.len()
}

/// Names on lines of their own, numbers beneath them: for pages too narrow for one line.
fn stacked(page: &mut Page<'_>, rows: &[Vec<Text>]) -> fmt::Result {
    let part = |columns: std::ops::Range<usize>| -> Vec<Vec<Text>> {
        rows.iter().map(|row| row.get(columns.clone()).unwrap_or_default().to_vec()).collect()
    };
    let numbers = table::lines(&[Align::Right; TITLES.len() - 2], &part(2..TITLES.len()));
    for (index, (name, numbers)) in table::lines(&[], &part(0..2)).iter().zip(&numbers).enumerate() {
        if index > 0 {
            page.line(0, name)?;
        }
        page.line(4, numbers)?;
    }
    Ok(())
}

/// The verdicts of each endpoint's connections.
fn codes(page: &mut Page<'_>, endpoints: &[&EndpointReport]) -> fmt::Result {
    for endpoint in endpoints {
        let verdicts: Vec<String> =
            endpoint.verdicts.iter().map(|(code, number)| format!("{code} {}", count(*number))).collect();
        let name = name(endpoint);
        let text = Text::new().plain(format!("{name}: {}", counted(endpoint.connections, "connection")));
        page.paragraph(2, 4, &text.plain(format!(", {}", verdicts.join(", "))))?;
    }
    Ok(())
}
