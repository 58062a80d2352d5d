//! What became known so far, in numbers.

use hookscope::report::Event;
use hookscope::report::schema::Summary;

use super::is_failure;

/// What became known so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) packets: u64,
    pub(super) summary: Summary,
}

impl Tally {
    /// Counts what became known. Says whether it is a failure.
    pub(super) fn event(&mut self, event: &Event) -> bool {
        let failed = is_failure(event);
        let summary = &mut self.summary;
        match event {
            Event::Call(_) => {
                summary.calls += 1;
                summary.failed_calls += u64::from(failed);
            }
            Event::Connection(connection) => {
                summary.connections += 1;
                summary.failed_connections += u64::from(failed);
                *summary.verdicts.entry(connection.code).or_default() += 1;
            }
            Event::Lookup(_) => summary.failed_lookups += u64::from(failed),
            _ => {}
        }
        failed
    }
}
