//! The octets of both directions, in order -> TLS session, plain HTTP, calls.
//!
//! A stream is TLS or it is not: its first octets decide. A client that begins like HTTP is followed by
//! [`plain`](super::plain); where a proxy opens a tunnel for it, the streams begin anew behind the proxy's answer.

use crate::call::{Call, Calls, Context};
use crate::connection::plain::{Output, PlainHttp, Tunnel};
use crate::connection::{Around, Shared};
use crate::http::Proxied;
use crate::lookup::Heard;
use crate::lookup::framer::Stream;
use crate::packet::Moment;
use crate::side::{PerSide, Side};
use crate::tcp::reassembly::Chunk;
use crate::tls::codes::Version;
use crate::tls::record::{Deframer, Header, RecordEvent};
use crate::tls::session::{self, Reading, Session};

/// How a side closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closing {
    /// In order.
    Fin,
    /// By RST.
    Rst,
}

/// What a connection carries.
#[derive(Debug, Default)]
pub(crate) struct Application {
    /// TLS, once a record was seen.
    pub(crate) session: Option<Session>,
    /// Calls.
    pub(crate) calls: Calls,
    /// DNS messages, on a connection to a name server.
    pub(crate) dns: Option<Box<Stream>>,
    deframers: PerSide<Deframer>,
    /// The first octets of a side that are no TLS.
    plain: Option<Box<PerSide<Option<Moment>>>>,
    /// Plain HTTP, once the client's first octets could be that.
    http: Option<Box<PlainHttp>>,
}

impl Application {
    /// It is one to this port of the server.
    #[inline]
    pub(crate) fn is_to(&mut self, port: u16) {
        if port == Heard::PORT {
            self.dns = Some(Box::default());
        }
    }

    /// The first octets of `side` were not seen.
    pub(crate) fn join_midstream(&mut self, side: Side) {
        self.deframers[side].join_midstream();
    }

    /// The first octets of `side`, if they are no TLS.
    pub(crate) fn plain(&self, side: Side) -> Option<Moment> {
        self.plain.as_ref()?[side]
    }

    /// When the TLS handshake was complete.
    pub(crate) fn complete(&self) -> Option<Moment> {
        self.session.as_ref()?.complete
    }

    /// Who sent the ClientHello.
    pub(crate) fn hello_from(&self) -> Option<Side> {
        self.session.as_ref()?.client_hello.as_ref()?.said.as_ref().map(|said| said.from)
    }

    /// Whether the server may send session tickets after the handshake: in TLS 1.3, or if the version is not known.
    pub(crate) fn may_send_tickets(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.version().is_none_or(Version::is_13))
    }

    /// The first octets of a side that does not speak TLS: up to five.
    pub(crate) fn first_octets(&self, side: Side) -> &[u8] {
        self.deframers[side].first_octets()
    }

    /// The client that asked a proxy for a tunnel, and what came of it.
    pub(crate) fn proxied(&self) -> Option<&Proxied> {
        self.http.as_ref()?.proxied.as_ref()
    }

    /// Octets of memory that messages under way take, or will.
    #[inline]
    pub(crate) fn held(&self) -> usize {
        let tls = self.session.as_ref().map_or(0, Session::held);
        let http = self.http.as_deref().map_or(0, PlainHttp::held);
        tls + http + self.dns.as_deref().map_or(0, Stream::held)
    }

    /// Takes records of application data off the front of the next octets of `side`, where TLS is open and nothing else
    /// is to be known of them: those are most. Gives back what is left for [`chunk`](Self::chunk), which does the same and
    /// more.
    #[inline]
    pub(crate) fn data<'d>(
        &mut self,
        side: Side,
        mut data: &'d [u8],
        at: Moment,
        context: &Context,
        ended: &mut Vec<Call>,
    ) -> &'d [u8] {
        let Self { session: Some(session), dns: None, http: None, deframers, calls, .. } = self else {
            return data;
        };
        if !deframers[side].is_between_records() {
            return data;
        }
        while let Some((header, _, rest)) = Header::whole(data)
            && session.takes(side, header, at)
        {
            calls.began(side, header.length, at, context, ended);
            calls.octets(side, header.octets(), at);
            data = rest;
        }
        data
    }

    /// Takes the next octets of `side`. Calls that they end go to `around`.
    #[inline]
    pub(crate) fn chunk(
        &mut self,
        side: Side,
        chunk: Chunk<'_>,
        at: Moment,
        context: &Context,
        around: &mut Around<'_>,
    ) {
        if let Some(dns) = &mut self.dns {
            dns.chunk(side, chunk, at, around.limits.dns_message.min(around.shared.room()));
        }
        if self.http.as_ref().is_some_and(|http| http.is_followed()) {
            self.plain_text(side, chunk, at, context, around);
        } else {
            self.records(side, chunk, at, context, around);
        }
    }

    /// Takes octets of a connection that carries TLS, or of which that is not known yet.
    #[inline]
    fn records(
        &mut self,
        side: Side,
        mut chunk: Chunk<'_>,
        at: Moment,
        context: &Context,
        around: &mut Around<'_>,
    ) {
        let Self { session, plain, calls, deframers, http, .. } = self;
        let Around { limits, shared } = around;
        let room = shared.room();
        let Shared { ended, pool, spare, .. } = &mut **shared;
        let reading = Reading { limit: limits.handshake.min(room), pool, spare };
        let mut records = Records { calls, ended, context: *context, reading };
        let deframer = &mut deframers[side];
        if let Chunk::Data(data) = &mut chunk {
            // Most records are whole, and then there is nothing to remember of them.
            while let Some((header, body, rest)) = deframer.whole(data) {
                records.whole(session.get_or_insert_default(), side, header, body, at);
                *data = rest;
            }
            if data.is_empty() {
                return;
            }
        }
        deframer.push(chunk, at, &mut |event, at| match event {
            RecordEvent::NotTls | RecordEvent::Plain(_) => {
                // A server of HTTP never speaks first.
                let may_be_http = side == Side::Client
                    && session.is_none()
                    && plain.as_ref().is_none_or(|plain| plain.server.is_none());
                match (event, &mut *http) {
                    (RecordEvent::Plain(data), Some(http)) if may_be_http => {
                        // The client's octets alone open no tunnel.
                        let Records { calls, ended, context, .. } = &mut records;
                        let mut output = Output { room, calls, ended };
                        let _ = http.push(side, Chunk::Data(data), at, context, &mut output);
                    }
                    (RecordEvent::NotTls, http) => {
                        plain.get_or_insert_default()[side].get_or_insert(at);
                        if may_be_http {
                            http.get_or_insert_default().begin();
                        }
                    }
                    _ => {}
                }
            }
            RecordEvent::Began(_) | RecordEvent::Whole(..) => {
                records.take(session.get_or_insert_default(), side, event, at);
            }
            event => {
                if let Some(session) = session
                    && (session.reads_body(side) || !matches!(event, RecordEvent::Body(_)))
                {
                    records.take(session, side, event, at);
                }
            }
        });
    }

    /// Takes octets of a connection that carries plain HTTP.
    #[cold]
    fn plain_text(
        &mut self,
        side: Side,
        chunk: Chunk<'_>,
        at: Moment,
        context: &Context,
        around: &mut Around<'_>,
    ) {
        let Self { http: Some(http), calls, .. } = self else { return };
        let mut output = Output { room: around.shared.room(), calls, ended: &mut around.shared.ended };
        let tunnel = http.push(side, chunk, at, context, &mut output);
        let Some(tunnel) = tunnel else { return };
        // A tunnel is a connection of its own: nothing that was seen before belongs to it.
        self.calls = Calls::default();
        self.plain = None;
        self.deframers = PerSide::default();
        match tunnel {
            Tunnel::Opened([]) => {}
            Tunnel::Opened(first) => self.records(side, Chunk::Data(first), at, context, around),
            Tunnel::Joined => {
                self.deframers.client.join_midstream();
                self.deframers.server.join_midstream();
            }
        }
    }

    /// A side closed by FIN or RST, after everything that it sent.
    pub(crate) fn close(&mut self, side: Side, at: Moment, how: Closing, around: &mut Around<'_>) {
        let Self { http, calls, .. } = self;
        if let (Some(http), Closing::Fin) = (http, how) {
            http.closed(side, at, &mut Output { room: 0, calls, ended: &mut around.shared.ended });
        }
        self.calls.close(side, at);
    }

    /// It turned out that the client is who was taken for the server.
    pub(crate) fn swap_sides(&mut self) {
        if let Some(plain) = &mut self.plain {
            plain.swap();
        }
        self.deframers.swap();
        if let Some(session) = &mut self.session {
            session.swap_sides();
        }
        self.calls = Calls::default();
        self.http = None;
    }
}

/// What takes part when a TLS session is told of a record.
struct Records<'a> {
    calls: &'a mut Calls,
    ended: &'a mut Vec<Call>,
    context: Context,
    reading: Reading<'a>,
}

impl Records<'_> {
    /// A record that is there in one piece.
    #[inline(never)]
    fn whole(&mut self, session: &mut Session, side: Side, header: Header, body: &[u8], at: Moment) {
        let Self { calls, ended, context, reading } = self;
        let http2 = session.is_http2();
        session.whole(side, (header, body), at, reading, &mut to_calls(calls, ended, context, http2));
        if !http2 && session.is_http2() {
            **calls = Calls::default();
        }
    }

    /// Any step of a record stream.
    #[inline(never)]
    fn take(&mut self, session: &mut Session, side: Side, event: RecordEvent<'_>, at: Moment) {
        let Self { calls, ended, context, reading } = self;
        let http2 = session.is_http2();
        session.record(side, event, at, reading, &mut to_calls(calls, ended, context, http2));
        if !http2 && session.is_http2() {
            **calls = Calls::default();
        }
    }
}

/// Tells calls what a session says of application data, unless that is HTTP/2.
#[inline]
fn to_calls(
    calls: &mut Calls,
    ended: &mut Vec<Call>,
    context: &mut Context,
    http2: bool,
) -> impl FnMut(Side, session::Application, Moment) {
    move |side, data, at| match data {
        session::Application::Closed => calls.close(side, at),
        session::Application::Reopened => calls.reopen(side),
        session::Application::Ready => context.ready = Some(at),
        _ if http2 => {}
        session::Application::Began(length) => calls.began(side, length, at, context, ended),
        session::Application::Octets(octets) => calls.octets(side, octets, at),
    }
}

#[cfg(test)]
mod tests;
