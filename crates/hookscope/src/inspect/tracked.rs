//! A connection that may still receive segments, and its place among the others.

use crate::call::Call;
use crate::config::{Config, Keep, Retain};
use crate::connection::Connection;
use crate::diagnosis::case::Case;
use crate::diagnosis::verdict::{Finding, Severity};
use crate::diagnosis::{judge_call, judge_connection, judge_open_call};
use crate::flow::key::FlowKey;
use crate::inspect::outcome::{JudgedCall, Outcome};
use crate::inspect::tally::Tally;
use crate::time::Timestamp;
use crate::wire::Segment;

/// A place for a connection. Its times stand here, and not with the connection, so that the search for those that are
/// over reads one place after the other and leaves the connections alone.
#[derive(Debug)]
pub(super) struct Slot {
    /// The capture's clock at its last segment.
    pub(super) clock: Timestamp,
    /// When it is over, unless something happens before.
    pub(super) expires: Timestamp,
    pub(super) tracked: Option<Box<Tracked>>,
}

/// A connection that may still receive segments.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) connection: Connection,
    calls: Vec<JudgedCall>,
    /// The key of the same connection on the other side of address translation.
    pub(super) translated: Option<Box<FlowKey>>,
}

impl Slot {
    /// A place that is free.
    pub(super) const FREE: Self = Self { clock: Timestamp::MIN, expires: Timestamp::MIN, tracked: None };

    /// Something happened to the connection.
    #[inline]
    pub(super) fn renew(&mut self, clock: Timestamp, config: &Config) {
        if let Some(tracked) = &self.tracked {
            self.clock = clock;
            self.expires = clock.later(tracked.connection.patience(&config.limits));
        }
    }
}

impl Tracked {
    /// A connection of which nothing was seen yet.
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, calls: Vec::new(), translated: None }
    }

    /// Takes a segment, and judges the calls that it ends.
    #[inline]
    pub(super) fn observe(
        &mut self,
        segment: &Segment<'_>,
        clock: Timestamp,
        config: &Config,
        tally: &mut Tally,
    ) {
        let mut ended = self.connection.observe(segment, &config.limits);
        while let Some(call) = ended {
            self.judge_answered(call, clock, config, tally);
            ended = self.connection.take_ended();
        }
    }

    pub(super) fn judge_answered(&mut self, call: Call, now: Timestamp, config: &Config, tally: &mut Tally) {
        let case = Case { connection: &self.connection, now, config };
        let finding = judge_call(&case, &call);
        self.keep(call, finding, config, tally);
    }

    /// Counts a call, and keeps it one by one where somebody may ask for it.
    fn keep(&mut self, call: Call, finding: Option<Finding>, config: &Config, tally: &mut Tally) {
        let severity = finding.as_ref().map_or(Severity::Ok, |finding| finding.severity);
        tally.call(&self.connection, &call, severity);
        let wanted = config.keep != Keep::Examples || config.retain == Retain::All;
        let wanted = wanted && self.calls.len() < config.limits.calls;
        if wanted || severity != Severity::Ok {
            self.calls.push(JudgedCall { call, finding: finding.map(Box::new) });
        }
    }

    /// Judges the last call and the connection.
    pub(super) fn conclude(
        mut self: Box<Self>,
        now: Timestamp,
        config: &Config,
        tally: &mut Tally,
    ) -> Outcome {
        let case = Case { connection: &self.connection, now, config };
        let last = self.connection.application.calls.last;
        let answered = last.filter(Call::is_answered);
        let finding = answered.and_then(|call| judge_call(&case, &call));
        let earlier = self.calls.iter().filter_map(|judged| judged.finding.as_deref()).chain(&finding);
        let verdict = judge_connection(&case, earlier);
        if let Some(call) = last {
            // A call that was not answered has failed, or not, by what became of its connection; so has one whose
            // response was cut off.
            let own = verdict.at.is_before(call.start) && verdict.severity != Severity::Ok;
            let cut_off = verdict.severity == Severity::Failure && !own;
            let failed = finding.as_ref().is_some_and(|finding| finding.severity == Severity::Failure);
            let judged = failed || answered.is_some() && !cut_off;
            let finding = if judged { finding } else { Some(judge_open_call(&case, &call)) };
            self.keep(call, finding, config, tally);
        }
        let Self { connection, calls, .. } = *self;
        Outcome { connection, now, verdict, calls }
    }
}
