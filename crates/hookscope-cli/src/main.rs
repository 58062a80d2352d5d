//! The command line of hookscope: turns arguments into a report and an exit status.
//!
//! 0 says that nothing failed, 1 that a connection, call or lookup failed, 2 that the usage is wrong or an input
//! cannot be read.

mod args;
mod cluster;
mod commands;
mod engine;
mod evidence;
mod failure;
mod interrupt;
mod invocation;
#[cfg(feature = "live")]
mod live;
mod log;
mod output;
mod progress;
mod terminal;
mod text;

use std::io::Write;
use std::process::ExitCode;

/// What captures that we write bear as their author.
const APPLICATION: &str = concat!("hookscope ", env!("CARGO_PKG_VERSION"));
/// Bad usage, or an input that cannot be read.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let command = match args::parse() {
        Ok(command) => command,
        Err(error) => {
            // Help that nobody reads to its end is no failure.
            let _ = error.print();
            if let Some(variable) = args::culprit(&error) {
                complain(&format!("the value is that of the environment's {variable}"));
            }
            return if error.use_stderr() { ExitCode::from(UNUSABLE) } else { ExitCode::SUCCESS };
        }
    };
    match commands::run(command) {
        Ok(status) => status.into(),
        Err(failure) => {
            complain(&invocation::renamed(&failure.to_string()));
            for line in failure.pointer().into_iter().flatten() {
                let _ = writeln!(std::io::stderr(), "  {}", text::printable(line));
            }
            ExitCode::from(UNUSABLE)
        }
    }
}

/// Says something on standard error, if anybody listens.
fn complain(what: &str) {
    let _ = writeln!(std::io::stderr(), "hookscope: {}", text::printable(what));
}
