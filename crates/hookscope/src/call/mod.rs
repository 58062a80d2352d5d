//! Application data as bursts -> calls: a request, its response, and how long each took.
//!
//! kube-apiserver speaks HTTP/1.1 to webhooks, so calls alternate on a connection: data of the client after data of
//! the server is the next request. Nothing here judges; that is `diagnosis`.

mod tickets;

use std::num::NonZeroU16;

use crate::packet::Moment;
use crate::side::{PerSide, Side};
use crate::time::Elapsed;
use tickets::Tickets;

/// One request and what was seen of its response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// Its position on the connection, from 0.
    pub(crate) index: u32,
    /// Whence its deadline counts: the connection's first SYN for its first call, else the request.
    pub(crate) start: Moment,
    /// The first octet of the request.
    pub(crate) requested: Moment,
    /// The last packet of the request so far.
    pub(crate) request_end: Moment,
    /// Octets of the request.
    pub(crate) request_bytes: u64,
    /// The first octet of the response.
    pub(crate) first_byte: Option<Moment>,
    /// The last packet of the response so far.
    pub(crate) last_byte: Option<Moment>,
    /// Octets of the response.
    pub(crate) response_bytes: u64,
    /// What plain HTTP says of the response.
    pub(crate) http: Option<Response>,
}

/// What a response in plain HTTP says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Response {
    /// The status code, once it is known.
    pub(crate) status: Option<NonZeroU16>,
    /// Whether the response was seen to its end.
    pub(crate) is_complete: bool,
    /// Whether it is a success without an AdmissionReview, although the request was one.
    pub(crate) lacks_review: bool,
}

impl Call {
    /// Whether a response came, as far as can be seen all of it.
    pub(crate) fn is_answered(&self) -> bool {
        self.first_byte.is_some() && self.http.is_none_or(|response| response.is_complete)
    }
}

/// What a [`Calls`] needs to know of its connection when a request begins.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Context {
    /// The first SYN.
    pub(crate) opened: Option<Moment>,
    /// When the handshake, TLS or else TCP, was complete.
    pub(crate) ready: Option<Moment>,
    /// Whether TLS 1.3 was negotiated: servers may send session tickets after the handshake.
    pub(crate) may_send_tickets: bool,
    /// Whether all of the client's octets before this packet are acknowledged.
    pub(crate) is_acknowledged: bool,
}

/// The calls of one connection.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    /// The call that is under way, or the last one.
    pub(crate) last: Option<Call>,
    /// How many calls began.
    pub(crate) count: u32,
    /// The client writes without waiting for answers: these are no calls.
    is_stream: bool,
    tickets: Tickets,
    /// What comes last, and of many connections never.
    ending: Option<Box<Ending>>,
}

/// How the calls of a connection end.
#[derive(Debug, Default)]
struct Ending {
    /// When each side closed: what the other sends after that is no response.
    closed: PerSide<Option<Moment>>,
    /// The server's first data after the client closed.
    late: Option<Moment>,
}

impl Calls {
    /// A client that waits longer than this before its first request did not open the connection for it.
    const FIRST_REQUEST_DELAY: Elapsed = Elapsed::from_millis(1000);
    /// A client that was quiet longer than this after its request was acknowledged has finished it.
    const REQUEST_PAUSE: Elapsed = Elapsed::from_millis(10);

    /// A client that writes on after longer than this does not wait for an answer.
    const STREAM_PAUSE: Elapsed = Elapsed::from_millis(1000);

    /// A record of `side` began. The call that this ends, the one before the request that begins, goes to `ended`.
    #[inline]
    pub(crate) fn began(
        &mut self,
        side: Side,
        length: u16,
        at: Moment,
        context: &Context,
        ended: &mut Vec<Call>,
    ) {
        if self.is_closed(side) {
            return;
        }
        match side {
            Side::Client => self.request(at, context, ended),
            Side::Server => self.response(length, at, context),
        }
    }

    #[inline]
    fn request(&mut self, at: Moment, context: &Context, ended: &mut Vec<Call>) {
        if self.is_stream {
            return;
        }
        let continues = self.last.as_ref().is_some_and(|call| call.first_byte.is_none());
        if continues && !self.tickets_were_the_response(at, context) {
            let pauses =
                self.last.as_ref().is_some_and(|call| at.since(call.request_end) > Self::STREAM_PAUSE);
            if self.count == 1 && context.is_acknowledged && pauses {
                // Who was never answered and writes on after a pause waits for no answer: a stream, no request.
                self.is_stream = true;
                self.last = None;
            }
            return;
        }
        let start = match (self.count, context.opened, context.ready) {
            (0, Some(opened), Some(ready)) if at.since(ready) <= Self::FIRST_REQUEST_DELAY => opened,
            _ => at,
        };
        ended.extend(self.last.take());
        self.last = Some(Call {
            index: self.count,
            start,
            requested: at,
            request_end: at,
            request_bytes: 0,
            first_byte: None,
            last_byte: None,
            response_bytes: 0,
            http: None,
        });
        self.count = self.count.saturating_add(1);
    }

    /// Two records that were taken for session tickets were the response, if the client goes on to another request:
    /// its first one was whole and acknowledged, and a while has passed.
    fn tickets_were_the_response(&mut self, at: Moment, context: &Context) -> bool {
        let Some(call) = &mut self.last else { return false };
        let Some(taken) = self.tickets.taken() else { return false };
        let paused =
            at.since(call.request_end) > Self::REQUEST_PAUSE && call.request_end.is_before(taken.last);
        if paused && context.is_acknowledged {
            call.first_byte = Some(taken.first);
            call.last_byte = Some(taken.last);
            call.response_bytes = taken.octets;
            self.tickets = Tickets::default();
        }
        paused && context.is_acknowledged
    }

    #[inline]
    fn response(&mut self, length: u16, at: Moment, context: &Context) {
        if self.is_closed(Side::Client) {
            self.ending.get_or_insert_default().late.get_or_insert(at);
            return;
        }
        if self.count <= 1 && context.may_send_tickets {
            let begun = self.last.as_ref().and_then(|call| Some((call.first_byte?, call.response_bytes)));
            let (is_ticket, first_was) =
                self.tickets.record(length, at, self.last.is_some(), begun, context.ready);
            if let (true, Some(call)) = (first_was, &mut self.last) {
                call.first_byte = None;
                call.last_byte = None;
                call.response_bytes = 0;
            }
            if is_ticket {
                return;
            }
        }
        if let Some(call) = &mut self.last {
            call.first_byte.get_or_insert(at);
            call.last_byte = Some(at);
        }
    }

    /// Octets of a record of `side` are complete.
    #[inline]
    pub(crate) fn octets(&mut self, side: Side, octets: u64, at: Moment) {
        if self.is_closed(side) || side == Side::Server && self.is_closed(Side::Client) {
            return;
        }
        let Some(call) = &mut self.last else { return };
        match side {
            Side::Client => {
                call.request_bytes += octets;
                call.request_end = at;
            }
            Side::Server if call.first_byte.is_some() => {
                call.response_bytes += octets;
                call.last_byte = Some(at);
            }
            Side::Server => self.tickets.octets(octets),
        }
    }

    /// What was taken for a side's closing was none.
    pub(crate) fn reopen(&mut self, side: Side) {
        if let Some(ending) = &mut self.ending {
            ending.closed[side] = None;
        }
    }

    /// A side closed: by an alert, FIN or RST.
    #[inline]
    pub(crate) fn close(&mut self, side: Side, at: Moment) {
        self.ending.get_or_insert_default().closed[side].get_or_insert(at);
    }

    /// Whether `side` closed.
    #[inline]
    pub(crate) fn is_closed(&self, side: Side) -> bool {
        self.ending.as_ref().is_some_and(|ending| ending.closed[side].is_some())
    }

    /// The server's first data after the client closed.
    pub(crate) fn late(&self) -> Option<Moment> {
        self.ending.as_ref()?.late
    }

    /// What plain HTTP says of the response that is under way, if it says anything.
    pub(crate) const fn http(&mut self, response: Option<Response>) {
        if let Some(call) = &mut self.last {
            call.http = response;
        }
    }

    /// What came was an interim response of plain HTTP: the real one is still to come.
    pub(crate) const fn interim(&mut self) {
        if let Some(call) = &mut self.last {
            call.first_byte = None;
            call.last_byte = None;
            call.response_bytes = 0;
            call.http = None;
        }
    }
}

#[cfg(test)]
mod tests;
