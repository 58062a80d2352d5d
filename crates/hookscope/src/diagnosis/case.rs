//! What a rule may ask of a connection: facts in the words of the contract, bytes never.

use crate::call::Call;
use crate::config::Config;
use crate::connection::Connection;
use crate::packet::Moment;
use crate::side::Side;
use crate::time::{Elapsed, Timestamp};
use crate::tls::session::Session;

/// A connection to judge, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'a> {
    /// Everything known of it.
    pub(crate) connection: &'a Connection,
    /// The time up to which it was watched.
    pub(crate) now: Timestamp,
    /// Deadlines.
    pub(crate) config: &'a Config,
}

/// How a side closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// By an alert, or a record that is probably one.
    Alert,
    /// By FIN.
    Fin,
    /// By RST.
    Rst,
}

/// A side's closing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Close {
    pub(crate) side: Side,
    pub(crate) at: Moment,
    pub(crate) how: How,
}

impl<'a> Case<'a> {
    /// Deadlines are whole seconds from 1 to this (`timeoutSeconds`).
    const MAX_DEADLINE: i64 = 30;
    /// How far from its deadline a client gives up: timers and a loaded host are late, a capture point is not where
    /// the timer is.
    const TOLERANCE: Elapsed = Elapsed::from_millis(150);

    /// The TLS session.
    pub(crate) fn tls(&self) -> Option<&'a Session> {
        self.connection.application.session.as_ref()
    }

    /// The last call.
    pub(crate) fn last_call(&self) -> Option<&'a Call> {
        self.connection.application.calls.last.as_ref()
    }

    /// The last call, if its response has not begun: not if it may lie in packets that the capture lacks.
    pub(crate) fn waiting_call(&self) -> Option<&'a Call> {
        let server = &self.connection.halves.server;
        self.last_call().filter(|call| call.first_byte.is_none() && !server.has_losses_since(call.requested))
    }

    /// Whether packets of either side are missing from the capture.
    pub(crate) fn has_losses(&self) -> bool {
        self.connection.halves.client.has_losses() || self.connection.halves.server.has_losses()
    }

    /// The last call, if it is known that its response did not come whole.
    pub(crate) fn open_call(&self) -> Option<&'a Call> {
        self.last_call().filter(|call| !call.is_answered())
    }

    /// Whether `call` may be none, but HTTP/2's last words: the snap length cut the ClientHello before it said which
    /// protocol it offers.
    pub(crate) fn may_be_http2(&self, call: &Call) -> bool {
        let hello = self.tls().and_then(|session| session.client_hello.as_ref());
        let unsaid = hello.is_some_and(|hello| {
            hello.said.as_ref().is_none_or(|said| said.is_cut && said.protocol.is_none())
        });
        unsaid && call.index > 0
    }

    /// Whether the server sent anything in answer to the ClientHello: behind a proxy, through its tunnel.
    pub(crate) fn server_spoke(&self) -> bool {
        let application = &self.connection.application;
        match (application.proxied(), self.tls()) {
            (Some(_), Some(session)) => {
                session.server_began.is_some() || application.plain(Side::Server).is_some()
            }
            _ => self.connection.halves.server.data_at.is_some(),
        }
    }

    /// Whether packets of one direction only are in the capture, although the other side must have sent some.
    pub(crate) fn is_one_sided(&self) -> bool {
        let halves = &self.connection.halves;
        halves.client.packets == 0 || halves.server.packets == 0 && self.connection.established.is_some()
    }

    /// How a side closed first.
    pub(crate) fn close_of(&self, side: Side) -> Option<Close> {
        let half = &self.connection.halves[side];
        let alert = self.tls().and_then(|session| session.closed(side));
        [(alert, How::Alert), (half.fin_at(), How::Fin), (half.rst_at(), How::Rst)]
            .into_iter()
            .filter_map(|(at, how)| Some(Close { side, at: at?, how }))
            .reduce(|first, close| if close.at.is_before(first.at) { close } else { first })
    }

    /// The closing of the side that closed first.
    pub(crate) fn first_close(&self) -> Option<Close> {
        match (self.close_of(Side::Client), self.close_of(Side::Server)) {
            (Some(client), Some(server)) if server.at.is_before(client.at) => Some(server),
            (client, server) => client.or(server),
        }
    }

    /// The closing of `side`, if it closed first.
    pub(crate) fn first_close_by(&self, side: Side) -> Option<Close> {
        self.first_close().filter(|close| close.side == side)
    }

    /// The RST of `side`, if that is how it ended: without a FIN before it.
    pub(crate) fn rst_of(&self, side: Side) -> Option<Moment> {
        let half = &self.connection.halves[side];
        half.rst_at().filter(|rst| half.fin_at().is_none_or(|fin| rst.is_before(fin)))
    }

    /// Whether the TCP handshake was seen and nothing but a TLS handshake can have begun: what the codes
    /// `…-in-tls-handshake` and `tls-…` speak of. Never without the SYN.
    pub(crate) fn is_in_tls_handshake(&self) -> bool {
        let application = &self.connection.application;
        self.connection.opened.is_some()
            && self.connection.established.is_some()
            && !self.is_one_sided()
            && !self.has_losses()
            && application.complete().is_none()
            && application.calls.count == 0
            && application.plain(Side::Client).is_none()
            && (application.plain(Side::Server).is_none() || application.session.is_some())
            && !self.is_unread()
    }

    /// Whether octets were sent and none of them tells what they are: the snap length left only headers.
    pub(crate) fn is_unread(&self) -> bool {
        let Connection { application, halves, .. } = self.connection;
        let sent = halves.client.data_at.is_some() || halves.server.data_at.is_some();
        let plain = application.plain(Side::Client).is_some() || application.plain(Side::Server).is_some();
        let plain = plain || application.proxied().is_some();
        self.connection.opened.is_some() && sent && application.session.is_none() && !plain
    }

    /// Whether the client said nothing for a while before the connection closed: kube-apiserver sends its ClientHello
    /// at once, so it was not dialled for a call.
    pub(crate) fn is_idle_before_hello(&self) -> bool {
        const AT_ONCE: Elapsed = Elapsed::from_millis(1000);
        let silent = self.connection.halves.client.data_at.is_none();
        let since = self.connection.established.zip(self.first_close());
        silent && since.is_some_and(|(established, close)| close.at.since(established) > AT_ONCE)
    }

    /// How long nothing had come since `since` when watching ended.
    pub(crate) fn waited(&self, since: Moment) -> Elapsed {
        self.connection.waited(since, self.now)
    }

    /// Whether the deadline had passed since `since` when watching ended.
    pub(crate) fn is_overdue(&self, since: Moment) -> bool {
        self.waited(since) >= self.deadline()
    }

    /// When the client gave up waiting for something since `since`: when it closed, or never if it was still waiting
    /// past the deadline when watching ended ([`Moment::END`]); `None` if it did neither.
    pub(crate) fn gave_up_waiting(&self, since: Moment) -> Option<Moment> {
        match self.first_close() {
            Some(close) => (close.side == Side::Client).then_some(close.at),
            None => self.is_overdue(since).then_some(Moment::END),
        }
    }

    /// The deadline that a client kept which gave up `call` at `end`: a whole number of seconds, or the configured
    /// one; `None` if that moment is no deadline.
    pub(crate) fn deadline_kept(&self, call: &Call, end: Moment) -> Option<Elapsed> {
        let passed = |elapsed: Elapsed| {
            let configured = self.deadline();
            self.deadline_met(elapsed).or_else(|| (elapsed >= configured).then_some(configured))
        };
        let kept = passed(end.since(call.start));
        // A connection that was dialled for another call may carry this one: its deadline began with it.
        let ready = self.connection.application.complete().or(self.connection.established);
        let idle = ready.is_some_and(|ready| call.requested.since(ready) > Self::TOLERANCE);
        kept.or_else(|| passed(end.since(call.requested)).filter(|_| idle))
    }

    /// The deadline that `elapsed` meets, give or take a timer's tolerance.
    pub(crate) fn deadline_met(&self, elapsed: Elapsed) -> Option<Elapsed> {
        let near = |deadline: Elapsed| elapsed.minus(deadline).abs() <= Self::TOLERANCE;
        let whole = elapsed.as_nanos().saturating_add(500_000_000) / 1_000_000_000;
        let whole_second = Elapsed::from_millis(whole * 1000);
        if (1..=Self::MAX_DEADLINE).contains(&whole) && near(whole_second) {
            return Some(whole_second);
        }
        let configured = self.deadline();
        near(configured).then_some(configured)
    }
}

#[cfg(test)]
mod tests;
