//! DNS messages from everywhere in a batch -> lookups with their verdicts.
//!
//! Decoding finds messages in datagrams, shards find them in streams, both in parallel; here they meet in the order
//! of the capture, so that what becomes of them depends on nothing else. Failures are kept one by one up to a limit,
//! because programs read them; healthy lookups only where everything is kept.

use hashbrown::HashMap;

use crate::config::{Config, Keep};
use crate::diagnosis::judge_lookup;
use crate::diagnosis::verdict::{Finding, Severity};
use crate::flow::key::{Endpoint, Keyed};
use crate::lookup::tracker::{Over, Tracker};
use crate::lookup::{Fate, Heard, Lookup};
use crate::time::Timestamp;

/// Everything about lookups.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    pub(crate) tracker: Tracker,
    /// Those that are to be reported, by their first queries once [stored](Self::store_all).
    pub(crate) kept: Vec<JudgedLookup>,
    /// Failures that nobody was told of yet, where somebody watches.
    pub(crate) untold: Vec<JudgedLookup>,
    /// How often each name was looked up, for as many names as failures are kept.
    pub(crate) asked: HashMap<Box<str>, u64, Keyed>,
    /// Those that pass the filter, healthy ones included, and how many of them failed.
    pub(crate) counted: u64,
    pub(crate) counted_failed: u64,
    /// Failures that were not kept.
    pub(crate) left_out: u64,
    healthy: usize,
    failed: usize,
}

/// A lookup and its verdict.
#[derive(Debug)]
pub(crate) struct JudgedLookup {
    pub(crate) lookup: Lookup,
    /// The time up to which it was watched.
    pub(crate) now: Timestamp,
    pub(crate) verdict: Finding,
}

impl JudgedLookup {
    /// The server whose answer counts, else the one that was asked last.
    pub(crate) fn server(&self) -> Option<Endpoint> {
        Some(match self.lookup.fate(self.now) {
            Fate::Answered(attempt, _) | Fate::Failed(attempt, _) | Fate::Silent(attempt) => attempt.server,
            Fate::Waiting => self.lookup.attempts.last()?.server,
        })
    }

    /// Whether the filter lets it pass.
    pub(crate) fn passes(&self, config: &Config) -> bool {
        let filter = &config.filter;
        filter.admits_name(Some(&self.lookup.question.name))
            && self.server().is_some_and(|server| filter.admits_server(server))
    }
}

impl Lookups {
    /// Takes the messages of a batch, in any order but each source's own.
    pub(crate) fn observe(&mut self, mut heard: Vec<Heard>, config: &Config) {
        heard.sort_by_key(|heard| heard.position);
        for heard in &heard {
            self.tracker.observe(heard, &config.limits);
        }
        self.judge(config);
    }

    /// No message came up to `clock`.
    pub(crate) fn advance(&mut self, clock: Timestamp, config: &Config) {
        self.tracker.advance(clock);
        self.judge(config);
    }

    /// No packet follows.
    pub(crate) fn finish(&mut self, clock: Timestamp, config: &Config) {
        self.tracker.finish(clock);
        self.judge(config);
    }

    /// Keeps those of which nobody asked to be told, and puts all in order.
    pub(crate) fn store_all(&mut self, config: &Config) {
        std::mem::take(&mut self.untold).into_iter().for_each(|judged| self.keep(judged, config));
        self.kept.sort_by_key(|judged| judged.lookup.id);
    }

    fn judge(&mut self, config: &Config) {
        for Over { lookup, now } in std::mem::take(&mut self.tracker.over) {
            let verdict = judge_lookup(&lookup, now);
            let judged = JudgedLookup { lookup, now, verdict };
            self.count(&judged, config);
            if config.watch && judged.verdict.severity != Severity::Ok {
                self.untold.push(judged);
            } else {
                self.keep(judged, config);
            }
        }
    }

    /// Keeps a lookup that was counted, as far as there is room.
    pub(crate) fn keep(&mut self, judged: JudgedLookup, config: &Config) {
        let severity = judged.verdict.severity;
        let kept = match severity {
            Severity::Ok if config.keep != Keep::All => return,
            Severity::Ok => &mut self.healthy,
            _ => &mut self.failed,
        };
        if *kept < config.limits.kept_lookups {
            *kept += 1;
            self.kept.push(judged);
        } else {
            self.left_out += u64::from(severity != Severity::Ok);
        }
    }

    fn count(&mut self, judged: &JudgedLookup, config: &Config) {
        if judged.passes(config) {
            self.counted += 1;
            self.counted_failed += u64::from(judged.verdict.severity == Severity::Failure);
        }
        let name = judged.lookup.question.name.as_str();
        if let Some(count) = self.asked.get_mut(name) {
            *count += 1;
        } else if self.asked.len() < config.limits.kept_lookups {
            self.asked.insert(name.into(), 1);
        }
    }
}
