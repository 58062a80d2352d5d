//! Turns the caller's list of inputs and a closure into a run over all their packets.
//!
//! A push driver: the closure is called with one batch after the other, whose packets it may borrow until it returns.
//! Does no analysis, and starts no threads.

use std::ops::ControlFlow;
use std::path::Path;

use hookscope::packet::Packet;

use crate::error::InputError;
use crate::merge::{Merge, Sink};
use crate::summary::Summary;

/// The most inputs that a [`Frame`](hookscope::packet::Frame) can tell apart.
const MAX_FILES: usize = 1 << 16;

/// How inputs are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The most packets of a batch; 0 counts as 1. 4096 unless set: enough to share out among threads, few enough that
    /// a batch's headers stay in the cache.
    pub batch: usize,
    /// Options are added over time: end a literal with `..Options::default()`.
    #[doc(hidden)]
    pub _more: (),
}

impl Default for Options {
    fn default() -> Self {
        Self { batch: 4_096, _more: () }
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes of the inputs that are used, as they are stored (compressed, where they are), this batch included.
    pub consumed: u64,
    /// Bytes of all inputs; nothing where one of them is a pipe.
    pub total: Option<u64>,
}

/// Reads `paths` as one capture in time order (`-` is standard input), and hands its packets to `sink` in batches, until
/// there are no more or `sink` breaks.
///
/// A batch has at least one packet. From a pipe, it has what one read gave: packets are handed out as they arrive.
/// Packets of a link type that the engine does not decode are handed out, too, where a pcapng file has such an
/// interface beside others.
///
/// # Errors
///
/// [`InputError`] for an input that cannot be read at all; before the first batch, unless a file is gone by the time
/// its turn comes. One that breaks off is no error: the summary says so.
pub fn for_each_batch(
    paths: &[impl AsRef<Path>],
    options: &Options,
    mut sink: impl FnMut(&[Packet<'_>], Progress) -> ControlFlow<()>,
) -> Result<Summary, InputError> {
    read(paths, options, &mut sink)
}

/// Does it for any sink.
pub(crate) fn read(
    paths: &[impl AsRef<Path>],
    options: &Options,
    sink: &mut impl Sink,
) -> Result<Summary, InputError> {
    if paths.len() > MAX_FILES {
        return Err(InputError::TooManyFiles { count: paths.len(), max: MAX_FILES });
    }
    let mut merge = Merge::open(paths, options.batch.max(1))?;
    merge.run(sink)?;
    Ok(Summary { files: merge.into_summaries(paths) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_files_than_a_frame_can_name_are_refused() {
        let paths = vec!["x"; MAX_FILES + 1];
        let error = for_each_batch(&paths, &Options::default(), |_, _| ControlFlow::Continue(()));
        assert!(matches!(error, Err(InputError::TooManyFiles { count: 65_537, .. })));
    }
}
