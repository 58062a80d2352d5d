//! Turns a report into text for people: what failed, why, where to look and what to do next.
//!
//! Each file here writes one part of the page; none of them computes anything about packets.

mod error;
mod explain;
mod failures;
mod filter;
mod head;
mod healthy;
mod layout;
mod listing;
mod log;
mod markdown;
#[cfg(feature = "live")]
mod news;
mod notes;
mod numbers;
mod objects;
mod prose;
mod steps;
mod style;
mod subject;
mod table;
mod timeline;
mod whom;
mod zone;

use std::fmt::{self, Write};

use hookscope::report::LeftOut;
use hookscope::report::schema::{Group, Report};

pub(crate) use error::error;
pub(crate) use explain::{Code, codes, page};
use layout::Page;
pub(crate) use layout::{GLUE, Paper, printable};
#[cfg(feature = "live")]
pub(crate) use news::{Pulse, lookup, notice, pulse};
pub(crate) use notes::{Typed, filtered, unseen};
pub(crate) use numbers::{counted, duration};
pub(crate) use zone::use_local as use_local_time;

/// How much to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// One line for each kind of failure.
    Quiet,
    /// What most readers need.
    Normal,
    /// Everything that is known.
    Verbose,
}

/// What is to be told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Story<'a> {
    pub(crate) report: &'a Report,
    /// Failures and warnings by server and kind.
    pub(crate) groups: &'a [Group],
    /// What the filters leave out.
    pub(crate) left_out: LeftOut,
    /// Which filters those are.
    pub(crate) typed: Typed,
    /// Whether everything is to be listed, however much there is.
    pub(crate) all: bool,
    pub(crate) detail: Detail,
}

/// How much of a list is shown where not everything is asked for.
const LISTED: usize = 10;

impl Story<'_> {
    /// How many of `number` things to show.
    fn shown(&self, number: usize) -> usize {
        if self.all { number } else { number.min(LISTED) }
    }
}

/// Writes the whole report.
pub(crate) fn report(out: &mut dyn Write, paper: Paper, story: &Story<'_>) -> fmt::Result {
    let page = &mut Page::new(out, paper);
    let (failures, warnings) = sorted(story.groups);
    if story.detail == Detail::Quiet {
        failures::lines(page, &failures)?;
        return log::lines(page, story.report);
    }
    head::write(page, story.report)?;
    if story.report.summary.connections == 0 && story.groups.is_empty() {
        notes::nothing_to_see(page, story)?;
        return log::write(page, story);
    }
    if failures.is_empty() && !log::names_failed_calls(story.report) {
        notes::nothing_failed(page, story.report)?;
    }
    if failures.len() > 1 {
        page.blank()?;
        failures::overview(page, story, &failures)?;
    }
    told(page, story, &failures, failures::failure)?;
    told(page, story, &warnings, failures::warning)?;
    log::write(page, story)?;
    objects::write(page, story)?;
    healthy::write(page, story)?;
    listing::write(page, story)?;
    notes::left_over(page, story)
}

/// Tells of the first groups in full.
fn told(
    page: &mut Page<'_>,
    story: &Story<'_>,
    groups: &[&Group],
    tell: fn(&mut Page<'_>, &Story<'_>, &Group) -> fmt::Result,
) -> fmt::Result {
    let shown = story.shown(groups.len());
    for (index, group) in groups.iter().take(shown).enumerate() {
        page.section(index > 0 || story.groups.len() > 1)?;
        tell(page, story, group)?;
    }
    if shown < groups.len() {
        page.blank()?;
    }
    notes::more(page, 2, groups.len() - shown)
}

/// Failures and warnings, those with most connections first.
fn sorted(groups: &[Group]) -> (Vec<&Group>, Vec<&Group>) {
    let mut groups: Vec<&Group> = groups.iter().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    groups.into_iter().partition(|group| subject::verdict(group).severity == "failure")
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::sample;
