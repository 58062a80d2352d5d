//! Turns connections into one line each: all of them, healthy ones too, for those who ask for everything.

use std::fmt;

use hookscope::report::schema::Connection;

use super::layout::{Page, Text};
use super::numbers::{clock, count};
use super::style::{FAINT, PLAIN, STRONG, of_class};
use super::table::{self, Align};
use super::{Story, whom};

/// What stands over the columns.
const TITLES: [&str; 7] = ["", "id", "start", "client", "calls", "verdict", "webhook"];
const ALIGNS: [Align; TITLES.len()] =
    [Align::Left, Align::Right, Align::Left, Align::Left, Align::Right, Align::Left, Align::Left];

/// Writes every connection, in order of their first packet.
pub(super) fn write(page: &mut Page<'_>, story: &Story<'_>) -> fmt::Result {
    let connections = &story.report.connections;
    if !story.all || connections.is_empty() {
        return Ok(());
    }
    page.section(true)?;
    page.line(0, &Text::new().styled(STRONG, "All connections"))?;
    let mut rows = vec![TITLES.map(|title| Text::new().styled(FAINT, title)).to_vec()];
    rows.extend(connections.iter().map(row));
    table::write(page, 0, &ALIGNS, &rows)
}

fn row(connection: &Connection) -> Vec<Text> {
    let verdict = &connection.verdict;
    let (sign, style) = of_class(verdict.class, verdict.severity);
    let healthy = verdict.severity == "ok";
    vec![
        Text::new().styled(style, sign),
        Text::new().plain(connection.id),
        Text::new().plain(clock(&connection.start)),
        Text::new().plain(&connection.client),
        Text::new().plain(count(connection.calls.len() as u64)),
        Text::new().styled(if healthy { PLAIN } else { style }, verdict.code),
        Text::new().plain(match whom::webhook(connection.cluster.as_ref()) {
            Some(webhook) => webhook,
            None => connection.server_name.clone().unwrap_or_else(|| connection.server.clone()),
        }),
    ]
}
