//! `hookscope extract`: which packets to write, and where.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueHint};

use super::{AsTcpdump, Judging, Which};

pub(super) const EXAMPLES: &str = "\x1b[1m\x1b[4mExamples:\x1b[0m
  hookscope extract day.pcap.gz -w failed.pcapng                     all that failed
  hookscope extract day.pcap -w out.pcapng --code deadline-exceeded  one kind of failure
  hookscope extract day.pcap -w out.pcapng --connection 4711         one connection";

pub(super) const STATUS: &str = "\x1b[1m\x1b[4mExit status:\x1b[0m
  0  nothing failed in what was read
  1  at least one connection, call or lookup failed, and what was asked for is written all the same
  2  bad usage, an input that cannot be read, or a file that cannot be written";

/// `hookscope extract FILE... -w OUT`
#[derive(Debug, Args)]
pub(crate) struct Extract {
    /// Captures to read; '-' is standard input, which is kept in a temporary file meanwhile
    #[arg(value_name = "FILE", required_unless_present = "read", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) as_tcpdump: AsTcpdump,

    /// The capture to write, as pcapng; '-' is standard output
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath, help_heading = "Which packets")]
    pub(crate) write: PathBuf,

    /// Those of the connection with this id, as reports have it; may be given several times
    #[arg(long, value_name = "ID", action = ArgAction::Append, help_heading = "Which packets")]
    pub(crate) connection: Vec<u64>,

    /// Those of connections, calls and lookups with this code; may be given several times
    #[arg(long, value_name = "CODE", action = ArgAction::Append, help_heading = "Which packets")]
    pub(crate) code: Vec<String>,

    /// Those of all failed connections and lookups; the default where nothing else is chosen
    #[arg(long, help_heading = "Which packets")]
    pub(crate) failed: bool,

    /// Show no progress bar
    #[arg(long, help_heading = "Reading and judging")]
    pub(crate) no_progress: bool,

    #[command(flatten)]
    pub(crate) judging: Judging,

    #[command(flatten)]
    pub(crate) which: Which,
}
