//! Turns what is wrong with the cluster's objects into a few lines each: whose, what, how often packets show it.

use std::fmt;

use hookscope::report::schema::Finding;

use super::layout::{GAP, Page, Text};
use super::numbers::counted;
use super::style::{FAINT, STRONG, of_severity};
use super::{Detail, LISTED, Story, prose, steps};

/// Writes the findings, the gravest first.
pub(super) fn write(page: &mut Page<'_>, story: &Story<'_>) -> fmt::Result {
    let findings = story.report.cluster.as_ref().map_or(&[][..], |cluster| &cluster.findings);
    if findings.is_empty() {
        return Ok(());
    }
    page.section(true)?;
    page.line(0, &Text::new().styled(STRONG, "Objects of the cluster"))?;
    let mut kinds: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        match kinds.iter_mut().find(|kind| kind.first().is_some_and(|first| first.code == finding.code)) {
            Some(kind) => kind.push(finding),
            None => kinds.push(vec![finding]),
        }
    }
    for kind in kinds {
        page.blank()?;
        of_kind(page, story, &kind)?;
    }
    Ok(())
}

/// Writes the first finding of a kind in full, and those of the others who has them.
fn of_kind(page: &mut Page<'_>, story: &Story<'_>, findings: &[&Finding]) -> fmt::Result {
    let [first, others @ ..] = findings else { return Ok(()) };
    let (sign, style) = of_severity(first.severity);
    let heading = Text::new().styled(style, sign).plain(" ").styled(STRONG, &first.webhook);
    page.paragraph(0, 2, &heading.plain(GAP).styled(style, first.code))?;
    page.paragraph(2, 2, &Text::new().plain(prose::numbers(&first.summary)))?;
    page.paragraph(2, 2, &Text::new().styled(FAINT, packets(first)))?;
    steps::write(page, 2, &first.hints)?;
    if story.all || story.detail == Detail::Verbose {
        for other in others {
            let text = Text::new().styled(STRONG, &other.webhook).plain(format!(", {}: ", packets(other)));
            page.paragraph(2, 4, &text.plain(prose::numbers(&other.summary)))?;
        }
        return Ok(());
    }
    if others.is_empty() {
        return Ok(());
    }
    let shown = others.len().min(LISTED);
    let names: Vec<&str> = others.iter().take(shown).map(|it| it.webhook.as_str()).collect();
    let rest = others.len() - shown;
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    let text = format!("The same holds for {}{rest} (-v tells of each)", names.join(", "));
    page.paragraph(2, 2, &Text::new().plain(text))
}

/// What the capture shows of it.
fn packets(finding: &Finding) -> String {
    match finding.connections {
        0 => "no packet of a failed call was seen".to_owned(),
        some => format!("{} failed", counted(some, "connection")),
    }
}
