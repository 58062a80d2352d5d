//! What hookscope can be told to do, and what its exit status says.

mod analyze;
mod assets;
mod explain;
mod extract;
mod live;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::args::Command;
use crate::failure::Failure;

/// What a command found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Nothing failed.
    Clean,
    /// A connection, a call or a lookup failed.
    Failed,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        match status {
            Status::Clean => Self::SUCCESS,
            Status::Failed => Self::from(1),
        }
    }
}

/// Does what was asked for.
pub(crate) fn run(command: Command) -> Result<Status, Failure> {
    match command {
        Command::Analyze(args) => analyze::run(&args),
        Command::Live(args) => live::run(&args),
        Command::Extract(args) => extract::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Help(args) => assets::help(&args),
        Command::Completions(args) => assets::completions(&args),
        Command::Man(args) => assets::man(&args),
    }
}

/// Standard input ends once: of all that is to be read, it can be one.
fn refuse_reading_twice<const N: usize>(inputs: [&Vec<PathBuf>; N]) -> Result<(), Failure> {
    let times = inputs.into_iter().flatten().filter(|file| *file == Path::new("-")).count();
    if times > 1 { Err(Failure::StandardInputTwice) } else { Ok(()) }
}
