//! Keeps the packets of the last while, and writes those of what fails.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::time::Duration;

use hookscope::report::Event;
use hookscope::time::{Elapsed, Timestamp};
use hookscope_capture::Batch;
use hookscope_capture::write::{Every, Ring, Rotation, Selection};

use crate::args::{Live, Rotate};
use crate::failure::Failure;
use crate::{APPLICATION, complain, evidence, text};

/// Why there can be no evidence. Who has just started this as root does not expect to be somebody else by now.
fn refused(path: String, error: io::Error, user: &str) -> Failure {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Failure::EvidenceAs { path, error, user: user.to_owned() },
        _ => Failure::Evidence { path, error },
    }
}

/// Writes evidence, where it is asked for.
pub(super) struct Recorder {
    ring: Ring,
    rotation: Rotation,
    path: String,
    waiting: Selection,
    /// When the first of those that wait came.
    since: Option<Timestamp>,
    /// Connections whose packets were written, of the recent ones.
    written: HashSet<u64>,
    /// Packets that were written, and those for which there was no room.
    pub(super) packets: u64,
    pub(super) left_out: u64,
    has_failed: bool,
}

impl Recorder {
    /// How long packets of a connection that has failed are waited for before they are written.
    const LINGER: Elapsed = Elapsed::from_millis(1000);
    /// How many connections are remembered as written.
    const REMEMBERED: usize = 100_000;

    /// A recorder, where `--write` asks for one; `user` is whom we are by now.
    pub(super) fn new(args: &Live, user: &str) -> Result<Option<Self>, Failure> {
        let Some(path) = &args.write else { return Ok(None) };
        let every = match args.rotate {
            None => Every::Never,
            Some(Rotate::Size(size)) => Every::Size(size),
            Some(Rotate::Time(time)) => Every::Time(time),
        };
        let shown = path.display().to_string();
        let rotation = Rotation::new(Path::new(path), every, args.keep as usize, APPLICATION)
            .map_err(|error| refused(shown.clone(), error, user))?;
        let ring = Ring::new(usize::try_from(args.ring).unwrap_or(usize::MAX));
        Ok(Some(Self {
            ring,
            rotation,
            path: shown,
            waiting: Selection::default(),
            since: None,
            written: HashSet::new(),
            packets: 0,
            left_out: 0,
            has_failed: false,
        }))
    }

    /// Notes whose packets to write.
    pub(super) fn event(&mut self, event: &Event, now: Timestamp) {
        let chosen = match event {
            Event::Notice(notice) if notice.connection.verdict.severity == "failure" => {
                if self.written.len() >= Self::REMEMBERED {
                    self.written.clear();
                }
                if !self.written.insert(notice.trace.id) {
                    return;
                }
                evidence::of_connection(&notice.trace, &notice.connection, None, &[])
            }
            Event::Lookup(lookup) => evidence::of_lookup(lookup, &[]),
            _ => return,
        };
        self.waiting.add(chosen);
        self.since.get_or_insert(now);
    }

    /// Takes a batch, and gives back an empty one.
    pub(super) fn keep(&mut self, batch: Batch) -> Batch {
        self.ring.push(batch)
    }

    /// Writes what is due.
    pub(super) fn tick(&mut self, now: Timestamp) {
        if self.since.is_some_and(|since| now.since(since) >= Self::LINGER) {
            self.write(now);
        }
        let ticked = self.rotation.tick(now);
        self.report(ticked);
    }

    fn write(&mut self, now: Timestamp) {
        self.since = None;
        let selection = std::mem::take(&mut self.waiting);
        let mut written = Ok(true);
        for packet in self.ring.wanted(&selection) {
            written = self.rotation.packet(&packet, selection.comment(packet.frame), now);
            match written {
                Ok(true) => self.packets += 1,
                Ok(false) => self.left_out += 1,
                Err(_) => break,
            }
        }
        if matches!(written, Ok(false)) && !self.has_failed {
            self.has_failed = true;
            complain(&format!("{}: it is full; --rotate begins another file instead", self.path));
        }
        self.report(written.map(drop));
    }

    /// Says once what keeps evidence from being written.
    fn report(&mut self, result: io::Result<()>) {
        if let Err(error) = result
            && !self.has_failed
        {
            self.has_failed = true;
            complain(&format!("{}: evidence cannot be written: {error}", self.path));
        }
    }

    /// Octets that recent packets take.
    pub(super) const fn memory(&self) -> usize {
        self.ring.memory()
    }

    /// Writes what waits, and says where everything is.
    pub(super) fn finish(mut self, now: Timestamp) {
        if self.since.is_some() {
            self.write(now.later(Duration::from_millis(1)));
        }
        match self.rotation.finish() {
            Ok(files) if files.is_empty() => {}
            Ok(files) => {
                let files: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
                let packets = text::counted(self.packets, "packet").replace(text::GLUE, " ");
                complain(&format!("{packets} of what failed are in {}", files.join(", ")));
            }
            Err(error) => complain(&format!("{}: evidence cannot be written: {error}", self.path)),
        }
    }
}
