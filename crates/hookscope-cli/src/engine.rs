//! The one place where the command line meets the engine: turns captures into a report, rules into a catalogue.

use hookscope::report::schema::{Group, Report};

use crate::args::Analyze;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::text::Code;

/// What was read.
pub(crate) struct Reading {
    pub(crate) report: Report,
    /// Failures and warnings by server and kind.
    pub(crate) groups: Vec<Group>,
}

/// Reads the captures, telling `progress` how far it is.
pub(crate) fn read(args: &Analyze, progress: &mut Progress) -> Result<Reading, Failure> {
    progress.at(0, None);
    Err(Failure::Input(format!("{}: the engine is not there yet", args.files[0].display())))
}

/// All codes, class by class.
pub(crate) fn catalogue() -> Vec<Code> {
    Vec::new()
}
