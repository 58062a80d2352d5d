//! The octets of both directions, in order -> TLS session, plain text, calls.

use crate::call::{Call, Calls, Context};
use crate::config::Limits;
use crate::lookup::Heard;
use crate::lookup::framer::Stream;
use crate::packet::Moment;
use crate::side::{PerSide, Side};
use crate::tcp::reassembly::Chunk;
use crate::tls::codes::Version;
use crate::tls::record::{Deframer, RecordEvent};
use crate::tls::session::{self, Session};

/// What a connection carries.
#[derive(Debug, Default)]
pub(crate) struct Application {
    /// TLS, once a record was seen.
    pub(crate) session: Option<Box<Session>>,
    /// The first octets of a side that are no TLS.
    pub(crate) plain: PerSide<Option<Moment>>,
    /// Calls.
    pub(crate) calls: Calls,
    /// DNS messages, on a connection to a name server.
    pub(crate) dns: Option<Box<Stream>>,
    deframers: PerSide<Deframer>,
    ended: Option<Call>,
}

impl Application {
    /// What a connection to this port of the server carries.
    pub(crate) fn new(port: u16) -> Self {
        Self { dns: (port == Heard::PORT).then(Box::default), ..Self::default() }
    }

    /// The first octets of `side` were not seen.
    pub(crate) fn join_midstream(&mut self, side: Side) {
        self.deframers[side].join_midstream();
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

    /// Takes the next octets of `side`.
    #[inline]
    pub(crate) fn chunk(
        &mut self,
        side: Side,
        chunk: Chunk<'_>,
        at: Moment,
        context: Context,
        limits: &Limits,
    ) {
        let Self { session, plain, calls, dns, deframers, ended } = self;
        if let Some(dns) = dns {
            dns.chunk(side, chunk, at, limits);
        }
        deframers[side].push(chunk, at, &mut |event, at| {
            if matches!(event, RecordEvent::NotTls) {
                plain[side].get_or_insert(at);
                return;
            }
            if session.is_none() && matches!(event, RecordEvent::Began(_)) {
                *session = Some(Box::default());
            }
            let Some(session) = session else { return };
            let http2 = session.offered().is_some_and(|offered| offered.offers_http2);
            session.record(side, event, at, limits.handshake, &mut |side, data, at| match data {
                session::Application::Closed => calls.close(side, at),
                _ if http2 => {}
                session::Application::Began(length) => {
                    if let Some(call) = calls.began(side, length, at, context) {
                        *ended = Some(call);
                    }
                }
                session::Application::Octets(octets) => calls.octets(side, octets, at),
            });
        });
    }

    /// A side closed by FIN or RST, after everything that it sent.
    pub(crate) fn close(&mut self, side: Side, at: Moment) {
        self.calls.close(side, at);
    }

    /// The call that the last octets ended.
    #[inline]
    pub(crate) const fn take_ended(&mut self) -> Option<Call> {
        self.ended.take()
    }

    /// It turned out that the client is who was taken for the server.
    pub(crate) fn swap_sides(&mut self) {
        self.plain.swap();
        self.deframers.swap();
        if let Some(session) = &mut self.session {
            session.swap_sides();
        }
        self.calls = Calls::default();
    }
}
