//! Both directions of a connection in plain HTTP -> requests, and which response answers which (RFC 9112).
//!
//! Feed with [`Dialogue::push`] and [`Dialogue::closed`]; what happens comes out as [`Event`]s. It stops where the
//! connection stops being a sequence of messages that can be told apart, and says why with [`Stop`].

use std::collections::VecDeque;

use crate::http::Event;
use crate::http::body::Body;
use crate::http::head::{
    HeadBuffer, Looks, Method, RequestHead, ResponseHead, TooLong, looks_like_request, looks_like_response,
};
use crate::http::review::Search;
use crate::packet::Moment;
use crate::side::Side;
use crate::tcp::reassembly::Chunk;

/// Why a dialogue is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop<'d> {
    /// It is not HTTP/1.x, or not any more, or its first request was not seen whole.
    NotHttp,
    /// Where messages begin and end is not known any more; so many octets were not told.
    Lost(u64),
    /// The connection goes on in another protocol (101).
    Upgraded,
    /// A proxy opened the tunnel that was asked for: these octets of its side are the tunnel's first.
    Tunnel(&'d [u8]),
}

/// The state of both directions.
#[derive(Debug, Default)]
pub(crate) struct Dialogue {
    requests: Messages,
    responses: Messages,
    /// Requests without a whole response, oldest first: the first one was told.
    asked: VecDeque<Asked>,
    /// Whether the request that is being sent was told.
    is_current_told: bool,
    /// Whether any request was told.
    is_http: bool,
    /// Whether the client went on with something else than requests: only their responses are awaited.
    ignores_client: bool,
    /// Whether the content of the response has a coding.
    is_coded: bool,
    /// The status of the response.
    status: u16,
}

/// One direction.
#[derive(Debug, Default)]
struct Messages {
    head: HeadBuffer,
    /// Whether the beginning of the head was told.
    is_begun: bool,
    /// The body, once the head is whole.
    body: Option<Body>,
    search: Search,
}

/// A request that waits for its response.
#[derive(Debug)]
struct Asked {
    at: Moment,
    end: Moment,
    octets: u64,
    method: Method,
    is_review: bool,
}

/// What is left of the data, or that nothing can follow.
type Step<'d> = Result<&'d [u8], Stop<'d>>;

impl Dialogue {
    /// Clients that send more requests ahead of their responses are no apiservers.
    const PIPELINE: usize = 64;

    /// Octets of memory that heads under way take.
    pub(crate) fn held(&self) -> usize {
        self.requests.head.octets().len() + self.responses.head.octets().len()
    }

    /// Takes the next chunk of `side`. Of heads that are not whole behind it, `room` more octets may wait.
    pub(crate) fn push<'d>(
        &mut self,
        side: Side,
        chunk: Chunk<'d>,
        at: Moment,
        room: usize,
        sink: &mut impl FnMut(Event<'_>, Moment),
    ) -> Result<(), Stop<'d>> {
        let result = match (side, chunk) {
            (Side::Client, Chunk::Data(data)) => self.client_data(data, at, room, sink),
            (Side::Server, Chunk::Data(data)) => self.server_data(data, at, room, sink),
            (Side::Client, Chunk::Gap(size)) => self.client_gap(size, at, sink),
            (Side::Server, Chunk::Gap(size)) => self.server_gap(size, at, sink),
        };
        result.map_err(|stop| if self.is_http { stop } else { Stop::NotHttp })
    }

    /// `side` closed in order (FIN): that ends a body whose end nothing else tells.
    pub(crate) fn closed(&mut self, side: Side, at: Moment, sink: &mut impl FnMut(Event<'_>, Moment)) {
        if side == Side::Server && self.responses.body == Some(Body::UntilClose) {
            self.response_ended(at, sink);
        }
    }

    fn client_data<'d>(
        &mut self,
        mut data: &'d [u8],
        at: Moment,
        room: usize,
        sink: &mut impl FnMut(Event<'_>, Moment),
    ) -> Result<(), Stop<'d>> {
        while !data.is_empty() && !self.ignores_client {
            let Some(body) = &mut self.requests.body else {
                data = self.request_head(data, at, room, sink)?;
                continue;
            };
            let (content, rest) = body.next(data).ok_or(Stop::Lost(data.len() as u64))?;
            self.requests.search.push(content, true);
            let taken = data.len() - rest.len();
            data = rest;
            self.request_octets(taken as u64, at, sink);
            self.request_body_ended();
        }
        Ok(())
    }

    fn request_head<'d>(
        &mut self,
        data: &'d [u8],
        at: Moment,
        room: usize,
        sink: &mut impl FnMut(Event<'_>, Moment),
    ) -> Step<'d> {
        let told = if self.requests.is_begun { self.requests.head.octets().len() } else { 0 };
        let lost = |untold: usize, data: &[u8]| Stop::Lost((untold + data.len()) as u64);
        let pushed = self.requests.head.push(data, at, room);
        let (Ok((rest, _)) | Err(TooLong(rest))) = pushed;
        let octets = self.requests.head.octets();
        if !self.requests.is_begun {
            match looks_like_request(octets) {
                Looks::Open if pushed.is_ok() => return Ok(rest),
                Looks::Open => return Err(lost(octets.len(), rest)),
                Looks::Wrong if !self.is_http => return Err(Stop::NotHttp),
                Looks::Wrong => {
                    self.ignores_client = true;
                    self.requests.head = HeadBuffer::default();
                    return Ok(rest);
                }
                Looks::Right if self.asked.len() < Self::PIPELINE => {}
                Looks::Right => return Err(lost(octets.len(), rest)),
            }
            self.request_began(self.requests.head.began.unwrap_or(at), sink);
        }
        let octets = self.requests.head.octets();
        self.request_octets((octets.len() - told) as u64, at, sink);
        match pushed {
            Ok((_, true)) => {}
            Ok((_, false)) => return Ok(rest),
            Err(TooLong(_)) => return Err(lost(0, rest)),
        }
        let head = RequestHead::read(self.requests.head.octets()).ok_or_else(|| lost(0, rest))?;
        if let Some(asked) = self.asked.back_mut() {
            asked.method = head.method;
        }
        if head.method == Method::Connect {
            sink(Event::Connect(head.target), at);
        }
        self.requests.body = Some(head.body);
        self.requests.head = HeadBuffer::default();
        self.requests.search = Search::default();
        self.request_body_ended();
        Ok(rest)
    }

    fn request_began(&mut self, at: Moment, sink: &mut impl FnMut(Event<'_>, Moment)) {
        self.requests.is_begun = true;
        self.is_http = true;
        self.is_current_told = self.asked.is_empty();
        self.asked.push_back(Asked { at, end: at, octets: 0, method: Method::Other, is_review: false });
        if self.is_current_told {
            sink(Event::RequestBegan, at);
        }
    }

    fn request_octets(&mut self, octets: u64, at: Moment, sink: &mut impl FnMut(Event<'_>, Moment)) {
        if self.is_current_told {
            sink(Event::RequestOctets(octets), at);
        } else if let Some(asked) = self.asked.back_mut() {
            asked.octets += octets;
            asked.end = at;
        }
    }

    fn request_body_ended(&mut self) {
        // A response may end before its request does: then the request waits no more, and none follows it yet.
        if let (true, Some(asked)) = (self.requests.search.is_found(), self.asked.back_mut()) {
            asked.is_review = true;
        }
        if self.requests.body.is_some_and(Body::is_over) {
            self.requests = Messages::default();
        }
    }

    fn client_gap<'d>(
        &mut self,
        size: u64,
        at: Moment,
        sink: &mut impl FnMut(Event<'_>, Moment),
    ) -> Result<(), Stop<'d>> {
        if self.ignores_client {
            return Ok(());
        }
        self.requests.body.as_mut().and_then(|body| body.skip(size)).ok_or(Stop::Lost(size))?;
        self.requests.search.gap(size);
        self.request_octets(size, at, sink);
        self.request_body_ended();
        Ok(())
    }

    fn server_data<'d>(
        &mut self,
        mut data: &'d [u8],
        at: Moment,
        room: usize,
        sink: &mut impl FnMut(Event<'_>, Moment),
    ) -> Result<(), Stop<'d>> {
        while !data.is_empty() {
            let Some(body) = &mut self.responses.body else {
                data = self.response_head(data, at, room, sink)?;
                continue;
            };
            let (content, rest) = body.next(data).ok_or(Stop::Lost(data.len() as u64))?;
            let is_over = body.is_over();
            if self.asked.front().is_some_and(|asked| asked.is_review) {
                self.responses.search.push(content, false);
            }
            sink(Event::ResponseOctets((data.len() - rest.len()) as u64), at);
            data = rest;
            if is_over {
                self.response_ended(at, sink);
            }
        }
        Ok(())
    }

    fn response_head<'d>(
        &mut self,
        data: &'d [u8],
        at: Moment,
        room: usize,
        sink: &mut impl FnMut(Event<'_>, Moment),
    ) -> Step<'d> {
        // What comes without having been asked for answers nothing.
        let unasked = if self.ignores_client { Stop::NotHttp } else { Stop::Lost(data.len() as u64) };
        let method = self.asked.front().ok_or(unasked)?.method;
        let told = self.responses.head.octets().len();
        let pushed = self.responses.head.push(data, at, room);
        let octets = self.responses.head.octets();
        let untold = (octets.len() - told) as u64;
        let (rest, is_whole) = pushed.map_err(|TooLong(rest)| Stop::Lost(untold + rest.len() as u64))?;
        if octets.is_empty() {
            return Ok(rest);
        }
        if looks_like_response(octets) == Looks::Wrong {
            return Err(Stop::Lost(untold + rest.len() as u64));
        }
        if !self.responses.is_begun {
            self.responses.is_begun = true;
            sink(Event::ResponseBegan, at);
        }
        sink(Event::ResponseOctets(untold), at);
        if !is_whole {
            return Ok(rest);
        }
        let head = ResponseHead::read(octets).ok_or(Stop::Lost(rest.len() as u64))?;
        let status = head.status.get();
        match (method, status) {
            (_, 101) => {
                sink(Event::Status(head.status), at);
                sink(Event::ResponseEnded { lacks_review: false }, at);
                return Err(Stop::Upgraded);
            }
            (_, 100..=199) => {
                sink(Event::Interim, at);
                self.responses = Messages::default();
                return Ok(rest);
            }
            (Method::Connect, 200..=299) => return Err(Stop::Tunnel(rest)),
            (Method::Connect, _) => sink(Event::Refused(head.status, head.reason), at),
            _ => sink(Event::Status(head.status), at),
        }
        let has_none = method == Method::Head || matches!(status, 204 | 304);
        self.responses.body = Some(if has_none { Body::NONE } else { head.body });
        self.is_coded = head.is_coded;
        self.responses.head = HeadBuffer::default();
        self.status = status;
        if self.responses.body.is_some_and(Body::is_over) {
            self.response_ended(at, sink);
        }
        Ok(rest)
    }

    fn response_ended(&mut self, at: Moment, sink: &mut impl FnMut(Event<'_>, Moment)) {
        let Some(asked) = self.asked.pop_front() else { return };
        let lacks_review = asked.is_review
            && (200..300).contains(&self.status)
            && !self.is_coded
            && self.responses.search.is_absent();
        sink(Event::ResponseEnded { lacks_review }, at);
        self.responses = Messages::default();
        if let Some(next) = self.asked.front() {
            sink(Event::RequestBegan, next.at);
            sink(Event::RequestOctets(next.octets), next.end);
            self.is_current_told = self.asked.len() == 1;
        }
    }

    fn server_gap<'d>(
        &mut self,
        size: u64,
        at: Moment,
        sink: &mut impl FnMut(Event<'_>, Moment),
    ) -> Result<(), Stop<'d>> {
        let body = self.responses.body.as_mut().ok_or(Stop::Lost(size))?;
        body.skip(size).ok_or(Stop::Lost(size))?;
        let is_over = body.is_over();
        self.responses.search.gap(size);
        sink(Event::ResponseOctets(size), at);
        if is_over {
            self.response_ended(at, sink);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
