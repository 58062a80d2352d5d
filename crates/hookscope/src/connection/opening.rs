//! A connection of which nothing but its client's SYNs was seen: all that is kept of it until something else comes.
//!
//! A flood of SYNs is millions of them, and a firewall's silence thousands: they take a tenth of the room.

use crate::connection::Connection;
use crate::flow::kept::KeptKey;
use crate::flow::key::{End, Endpoint};
use crate::packet::Moment;
use crate::tcp::sighting::Sightings;
use crate::time::{Elapsed, Timestamp};
use crate::wire::{Flags, IcmpError, Segment, Vantage};

/// A client's SYN and its retransmissions.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    /// Position of its first packet in the capture, from 0.
    pub(crate) id: u64,
    /// Its endpoints.
    pub(crate) key: KeptKey,
    pub(crate) first: Moment,
    last: Moment,
    interface: u32,
    seq: u32,
    ack: u32,
    /// How many there were.
    count: u32,
    /// What the last one bore.
    window: u16,
    ip_id: u16,
    ttl: u8,
    depth: u8,
    from: End,
}

impl Opening {
    /// Whether `segment` begins one: it is a SYN like any other.
    #[inline]
    pub(crate) fn is_begun_by(segment: &Segment<'_>) -> bool {
        segment.flags == Flags::SYN && segment.payload_len == 0
    }

    /// The opening that `segment` begins.
    #[inline(always)]
    pub(crate) fn new(id: u64, segment: &Segment<'_>) -> Self {
        let at = Moment { time: segment.time, frame: segment.frame };
        Self {
            id,
            key: segment.key.into(),
            first: at,
            last: at,
            interface: segment.vantage.interface,
            seq: segment.seq,
            ack: segment.ack,
            count: 1,
            window: segment.window,
            ip_id: segment.ip_id,
            ttl: segment.ttl,
            depth: segment.vantage.depth,
            from: segment.from,
        }
    }

    /// Takes `segment` if it is the same SYN again, sent anew: no copy from elsewhere, no other opening.
    #[inline]
    pub(crate) fn takes(&mut self, segment: &Segment<'_>) -> bool {
        let sent_anew = Self::is_begun_by(segment)
            && segment.from == self.from
            && (segment.seq, segment.ack) == (self.seq, self.ack)
            && segment.vantage == self.vantage()
            && segment.time.since(self.last.time) > Sightings::PASSAGE;
        if sent_anew {
            self.last = Moment { time: segment.time, frame: segment.frame };
            self.count = self.count.saturating_add(1);
            self.window = segment.window;
            self.ip_id = segment.ip_id;
            self.ttl = segment.ttl;
        }
        sent_anew
    }

    /// How many SYNs there were.
    pub(crate) const fn count(&self) -> u32 {
        self.count
    }

    /// How long it had been open at `now`.
    pub(crate) fn waited(&self, now: Timestamp) -> Elapsed {
        now.max(self.last.time).since(self.first.time)
    }

    /// The server's address and port.
    pub(crate) fn server(&self) -> Endpoint {
        self.key.endpoint(self.from.other())
    }

    /// The connection that its SYNs make.
    pub(crate) fn connection(&self) -> Connection {
        let mut connection = self.unopened();
        self.open(&mut connection);
        connection
    }

    /// The connection before its SYNs; see [`Self::open`].
    #[inline(always)]
    pub(crate) fn unopened(&self) -> Connection {
        Connection::unseen(self.id, self.key.get(), self.from, self.first)
    }

    /// Makes of the connection before its SYNs the one that they open, where it lies.
    pub(crate) fn open(&self, connection: &mut Connection) {
        let again = self.count - 1;
        connection.is_role_known = true;
        connection.application.is_to(connection.server().port);
        connection.last = self.last;
        connection.opened = Some(self.first);
        if again > 0 {
            connection.repeated.get_or_insert_default().syn = Some(self.last);
        }
        let (syn, client) = (self.last_segment(), &mut connection.halves.client);
        client.opened(&syn);
        client.synchronised_again(again);
    }

    /// See [`Connection::is_translated_in`].
    pub(crate) fn is_translated_in(&self, segment: &Segment<'_>) -> bool {
        segment.flags.0 & (Flags::SYN.0 | Flags::ACK.0) == Flags::SYN.0
            && segment.key.endpoint(segment.from) == self.key.endpoint(self.from)
            && segment.seq == self.seq
    }

    /// See [`Connection::is_quoted_untranslated`].
    pub(crate) fn is_quoted_untranslated(&self, error: &IcmpError) -> bool {
        error.quote.source == self.key.endpoint(self.from)
            && error.quote.seq.is_some_and(|seq| seq.wrapping_sub(self.seq) <= 1)
    }

    const fn vantage(&self) -> Vantage {
        Vantage { interface: self.interface, depth: self.depth }
    }

    /// The last SYN.
    #[inline(always)]
    fn last_segment(&self) -> Segment<'static> {
        Segment {
            key: self.key.get(),
            hash: 0,
            from: self.from,
            flags: Flags::SYN,
            time: self.last.time,
            frame: self.last.frame,
            seq: self.seq,
            ack: self.ack,
            window: self.window,
            ip_id: self.ip_id,
            ttl: self.ttl,
            vantage: self.vantage(),
            payload_len: 0,
            payload: &[],
            options: &[],
        }
    }
}
