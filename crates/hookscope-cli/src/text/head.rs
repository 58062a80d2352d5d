//! Turns the totals of a capture into the first lines of the report.

use std::fmt;
use std::path::Path;

use hookscope::report::schema::{Capture, Report};

use super::layout::{GAP, GLUE, Page, Text};
use super::numbers::{count, counted, duration, range_in_zone, seconds_between};
use super::style::{FAILURE, FAINT, PLAIN, STRONG, WARNING};

/// Files named one by one; of more only the first is named.
const NAMED_FILES: usize = 3;

/// Writes what was read, how much of it failed, and what is wrong with the capture.
pub(super) fn write(page: &mut Page<'_>, report: &Report) -> fmt::Result {
    let mut text = Text::new().styled(STRONG, files(&report.capture)).plain(GAP);
    for (index, part) in totals(report).into_iter().enumerate() {
        text = if index == 0 { text } else { text.styled(FAINT, format!(" ·{GLUE}")) };
        text = text.then(part);
    }
    page.paragraph(0, 2, &text)?;
    page.paragraph(0, 2, &Text::new().styled(FAINT, circumstances(&report.capture)))?;
    for warning in &report.capture.warnings {
        page.item(0, &Text::new().styled(WARNING, "! "), &Text::new().plain(warning))?;
    }
    Ok(())
}

/// When it was captured, and which packets it holds more than once.
fn circumstances(capture: &Capture) -> String {
    let mut parts = Vec::new();
    if let (Some(first), Some(last)) = (&capture.first, &capture.last) {
        parts.push(range_in_zone(first, last, true));
    }
    if capture.duplicates > 0 {
        parts.push(format!("{} left out", counted(capture.duplicates, "duplicate")));
    }
    parts.join(&format!(" ·{GLUE}"))
}

/// The inputs by name.
fn files(capture: &Capture) -> String {
    let names: Vec<&str> = capture.files.iter().map(|file| file_name(file)).collect();
    match names.as_slice() {
        [first, rest @ ..] if names.len() > NAMED_FILES => format!("{first} and {} more files", rest.len()),
        _ => names.join(", "),
    }
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    if path == "-" {
        return "standard input";
    }
    Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or(path)
}

/// Packets, connections, requests and lookups.
fn totals(report: &Report) -> Vec<Text> {
    let (capture, summary) = (&report.capture, &report.summary);
    let mut packets = counted(capture.packets, "packet");
    if let Some(seconds) = capture.first.as_deref().zip(capture.last.as_deref()).and_then(between)
        && capture.packets > 1
    {
        packets = format!("{packets} in {}", duration(seconds));
    }
    let mut parts = vec![Text::new().glued(PLAIN, packets)];
    // A capture of DNS alone is one: that it holds no connection is no news.
    if summary.connections > 0 || summary.lookups == 0 {
        parts.push(failed(&counted(summary.connections, "connection"), summary.failed_connections));
        // Calls whose connection failed before their request are not among them.
        parts.push(failed(&format!("{}{GLUE}seen", counted(summary.calls, "request")), summary.failed_calls));
    }
    if summary.lookups > 0 {
        parts.push(failed(&counted(summary.lookups, "lookup"), summary.failed_lookups));
    }
    parts
}

fn between((first, last): (&str, &str)) -> Option<f64> {
    seconds_between(first, last)
}

/// `655 connections, 244 failed`.
fn failed(all: &str, failed: u64) -> Text {
    let text = Text::new().plain(all);
    if failed == 0 {
        text
    } else {
        text.plain(format!(",{GLUE}")).glued(FAILURE, format!("{} failed", count(failed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(paths: &[&str]) -> String {
        files(&Capture { files: paths.iter().map(|path| (*path).to_owned()).collect(), ..Capture::default() })
    }

    #[test]
    fn few_files_are_named_and_many_are_counted() {
        assert_eq!(named(&["/var/tmp/a.pcap", "b.pcap"]), "a.pcap, b.pcap");
        assert_eq!(named(&["a.pcap", "b.pcap", "c.pcap", "d.pcap"]), "a.pcap and 3 more files");
        assert_eq!(named(&["-"]), "standard input");
    }
}
