//! What connections leave behind when they are over: their counts, and those of them that are reported one by one.

use crate::call::Call;
use crate::config::{Config, Keep};
use crate::diagnosis::verdict::{Finding, Severity};
use crate::inspect::outcome::Outcome;
use crate::inspect::tally::Tally;
use crate::inspect::tracked::Tracked;
use crate::time::Timestamp;

/// The books of one shard.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// All that remains of most connections.
    pub(crate) tally: Tally,
    /// Connections that are to be reported one by one.
    pub(crate) finished: Vec<Outcome>,
    /// Packets that were further sightings of one that was counted.
    pub(crate) duplicates: u64,
    /// Calls that just ended, until they are judged: room that all connections share.
    pub(super) ended: Vec<Call>,
}

impl Books {
    /// Judges and counts a connection that was watched up to `now`. Gives back its verdict if the connection is wanted
    /// whole; hand it to [`Self::keep`] then.
    pub(super) fn settle(
        &mut self,
        tracked: &mut Tracked,
        now: Timestamp,
        config: &Config,
    ) -> Option<Finding> {
        let verdict = tracked.conclude(now, config, self);
        self.duplicates += tracked.connection.duplicates;
        let group = self.tally.connection(&tracked.connection, &verdict);
        let wanted = match config.keep {
            Keep::Examples => group.wants(tracked.connection.id),
            Keep::Failures => verdict.severity != Severity::Ok,
            Keep::All => true,
        };
        wanted.then_some(verdict)
    }

    /// Keeps a connection that is wanted whole.
    pub(super) fn keep(&mut self, outcome: Outcome, config: &Config) {
        if config.keep == Keep::Examples {
            self.tally.example(outcome);
        } else {
            self.finished.push(outcome);
        }
    }
}
