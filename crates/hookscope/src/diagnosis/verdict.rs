//! The words of a verdict: class, code, severity, certainty, and the finding that carries them.

use std::borrow::Cow;

use crate::diagnosis::Rule;
use crate::packet::Moment;
use crate::side::Side;
use crate::time::Elapsed;

/// The coarse class of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Class {
    /// Nothing is wrong.
    Ok,
    /// SYNs were lost.
    SynDrop,
    /// A RST ended it.
    Rst,
    /// An ICMP error ended it.
    IcmpUnreachable,
    /// A TLS alert ended it.
    TlsAlert,
    /// The TLS handshake stopped.
    TlsStall,
    /// The server does not speak TLS.
    ProtocolMismatch,
    /// A side closed before its time.
    ClosedEarly,
    /// The answer came late or not at all.
    SlowResponse,
    /// Packets vanish on the way.
    PathBlackhole,
    /// A name was not resolved.
    DnsFailure,
    /// HTTP says that it failed.
    HttpError,
    /// Nothing left the host.
    NotSent,
    /// The capture cannot tell.
    Unknown,
}

impl Class {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::SynDrop => "syn-drop",
            Self::Rst => "rst",
            Self::IcmpUnreachable => "icmp-unreachable",
            Self::TlsAlert => "tls-alert",
            Self::TlsStall => "tls-stall",
            Self::ProtocolMismatch => "protocol-mismatch",
            Self::ClosedEarly => "closed-early",
            Self::SlowResponse => "slow-response",
            Self::PathBlackhole => "path-blackhole",
            Self::DnsFailure => "dns-failure",
            Self::HttpError => "http-error",
            Self::NotSent => "not-sent",
            Self::Unknown => "unknown",
        }
    }
}

/// A verdict's exact, stable code and its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// The class.
    pub class: Class,
    /// Kebab-case, as in reports.
    pub name: &'static str,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is wrong, or nothing can be said.
    Ok,
    /// It went well, but not as it should.
    Warning,
    /// It failed.
    Failure,
}

impl Severity {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

/// How it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// A packet says so.
    Observed,
    /// The pattern of packets says so.
    Inferred,
}

impl Certainty {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Inferred => "inferred",
        }
    }
}

/// Who caused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// One of the two sides.
    Side(Side),
    /// Something between them, as an ICMP error says.
    Network,
}

impl By {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Side(side) => side.name(),
            Self::Network => "network",
        }
    }

    /// The side, if it is one.
    pub const fn side(self) -> Option<Side> {
        match self {
            Self::Side(side) => Some(side),
            Self::Network => None,
        }
    }
}

/// Where in the life of a call it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Resolving the name.
    Dns,
    /// The TCP handshake.
    Connect,
    /// The TLS handshake.
    Tls,
    /// From the request to the response.
    Request,
    /// The response.
    Response,
    /// No call was under way.
    Idle,
}

impl Phase {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Request => "request",
            Self::Response => "response",
            Self::Idle => "idle",
        }
    }
}

/// What is wrong with a rejected certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its validity is over.
    Expired,
    /// Its validity has not begun.
    NotYetValid,
    /// It has no subject alternative name.
    NoSan,
    /// No subject alternative name matches the name that was called.
    NameMismatch,
    /// Nothing is wrong with it by itself: the client does not trust its issuer.
    UnknownCa,
    /// It, or a CA above it, is not for servers.
    KeyUsage,
}

impl Cause {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::NoSan => "no-san",
            Self::NameMismatch => "name-mismatch",
            Self::UnknownCa => "unknown-ca",
            Self::KeyUsage => "key-usage",
        }
    }
}

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
            | Class::NotSent => false,
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
