//! Keeps Ctrl-C on a pipeline from ending the program before its report.
//!
//! The terminal interrupts everything in `tcpdump … | hookscope -` at once. tcpdump then writes what it has and ends,
//! which ends the input: that is when the report is due. A second Ctrl-C ends the program, for writers that go on.

use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

/// The status of a program that SIGINT ended, as shells have it.
const INTERRUPTED: i32 = 130;

/// Leaves the first Ctrl-C to the writer of the pipe, where standard input is read.
pub(crate) fn leave_to_writer(files: &[PathBuf]) {
    if !files.iter().any(|file| file == Path::new("-")) {
        return;
    }
    let interrupted = AtomicBool::new(false);
    // Where no handler can be set, Ctrl-C ends the program as ever.
    let _ = ctrlc::set_handler(move || {
        if interrupted.swap(true, Ordering::Relaxed) {
            process::exit(INTERRUPTED);
        }
    });
}
