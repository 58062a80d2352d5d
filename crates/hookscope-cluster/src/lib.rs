//! Reads a cluster's objects for [`hookscope`]: what `kubectl get … -o json` or `-o yaml` prints, and manifests.
//!
//! It opens nothing: bytes go in, [`Objects`] come out. A file may hold one object, a `List`, or several documents one
//! after another; kinds that say nothing of webhooks are passed over, objects that cannot be understood are named in
//! [`Problem`]s and left out. What is neither JSON nor YAML is an [`Error`] with its place.
//!
//! ```
//! let text = br#"{"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "a", "name": "hook"},
//!     "spec": {"clusterIP": "10.96.0.20", "ports": [{"port": 443, "targetPort": "https"}]}}"#;
//! let mut reader = hookscope_cluster::Reader::default();
//! reader.read("service.json", text)?;
//! let reading = reader.finish();
//! assert_eq!(reading.objects.services[0].name.to_string(), "a/hook");
//! assert!(reading.problems.is_empty());
//! # Ok::<(), hookscope_cluster::Error>(())
//! ```
//!
//! # Bounds
//!
//! Memory is that of the text and of the objects that matter: what else there is passes through, in YAML one object of
//! at most [`MAX_OBJECT`] bytes at a time. Nesting is limited to [`MAX_DEPTH`], what YAML aliases add to [`MAX_ALIASED`]
//! bytes; how much text to read at all is up to the caller, and [`MAX_TEXT`] is a good answer.

#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr, clippy::exit))]

mod collect;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
mod json;
mod kinds;
mod parts;
mod yaml;

use std::fmt;

pub use hookscope::cluster::Objects;

use collect::Collection;

/// How much text of one input is worth reading: 1 GiB, more than `kubectl` prints for thousands of nodes.
pub const MAX_TEXT: u64 = 1 << 30;
/// How deep lists and mappings may be nested.
pub const MAX_DEPTH: usize = 128;
/// How many bytes one object of a YAML document may take in memory, and all those that wait for their list to say what
/// they are. No cluster stores an object of more than a few megabytes.
pub const MAX_OBJECT: usize = 256 << 20;
/// How many bytes the aliases of one YAML document may add to it.
pub const MAX_ALIASED: usize = 16 << 20;

/// Why an input cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not text.
    #[error("{file}:{line}: not UTF-8 text (at byte {byte}); expected JSON or YAML as kubectl prints it")]
    NotText {
        /// The input.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The first byte that is none of UTF-8, from 0.
        byte: usize,
    },
    /// It begins like JSON and is none.
    #[error("{file}:{line}:{column}: not JSON: {reason}")]
    Json {
        /// The input.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// It is no YAML, or more of it than is read.
    #[error("{file}:{line}:{column}: not YAML that can be read (document {document}): {reason}")]
    Yaml {
        /// The input.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The document, from 1.
        document: usize,
        /// What is wrong.
        reason: String,
    },
}

/// Where an object stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct At {
    /// The input.
    pub file: String,
    /// The document in it, from 1.
    pub document: usize,
    /// The object's first line, from 1.
    pub line: usize,
}

/// An object that could not be understood and was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Where it stands.
    pub at: At,
    /// What it is called, as far as it says: `Service a/hook`.
    pub object: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let At { file, document, line } = &self.at;
        let Self { object, reason, .. } = self;
        write!(f, "{file}:{line}: {object} (document {document}) is left out: {reason}")
    }
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading {
    /// The objects. Of several of one name the last counts.
    pub objects: Objects,
    /// Those that were left out, the first hundred of them.
    pub problems: Vec<Problem>,
    /// How many more were left out.
    pub more_problems: usize,
    /// How many objects were of kinds that say nothing of webhooks.
    pub ignored: usize,
}

/// Takes inputs one after another.
#[derive(Debug, Default)]
pub struct Reader {
    collection: Collection,
}

impl Reader {
    /// Takes an input of this name: JSON where its first character is a brace or a bracket, YAML else.
    ///
    /// # Errors
    ///
    /// Where it is not UTF-8, or neither JSON nor YAML, or nested deeper than is read. Objects that stood before that
    /// place have been taken.
    pub fn read(&mut self, file: &str, bytes: &[u8]) -> Result<(), Error> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = str::from_utf8(bytes).map_err(|error| {
            let byte = error.valid_up_to();
            let line = 1 + newlines(bytes.get(..byte).unwrap_or_default());
            Error::NotText { file: file.to_owned(), line, byte }
        })?;
        if text.trim_start().starts_with(['{', '[']) {
            json::read(file, text, &mut self.collection)
        } else {
            yaml::read(file, text, MAX_OBJECT, &mut self.collection)
        }
    }

    /// No input follows.
    pub fn finish(self) -> Reading {
        self.collection.finish()
    }
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests;
