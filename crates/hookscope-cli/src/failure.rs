//! What keeps a command from being done, as one line on standard error and exit status 2.

use std::io;

/// Why a command could not be done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// An input cannot be read at all.
    #[error(transparent)]
    Input(#[from] hookscope_capture::InputError),
    /// A file that is no capture cannot be read; `from` is the option, or the variable, that names it.
    #[error("{file}: {}", refused(.error, .from))]
    NamedFile { file: String, from: &'static str, error: io::Error },
    /// A file holds no objects.
    #[error(transparent)]
    Cluster(#[from] hookscope_cluster::Error),
    /// A log cannot be read at all.
    #[error(transparent)]
    Lines(#[from] hookscope_capture::LinesError),
    /// A log that is to be read when the capture ends is no file that can be.
    #[cfg(feature = "live")]
    #[error("{path}: {reason}; --log takes a file here, such as that of 'kubectl logs -f POD > FILE'")]
    LiveLog { path: String, reason: String },
    /// A file is no log of kube-apiserver's.
    #[error(transparent)]
    Log(#[from] hookscope::log::NotALog),
    /// Standard input is asked for twice.
    #[error("standard input ('-') can be read only once: give the capture, the objects or the log as a file")]
    StandardInputTwice,
    /// A subcommand was mistyped, or stands behind an option, and was taken for a file.
    #[error("{typed}: no such file; did you mean the subcommand, as in 'hookscope {command} …'?")]
    MistakenForFile { typed: String, command: &'static str },
    /// A code was given where a file is due.
    #[error("{code}: no such file; did you mean 'hookscope explain {code}'?")]
    CodeForFile { code: String },
    /// There is no command of this name to tell about.
    #[error("there is no command '{command}'; there are analyze, live, extract and explain")]
    NoSuchCommand { command: String },
    /// No verdict has this code.
    #[error("there is no code '{code}'; {advice}")]
    UnknownCode {
        code: String,
        /// What to do instead.
        advice: String,
    },
    /// The message to explain cannot be read.
    #[error("standard input: {0}; give the message itself: hookscope explain --error 'MESSAGE'")]
    Message(#[source] io::Error),
    /// The message to explain is empty.
    #[error(
        "the message to explain is empty; give it as it was printed: hookscope explain --error 'x509: …'"
    )]
    NoMessage,
    /// No connection has this id.
    #[error(
        "there is no connection {id} in this capture; its id is the 'id' of --format json, or the number behind 'id' in text"
    )]
    NoSuchConnection { id: u64 },
    /// A capture cannot be written.
    #[error("{path}: cannot be written: {error}")]
    Evidence {
        path: String,
        #[source]
        error: io::Error,
    },
    /// Evidence cannot be written by whom this runs as by then.
    #[cfg(feature = "live")]
    #[error(
        "{path}: cannot be written: {error}; it is written as {user}, once the interfaces are open: choose a folder that \
         {user} may write to, or another user with --user"
    )]
    EvidenceAs {
        path: String,
        #[source]
        error: io::Error,
        /// Whom this runs as.
        user: String,
    },
    /// Standard input cannot be kept.
    #[error("standard input cannot be kept for a second reading: {0}; TMPDIR names a folder with more room")]
    Spool(io::Error),
    /// This program was built without what captures.
    #[cfg(not(feature = "live"))]
    #[error(
        "this hookscope was built without capturing. Build it with libpcap (Debian: libpcap-dev): cargo install --locked \
         --path crates/hookscope-cli --features live. Or let tcpdump capture: {instead}"
    )]
    NotBuiltIn {
        /// The same with tcpdump.
        instead: String,
    },
    /// An interface cannot be captured from.
    #[cfg(feature = "live")]
    #[error(transparent)]
    Live(#[from] hookscope_capture::live::LiveError),
    /// Privileges cannot be given up.
    #[cfg(feature = "live")]
    #[error("privileges cannot be given up: {0}")]
    Privileges(String),
    /// Metrics cannot be served.
    #[cfg(feature = "live")]
    #[error("metrics cannot be served at {addr}: {error}")]
    Metrics {
        /// Where.
        addr: String,
        /// Why not.
        error: String,
    },
    /// The worker threads cannot be started.
    #[error("cannot start worker threads: {0}; try --threads 1")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The report cannot be written.
    #[error("standard output: {0}; the report is not complete")]
    Output(#[from] io::Error),
}

/// What is wrong with a file that `from` names, and what to do.
fn refused(error: &io::Error, from: &str) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            format!("no such file; check what {from} names, or read from standard input with '-'")
        }
        io::ErrorKind::IsADirectory => format!("is a directory; name a file in it as {from}"),
        io::ErrorKind::PermissionDenied => {
            format!("permission denied; run as who may read what {from} names, or chmod the file")
        }
        _ => format!("{error} (from {from})"),
    }
}

impl Failure {
    /// Lines that go below: where in what was typed.
    pub(crate) fn pointer(&self) -> Option<[&str; 2]> {
        match self {
            #[cfg(feature = "live")]
            Self::Live(hookscope_capture::live::LiveError::Filter { filter, caret, .. }) => {
                Some([filter, caret])
            }
            _ => None,
        }
    }
}
