//! Runs the binary on real captures; what several test files share.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// One call that nobody answered in ten seconds.
pub(crate) const DEADLINE: &str = "deadline-exceeded/deadline-10s.pcap";
/// One connection with four answered calls.
pub(crate) const OK: &str = "ok/ok-tls13.pcap";
/// SYNs without an answer.
pub(crate) const SYN_DROP: &str = "syn-unanswered/syn-drop.pcap";

/// What the binary said, and where.
pub(crate) struct Said {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The binary, without a terminal and without the environment's wishes.
pub(crate) fn hookscope(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookscope"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["COLUMNS", "CLICOLOR", "CLICOLOR_FORCE", "NO_COLOR"] {
        command.env_remove(name);
    }
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| name.to_string_lossy().starts_with("HOOKSCOPE_")) {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end.
pub(crate) fn said(command: &mut Command) -> Said {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { status: status.code(), out: text(stdout), err: text(stderr) }
}

/// Runs the binary.
pub(crate) fn run(args: &[&str]) -> Said {
    said(&mut hookscope(args))
}

/// The path of a capture.
pub(crate) fn fixture(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name);
    root.to_str().unwrap().to_owned()
}

/// A file of its own for one test, gone with it.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str, content: &[u8]) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, content).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
