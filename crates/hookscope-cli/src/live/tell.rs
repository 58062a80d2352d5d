//! Writes what becomes known as it comes: to people a line, to programs an object.

use std::cell::Cell;
use std::io::{self, ErrorKind, Write};

use hookscope::report::redact::Redactor;
use hookscope::report::schema::Verdict;
use hookscope::report::{Event, Notice};
use hookscope::time::Timestamp;

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
    /// What takes names and addresses out, if that was asked for.
    redactor: Option<Redactor>,
    /// Whether whoever reads standard output has gone.
    is_alone: Cell<bool>,
}

impl Teller {
    pub(super) fn new(shape: &Shape, redactor: Option<Redactor>) -> Self {
        let paper = terminal::paper(shape.color.when);
        // A line of a log is one line, however wide the terminal is.
        let paper = Paper { width: usize::MAX / 2, ..paper };
        let is_alone = Cell::new(false);
        Self {
            format: shape.format,
            quiet: shape.quiet,
            verbose: shape.verbose,
            all: shape.all,
            paper,
            redactor,
            is_alone,
        }
    }

    /// What takes names and addresses out, if that was asked for.
    pub(super) const fn redactor(&mut self) -> Option<&mut Redactor> {
        self.redactor.as_mut()
    }

    /// Whether nobody reads any more: a reader that has seen enough ends the run.
    pub(super) const fn is_alone(&self) -> bool {
        self.is_alone.get()
    }

    /// Tells what became known.
    pub(super) fn event(&mut self, event: &Event, now: Timestamp) -> io::Result<()> {
        let Some(redactor) = &mut self.redactor else { return self.tell(event, now) };
        let mut event = event.clone();
        match &mut event {
            Event::Notice(notice) => redactor.connection(&mut notice.connection),
            Event::Lookup(lookup) => redactor.lookup(lookup),
            _ => {}
        }
        self.tell(&event, now)
    }

    fn tell(&self, event: &Event, now: Timestamp) -> io::Result<()> {
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
            Format::Ndjson => self.to_stdout(&output::notice(notice)?),
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
            Format::Ndjson => self.to_stdout(&output::pulse(pulse)?),
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
        match out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_alone.set(true);
                Ok(())
            }
            written => written,
        }
    }
}
