//! Records of both directions -> the state of one TLS session: hellos, certificate, alerts, when the handshake was
//! complete, who closed; and the application data behind it, as sizes.
//!
//! Feed with [`Session::record`]; application data comes out of it as [`Application`] events. All else is read from
//! the fields.

use crate::packet::Moment;
use crate::side::{PerSide, Side};
use crate::tls::certificate::CertificateList;
use crate::tls::codes::{AlertDescription, CipherSuite, ContentType, HandshakeType, Version};
use crate::tls::handshake::{Joiner, Message};
use crate::tls::hello::{ClientHello, ServerHello};
use crate::tls::inference::{Probable, content, is_http2_control};
use crate::tls::record::{Header, RecordEvent};

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

/// A ClientHello that was seen.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    /// Its first packet.
    pub(crate) at: Moment,
    /// What it says; `None` where it could not be read whole.
    pub(crate) said: Option<Offered>,
}

/// What a ClientHello says.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    /// Who sent it.
    pub(crate) from: Side,
    /// Whether only its front was captured: what it does not say, it may still have said.
    pub(crate) is_cut: bool,
    pub(crate) version: Version,
    pub(crate) server_name: Option<Box<str>>,
    /// The protocol of ALPN, if it offers just one.
    pub(crate) protocol: Option<Box<str>>,
    pub(crate) offers_http2: bool,
}

/// A ServerHello that was seen.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// Its first packet.
    pub(crate) at: Moment,
    /// What it says; `None` where it could not be read whole.
    pub(crate) said: Option<Chosen>,
}

/// What a ServerHello says.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) version: Version,
    pub(crate) cipher: CipherSuite,
    pub(crate) protocol: Option<Box<str>>,
}

/// An alert in the clear.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alert {
    pub(crate) by: Side,
    pub(crate) at: Moment,
    pub(crate) is_fatal: bool,
    pub(crate) description: AlertDescription,
}

/// The state of one TLS session.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// The first ClientHello.
    pub(crate) client_hello: Option<Offer>,
    /// The last ServerHello; a HelloRetryRequest before it counts as one.
    pub(crate) server_hello: Option<Choice>,
    /// The first record of each side.
    pub(crate) first_record: PerSide<Option<Moment>>,
    /// The last record of the server's handshake.
    pub(crate) server_flight: Option<Moment>,
    /// The server's certificates, as they were sent.
    pub(crate) certificates: Option<CertificateList>,
    /// Alerts in the clear.
    pub(crate) alerts: Vec<Alert>,
    /// The client's record between ChangeCipherSpec and Finished: its Certificate (TLS 1.3, inferred).
    pub(crate) client_certificate: Option<Moment>,
    /// The client's alert where its Finished was due (TLS 1.3, inferred).
    pub(crate) rejected: Option<Moment>,
    /// When each side closed by an alert, or by a record that is probably one.
    pub(crate) closed: PerSide<Option<Moment>>,
    /// Whether the server sent anything but an alert after the handshake.
    pub(crate) server_spoke: bool,
    /// Whether a client of which no protocol was seen sent what looks like a control frame of HTTP/2.
    looks_like_http2: bool,
    /// When the handshake was complete.
    pub(crate) complete: Option<Moment>,
    change_cipher_spec: PerSide<bool>,
    /// Encrypted handshake records after ChangeCipherSpec (TLS 1.2): Finished.
    finished: PerSide<bool>,
    current: PerSide<Current>,
    joiners: Option<Box<PerSide<Joiner>>>,
    /// Encrypted records of the client of which it is not known yet whether they are its Certificate or a request.
    undecided: Option<Undecided>,
    /// Whether framing of the client was lost during the handshake: its Finished may have been missed.
    client_lost: bool,
    alert: PerSide<[Option<u8>; 2]>,
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
    /// More alerts of one connection say nothing new.
    const MAX_ALERTS: usize = 16;

    /// The negotiated version, where it is known.
    pub(crate) fn version(&self) -> Option<Version> {
        Some(self.server_hello.as_ref()?.said.as_ref()?.version)
    }

    /// The server's own certificate (X.509 DER).
    pub(crate) fn leaf(&self) -> Option<&[u8]> {
        self.certificates.as_ref()?.leaf()
    }

    /// What the ClientHello says, where it could be read.
    pub(crate) fn offered(&self) -> Option<&Offered> {
        self.client_hello.as_ref()?.said.as_ref()
    }

    /// It turned out that the client is who was taken for the server.
    pub(crate) fn swap_sides(&mut self) {
        self.first_record.swap();
        self.closed.swap();
        self.change_cipher_spec.swap();
        self.finished.swap();
        self.current.swap();
        self.alert.swap();
        self.server_flight = None;
        if let Some(joiners) = &mut self.joiners {
            joiners.swap();
        }
        if let Some(offered) = self.client_hello.as_mut().and_then(|hello| hello.said.as_mut()) {
            offered.from = Side::Client;
        }
    }

    /// Whether it carries HTTP/2, whose records are no calls: the client offers it, or seems to speak it.
    pub(crate) fn is_http2(&self) -> bool {
        self.looks_like_http2 || self.offered().is_some_and(|offered| offered.offers_http2)
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

    /// Takes a step of one side's record stream; handshake messages of up to `limit` octets are read.
    #[inline]
    pub(crate) fn record(
        &mut self,
        side: Side,
        event: RecordEvent<'_>,
        at: Moment,
        limit: usize,
        sink: &mut impl FnMut(Side, Application, Moment),
    ) {
        match event {
            RecordEvent::Began(header) => self.began(side, header, at, sink),
            RecordEvent::Body(bytes) => match self.current[side] {
                Current::Handshake => self.handshake(side, bytes, at, limit),
                Current::Alert => self.alert_octets(side, bytes),
                _ => {}
            },
            RecordEvent::BodyGap(_) => {
                if self.current[side] == Current::Handshake {
                    self.handshake_gap(side, at);
                }
            }
            RecordEvent::Ended(header) => self.ended(side, header, at, sink),
            RecordEvent::Unframed(octets) => self.unframed(side, octets, at, sink),
            RecordEvent::NotTls | RecordEvent::Plain(_) => {}
        }
    }

    #[inline]
    fn began(
        &mut self,
        side: Side,
        header: Header,
        at: Moment,
        sink: &mut impl FnMut(Side, Application, Moment),
    ) {
        self.first_record[side].get_or_insert(at);
        self.current[side] = match header.kind {
            ContentType::APPLICATION_DATA => self.encrypted_began(side, header, at, sink),
            ContentType::HANDSHAKE if self.is_encrypted(side) => Current::Finished,
            ContentType::HANDSHAKE => {
                if side == Side::Server {
                    self.server_flight = Some(at);
                }
                if let Some(joiners) = &mut self.joiners {
                    joiners[side].record_began();
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
        };
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
            if self.closed[side].take().is_some() {
                // Nothing follows a close_notify (RFC 8446, section 6.1): what had its size was none.
                sink(side, Application::Reopened, at);
            }
            self.server_spoke |= side == Side::Server;
            sink(side, Application::Began(header.length), at);
            return Current::Application;
        }
        match (side, probable) {
            (Side::Client, Probable::Alert) => {
                if self.undecided.is_none() && !self.client_lost {
                    self.rejected.get_or_insert(at);
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
                match &mut self.undecided {
                    None => self.undecided = Some(Undecided { at, request: None }),
                    Some(undecided) => {
                        undecided.request.get_or_insert((at, 0));
                    }
                }
                Current::Undecided
            }
            (Side::Server, _) => match self.undecided.take() {
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
        let request = if self.client_lost {
            Some((undecided.at, undecided.request.map_or(0, |(_, octets)| octets)))
        } else {
            self.client_certificate = Some(undecided.at);
            undecided.request
        };
        self.completed(undecided.at);
        sink(Side::Client, Application::Ready, undecided.at);
        if let Some((at, octets)) = request {
            sink(Side::Client, Application::Began(0), at);
            sink(Side::Client, Application::Octets(octets), at);
        }
    }

    #[inline]
    fn ended(
        &mut self,
        side: Side,
        header: Header,
        at: Moment,
        sink: &mut impl FnMut(Side, Application, Moment),
    ) {
        let octets = u64::from(Header::SIZE) + u64::from(header.length);
        match std::mem::take(&mut self.current[side]) {
            Current::Application => sink(side, Application::Octets(octets), at),
            Current::Undecided => {
                if let Some((_, request)) =
                    self.undecided.as_mut().and_then(|undecided| undecided.request.as_mut())
                {
                    *request += octets;
                }
            }
            Current::ProbableFinished => {
                self.client_certificate = self.undecided.take().map(|certificate| certificate.at);
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
        self.joiners = None;
    }

    fn close(&mut self, side: Side, at: Moment, sink: &mut impl FnMut(Side, Application, Moment)) {
        self.closed[side].get_or_insert(at);
        sink(side, Application::Closed, at);
    }

    #[cold]
    fn unframed(
        &mut self,
        side: Side,
        octets: u64,
        at: Moment,
        sink: &mut impl FnMut(Side, Application, Moment),
    ) {
        if self.complete.is_some() || !self.saw_handshake() {
            sink(side, Application::Began(0), at);
            sink(side, Application::Octets(octets), at);
        } else if side == Side::Client {
            self.client_lost = true;
        }
        self.handshake_gap(side, at);
    }

    /// Octets of a handshake message are missing. The snap length mostly leaves the front of a hello, which says a lot.
    #[cold]
    fn handshake_gap(&mut self, side: Side, at: Moment) {
        let cut = self.joiners.as_mut().and_then(|joiners| joiners[side].gap());
        if let Some((kind @ (HandshakeType::CLIENT_HELLO | HandshakeType::SERVER_HELLO), front)) = cut {
            self.message(side, Message::Whole(kind, &front), at);
            if let Some(offered) = self.client_hello.as_mut().and_then(|hello| hello.said.as_mut()) {
                offered.is_cut |= kind == HandshakeType::CLIENT_HELLO;
            }
        }
    }

    fn handshake(&mut self, side: Side, bytes: &[u8], at: Moment, limit: usize) {
        let mut joiners = self.joiners.take().unwrap_or_default();
        joiners[side].push(bytes, limit, &mut |message| self.message(side, message, at));
        if self.complete.is_none() {
            self.joiners = Some(joiners);
        }
    }

    fn message(&mut self, side: Side, message: Message<'_>, at: Moment) {
        match (side, message) {
            (_, Message::Began(HandshakeType::CLIENT_HELLO)) => {
                self.client_hello.get_or_insert(Offer { at, said: None });
            }
            (_, Message::Whole(HandshakeType::CLIENT_HELLO, body)) => {
                if let Some(Offer { said: said @ None, .. }) = &mut self.client_hello {
                    *said = ClientHello::read(body).map(|hello| Offered {
                        from: side,
                        is_cut: false,
                        version: hello.version,
                        server_name: hello.server_name.map(Into::into),
                        protocol: hello.protocol.map(Into::into),
                        offers_http2: hello.offers_http2,
                    });
                }
            }
            (_, Message::Began(HandshakeType::SERVER_HELLO)) => {
                self.server_hello.get_or_insert(Choice { at, said: None });
            }
            (_, Message::Whole(HandshakeType::SERVER_HELLO, body)) => {
                if let (Some(hello), Some(choice)) = (ServerHello::read(body), &mut self.server_hello) {
                    choice.at = at;
                    choice.said = Some(Chosen {
                        version: hello.version,
                        cipher: hello.cipher,
                        protocol: hello.protocol.map(Into::into),
                    });
                }
            }
            (Side::Server, Message::Whole(HandshakeType::CERTIFICATE, body))
                if self.certificates.is_none() =>
            {
                self.certificates = CertificateList::read(body);
            }
            _ => {}
        }
    }

    fn alert_octets(&mut self, side: Side, bytes: &[u8]) {
        for byte in bytes {
            let slots = &mut self.alert[side];
            if let Some(slot) = slots.iter_mut().find(|slot| slot.is_none()) {
                *slot = Some(*byte);
            }
        }
    }

    fn alert(&mut self, side: Side, at: Moment, sink: &mut impl FnMut(Side, Application, Moment)) {
        let [Some(level), Some(description)] = std::mem::take(&mut self.alert[side]) else { return };
        let description = AlertDescription(description);
        let is_fatal = level == 2 && description != AlertDescription::CLOSE_NOTIFY
            || self.is_13() && description.is_error();
        if self.alerts.len() < Self::MAX_ALERTS {
            self.alerts.push(Alert { by: side, at, is_fatal, description });
        }
        if is_fatal || description == AlertDescription::CLOSE_NOTIFY {
            self.close(side, at, sink);
        }
    }
}

#[cfg(test)]
mod tests;
