//! Turns captures into what the engine finds in them, in one call.

use std::ops::ControlFlow;
use std::path::Path;

use hookscope::packet::Packet;
use hookscope::report::{Input, schema};
use hookscope::{Config, Inspection, Inspector};

use crate::error::InputError;
use crate::feed::Feed;
use crate::merge::Sink;
use crate::read::{Options, Progress, read};
use crate::summary::Summary;

/// What was read, and what was found in it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Analysis {
    /// What was found.
    pub inspection: Inspection,
    /// What was read, file by file.
    pub summary: Summary,
}

impl Analysis {
    /// The whole report, as `hookscope --format json` prints it.
    pub fn report(&self) -> schema::Report {
        self.inspection.report(&self.input())
    }

    /// What a report says of the inputs.
    pub fn input(&self) -> Input {
        self.summary.input()
    }
}

/// Reads `paths` as one capture in time order (`-` is standard input) and judges all that is in it. `progress` is told
/// after each batch how far it is.
///
/// Work is shared out among the threads of the current rayon pool where [`Config::shards`] is more than one. To stop
/// before the end, or to look at packets as well, use [`for_each_batch`](crate::for_each_batch) and an [`Inspector`].
///
/// # Errors
///
/// [`InputError`] for an input that cannot be read at all. One that breaks off is no error: the report says so.
///
/// # Examples
///
/// ```
/// use hookscope::Config;
/// # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/connection-refused/refused-closed-port.pcap");
///
/// let analysis = hookscope_capture::analyze(&[file], Config::default(), |_progress| {})?;
/// for connection in analysis.report().connections {
///     println!("{} {}: {}", connection.start, connection.verdict.code, connection.verdict.summary);
/// #   assert_eq!(connection.verdict.code, "connection-refused");
/// }
/// # Ok::<(), hookscope_capture::InputError>(())
/// ```
pub fn analyze(
    paths: &[impl AsRef<Path>],
    config: Config,
    progress: impl FnMut(Progress) + Send,
) -> Result<Analysis, InputError> {
    let mut judge = Judge { inspector: Inspector::new(config), progress };
    let summary = read(paths, &Options::default(), &mut judge)?;
    Ok(Analysis { inspection: judge.inspector.finish(), summary })
}

/// An inspector that takes packets, and who wants to know how far it is.
struct Judge<P> {
    inspector: Inspector,
    progress: P,
}

impl<P: FnMut(Progress) + Send> Sink for Judge<P> {
    fn batch(&mut self, packets: &[Packet<'_>], at: Progress) -> ControlFlow<()> {
        self.inspector.observe_batch(packets);
        (self.progress)(at);
        ControlFlow::Continue(())
    }

    fn is_patient(&self) -> bool {
        true
    }

    /// Reads the next batch while those before are looked at.
    fn alone(&mut self, feed: &mut Feed<'_>, _room: usize) -> ControlFlow<()> {
        let Self { inspector, progress } = self;
        inspector.observe_batches(|batch| {
            if let Some(at) = feed.next(batch) {
                feed.taken(batch.len());
                progress(at);
            }
        });
        ControlFlow::Continue(())
    }
}
