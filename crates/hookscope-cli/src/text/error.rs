//! Turns the explanation of a message of kube-apiserver's into a page: what it means, which codes give it, what to do
//! next to tell them apart.

use std::fmt::{self, Write};

use hookscope::diagnosis::message::{Candidate, Explanation};

use crate::invocation;

use super::explain::Code;
use super::layout::{Page, Paper, Text};
use super::style::{COPY, FAINT, STRONG, WARNING, of_severity};

/// What is said of alerts that Go never sends.
const OTHER_CLIENTS: &str = "Only if the client is not kube-apiserver, which sends bad_certificate whatever is wrong with \
                             the webhook's certificate.";

/// Writes the page.
pub(crate) fn error(
    out: &mut dyn Write,
    paper: Paper,
    explanation: &Explanation,
    catalogue: &[Code],
) -> fmt::Result {
    let page = &mut Page::new(out, paper);
    quoted(page, explanation)?;
    page.blank()?;
    let Some(meaning) = explanation.meaning else { return unknown(page, explanation) };
    page.paragraph(0, 0, &Text::new().plain(meaning))?;
    page.blank()?;
    let several = explanation.candidates.len() > 1;
    let heading =
        if several { "What gives this message, the most likely first" } else { "What gives this message" };
    page.line(0, &Text::new().styled(STRONG, heading))?;
    for (number, candidate) in (1..).zip(&explanation.candidates) {
        given_by(page, number, candidate, catalogue)?;
    }
    page.blank()?;
    if !explanation.apart.is_empty() {
        page.line(0, &Text::new().styled(STRONG, "What tells them apart"))?;
        page.paragraph(2, 2, &Text::new().plain(explanation.apart))?;
        page.blank()?;
    }
    next(page, explanation)?;
    let first = explanation.candidates.first().map_or("CODE", |candidate| candidate.code);
    page.line(
        2,
        &Text::new()
            .styled(FAINT, "More")
            .padded(6)
            .styled(COPY, format!("{} explain {first}", invocation::name())),
    )
}

/// What the message says of the call.
fn quoted(page: &mut Page<'_>, explanation: &Explanation) -> fmt::Result {
    let quote = &explanation.quote;
    page.paragraph(0, 2, &Text::new().styled(STRONG, &quote.error))?;
    let facts = [("webhook", &quote.webhook), ("URL", &quote.url)];
    for (label, value) in facts {
        if let Some(value) = value {
            page.line(2, &Text::new().styled(FAINT, label).padded(9).plain(value))?;
        }
    }
    Ok(())
}

fn given_by(page: &mut Page<'_>, number: usize, candidate: &Candidate, catalogue: &[Code]) -> fmt::Result {
    let entry = catalogue.iter().find(|code| code.code == candidate.code);
    let (_, style) = of_severity(entry.map_or("failure", |code| code.severity));
    let label = Text::new().plain(format!("{number}. "));
    let text = Text::new().styled(style, candidate.code);
    page.item(2, &label, &text)?;
    // The code's own summary would speak of the other side's certificate.
    if candidate.only_other_clients {
        page.paragraph(5, 5, &Text::new().plain(OTHER_CLIENTS))?;
    } else if let Some(entry) = entry {
        page.paragraph(5, 5, &Text::new().plain(&entry.summary))?;
    }
    if candidate.alike.is_empty() {
        return Ok(());
    }
    let relation =
        if candidate.only_other_clients { "or, of such a client" } else { "looks the same from here" };
    let alike = format!("{relation}: {}", candidate.alike.join(", "));
    page.paragraph(5, 5, &Text::new().styled(FAINT, alike))
}

fn next(page: &mut Page<'_>, explanation: &Explanation) -> fmt::Result {
    if explanation.captures {
        let place = "On the host of the kube-apiserver that says so, while it does";
        page.line(0, &Text::new().styled(STRONG, place))?;
        page.line(2, &Text::new().styled(COPY, &explanation.next))?;
        return page.line(2, &Text::new().styled(COPY, format!("{} webhooks.pcap", invocation::name())));
    }
    page.line(0, &Text::new().styled(STRONG, "Where to look"))?;
    page.line(2, &Text::new().styled(COPY, &explanation.next))
}

/// Says honestly that the message is not known.
fn unknown(page: &mut Page<'_>, explanation: &Explanation) -> fmt::Result {
    let text = Text::new().styled(WARNING, "! hookscope does not know this message.");
    let text = text.plain(
        " It may be the webhook's own text, or that of another program: what stands behind the last colon is said by \
         whoever failed. Packets tell without it.",
    );
    page.paragraph(0, 2, &text)?;
    page.blank()?;
    next(page, explanation)
}
