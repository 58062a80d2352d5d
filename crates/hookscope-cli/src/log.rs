//! Files with kube-apiserver's log -> the failed calls in it.

use std::path::PathBuf;

use hookscope::log::{Log, MAX_LINE, Reader};
use hookscope_capture::{LinesError, for_each_line};

use crate::failure::Failure;

/// What was read.
pub(crate) struct Logged {
    pub(crate) log: Log,
    pub(crate) warnings: Vec<String>,
}

/// Reads all files as one log.
pub(crate) fn read(files: &[PathBuf]) -> Result<Logged, Failure> {
    let mut reader = Reader::default();
    let mut warnings = Vec::new();
    for file in files {
        let is_stdin = file.as_os_str() == "-";
        reader.file(&if is_stdin { "standard input".to_owned() } else { file.display().to_string() });
        let read = for_each_line(file, MAX_LINE, |line, is_cut| reader.line(line, is_cut));
        warnings.extend(read.map_err(|error| match error {
            LinesError::Io { path, error } => Failure::NamedFile { file: path, from: "--log", error },
            error => Failure::Lines(error),
        })?);
        reader.end()?;
    }
    Ok(Logged { log: reader.finish(), warnings })
}
