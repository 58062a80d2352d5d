//! Records of both directions -> the state of one TLS session: hellos, certificate, alerts, when the handshake was
//! complete, who closed; and the application data behind it, as sizes.
//!
//! Feed with [`Session::record`]; application data comes out of it as [`Application`] events. All else is read from
//! the fields.

mod alerts;
mod facts;
mod messages;
mod settled;

use std::sync::Arc;

use crate::packet::Moment;
use crate::side::{PerSide, Side};
use crate::tls::certificate::CertificateList;
use crate::tls::codes::{CipherSuite, ContentType, Version};
use crate::tls::handshake::Joiner;
use crate::tls::inference::{Probable, content, is_http2_control};
use crate::tls::pool::Pool;
use crate::tls::record::{Header, RecordEvent};

pub(crate) use self::facts::{Alert, Choice, Chosen, Offer, Offered};
use self::settled::Settled;

/// Application data, as far as records show it without keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Application {
    /// A record of `length` octets of body began.
    Began(u16),
    /// So many octets, headers included, are complete.
    Octets(u64),
    /// The side closed: with an alert, or with a record that is probably one.
    Closed,
    /// The side had not closed: it goes on.
    Reopened,
    /// The handshake is complete.
    Ready,
}

/// The state of one TLS session.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// The first ClientHello.
    pub(crate) client_hello: Option<Offer>,
    /// The last ServerHello; a HelloRetryRequest before it counts as one.
    pub(crate) server_hello: Option<Choice>,
    /// The server's first record.
    pub(crate) server_began: Option<Moment>,
    /// The last record of the server's handshake.
    pub(crate) server_flight: Option<Moment>,
    /// The server's certificates, as they were sent.
    pub(crate) certificates: Option<CertificateList>,
    /// Whether the server sent anything but an alert after the handshake.
    pub(crate) server_spoke: bool,
    /// Whether the ClientHello offers HTTP/2.
    offers_http2: bool,
    /// Whether a client of which no protocol was seen sent what looks like a control frame of HTTP/2.
    looks_like_http2: bool,
    /// When the handshake was complete.
    pub(crate) complete: Option<Moment>,
    /// Where it was: which records are data like any other.
    settled: Option<Settled>,
    change_cipher_spec: PerSide<bool>,
    /// Encrypted handshake records after ChangeCipherSpec (TLS 1.2): Finished.
    finished: PerSide<bool>,
    current: PerSide<Current>,
    /// What is of no use once the handshake is complete.
    handshake: Option<Box<Handshake>>,
    /// What few sessions have, or only at their end.
    rare: Option<Box<Rare>>,
}

/// What is kept while the handshake lasts.
#[derive(Debug, Default)]
struct Handshake {
    joiners: PerSide<Joiner>,
    /// Encrypted records of the client of which it is not known yet whether they are its Certificate or a request.
    undecided: Option<Undecided>,
    /// Whether framing of the client was lost during the handshake: its Finished may have been missed.
    client_lost: bool,
}

/// What few sessions have, or only at their end.
#[derive(Debug, Default)]
struct Rare {
    /// Alerts in the clear.
    alerts: Vec<Alert>,
    /// The alert in the clear that is being read.
    alert: PerSide<[Option<u8>; 2]>,
    /// The client's record between ChangeCipherSpec and Finished: its Certificate (TLS 1.3, inferred).
    client_certificate: Option<Moment>,
    /// The client's alert where its Finished was due (TLS 1.3, inferred).
    rejected: Option<Moment>,
    /// When each side closed by an alert, or by a record that is probably one.
    closed: PerSide<Option<Moment>>,
}

/// What a session reads with.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    /// Octets of a handshake message that are read.
    pub(crate) limit: usize,
    /// Names and certificates of all sessions.
    pub(crate) pool: &'a mut Pool,
    /// Room in which a message was collected, for the next one.
    pub(crate) spare: &'a mut Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Undecided {
    at: Moment,
    /// The records after the first: when they began, and their octets.
    request: Option<(Moment, u64)>,
}

/// What the current record of a side is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Current {
    #[default]
    Ignored,
    Handshake,
    Alert,
    Finished,
    Application,
    /// The client's first encrypted record of the size of Finished.
    ProbableFinished,
    Undecided,
}

impl Session {
    /// The negotiated version, where it is known.
    pub(crate) fn version(&self) -> Option<Version> {
        Some(self.server_hello.as_ref()?.said.as_ref()?.version)
    }

    /// Octets of memory that handshake messages under way take, or will.
    #[inline]
    pub(crate) fn held(&self) -> usize {
        let held = |all: &Handshake| all.joiners.client.held() + all.joiners.server.held();
        self.handshake.as_deref().map_or(0, held)
    }

    /// The server's own certificate (X.509 DER).
    pub(crate) fn leaf(&self) -> Option<&[u8]> {
        self.certificates.as_ref()?.leaf()
    }

    /// The client's record between ChangeCipherSpec and Finished: its Certificate (TLS 1.3, inferred).
    pub(crate) fn client_certificate(&self) -> Option<Moment> {
        self.rare.as_ref()?.client_certificate
    }

    /// The client's alert where its Finished was due (TLS 1.3, inferred).
    pub(crate) fn rejected(&self) -> Option<Moment> {
        self.rare.as_ref()?.rejected
    }

    /// When `side` closed by an alert, or by a record that is probably one.
    pub(crate) fn closed(&self, side: Side) -> Option<Moment> {
        self.rare.as_ref()?.closed[side]
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// What the ClientHello says, where it could be read.
    pub(crate) fn offered(&self) -> Option<&Offered> {
        self.client_hello.as_ref()?.said.as_deref()
    }

    /// It turned out that the client is who was taken for the server.
    pub(crate) fn swap_sides(&mut self) {
        // What was the server's are the client's records.
        self.server_began = None;
        self.change_cipher_spec.swap();
        self.finished.swap();
        self.current.swap();
        self.server_flight = None;
        if let Some(handshake) = &mut self.handshake {
            handshake.joiners.swap();
        }
        if let Some(rare) = &mut self.rare {
            rare.closed.swap();
            rare.alert.swap();
        }
        if let Some(offered) = self.client_hello.as_mut().and_then(|hello| hello.said.as_mut()) {
            Arc::make_mut(offered).from = Side::Client;
        }
    }

    /// Whether it carries HTTP/2, whose records are no calls: the client offers it, or seems to speak it.
    #[inline]
    pub(crate) const fn is_http2(&self) -> bool {
        self.offers_http2 || self.looks_like_http2
    }

    /// Whether the body of the current record of `side` says anything: most are encrypted.
    #[inline]
    pub(crate) fn reads_body(&self, side: Side) -> bool {
        matches!(self.current[side], Current::Handshake | Current::Alert)
    }

    /// Whether the ClientHello, or the part of it that names protocols, is not in the capture.
    fn is_protocol_unseen(&self) -> bool {
        self.offered().is_none_or(|offered| offered.is_cut && offered.protocol.is_none())
    }

    fn cipher(&self) -> Option<CipherSuite> {
        Some(self.server_hello.as_ref()?.said.as_ref()?.cipher)
    }

    fn is_13(&self) -> bool {
        self.version().is_some_and(Version::is_13)
    }

    /// Whether any of the handshake was seen: else the session was joined after it.
    fn saw_handshake(&self) -> bool {
        self.client_hello.is_some() || self.server_hello.is_some()
    }

    /// Whether records of `side` are encrypted although their type says handshake or alert: TLS 1.2 and before,
    /// after ChangeCipherSpec.
    fn is_encrypted(&self, side: Side) -> bool {
        (self.change_cipher_spec[side] || self.complete.is_some()) && !self.is_13()
    }

    /// Takes a step of one side's record stream.
    #[inline]
    pub(crate) fn record(
        &mut self,
        side: Side,
        event: RecordEvent<'_>,
        at: Moment,
        reading: &mut Reading<'_>,
        sink: &mut impl FnMut(Side, Application, Moment),
    ) {
        match event {
            RecordEvent::Whole(header, body) => self.whole(side, (header, body), at, reading, sink),
            RecordEvent::Began(header) => self.current[side] = self.began(side, header, at, sink),
            RecordEvent::Body(bytes) => self.body(self.current[side], side, bytes, at, reading),
            RecordEvent::BodyGap(_) => {
                if self.current[side] == Current::Handshake {
                    self.handshake_gap(side, at, reading);
                }
            }
            RecordEvent::Ended(header) => {
                let current = std::mem::take(&mut self.current[side]);
                self.ended(current, side, header, at, sink);
            }
            RecordEvent::Unframed(octets) => self.unframed(side, octets, at, reading, sink),
            RecordEvent::NotTls | RecordEvent::Plain(_) => {}
        }
    }

    /// Takes a record that is there in one piece.
    #[inline(always)]
    pub(crate) fn whole(
        &mut self,
        side: Side,
        (header, body): (Header, &[u8]),
        at: Moment,
        reading: &mut Reading<'_>,
        sink: &mut impl FnMut(Side, Application, Moment),
    ) {
        let current = self.began(side, header, at, sink);
        self.body(current, side, body, at, reading);
        self.current[side] = Current::Ignored;
        self.ended(current, side, header, at, sink);
    }

    /// Takes octets of the body of a record.
    #[inline]
    fn body(&mut self, current: Current, side: Side, bytes: &[u8], at: Moment, reading: &mut Reading<'_>) {
        match current {
            Current::Handshake => self.handshake(side, bytes, at, reading),
            Current::Alert => self.alert_octets(side, bytes),
            _ => {}
        }
    }

    /// A record began. Says what it is.
    #[inline(always)]
    fn began(
        &mut self,
        side: Side,
        header: Header,
        at: Moment,
        sink: &mut impl FnMut(Side, Application, Moment),
    ) -> Current {
        if side == Side::Server {
            self.server_began.get_or_insert(at);
        }
        match header.kind {
            ContentType::APPLICATION_DATA => self.encrypted_began(side, header, at, sink),
            ContentType::HANDSHAKE if self.is_encrypted(side) => Current::Finished,
            ContentType::HANDSHAKE => {
                if side == Side::Server {
                    self.server_flight = Some(at);
                }
                if let Some(handshake) = &mut self.handshake {
                    handshake.joiners[side].record_began();
                }
                Current::Handshake
            }
            ContentType::ALERT if header.length == 2 && !self.is_encrypted(side) => Current::Alert,
            ContentType::ALERT => {
                self.close(side, at, sink);
                Current::Ignored
            }
            ContentType::CHANGE_CIPHER_SPEC => {
                self.change_cipher_spec[side] = true;
                Current::Ignored
            }
            _ => Current::Ignored,
        }
    }

    /// An application data record began: handshake, alert or data, by what came before and by its size.
    #[inline]
    fn encrypted_began(
        &mut self,
        side: Side,
        header: Header,
        at: Moment,
        sink: &mut impl FnMut(Side, Application, Moment),
    ) -> Current {
        let is_12 = self.version().is_some_and(|version| !version.is_13());
        if is_12 && self.complete.is_none() {
            // Finished was missed; application data proves it.
            self.completed(at);
        }
        let probable = if is_12 { Probable::Other } else { content(header.length, self.cipher()) };
        if self.complete.is_some() || !self.saw_handshake() {
            if probable == Probable::Alert {
                self.close(side, at, sink);
                return Current::Ignored;
            }
            if side == Side::Client && !self.looks_like_http2 && self.is_protocol_unseen() {
                self.looks_like_http2 = is_http2_control(header.length, self.cipher());
            }
            if self.rare.as_mut().is_some_and(|rare| rare.closed[side].take().is_some()) {
                // Nothing follows a close_notify (RFC 8446, section 6.1): what had its size was none.
                sink(side, Application::Reopened, at);
            }
            self.server_spoke |= side == Side::Server;
            sink(side, Application::Began(header.length), at);
            return Current::Application;
        }
        match (side, probable) {
            (Side::Client, Probable::Alert) => {
                let handshake = self.handshake.as_ref();
                if handshake.is_none_or(|all| all.undecided.is_none() && !all.client_lost) {
                    self.rare().rejected.get_or_insert(at);
                }
                self.close(side, at, sink);
                Current::Ignored
            }
            (Side::Server, Probable::Alert) => {
                self.close(side, at, sink);
                Current::Ignored
            }
            (Side::Client, Probable::Finished) => Current::ProbableFinished,
            (Side::Client, Probable::Other) => {
                let undecided = &mut self.handshake.get_or_insert_default().undecided;
                match undecided {
                    None => *undecided = Some(Undecided { at, request: None }),
                    Some(undecided) => {
                        undecided.request.get_or_insert((at, 0));
                    }
                }
                Current::Undecided
            }
            (Side::Server, _) => match self.take_undecided() {
                Some(undecided) => {
                    self.server_goes_on(undecided, sink);
                    self.server_spoke = true;
                    sink(side, Application::Began(header.length), at);
                    Current::Application
                }
                None => {
                    self.server_flight = Some(at);
                    Current::Ignored
                }
            },
        }
    }

    /// The server goes on after encrypted records of the client, so its handshake is complete: its Finished lies in a
    /// gap, and then all of them are a request; or it shares the first of them with its Certificate.
    #[cold]
    fn server_goes_on(&mut self, undecided: Undecided, sink: &mut impl FnMut(Side, Application, Moment)) {
        let request = if self.handshake.as_ref().is_some_and(|handshake| handshake.client_lost) {
            Some((undecided.at, undecided.request.map_or(0, |(_, octets)| octets)))
        } else {
            self.rare().client_certificate = Some(undecided.at);
            undecided.request
        };
        self.completed(undecided.at);
        sink(Side::Client, Application::Ready, undecided.at);
        if let Some((at, octets)) = request {
            sink(Side::Client, Application::Began(0), at);
            sink(Side::Client, Application::Octets(octets), at);
        }
    }

    #[inline(always)]
    fn ended(
        &mut self,
        current: Current,
        side: Side,
        header: Header,
        at: Moment,
        sink: &mut impl FnMut(Side, Application, Moment),
    ) {
        let octets = header.octets();
        match current {
            Current::Application => sink(side, Application::Octets(octets), at),
            Current::Undecided => {
                let undecided = self.handshake.as_mut().and_then(|handshake| handshake.undecided.as_mut());
                if let Some((_, request)) = undecided.and_then(|undecided| undecided.request.as_mut()) {
                    *request += octets;
                }
            }
            Current::ProbableFinished => {
                if let Some(certificate) = self.take_undecided() {
                    self.rare().client_certificate = Some(certificate.at);
                }
                self.completed(at);
                sink(Side::Client, Application::Ready, at);
            }
            Current::Finished => {
                self.finished[side] = true;
                if self.finished[!side] && self.complete.is_none() {
                    self.completed(at);
                    sink(side, Application::Ready, at);
                }
            }
            Current::Alert => self.alert(side, at, sink),
            Current::Handshake | Current::Ignored => {}
        }
    }

    fn completed(&mut self, at: Moment) {
        self.complete = Some(at);
        self.handshake = None;
        self.settled = self.settle();
    }

    fn take_undecided(&mut self) -> Option<Undecided> {
        self.handshake.as_mut()?.undecided.take()
    }

    fn close(&mut self, side: Side, at: Moment, sink: &mut impl FnMut(Side, Application, Moment)) {
        self.rare().closed[side].get_or_insert(at);
        sink(side, Application::Closed, at);
    }

    #[cold]
    fn unframed(
        &mut self,
        side: Side,
        octets: u64,
        at: Moment,
        reading: &mut Reading<'_>,
        sink: &mut impl FnMut(Side, Application, Moment),
    ) {
        if self.complete.is_some() || !self.saw_handshake() {
            sink(side, Application::Began(0), at);
            sink(side, Application::Octets(octets), at);
        } else if side == Side::Client {
            self.handshake.get_or_insert_default().client_lost = true;
        }
        self.handshake_gap(side, at, reading);
    }
}

#[cfg(test)]
mod tests;
