//! Writes what becomes known as it comes: to people a line, to programs an object.

use std::io::{self, Write};

use hookscope::report::schema::{Summary, Verdict};
use hookscope::report::{Event, Notice};
use hookscope::time::Timestamp;
use serde_json::json;

use crate::args::{Format, Shape};
use crate::text::{self, Paper, Pulse};
use crate::{output, terminal};

/// Tells, in the form that was asked for.
pub(super) struct Teller {
    format: Format,
    quiet: bool,
    verbose: bool,
    all: bool,
    paper: Paper,
}

impl Teller {
    pub(super) fn new(shape: &Shape) -> Self {
        let paper = terminal::paper(shape.color.when);
        // A line of a log is one line, however wide the terminal is.
        let paper = Paper { width: usize::MAX / 2, ..paper };
        Self { format: shape.format, quiet: shape.quiet, verbose: shape.verbose, all: shape.all, paper }
    }

    /// Tells what became known.
    pub(super) fn event(&self, event: &Event, now: Timestamp) -> io::Result<()> {
        let is_wanted = |verdict: &Verdict, revises: bool| self.all || revises || verdict.severity != "ok";
        match event {
            Event::Notice(notice) if is_wanted(notice.verdict(), notice.revises.is_some()) => {
                self.notice(notice)
            }
            Event::Lookup(lookup) => match self.format {
                Format::Ndjson => self.to_stdout(&output::lookup(lookup)?),
                Format::Text | Format::Json => {
                    let mut line = String::new();
                    text::lookup(&mut line, self.paper, &now.to_string(), lookup, self.verbose)
                        .map_err(io::Error::other)?;
                    self.to_people(&line)
                }
            },
            _ => Ok(()),
        }
    }

    fn notice(&self, notice: &Notice) -> io::Result<()> {
        match self.format {
            Format::Ndjson => {
                let mut object = serde_json::to_value(&notice.connection)?;
                if let Some(fields) = object.as_object_mut() {
                    fields.insert("at".to_owned(), json!(notice.at.to_string()));
                    fields.insert("about_call".to_owned(), json!(notice.call));
                    fields.insert("revises".to_owned(), json!(notice.revises));
                    fields.insert("is_over".to_owned(), json!(notice.is_over));
                }
                self.to_stdout(&output::object("connection", &object.to_string()))
            }
            Format::Text | Format::Json => {
                let mut line = String::new();
                text::notice(&mut line, self.paper, notice, self.verbose).map_err(io::Error::other)?;
                self.to_people(&line)
            }
        }
    }

    /// Tells how it goes.
    pub(super) fn pulse(&self, pulse: &Pulse<'_>) -> io::Result<()> {
        match self.format {
            Format::Ndjson => {
                let mut object = serde_json::to_value::<&Summary>(pulse.summary)?;
                if let Some(fields) = object.as_object_mut() {
                    fields.insert("at".to_owned(), json!(pulse.at));
                    fields.insert("packets".to_owned(), json!(pulse.packets));
                    fields.insert("open_connections".to_owned(), json!(pulse.open));
                    fields.insert("dropped_packets".to_owned(), json!(pulse.dropped));
                }
                self.to_stdout(&output::object("pulse", &object.to_string()))
            }
            Format::Text | Format::Json => {
                let mut line = String::new();
                text::pulse(&mut line, self.paper, pulse).map_err(io::Error::other)?;
                self.to_people(&line)
            }
        }
    }

    /// To standard output, unless that is to be one JSON object.
    fn to_people(&self, line: &str) -> io::Result<()> {
        match (self.quiet, self.format) {
            (true, _) => Ok(()),
            (false, Format::Json) => io::stderr().write_all(line.as_bytes()),
            (false, _) => self.to_stdout(line),
        }
    }

    /// A line at a time, at once: who reads along waits for it.
    fn to_stdout(&self, line: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(line.as_bytes())?;
        out.flush()
    }
}
