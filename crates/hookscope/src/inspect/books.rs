//! What connections leave behind when they are over: their counts, and those of them that are reported one by one.

use crate::config::{Config, Keep};
use crate::connection::{Around, Opening, Shared};
use crate::diagnosis::judge_opening;
use crate::diagnosis::verdict::{Class, Code, Finding, Severity};
use crate::inspect::outcome::{JudgedCall, Outcome};
use crate::inspect::shard::GivenUp;
use crate::inspect::tally::{GroupTally, Tally};
use crate::inspect::tracked::Tracked;
use crate::inspect::watch::{About, Over};
use crate::time::Timestamp;

/// The books of one shard.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// All that remains of most connections.
    pub(crate) tally: Tally,
    /// Connections that are to be reported one by one.
    pub(crate) finished: Vec<Outcome>,
    /// How many there was no room for among those.
    pub(crate) left_out: u64,
    /// Packets that were further sightings of one that was counted.
    pub(crate) duplicates: u64,
    /// What connections share; calls that just ended, until they are judged.
    pub(super) shared: Shared,
}

impl Books {
    /// What connections work with.
    #[inline]
    pub(super) fn around<'a>(&'a mut self, config: &'a Config) -> Around<'a> {
        Around { limits: &config.limits, shared: &mut self.shared }
    }

    /// What connections could not keep, because all of them together kept too much.
    pub(super) fn not_kept(&self) -> GivenUp {
        let Shared { crowded, pool, .. } = &self.shared;
        let calls = self.tally.left_out_calls;
        GivenUp { crowded: *crowded, certificates: pool.refused, calls, ..GivenUp::default() }
    }

    /// Judges and counts a connection that was watched up to `now`. Gives back its verdict if the connection is wanted
    /// whole; hand it to [`Self::keep`] then.
    pub(super) fn settle(
        &mut self,
        tracked: &mut Tracked,
        now: Timestamp,
        config: &Config,
    ) -> Option<Wanted> {
        self.duplicates += tracked.connection.duplicates;
        tracked.end(now, config, self);
        if self.settle_plain(tracked, now, config) {
            return None;
        }
        let verdict = tracked.conclude(now, config, &mut self.tally);
        let group = self.tally.connection(&tracked.connection, &verdict, &mut tracked.hint);
        let is_kept = is_wanted(config, group, tracked.connection.id);
        if config.cluster.is_some() {
            self.tally.presented(&tracked.connection);
        }
        let about = self.news(tracked, &verdict, config);
        if !is_kept && about.is_empty() {
            self.tally.drop_calls(tracked.calls().len());
            return None;
        }
        Some(Wanted { verdict, about, is_kept })
    }

    /// Does it for a connection that nobody wants and nothing is wrong with, as with most. Says whether it is one.
    fn settle_plain(&mut self, tracked: &mut Tracked, now: Timestamp, config: &Config) -> bool {
        let went_wrong = |judged: &JudgedCall| judged.finding.is_some();
        if self.tally.watch.is_some() || config.cluster.is_some() || tracked.calls().iter().any(went_wrong) {
            return false;
        }
        let Some((code, severity)) = tracked.judge_plain(now, config) else { return false };
        if is_stored(config, code, severity) {
            return false;
        }
        let last = tracked.keeps_call(severity, config, &mut self.tally);
        self.tally.drop_calls(tracked.calls().len() + usize::from(last));
        self.tally.plain(&tracked.connection, code, severity, &mut tracked.hint);
        true
    }

    /// Judges and counts a connection of which nothing but SYNs was seen.
    pub(super) fn settle_opening(&mut self, opening: &Opening, now: Timestamp, config: &Config) {
        if !config.rules.is_empty() {
            return self.settle_as_connection(opening, now, config);
        }
        let (code, severity) = judge_opening(opening, now);
        let group = self.tally.opening(opening, code, severity);
        let is_kept = is_wanted(config, group, opening.id);
        if is_kept || self.tally.watch.is_some() {
            let mut tracked = Tracked::new(opening.connection());
            tracked.end(now, config, self);
            let verdict = tracked.conclude(now, config, &mut self.tally);
            let about = self.news(&tracked, &verdict, config);
            if is_kept || !about.is_empty() {
                let wanted = Wanted { verdict, about, is_kept };
                self.keep(tracked, now, wanted, config);
            }
        }
    }

    /// The same where there are rules that two numbers do not answer.
    #[cold]
    fn settle_as_connection(&mut self, opening: &Opening, now: Timestamp, config: &Config) {
        let mut tracked = Tracked::new(opening.connection());
        if let Some(wanted) = self.settle(&mut tracked, now, config) {
            self.keep(tracked, now, wanted, config);
        }
    }

    /// What those who watch have to be told of a connection that is over.
    fn news(&mut self, tracked: &Tracked, verdict: &Finding, config: &Config) -> Vec<About> {
        let watch = self.tally.watch.as_mut();
        watch.map(|watch| watch.over(tracked, verdict, config)).unwrap_or_default()
    }

    /// Keeps a connection that is wanted whole.
    pub(super) fn keep(&mut self, tracked: Tracked, now: Timestamp, wanted: Wanted, config: &Config) {
        let Wanted { verdict, about, is_kept } = wanted;
        let outcome = tracked.into_outcome(now, verdict);
        match &mut self.tally.watch {
            Some(watch) if !about.is_empty() => watch.over.push(Over { outcome, about, is_kept }),
            _ => self.store(outcome, config),
        }
    }

    /// Keeps a connection for the report.
    fn store(&mut self, outcome: Outcome, config: &Config) {
        if !is_stored(config, outcome.verdict.code, outcome.verdict.severity) {
            self.tally.drop_calls(outcome.calls.len());
            self.tally.example(outcome);
            return;
        }
        self.finished.push(outcome);
        if self.finished.len() >= config.limits.kept.saturating_mul(2).max(1) {
            let calls =
                |finished: &[Outcome]| finished.iter().map(|outcome| outcome.calls.len()).sum::<usize>();
            let before = calls(&self.finished);
            self.left_out += keep_first(&mut self.finished, config.limits.kept);
            self.tally.drop_calls(before - calls(&self.finished));
        }
    }

    /// Keeps for the report what nobody has to be told of any more.
    pub(crate) fn store_told(&mut self, over: Vec<Over>, config: &Config) {
        for Over { outcome, is_kept, .. } in over {
            if is_kept {
                self.store(outcome, config);
            } else {
                self.tally.drop_calls(outcome.calls.len());
            }
        }
    }

    /// Keeps for the report what nobody asked about.
    pub(crate) fn store_untold(&mut self, config: &Config) {
        let over = self.tally.watch.as_mut().map(|watch| std::mem::take(&mut watch.over));
        self.store_told(over.unwrap_or_default(), config);
    }
}

/// A connection that is wanted whole.
#[derive(Debug)]
pub(super) struct Wanted {
    verdict: Finding,
    /// What those who watch have to be told.
    about: Vec<About>,
    /// Whether it is for the report, too.
    is_kept: bool,
}

/// Leaves only the first `most` of the connections, in the order of the capture. Gives back how many it dropped.
pub(crate) fn keep_first(finished: &mut Vec<Outcome>, most: usize) -> u64 {
    finished.sort_unstable_by_key(|outcome| outcome.connection.id);
    let dropped = finished.len().saturating_sub(most);
    finished.truncate(most);
    dropped as u64
}

/// Whether a connection that was counted in `group` is to be handed out whole.
fn is_wanted(config: &Config, group: &GroupTally, id: u64) -> bool {
    is_stored(config, group.code, group.severity) || config.keep == Keep::Examples && group.wants(id)
}

/// Whether a connection with this verdict is kept one by one: to be listed, or for what a log says of it.
fn is_stored(config: &Config, code: Code, severity: Severity) -> bool {
    let has_finding = severity != Severity::Ok;
    config.keep.wants(has_finding) || config.retain.wants(has_finding || code.class == Class::Unknown)
}
