//! Rules of an embedder's own: one more diagnosis, without a fork.
//!
//! A [`Rule`] looks at a [`Case`], what is known of one connection, and says what it [found](Finding) or nothing. Its
//! findings stand beside those of the built-in rules: of all findings about a connection the first failure counts, in
//! the order of the packets, else the first warning; on the same packet the embedder's rule comes first. The verdict
//! then has the rule's code, class, summary and hints, in reports, events and counts.
//!
//! ```
//! use std::sync::Arc;
//!
//! use hookscope::rule::{Call, Case, Finding, Rule};
//! use hookscope::verdict::Phase;
//! use hookscope::Config;
//!
//! /// A webhook whose answers are larger than its owners promised.
//! #[derive(Debug)]
//! struct LargeAnswer {
//!     octets: u64,
//! }
//!
//! impl Rule for LargeAnswer {
//!     fn code(&self) -> &'static str {
//!         "large-answer"
//!     }
//!
//!     fn call(&self, _case: &Case<'_>, call: &Call) -> Option<Finding> {
//!         let end = call.last_byte?;
//!         let is_large = call.response_bytes > self.octets;
//!         is_large.then(|| {
//!             Finding::warning(end, Phase::Response, format!("An answer of {} bytes", call.response_bytes))
//!                 .shown(end, "the last of its packets")
//!                 .hint("Ask the webhook's owners whether it patches whole objects")
//!         })
//!     }
//! }
//!
//! let mut config = Config::default();
//! config.rules.push(Arc::new(LargeAnswer { octets: 1 << 20 }))?;
//! # Ok::<(), hookscope::rule::RuleError>(())
//! ```
//!
//! # What a rule has to keep to
//!
//! A rule is a function of the case alone: it is asked several times about one connection where packets are
//! [watched](crate::Config::watch), from any thread, and what it says must not depend on how often. It must not
//! panic and should not block: it runs between packets. Where there are no rules, nothing is paid for them.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::packet::Moment;
use crate::side::{PerSide, Side};
use crate::time::Timestamp;
use crate::verdict::{Certainty, Class, Phase, Severity};

/// One diagnosis of an embedder's own.
pub trait Rule: fmt::Debug + Send + Sync {
    /// The code of what it finds: kebab-case, and none of the built-in [codes](crate::diagnosis::pages).
    fn code(&self) -> &'static str;

    /// The class of what it finds.
    fn class(&self) -> Class {
        Class::Custom
    }

    /// Judges a connection: when it is over, and as it stands when it is looked at before.
    fn connection(&self, _case: &Case<'_>) -> Option<Finding> {
        None
    }

    /// Judges a call that was answered. Calls that were not are judged with their connection.
    fn call(&self, _case: &Case<'_>, _call: &Call) -> Option<Finding> {
        None
    }
}

/// The rules of an embedder's own, with distinct codes.
#[derive(Clone, Debug, Default)]
pub struct Rules(Vec<Arc<dyn Rule>>);

impl Rules {
    /// Whether there are none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rules, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Rule> {
        self.0.iter().map(|rule| &**rule)
    }

    /// Adds a rule whose code was checked against those that are built in.
    pub(crate) fn add(&mut self, rule: Arc<dyn Rule>) -> Result<(), RuleError> {
        let code = rule.code();
        let words = || code.split('-');
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'))
        };
        if !words().all(is_word) {
            return Err(RuleError::NotKebabCase { code });
        }
        if self.iter().any(|other| other.code() == code) {
            return Err(RuleError::Taken { code });
        }
        self.0.push(rule);
        Ok(())
    }
}

/// Why a rule cannot be added. It is the embedder's code that has to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// The code is no kebab-case.
    #[error(
        "'{code}' is no code: write words of a-z and 0-9 with single hyphens between them, such as 'mesh-refused'"
    )]
    NotKebabCase {
        /// The code.
        code: &'static str,
    },
    /// The code is a built-in one.
    #[error("'{code}' is a built-in code: choose another, such as one that begins with your tool's name")]
    BuiltIn {
        /// The code.
        code: &'static str,
    },
    /// Another rule was added with this code.
    #[error("another rule has the code '{code}'")]
    Taken {
        /// The code.
        code: &'static str,
    },
}

/// What a rule found.
#[derive(Clone, Debug)]
pub struct Finding {
    pub(crate) severity: Severity,
    pub(crate) certainty: Certainty,
    pub(crate) by: Option<Side>,
    pub(crate) phase: Phase,
    pub(crate) at: Option<Moment>,
    pub(crate) evidence: Vec<(Moment, Cow<'static, str>)>,
    pub(crate) summary: String,
    pub(crate) hints: Vec<String>,
}

impl Finding {
    /// A failure, [observed](Certainty::Observed) unless said otherwise.
    ///
    /// `at` is when it went wrong, by which it is compared with other findings; `None` where only silence shows it.
    /// `summary` is one sentence in plain words, without a full stop.
    pub fn failure(at: impl Into<Option<Moment>>, phase: Phase, summary: impl Into<String>) -> Self {
        Self {
            severity: Severity::Failure,
            certainty: Certainty::Observed,
            by: None,
            phase,
            at: at.into(),
            evidence: Vec::new(),
            summary: summary.into(),
            hints: Vec::new(),
        }
    }

    /// A warning, otherwise as [`failure`](Self::failure).
    pub fn warning(at: impl Into<Option<Moment>>, phase: Phase, summary: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::failure(at, phase, summary) }
    }

    /// The pattern of packets says so, no single packet.
    #[must_use]
    pub fn inferred(self) -> Self {
        Self { certainty: Certainty::Inferred, ..self }
    }

    /// This side caused it.
    #[must_use]
    pub fn by(self, side: Side) -> Self {
        Self { by: Some(side), ..self }
    }

    /// The packet at `at` shows it, where there is one; `note` says what it shows.
    #[must_use]
    pub fn shown(mut self, at: impl Into<Option<Moment>>, note: impl Into<Cow<'static, str>>) -> Self {
        self.evidence.extend(at.into().map(|at| (at, note.into())));
        self
    }

    /// What to do next, one step.
    #[must_use]
    pub fn hint(mut self, step: impl Into<String>) -> Self {
        self.hints.push(step.into());
        self
    }
}

/// What is known of a connection: facts, never bytes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Case<'a> {
    /// Position of its first packet in the capture, from 0: the `id` of reports.
    pub id: u64,
    /// Who opened it.
    pub client: SocketAddr,
    /// To whom.
    pub server: SocketAddr,
    /// The server's name, as the ClientHello gives it (RFC 6066, section 3).
    pub server_name: Option<&'a str>,
    /// Its first packet.
    pub first: Moment,
    /// Its last packet so far.
    pub last: Moment,
    /// The time up to which it was watched.
    pub now: Timestamp,
    /// The first SYN; none where the capture began later.
    pub opened: Option<Moment>,
    /// The first SYN-ACK.
    pub syn_ack: Option<Moment>,
    /// The client's acknowledgment of the SYN-ACK.
    pub established: Option<Moment>,
    /// What TLS showed.
    pub tls: Option<Tls<'a>>,
    /// The first ICMP error that quotes one of its packets and says why they do not arrive.
    pub unreachable: Option<Unreachable>,
    /// How many calls began on it.
    pub calls: u64,
    /// The call that is under way, or the last one.
    pub last_call: Option<Call>,
    /// How long its calls may take: `timeoutSeconds` where the cluster's objects say it, else
    /// [`Config::deadline`](crate::Config::deadline).
    pub deadline: Duration,
    /// Whether packets of either side are missing from the capture: that something did not come proves less then.
    pub has_losses: bool,
    pub(crate) sent: PerSide<Sent>,
}

impl Case<'_> {
    /// What a side sent.
    pub const fn sent(&self, side: Side) -> &Sent {
        match side {
            Side::Client => &self.sent.client,
            Side::Server => &self.sent.server,
        }
    }

    /// The side that closed first, and when: by an alert, FIN or RST.
    pub fn first_close(&self) -> Option<(Side, Moment)> {
        match (self.sent.client.closed, self.sent.server.closed) {
            (Some(client), Some(server)) if server.is_before(client) => Some((Side::Server, server)),
            (Some(client), _) => Some((Side::Client, client)),
            (None, server) => server.map(|server| (Side::Server, server)),
        }
    }
}

/// What one side of a connection sent.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Sent {
    /// Segments.
    pub packets: u64,
    /// TCP payload octets, retransmissions included.
    pub bytes: u64,
    /// Segments of octets, SYN or FIN that were sent before.
    pub retransmissions: u64,
    /// SYN segments, with or without ACK.
    pub syns: u64,
    /// The first payload.
    pub data: Option<Moment>,
    /// The first FIN.
    pub fin: Option<Moment>,
    /// The first RST.
    pub rst: Option<Moment>,
    /// When it closed: by its first alert (or record of that size after the handshake), FIN or RST.
    pub closed: Option<Moment>,
}

/// What a connection's TLS showed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tls<'a> {
    /// The ClientHello.
    pub client_hello: Option<Moment>,
    /// The ServerHello.
    pub server_hello: Option<Moment>,
    /// The end of the handshake.
    pub complete: Option<Moment>,
    /// The negotiated version, as it is numbered on the wire: `0x0304` is TLS 1.3 (RFC 8446, section 4.1.2).
    pub version: Option<u16>,
    /// The negotiated cipher suite, as it is numbered on the wire (RFC 8446, appendix B.4).
    pub cipher: Option<u16>,
    /// The protocol of ALPN (RFC 7301): the chosen one where it is in the clear, else the only one that was offered.
    pub alpn: Option<&'a str>,
    /// Alerts in the clear, in order.
    pub alerts: Vec<Alert>,
}

/// A TLS alert in the clear (RFC 8446, section 6).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Alert {
    /// Who sent it.
    pub by: Side,
    /// The packet that carried it.
    pub at: Moment,
    /// Whether it is fatal.
    pub is_fatal: bool,
    /// Its description, as it is numbered on the wire: 42 is `bad_certificate`.
    pub description: u8,
}

/// An ICMP or ICMPv6 error that says why packets do not arrive.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Unreachable {
    /// The first one.
    pub at: Moment,
    /// Who sent it.
    pub reporter: IpAddr,
    /// How many came.
    pub count: u64,
}

/// One request and what was seen of its response.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Call {
    /// Its position on the connection, from 0.
    pub index: u64,
    /// Whence its deadline counts: the connection's first SYN for its first call, else the request.
    pub start: Moment,
    /// The first octet of the request.
    pub requested: Moment,
    /// The last packet of the request so far.
    pub request_end: Moment,
    /// Octets of the request's TLS records, or of the request in plain HTTP.
    pub request_bytes: u64,
    /// The first octet of the response.
    pub first_byte: Option<Moment>,
    /// The last packet of the response so far.
    pub last_byte: Option<Moment>,
    /// Octets of the response's TLS records, or of the response in plain HTTP.
    pub response_bytes: u64,
    /// The status of plain HTTP; inside TLS nobody sees it.
    pub status: Option<u16>,
    /// Whether a response came, as far as can be seen all of it.
    pub is_answered: bool,
}
