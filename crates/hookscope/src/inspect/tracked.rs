//! A connection that may still receive segments, and the verdicts on its calls.

use crate::call::Call;
use crate::config::{Config, Keep, Retain};
use crate::connection::Connection;
use crate::diagnosis::case::Case;
use crate::diagnosis::verdict::{Code, Finding, Severity};
use crate::diagnosis::{judge_call, judge_connection, judge_open_call, judge_plain};
use crate::flow::key::FlowKey;
use crate::inspect::books::Books;
use crate::inspect::outcome::{JudgedCall, Outcome};
use crate::inspect::tally::{Hint, Tally};
use crate::time::Timestamp;
use crate::wire::Segment;

/// A connection that may still receive segments.
#[derive(Debug)]
pub(crate) struct Tracked {
    pub(crate) connection: Connection,
    /// Where its server stands in the tally.
    pub(super) hint: Hint,
    rare: Option<Box<Rare>>,
}

/// What few connections have.
#[derive(Debug, Default)]
struct Rare {
    /// Calls that were judged and kept.
    calls: Vec<JudgedCall>,
    /// The key of the same connection on the other side of address translation.
    translated: Option<FlowKey>,
}

impl Tracked {
    /// A connection of which nothing was seen yet.
    #[inline(always)]
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, hint: Hint::default(), rare: None }
    }

    /// When it is over, where something happened to it just now.
    #[inline]
    pub(super) fn expires(&self, clock: Timestamp, config: &Config) -> Timestamp {
        clock.later(self.connection.patience(&config.limits))
    }

    /// When something happened to it last, by when it is over.
    pub(super) fn clock(&self, expires: Timestamp, config: &Config) -> Timestamp {
        expires.earlier(self.connection.patience(&config.limits))
    }

    /// Whether its packets bear `key`, on either side of address translation.
    #[inline]
    pub(super) fn has_key(&self, key: &FlowKey) -> bool {
        self.connection.key == *key || self.translated() == Some(key)
    }

    /// Takes a segment, and judges the calls that it ends.
    #[inline]
    pub(super) fn observe(
        &mut self,
        segment: &Segment<'_>,
        clock: Timestamp,
        config: &Config,
        books: &mut Books,
    ) {
        self.connection.observe(segment, &mut books.around(config));
        self.judge_ended(clock, config, books);
    }

    #[inline]
    fn judge_ended(&mut self, now: Timestamp, config: &Config, books: &mut Books) {
        let Books { shared, tally, .. } = books;
        if shared.ended.is_empty() {
            return;
        }
        for call in shared.ended.drain(..) {
            self.judge_answered(call, now, config, tally);
        }
    }

    fn judge_answered(&mut self, call: Call, now: Timestamp, config: &Config, tally: &mut Tally) {
        let case = Case { connection: &self.connection, now, config };
        let finding = judge_call(&case, &call);
        self.keep(call, finding, config, tally);
    }

    /// Counts a call, and keeps it one by one where somebody may ask for it.
    fn keep(&mut self, call: Call, finding: Option<Finding>, config: &Config, tally: &mut Tally) {
        let severity = finding.as_ref().map_or(Severity::Ok, |finding| finding.severity);
        tally.call(&self.connection, &call, severity, &mut self.hint);
        if let Some(watch) = &mut tally.watch {
            watch.judged(&self.connection, &call, finding.as_ref());
        }
        if self.keeps_call(severity, config, tally) {
            let judged = JudgedCall { call, finding: finding.map(Box::new) };
            self.rare.get_or_insert_default().calls.push(judged);
        }
    }

    /// Whether one more call is kept one by one, which then takes its room.
    pub(super) fn keeps_call(&self, severity: Severity, config: &Config, tally: &mut Tally) -> bool {
        // Those that went wrong have room of their own behind those that did not.
        let room = if severity == Severity::Ok {
            config.limits.calls
        } else {
            config.limits.calls.saturating_mul(2)
        };
        let wanted =
            severity != Severity::Ok || config.keep != Keep::Examples || config.retain == Retain::All;
        wanted && self.calls().len() < room && tally.has_room_for_call(severity == Severity::Ok)
    }

    /// The calls that were judged and kept.
    pub(crate) fn calls(&self) -> &[JudgedCall] {
        self.rare.as_ref().map_or(&[], |rare| &rare.calls)
    }

    /// The key of the same connection on the other side of address translation.
    pub(crate) fn translated(&self) -> Option<&FlowKey> {
        self.rare.as_ref()?.translated.as_ref()
    }

    /// It has that key, too.
    pub(super) fn translate(&mut self, key: FlowKey) {
        self.connection.is_translated = true;
        self.rare.get_or_insert_default().translated = Some(key);
    }

    /// The verdict on the connection as it stands at `now`, and that on its last call, which is not judged yet.
    pub(super) fn verdict(&self, now: Timestamp, config: &Config) -> (Finding, Option<JudgedCall>) {
        let case = Case { connection: &self.connection, now, config };
        let last = self.connection.application.calls.last.as_ref();
        let answered = last.filter(|call| call.is_answered());
        let finding = answered.and_then(|call| judge_call(&case, call));
        let earlier = self.calls().iter().filter_map(|judged| judged.finding.as_deref()).chain(&finding);
        let verdict = judge_connection(&case, earlier);
        let last = last.map(|call| {
            // A call that was not answered has failed, or not, by what became of its connection; so has one whose
            // response was cut off.
            let own = verdict.at.is_before(call.start) && verdict.severity != Severity::Ok;
            let cut_off = verdict.severity == Severity::Failure && !own;
            let failed = finding.as_ref().is_some_and(|finding| finding.severity == Severity::Failure);
            let judged = failed || answered.is_some() && !cut_off;
            let finding = if judged { finding } else { Some(judge_open_call(&case, call)) };
            JudgedCall { call: *call, finding: finding.map(Box::new) }
        });
        (verdict, last)
    }

    /// No more will come: takes what still waits, and judges the calls that this ends.
    #[inline]
    pub(super) fn end(&mut self, now: Timestamp, config: &Config, books: &mut Books) {
        self.connection.finish(&mut books.around(config));
        self.judge_ended(now, config, books);
    }

    /// The verdict on the connection, which is over, if nothing is wrong with it, nor with its last call, as far as a few
    /// facts tell; those before went well.
    #[inline]
    pub(super) fn judge_plain(&self, now: Timestamp, config: &Config) -> Option<(Code, Severity)> {
        judge_plain(&Case { connection: &self.connection, now, config })
    }

    /// Judges the last call and the connection, which is over.
    pub(super) fn conclude(&mut self, now: Timestamp, config: &Config, tally: &mut Tally) -> Finding {
        let (verdict, last) = self.verdict(now, config);
        if let Some(JudgedCall { call, finding }) = last {
            self.keep(call, finding.map(|finding| *finding), config, tally);
        }
        verdict
    }

    /// The connection, over, with its verdict.
    pub(super) fn into_outcome(self, now: Timestamp, verdict: Finding) -> Outcome {
        let Self { connection, rare, .. } = self;
        let Rare { calls, translated } = rare.map(|rare| *rare).unwrap_or_default();
        Outcome { connection, translated, now, verdict, calls }
    }
}
