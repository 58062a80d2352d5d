//! Records of application data after the handshake, of which nothing but their size is to be known: nearly all are.

use crate::packet::Moment;
use crate::side::Side;
use crate::tls::codes::ContentType;
use crate::tls::inference::alert_length;
use crate::tls::record::Header;
use crate::tls::session::Session;

/// What there is to know of a session whose handshake is complete, and which does not carry HTTP/2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    /// Octets of the body of a record that is probably an alert.
    alert: u16,
}

impl Session {
    /// To be asked when the handshake is complete: nothing of what this rests on changes later.
    pub(super) fn settle(&self) -> Option<Settled> {
        /// No record is as long: TLS 1.2 does not hide alerts.
        const NONE: u16 = u16::MAX;
        let hides_alerts = self.version().is_none_or(|version| version.is_13());
        let alert = if hides_alerts { alert_length(self.cipher()) } else { NONE };
        (!self.is_http2() && !self.is_protocol_unseen()).then_some(Settled { alert })
    }

    /// Takes a whole record, if that is application data of a settled session and the side had not closed: for the same
    /// record, [`record`](Self::record) says that it began and that its octets are complete. Says whether it did.
    #[inline]
    pub(crate) fn takes(&mut self, side: Side, header: Header, at: Moment) -> bool {
        let Some(Settled { alert }) = self.settled else { return false };
        let has_closed = self.rare.as_ref().is_some_and(|rare| rare.closed[side].is_some());
        let takes = header.kind == ContentType::APPLICATION_DATA && header.length != alert && !has_closed;
        if takes && side == Side::Server {
            self.server_spoke = true;
            self.server_began.get_or_insert(at);
        }
        takes
    }
}
