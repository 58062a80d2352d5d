//! Octets of both directions -> requests and responses of plain HTTP/1.x (RFC 9112).
//!
//! ```text
//! head.rs      one whole head            -> method, target, status, how long the body is
//! body.rs      octets after a head       -> content, and where the body ends
//! review.rs    content                   -> whether it holds an AdmissionReview
//! dialogue.rs  both directions in order  -> events: which response answers which request
//! ```
//!
//! Heads are kept until they are whole, bodies are counted and never kept. It knows nothing of calls or verdicts.

mod body;
mod dialogue;
mod head;
mod review;

use std::num::NonZeroU16;

use crate::packet::Moment;

pub(crate) use dialogue::{Dialogue, Stop};

/// A step of a dialogue. Requests are told one at a time: one that was sent before the response to the last one
/// ended (RFC 9112, section 9.3.2) is told after that, with the moment at which it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// A request began.
    RequestBegan,
    /// So many octets of the request, framing included.
    RequestOctets(u64),
    /// The request is a CONNECT to this authority.
    Connect(&'a str),
    /// A response to the request began.
    ResponseBegan,
    /// So many octets of the response, framing included.
    ResponseOctets(u64),
    /// The response was an interim one (1xx): the real one is still to come.
    Interim,
    /// The response's head is complete.
    Status(NonZeroU16),
    /// The response to a CONNECT is not 2xx.
    Refused(NonZeroU16, &'a str),
    /// The response is complete.
    ResponseEnded {
        /// Whether it is a success without an AdmissionReview, although the request was one.
        lacks_review: bool,
    },
}

/// A client that asks a proxy for a tunnel (RFC 9110, section 9.3.6).
#[derive(Clone, Debug)]
pub(crate) struct Proxied {
    /// What it asks for: host and port.
    pub(crate) target: Box<str>,
    /// When it asked.
    pub(crate) asked: Moment,
    /// What the proxy said.
    pub(crate) answer: Option<Answer>,
}

/// A proxy's answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// When it came.
    pub(crate) at: Moment,
    /// Why there is no tunnel; `None` where there is one.
    pub(crate) refusal: Option<Refusal>,
}

/// The status line of a proxy that opens no tunnel.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// The status code.
    pub(crate) status: NonZeroU16,
    /// The reason phrase: what a client in Go gives back as the error.
    pub(crate) reason: Box<str>,
}
