//! A connection of which nothing but its client's SYNs was seen: all that is kept of it until something else comes.
//!
//! A flood of SYNs is millions of them, and a firewall's silence thousands: they take an eighth of the room.

use crate::config::Limits;
use crate::connection::{Around, Connection, Shared};
use crate::flow::key::{End, Endpoint, FlowKey};
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
    pub(crate) key: FlowKey,
    pub(crate) first: Moment,
    last: Moment,
    vantage: Vantage,
    seq: u32,
    ack: u32,
    /// How many there were.
    count: u32,
    /// Window and identification of the first and of the last one.
    windows: [u16; 2],
    ip_ids: [u16; 2],
    ttls: [u8; 2],
    from: End,
}

impl Opening {
    /// The opening that `segment` begins, if it is a SYN like any other.
    #[inline]
    pub(crate) fn of(id: u64, segment: &Segment<'_>) -> Option<Self> {
        if segment.flags != Flags::SYN || segment.payload_len > 0 {
            return None;
        }
        let at = Moment { time: segment.time, frame: segment.frame };
        Some(Self {
            id,
            key: segment.key,
            first: at,
            last: at,
            vantage: segment.vantage,
            seq: segment.seq,
            ack: segment.ack,
            count: 1,
            windows: [segment.window; 2],
            ip_ids: [segment.ip_id; 2],
            ttls: [segment.ttl; 2],
            from: segment.from,
        })
    }

    /// Takes `segment` if it is the same SYN again, sent anew: no copy from elsewhere, no other opening.
    #[inline]
    pub(crate) fn takes(&mut self, segment: &Segment<'_>) -> bool {
        let sent_anew = segment.flags == Flags::SYN
            && segment.payload_len == 0
            && segment.from == self.from
            && (segment.seq, segment.ack) == (self.seq, self.ack)
            && segment.vantage == self.vantage
            && segment.time.since(self.last.time) > Sightings::PASSAGE;
        if sent_anew {
            self.last = Moment { time: segment.time, frame: segment.frame };
            self.count = self.count.saturating_add(1);
            self.windows[1] = segment.window;
            self.ip_ids[1] = segment.ip_id;
            self.ttls[1] = segment.ttl;
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
    pub(crate) const fn server(&self) -> Endpoint {
        self.key.endpoint(self.from.other())
    }

    /// The connection before its first SYN: see [`Self::replay`].
    #[inline(always)]
    pub(crate) fn connection(&self) -> Connection {
        Connection::new(self.id, &self.segment(self.first, 0))
    }

    /// Lets the connection take the SYNs, as if one by one.
    pub(crate) fn replay(&self, connection: &mut Connection, limits: &Limits) {
        let first = self.segment(self.first, 0);
        // SYNs end no calls and name nobody.
        let mut around = Around { limits, shared: &mut Shared::default() };
        connection.observe(&first, &mut around);
        if self.count > 1 {
            connection.observe(&self.segment(self.last, 1), &mut around);
            connection.halves.client.synchronised_again(self.count - 2);
        }
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

    fn segment(&self, at: Moment, which: usize) -> Segment<'static> {
        Segment {
            key: self.key,
            hash: 0,
            from: self.from,
            flags: Flags::SYN,
            time: at.time,
            frame: at.frame,
            seq: self.seq,
            ack: self.ack,
            window: self.windows[which],
            ip_id: self.ip_ids[which],
            ttl: self.ttls[which],
            vantage: self.vantage,
            payload_len: 0,
            payload: &[],
            options: &[],
        }
    }
}
