//! Handshake messages in the clear -> what a session remembers of them.

use std::sync::Arc;

use crate::packet::Moment;
use crate::side::Side;
use crate::tls::certificate::CertificateList;
use crate::tls::codes::HandshakeType;
use crate::tls::handshake::Message;
use crate::tls::hello::{ClientHello, ServerHello};
use crate::tls::pool::Pool;
use crate::tls::session::{Choice, Offer, Reading, Session};

impl Session {
    /// Octets of a handshake message are missing. The snap length mostly leaves the front of a hello, which says a lot.
    #[cold]
    pub(super) fn handshake_gap(&mut self, side: Side, at: Moment, reading: &mut Reading<'_>) {
        let cut = self.handshake.as_mut().and_then(|handshake| handshake.joiners[side].gap());
        if let Some((kind @ (HandshakeType::CLIENT_HELLO | HandshakeType::SERVER_HELLO), front)) = cut {
            self.message(side, Message::Whole(kind, &front), at, reading.pool);
            if let Some(offered) = self.client_hello.as_mut().and_then(|hello| hello.said.as_mut()) {
                Arc::make_mut(offered).is_cut |= kind == HandshakeType::CLIENT_HELLO;
            }
        }
    }

    /// Takes octets of handshake records. Once the handshake is complete, none come in the clear (RFC 8446, section 5).
    pub(super) fn handshake(&mut self, side: Side, bytes: &[u8], at: Moment, reading: &mut Reading<'_>) {
        if self.complete.is_some() {
            return;
        }
        let Reading { limit, pool, spare } = reading;
        let mut handshake = self.handshake.take().unwrap_or_default();
        handshake.joiners[side].push(bytes, *limit, spare, &mut |message| {
            self.message(side, message, at, pool);
        });
        if self.complete.is_none() {
            self.handshake = Some(handshake);
        }
    }

    fn message(&mut self, side: Side, message: Message<'_>, at: Moment, pool: &mut Pool) {
        match (side, message) {
            (_, Message::Began(HandshakeType::CLIENT_HELLO)) => {
                self.client_hello.get_or_insert(Offer { at, said: None });
            }
            (_, Message::Whole(HandshakeType::CLIENT_HELLO, body)) => {
                if let Some(Offer { said: said @ None, .. }) = &mut self.client_hello {
                    *said = ClientHello::read(body).map(|hello| pool.offered(side, &hello));
                    self.offers_http2 = said.as_ref().is_some_and(|said| said.offers_http2);
                }
            }
            (_, Message::Began(HandshakeType::SERVER_HELLO)) => {
                self.server_hello.get_or_insert(Choice { at, said: None });
            }
            (_, Message::Whole(HandshakeType::SERVER_HELLO, body)) => {
                if let (Some(hello), Some(choice)) = (ServerHello::read(body), &mut self.server_hello) {
                    choice.at = at;
                    choice.said = Some(pool.chosen(&hello));
                }
            }
            (Side::Server, Message::Whole(HandshakeType::CERTIFICATE, body))
                if self.certificates.is_none() =>
            {
                self.certificates = CertificateList::read(body, pool);
            }
            _ => {}
        }
    }
}
