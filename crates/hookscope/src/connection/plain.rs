//! Messages of plain HTTP -> calls, a proxy's answer, and where its tunnel begins.
//!
//! A call in plain HTTP is a call like one in TLS, but for one thing: the end of its response is seen. Where messages
//! cannot be told apart any more, bursts of octets are taken for requests and responses, as in TLS.

use crate::call::{Call, Calls, Context, Response};
use crate::http::{Answer, Dialogue, Event, Proxied, Refusal, Stop};
use crate::packet::Moment;
use crate::side::Side;
use crate::tcp::reassembly::Chunk;

/// A connection whose client began like HTTP.
#[derive(Debug, Default)]
pub(super) struct PlainHttp {
    mode: Mode,
    /// The client's last CONNECT.
    pub(super) proxied: Option<Proxied>,
}

#[derive(Debug, Default)]
#[allow(clippy::large_enum_variant, reason = "its owner is boxed, and made only for plain HTTP")]
enum Mode {
    /// Message follows message.
    Messages(Box<Dialogue>),
    /// Messages cannot be told apart.
    Bursts,
    /// No HTTP, or not any more.
    Opaque,
    /// Octets are a tunnel's: not looked at here.
    #[default]
    Tunnel,
}

/// A tunnel begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tunnel<'d> {
    /// With these octets.
    Opened(&'d [u8]),
    /// Somewhere here: the proxy's answer was not seen whole.
    Joined,
}

/// Where calls go, and the room there is.
pub(super) struct Output<'a> {
    /// How many more octets of heads may wait for their rest.
    pub(super) room: usize,
    pub(super) calls: &'a mut Calls,
    pub(super) ended: &'a mut Vec<Call>,
}

impl PlainHttp {
    /// The client's stream begins, the connection's or a tunnel's.
    pub(super) fn begin(&mut self) {
        self.mode = Mode::Messages(Box::default());
    }

    /// Octets of memory that heads under way take.
    pub(super) fn held(&self) -> usize {
        match &self.mode {
            Mode::Messages(dialogue) => dialogue.held(),
            Mode::Bursts | Mode::Opaque | Mode::Tunnel => 0,
        }
    }

    /// Whether the connection's octets are looked at here.
    pub(super) const fn is_followed(&self) -> bool {
        !matches!(self.mode, Mode::Tunnel)
    }

    /// Takes the next chunk of `side`. Says if a tunnel begins in it.
    pub(super) fn push<'d>(
        &mut self,
        side: Side,
        chunk: Chunk<'d>,
        at: Moment,
        context: &Context,
        output: &mut Output<'_>,
    ) -> Option<Tunnel<'d>> {
        if side == Side::Server && output.calls.is_closed(Side::Client) {
            // No response: calls note that it came too late.
            output.calls.began(side, 0, at, context, output.ended);
            return None;
        }
        let Self { mode, proxied } = self;
        let stop = match mode {
            Mode::Messages(dialogue) => dialogue
                .push(side, chunk, at, output.room, &mut |event, at| {
                    take(event, at, context, proxied, output)
                })
                .err()?,
            Mode::Bursts => {
                let size = match chunk {
                    Chunk::Data(data) => data.len() as u64,
                    Chunk::Gap(size) => size,
                };
                output.burst(side, size, at, context);
                return None;
            }
            Mode::Opaque | Mode::Tunnel => return None,
        };
        let asks = proxied.as_mut().filter(|proxied| proxied.answer.is_none());
        let (mode, tunnel) = match (stop, asks) {
            (Stop::NotHttp | Stop::Upgraded, _) => (Mode::Opaque, None),
            (Stop::Tunnel(first), asks) => {
                if let Some(proxied) = asks {
                    proxied.answer = Some(Answer { at, refusal: None });
                }
                (Mode::Tunnel, Some(Tunnel::Opened(first)))
            }
            (Stop::Lost(_), Some(_)) => (Mode::Tunnel, Some(Tunnel::Joined)),
            (Stop::Lost(untold), None) => {
                output.burst(side, untold, at, context);
                (Mode::Bursts, None)
            }
        };
        self.mode = mode;
        tunnel
    }

    /// `side` closed by FIN.
    pub(super) fn closed(&mut self, side: Side, at: Moment, output: &mut Output<'_>) {
        let Self { mode: Mode::Messages(dialogue), proxied } = self else { return };
        if !output.calls.is_closed(Side::Client) {
            dialogue.closed(side, at, &mut |event, at| {
                take(event, at, &Context::default(), proxied, output);
            });
        }
    }
}

impl Output<'_> {
    /// Takes octets that are a request or a response, by who sent them.
    fn burst(&mut self, side: Side, octets: u64, at: Moment, context: &Context) {
        let is_complete = |call: &Call| call.http.is_some_and(|response| response.is_complete);
        if octets == 0 || side == Side::Server && self.calls.last.as_ref().is_some_and(is_complete) {
            return;
        }
        if !self.calls.last.as_ref().is_some_and(is_complete) {
            self.calls.http(None);
        }
        self.calls.began(side, 0, at, context, self.ended);
        self.calls.octets(side, octets, at);
    }

    /// Changes what is known of the response that is under way.
    fn response(&mut self, change: impl FnOnce(&mut Response)) {
        let known = self.calls.last.and_then(|call| call.http);
        if let Some(mut response) = known {
            change(&mut response);
            self.calls.http(Some(response));
        }
    }
}

/// As much of a text as is kept for long: a host and port are no longer, nor is any reason phrase.
fn front(text: &str) -> &str {
    const LONGEST: usize = 262;
    let is_boundary = |end: &usize| text.is_char_boundary(*end);
    let end = (0..=LONGEST.min(text.len())).rev().find(is_boundary);
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

/// Takes an event of the dialogue.
fn take(
    event: Event<'_>,
    at: Moment,
    context: &Context,
    proxied: &mut Option<Proxied>,
    output: &mut Output<'_>,
) {
    match event {
        Event::RequestBegan => output.calls.began(Side::Client, 0, at, context, output.ended),
        Event::RequestOctets(octets) => output.calls.octets(Side::Client, octets, at),
        Event::Connect(target) => {
            *proxied = Some(Proxied { target: front(target).into(), asked: at, answer: None });
        }
        Event::ResponseBegan => {
            output.calls.began(Side::Server, 0, at, context, output.ended);
            output.calls.http(Some(Response::default()));
        }
        Event::ResponseOctets(octets) => output.calls.octets(Side::Server, octets, at),
        Event::Interim => output.calls.interim(),
        Event::Status(status) => output.response(|response| response.status = Some(status)),
        Event::Refused(status, reason) => {
            // Nothing was called: the call would have been made through the tunnel.
            *output.calls = Calls::default();
            if let Some(proxied) = proxied {
                let refusal = Some(Refusal { status, reason: front(reason).into() });
                proxied.answer = Some(Answer { at, refusal });
            }
        }
        Event::ResponseEnded { lacks_review } => output.response(|response| {
            response.is_complete = true;
            response.lacks_review = lacks_review;
        }),
    }
}
