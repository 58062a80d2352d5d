//! What a rule found: everything but the prose, and the words that it is said with.

use std::borrow::Cow;

use crate::diagnosis::Rule;
use crate::diagnosis::story::Prose;
use crate::packet::Moment;
use crate::side::Side;
use crate::time::Elapsed;

pub(crate) use crate::verdict::{By, Cause, Certainty, Class, Code, Phase, Severity};

/// A packet that shows something.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    /// The packet.
    pub(crate) at: Moment,
    /// What it shows.
    pub(crate) note: Cow<'static, str>,
}

/// What a rule found: everything but the prose, which is written when somebody reads it.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    pub(crate) certainty: Certainty,
    pub(crate) by: Option<By>,
    pub(crate) phase: Phase,
    pub(crate) cause: Option<Cause>,
    /// The deadline that the client kept, where its behaviour shows one.
    pub(crate) deadline: Option<Elapsed>,
    /// When it went wrong: of several findings the first counts. [`Moment::END`] where only silence shows it.
    pub(crate) at: Moment,
    /// When the call ended by it, where a packet shows that.
    pub(crate) end: Option<Moment>,
    pub(crate) evidence: Vec<Evidence>,
    /// Who found it, and can put it in words.
    pub(crate) rule: &'static dyn Rule,
    /// The words, where a rule of an embedder's own brought them.
    pub(crate) prose: Option<Box<Prose>>,
}

impl Finding {
    /// An observed failure in `phase`, to be refined with the methods below.
    pub(crate) fn failure(rule: &'static dyn Rule, code: Code, phase: Phase, at: Moment) -> Self {
        Self {
            code,
            severity: Severity::Failure,
            certainty: Certainty::Observed,
            by: None,
            phase,
            cause: None,
            deadline: None,
            at,
            end: if at == Moment::END { None } else { Some(at) },
            evidence: Vec::new(),
            rule,
            prose: None,
        }
    }

    /// A warning instead of a failure.
    pub(crate) fn warning(rule: &'static dyn Rule, code: Code, phase: Phase, at: Moment) -> Self {
        Self { severity: Severity::Warning, ..Self::failure(rule, code, phase, at) }
    }

    /// Nothing wrong.
    pub(crate) fn fine(rule: &'static dyn Rule, code: Code, phase: Phase) -> Self {
        Self { severity: Severity::Ok, ..Self::failure(rule, code, phase, Moment::END) }
    }

    /// Whether it says that something did not come, which may have come and not been captured.
    pub(crate) fn may_be_a_loss(&self) -> bool {
        let answered = self.code.class == Class::Rst && self.phase == Phase::Connect;
        match self.code.class {
            Class::SynDrop
            | Class::TlsStall
            | Class::ClosedEarly
            | Class::SlowResponse
            | Class::PathBlackhole
            | Class::Unknown => true,
            Class::Rst => !answered,
            Class::DnsFailure => self.code.name == "dns-timeout",
            Class::Ok
            | Class::IcmpUnreachable
            | Class::TlsAlert
            | Class::ProtocolMismatch
            | Class::HttpError
            | Class::NotSent
            | Class::Custom => false,
        }
    }

    /// By a side.
    pub(crate) fn by(mut self, side: Side) -> Self {
        self.by = Some(By::Side(side));
        self
    }

    /// Known from the pattern of packets.
    pub(crate) fn inferred(mut self) -> Self {
        self.certainty = Certainty::Inferred;
        self
    }

    /// Shown by the packet at `at`, where there is one.
    pub(crate) fn shown(mut self, at: impl Into<Option<Moment>>, note: impl Into<Cow<'static, str>>) -> Self {
        if let Some(at) = at.into() {
            self.evidence.push(Evidence { at, note: note.into() });
        }
        self
    }
}
