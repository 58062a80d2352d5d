//! kube-apiserver's log -> the failed calls of webhooks that it names. Text goes in line by line, nothing is opened.
//!
//! ```text
//!  line --> frame: runtime, journal --> entry: klog's text or JSON --> quote: webhook, URL, error --> LoggedCall
//! ```
//!
//! Kept is what is known of each failed call, up to a bound; all other lines are only counted. When a line was written
//! is not always said: klog's header has neither year nor zone. That is settled when the log meets a capture.

pub(crate) mod assign;
mod frame;
pub(crate) mod when;

use std::collections::VecDeque;

use crate::config::Retain;
use crate::diagnosis::message::{Quote, Said, field, unescape};
use crate::log::frame::{Entry, JsonEntry, Payload, Trace};
use crate::log::when::{SECOND, Stamp};

/// Octets of one line that are read. klog writes longer ones only for huge objects, with the error far before.
pub const MAX_LINE: usize = 1 << 20;
/// Failed calls that are kept.
const MAX_CALLS: usize = 100_000;
/// Octets of their texts that are kept.
const MAX_OCTETS: usize = 64 << 20;
/// Characters of one text.
const MAX_TEXT: usize = 8 << 10;
/// How many notes of a kind name their line.
const NAMED: u64 = 3;
/// Failed calls among which one that is told again is looked for.
const RECENT: usize = 64;
/// How long after a call failed its failure is told again.
const AGAIN: i64 = SECOND;
/// How long after a trace its call's failure is told.
const AFTER_TRACE: i64 = SECOND / 10;

/// A failed call of a webhook, as a line of the log tells it.
#[derive(Clone, Debug)]
pub(crate) struct LoggedCall {
    /// The log's place among all that were given.
    pub(crate) file: usize,
    /// The line, from 1: of one that was written in parts, the first.
    pub(crate) line: u64,
    pub(crate) stamp: Stamp,
    pub(crate) quote: Quote,
    /// Whether the API request went on without it.
    pub(crate) fails_open: Option<bool>,
    /// How long it took, in nanoseconds, where a trace says so.
    pub(crate) took: Option<i64>,
    /// The earlier line that tells of the same call.
    pub(crate) repeats: Option<usize>,
    /// Which line of the source wrote it.
    caller: Box<str>,
}

/// The failed calls of one log, or of several.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub(crate) files: Vec<String>,
    pub(crate) calls: Vec<LoggedCall>,
    notes: Vec<String>,
}

impl Log {
    /// Failed calls that it names.
    pub const fn calls(&self) -> usize {
        self.calls.len()
    }

    /// What a user should know about it, a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Which finished connections an [`Inspector`](crate::Inspector) has to keep, so that each line can be tied to
    /// its own.
    pub fn retain(&self) -> Retain {
        let answered = |call: &LoggedCall| Said::read(&call.quote.error).is_of_answered_call();
        match self.calls.is_empty() {
            true => Retain::Reported,
            false if self.calls.iter().any(answered) => Retain::All,
            false => Retain::Failures,
        }
    }
}

/// What is wrong with a log of which nothing can be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{file}:1: no log of kube-apiserver's: none of its {lines} lines is klog's text or JSON; it begins with {begins}"
)]
pub struct NotALog {
    file: String,
    lines: u64,
    begins: String,
}

/// Lines that cannot be read as they are.
#[derive(Debug, Default)]
struct Flaw {
    count: u64,
    named: Vec<u64>,
}

impl Flaw {
    fn at(&mut self, line: u64) {
        self.count += 1;
        if self.count <= NAMED {
            self.named.push(line);
        }
    }

    fn note(&self, file: &str, what: &str) -> Option<String> {
        let named: Vec<_> = self.named.iter().map(|line| format!("{file}:{line}")).collect();
        let more = self.count - self.named.len() as u64;
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (self.count > 0).then(|| format!("{}{more}: {what}", named.join(", ")))
    }
}

/// Reads logs, line by line.
#[derive(Debug, Default)]
pub struct Reader {
    log: Log,
    /// Of the file that is read.
    line: u64,
    begins: String,
    is_klog: bool,
    /// When the latest entry was written.
    latest: Stamp,
    not_text: Flaw,
    too_long: Flaw,
    /// Parts of a line whose end is still to come, and the line of the first.
    parts: String,
    parts_from: u64,
    /// Calls that took long, with the webhook's name and when that was told.
    traces: VecDeque<(String, Stamp, i64)>,
    octets: usize,
    left_out: u64,
}

impl Reader {
    /// Begins a file.
    pub fn file(&mut self, name: &str) {
        self.log.files.push(name.to_owned());
        (self.line, self.is_klog, self.latest) = (0, false, Stamp::default());
        self.begins.clear();
        self.parts.clear();
        self.traces.clear();
        (self.not_text, self.too_long) = (Flaw::default(), Flaw::default());
    }

    /// Takes the next line, without its end; `is_cut` says that it is longer than [`MAX_LINE`], and cut off there.
    pub fn line(&mut self, bytes: &[u8], is_cut: bool) {
        self.line += 1;
        if is_cut {
            self.too_long.at(self.line);
        }
        let text = String::from_utf8_lossy(bytes);
        if matches!(text, std::borrow::Cow::Owned(_)) {
            self.not_text.at(self.line);
        }
        let text = text.trim_end_matches('\r');
        if self.begins.is_empty() {
            self.begins = text.chars().take(40).collect();
        }
        let Payload { text, absolute, is_part } = frame::unwrap(text);
        if is_part {
            if self.parts.is_empty() {
                self.parts_from = self.line;
            }
            if self.parts.len() + text.len() <= MAX_LINE {
                self.parts.push_str(&text);
            } else {
                self.too_long.at(self.line);
            }
            return;
        }
        if self.parts.is_empty() {
            self.entry(&text, absolute, self.line);
        } else {
            let mut whole = std::mem::take(&mut self.parts);
            if whole.len() + text.len() <= MAX_LINE {
                whole.push_str(&text);
            }
            self.entry(&whole, absolute, self.parts_from);
        }
    }

    /// Ends a file.
    ///
    /// # Errors
    ///
    /// Where it has lines, and none of them is one that kube-apiserver writes.
    pub fn end(&mut self) -> Result<(), NotALog> {
        if !self.parts.is_empty() {
            let whole = std::mem::take(&mut self.parts);
            self.entry(&whole, None, self.parts_from);
        }
        let file = self.log.files.last().cloned().unwrap_or_default();
        if self.line == 0 {
            self.log.notes.push(format!("{file} is empty: no line of it can be tied to a call"));
        } else if !self.is_klog {
            let begins = format!("{:?}", self.begins);
            return Err(NotALog { file, lines: self.line, begins });
        }
        let flaws = [
            (&self.not_text, "not UTF-8; what cannot be read is left out"),
            (&self.too_long, "longer than 1 MiB; only the first 1 MiB is read"),
        ];
        let notes = flaws.iter().filter_map(|(flaw, what)| flaw.note(&file, what));
        self.log.notes.extend(notes.collect::<Vec<_>>());
        Ok(())
    }

    /// All that was read.
    pub fn finish(mut self) -> Log {
        if self.left_out > 0 {
            self.log.notes.push(format!(
                "{} failed calls of the log are left out: more than {MAX_CALLS}, or 64 MiB of text, are not kept",
                self.left_out
            ));
        }
        self.log
    }

    fn entry(&mut self, text: &str, absolute: Option<crate::time::Timestamp>, line: u64) {
        let json = text.trim_start();
        if json.starts_with('{')
            && let Some(entry) = JsonEntry::read(json)
        {
            self.is_klog = true;
            let stamp = Stamp { absolute: entry.written().or(absolute), header: None };
            return self.json(&entry, stamp, line);
        }
        let Some(entry) = frame::entry(text, absolute) else {
            // The rest of an entry of several lines, or a line that was cut out of a log by hand.
            let quote = Quote::of_call(text).or_else(|| Quote::of_call(&unescape(text)));
            if let Some(quote) = quote {
                let stamp = if self.is_klog { self.latest } else { Stamp { absolute, header: None } };
                self.is_klog = true;
                self.call(quote, stamp, "", fails_open(text), line);
            }
            return;
        };
        self.latest = entry.stamp;
        self.is_klog = true;
        if let Some(trace) = Trace::read(entry.message) {
            return self.trace(&trace, entry.stamp);
        }
        let Entry { stamp, caller, message } = entry;
        if let Some(quote) = quoted(message) {
            self.call(quote, stamp, caller, fails_open(message), line);
        }
    }

    fn trace(&mut self, trace: &Trace<'_>, stamp: Stamp) {
        if self.traces.len() == RECENT {
            self.traces.pop_front();
        }
        self.traces.push_back((cut(trace.webhook.to_owned()), stamp, trace.took));
    }

    fn json(&mut self, entry: &JsonEntry<'_>, stamp: Stamp, line: u64) {
        if let Some(trace) = Trace::read(&entry.msg) {
            return self.trace(&trace, stamp);
        }
        let error = entry.err.as_deref().or(entry.error.as_deref());
        let quote = [error, Some(&*entry.msg)].into_iter().flatten().find_map(quoted).or_else(|| {
            let is_failure = fails_open(&entry.msg).is_some();
            let quote = Quote::read(error.filter(|_| is_failure)?);
            Some(Quote { webhook: entry.webhook.as_deref().map(str::to_owned), ..quote })
        });
        if let Some(quote) = quote {
            let caller = entry.caller.as_deref().unwrap_or_default();
            self.call(quote, stamp, caller, fails_open(&entry.msg), line);
        }
    }

    fn call(&mut self, quote: Quote, stamp: Stamp, caller: &str, fails_open: Option<bool>, line: u64) {
        let quote =
            Quote { webhook: quote.webhook.map(cut), url: quote.url.map(cut), error: cut(quote.error) };
        let octets = quote.error.len()
            + [&quote.webhook, &quote.url].into_iter().flatten().map(String::len).sum::<usize>();
        if self.log.calls.len() >= MAX_CALLS || self.octets + octets > MAX_OCTETS {
            self.left_out += 1;
            return;
        }
        self.octets += octets;
        let repeats = self.told_before(&quote, stamp, caller);
        let took = if repeats.is_some() { None } else { self.traced(quote.webhook.as_deref(), stamp) };
        let file = self.log.files.len().saturating_sub(1);
        let caller = caller.into();
        self.log.calls.push(LoggedCall { file, line, stamp, quote, fails_open, took, repeats, caller });
    }

    /// The call that another line of the source told of just before, in the same words. What follows them may be
    /// anything: HTTP responses are logged with the octets around their text.
    fn told_before(&self, quote: &Quote, stamp: Stamp, caller: &str) -> Option<usize> {
        let recent = self.log.calls.iter().enumerate().rev().take(RECENT);
        let mut recent = recent.take_while(|(_, call)| call.file + 1 == self.log.files.len());
        let told_again = |place: usize| {
            self.log
                .calls
                .iter()
                .rev()
                .take(RECENT)
                .any(|call| call.repeats == Some(place) && *call.caller == *caller)
        };
        let (place, _) = recent.find(|(place, call)| {
            call.repeats.is_none()
                && *call.caller != *caller
                && (&call.quote.webhook, &call.quote.url) == (&quote.webhook, &quote.url)
                && quote.error.starts_with(&call.quote.error)
                && apart(call.stamp, stamp).is_some_and(|nanos| nanos <= AGAIN)
                && !told_again(*place)
        })?;
        Some(place)
    }

    /// How long the call took, if a trace told of it just before.
    fn traced(&mut self, webhook: Option<&str>, stamp: Stamp) -> Option<i64> {
        let webhook = webhook?;
        let near = |(name, at, _): &(String, Stamp, i64)| {
            name == webhook && apart(*at, stamp).is_some_and(|nanos| nanos <= AFTER_TRACE)
        };
        let place = self.traces.iter().position(near)?;
        self.traces.remove(place).map(|(_, _, took)| took)
    }
}

/// How far apart two lines were written, in nanoseconds.
fn apart(one: Stamp, other: Stamp) -> Option<i64> {
    match (one.header, other.header, one.absolute, other.absolute) {
        (Some(one), Some(other), ..) if (one.month, one.day) == (other.month, other.day) => {
            Some((one.nanos - other.nanos).abs())
        }
        (.., Some(one), Some(other)) => Some(one.since(other).abs().as_nanos()),
        _ => None,
    }
}

/// What a message says of a failed call.
fn quoted(message: &str) -> Option<Quote> {
    if let Some(quote) = Quote::of_call(message) {
        return Some(quote);
    }
    // klog's structured text: "Failed calling webhook, failing open" webhook="x" err="…".
    let error = field(message, "err")?;
    let quote = Quote::of_call(&error).or_else(|| fails_open(message).map(|_| Quote::read(&error)))?;
    Some(Quote { webhook: quote.webhook.or_else(|| field(message, "webhook")), ..quote })
}

/// What a message says of the API request whose call failed.
fn fails_open(message: &str) -> Option<bool> {
    let message = message.get(..message.len().min(256)).unwrap_or(message);
    if message.contains("failing open") {
        Some(true)
    } else if message.contains("failing closed") {
        Some(false)
    } else {
        None
    }
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_TEXT) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests;
