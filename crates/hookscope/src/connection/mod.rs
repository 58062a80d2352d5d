//! Segments of one connection -> everything that is known of it: the composition of TCP, TLS and calls.
//!
//! This is the one place that knows all protocol layers. It keeps what a verdict needs, not what happened: counters
//! and the moments that matter. Feed with [`Connection::observe`], end with [`Connection::finish`]; diagnosis reads
//! the fields.

mod application;
mod octets;
mod opening;
mod plain;

pub(crate) use application::Application;
pub(crate) use opening::Opening;

use std::time::Duration;

use crate::call::Call;
use crate::config::Limits;
use crate::flow::key::{Address, End, Endpoint, FlowKey};
use crate::lookup::{Heard, Transport};
use crate::packet::Moment;
use crate::side::{PerSide, Side};
use crate::tcp::half::Half;
use crate::time::{Elapsed, Timestamp};
use crate::tls::pool::Pool;
use crate::wire::{Flags, IcmpError, IcmpKind, Quote, Segment, Vantage};

/// One TCP connection.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Position of its first packet in the capture, from 0.
    pub(crate) id: u64,
    /// Its endpoints.
    pub(crate) key: FlowKey,
    /// Which end of the key is the client.
    client: End,
    /// Whether a SYN said who the client is; else it is a guess until a ClientHello tells.
    is_role_known: bool,
    /// Whether its packets come under another key, too: from the other side of address translation.
    pub(crate) is_translated: bool,
    /// The first packet.
    pub(crate) first: Moment,
    /// The last packet.
    pub(crate) last: Moment,
    /// What each side sent.
    pub(crate) halves: PerSide<Half>,
    /// The first SYN.
    pub(crate) opened: Option<Moment>,
    /// The first SYN-ACK.
    pub(crate) syn_ack: Option<Moment>,
    /// The client's first segment after its SYN: its acknowledgment of the SYN-ACK.
    pub(crate) established: Option<Moment>,
    /// The last SYN and SYN-ACK, where one was sent again.
    repeated: Option<Box<Repeated>>,
    /// The first ICMP error that says why its packets are not delivered.
    pub(crate) unreachable: Option<Box<Unreachable>>,
    /// Packets that were taken for further sightings of one that was counted.
    pub(crate) duplicates: u64,
    /// TLS and calls.
    pub(crate) application: Application,
    /// Packets since the receiver acknowledged octets that the capture lacks.
    hole_age: PerSide<u8>,
}

/// What a connection works with while it takes a segment, and that is not its own.
#[derive(Debug)]
pub(crate) struct Around<'a> {
    /// Bounds on memory.
    pub(crate) limits: &'a Limits,
    /// What connections share.
    pub(crate) shared: &'a mut Shared,
}

/// Room that connections share, because each needs it for a moment only or needs the same.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Calls that just ended.
    pub(crate) ended: Vec<Call>,
    /// Names and certificates.
    pub(crate) pool: Pool,
    /// Room in which a handshake message was collected, for the next one.
    spare: Vec<u8>,
    /// Octets that wait, in all connections together, and how many they may be.
    held: usize,
    most_held: usize,
    /// Segments that came when there was no room for more.
    pub(crate) crowded: u64,
}

impl Default for Shared {
    fn default() -> Self {
        Self::bounded(usize::MAX, usize::MAX)
    }
}

impl Shared {
    /// For connections that together hold so many octets that wait, and so many of certificates.
    pub(crate) fn bounded(held: usize, certificates: usize) -> Self {
        let pool = Pool::bounded(certificates);
        Self { ended: Vec::new(), pool, spare: Vec::new(), held: 0, most_held: held, crowded: 0 }
    }

    /// How many more octets may wait.
    #[inline]
    pub(crate) const fn room(&self) -> usize {
        self.most_held.saturating_sub(self.held)
    }

    /// Octets that wait.
    pub(crate) const fn held(&self) -> usize {
        self.held
    }

    /// A connection held so many octets, and holds so many now. To be told of all that changes what it holds.
    #[inline]
    const fn holds(&mut self, before: usize, now: usize) {
        debug_assert!(self.held >= before, "a connection holds what was not told of");
        self.held = self.held.saturating_sub(before).saturating_add(now);
    }
}

/// What was sent again to open the connection.
#[derive(Debug, Default)]
struct Repeated {
    /// The last SYN.
    syn: Option<Moment>,
    /// The last SYN-ACK.
    syn_ack: Option<Moment>,
}

/// An ICMP error that quotes a packet of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unreachable {
    /// The first one.
    pub(crate) at: Moment,
    /// Who sent it.
    pub(crate) reporter: Address,
    /// What it says.
    pub(crate) kind: IcmpKind,
    /// The sequence number of the quoted segment.
    pub(crate) seq: Option<u32>,
    /// To whom the quoted segment was sent, by the client: where that is before translation, its Service's address.
    pub(crate) destination: Option<Endpoint>,
    /// How many came.
    pub(crate) count: u32,
}

impl Connection {
    /// How many packets an acknowledgment may be ahead of the segment that it acknowledges: taps and interfaces with
    /// several queues reorder a little. Past it the segment is not in the capture.
    const REORDERING: u8 = 3;

    /// The connection that `segment` opens, or is the first that was seen of.
    #[inline(always)]
    pub(crate) fn new(id: u64, segment: &Segment<'_>) -> Self {
        let at = Moment { time: segment.time, frame: segment.frame };
        let is_syn = segment.flags.has(Flags::SYN);
        let sender = segment.key.endpoint(segment.from);
        let receiver = segment.key.endpoint(segment.from.other());
        let sender_is_client =
            if is_syn { !segment.flags.has(Flags::ACK) } else { sender.port >= receiver.port };
        let client = if sender_is_client { segment.from } else { segment.from.other() };
        let mut connection = Self::unseen(id, segment.key, client, at);
        connection.is_role_known = is_syn;
        connection.application.is_to(connection.server().port);
        connection
    }

    #[inline(always)]
    fn unseen(id: u64, key: FlowKey, client: End, at: Moment) -> Self {
        // To be made where it is to lie, so by this and no step more.
        Self {
            id,
            key,
            client,
            is_role_known: false,
            is_translated: false,
            first: at,
            last: at,
            halves: PerSide::default(),
            opened: None,
            syn_ack: None,
            repeated: None,
            established: None,
            unreachable: None,
            duplicates: 0,
            application: Application::default(),
            hole_age: PerSide::default(),
        }
    }

    /// The connection of which nothing is known but that `error` quotes a packet of it.
    pub(crate) fn quoted(id: u64, error: &IcmpError) -> Self {
        let Quote { source, destination, .. } = error.quote;
        let (key, from) = FlowKey::of(source, destination);
        let at = Moment { time: error.time, frame: error.frame };
        let mut connection = Self::unseen(id, key, from, at);
        connection.application.is_to(destination.port);
        connection
    }

    /// The client's address and port.
    pub(crate) const fn client(&self) -> Endpoint {
        self.key.endpoint(self.client)
    }

    /// The server's address and port.
    pub(crate) const fn server(&self) -> Endpoint {
        self.key.endpoint(self.client.other())
    }

    /// Who sent `segment`. On the other side of address translation it has another key, but the same client.
    #[inline]
    fn sender(&self, segment: &Segment<'_>) -> Side {
        debug_assert!(self.is_translated || segment.key == self.key, "another connection's");
        let from_client = if !self.is_translated || segment.key == self.key {
            segment.from == self.client
        } else {
            segment.key.endpoint(segment.from) == self.client()
        };
        if from_client { Side::Client } else { Side::Server }
    }

    /// Whether `segment` opens another connection between the same endpoints: its SYN begins another sequence space.
    pub(crate) fn is_reopened_by(&self, segment: &Segment<'_>) -> bool {
        if !segment.flags.has(Flags::SYN) {
            return false;
        }
        let side = self.sender(segment);
        let is_answer = segment.flags.has(Flags::ACK);
        if is_answer != (side == Side::Server) {
            // The other side opens. A SYN-ACK before its SYN tells the same once the roles are known.
            return !self.is_opened_from_both_sides(side, segment);
        }
        if !is_answer && self.opened.is_none() && self.syn_ack.is_none() && self.halves.server.packets > 0 {
            // What came before the SYN belongs to an earlier connection of the same port.
            return true;
        }
        let same = self.halves[side].is_same_syn(segment.seq);
        !same && (!is_answer || self.is_closed())
    }

    /// Whether `segment` is a SYN of the server's that crossed the client's, or the client's answer to that: both sides
    /// may open one connection (RFC 9293, section 3.5).
    fn is_opened_from_both_sides(&self, side: Side, segment: &Segment<'_>) -> bool {
        let PerSide { client, server } = &self.halves;
        let has_crossed = server.syn > 0;
        let is_open = self.opened.is_some() && self.syn_ack.is_none() && !self.is_closed();
        is_open
            && (has_crossed || server.packets == 0)
            && match side {
                Side::Server => client.syn > 0 && server.is_same_syn(segment.seq),
                Side::Client => has_crossed && client.is_same_syn(segment.seq),
            }
    }

    /// The last SYN.
    pub(crate) fn last_syn(&self) -> Option<Moment> {
        self.repeated.as_ref().and_then(|repeated| repeated.syn).or(self.opened)
    }

    /// The last SYN-ACK.
    pub(crate) fn last_syn_ack(&self) -> Option<Moment> {
        self.repeated.as_ref().and_then(|repeated| repeated.syn_ack).or(self.syn_ack)
    }

    /// Whether both sides sent FIN, or one sent RST.
    pub(crate) fn is_closed(&self) -> bool {
        let PerSide { client, server } = &self.halves;
        client.rst_at().is_some()
            || server.rst_at().is_some()
            || client.fin_at().is_some() && server.fin_at().is_some()
    }

    /// After how long without a packet the connection is over.
    pub(crate) fn patience(&self, limits: &Limits) -> Duration {
        if self.is_closed() {
            limits.closed
        } else if self.halves.server.packets == 0 {
            limits.unanswered
        } else {
            limits.idle
        }
    }

    /// Takes a segment. Calls that it ends, those before the requests that begin, go to `around`.
    #[inline]
    pub(crate) fn observe(&mut self, segment: &Segment<'_>, around: &mut Around<'_>) {
        let at = Moment { time: segment.time, frame: segment.frame };
        let side = self.sender(segment);
        if self.last.time <= at.time {
            self.last = at;
        }
        if self.halves[side].is_copy(segment) {
            self.duplicates += 1;
            return;
        }
        self.halves[side].count(segment);
        if segment.flags.has(Flags::SYN) {
            self.synchronised(side, segment, at);
        }
        if segment.flags.has(Flags::ACK) {
            self.acknowledged(side, segment, at);
        }
        self.sent(side, segment, at, around);
        if self.halves.client.has_hole() || self.halves.server.has_hole() {
            self.age_holes(around);
        }
        if !self.is_role_known && self.application.hello_from() == Some(Side::Server) {
            self.swap_sides(around);
        }
    }

    /// Hands over the DNS messages that its last segment completed.
    #[inline]
    pub(crate) fn hear(&mut self, position: u64, clock: Timestamp, heard: &mut Vec<Heard>) {
        if self.application.dns.is_some() {
            self.hear_dns(position, clock, heard);
        }
    }

    #[cold]
    fn hear_dns(&mut self, position: u64, clock: Timestamp, heard: &mut Vec<Heard>) {
        let (client, server) = (self.client(), self.server());
        let messages = self.application.dns.as_mut().map(|dns| dns.take()).unwrap_or_default();
        heard.extend(messages.into_iter().map(|(message, at)| Heard {
            message,
            client,
            server,
            transport: Transport::Tcp,
            vantage: Vantage::default(),
            at,
            position,
            clock,
        }));
    }

    /// Takes an ICMP error that quotes one of its packets.
    #[cold]
    pub(crate) fn unreachable(&mut self, error: &IcmpError) {
        let at = Moment { time: error.time, frame: error.frame };
        if self.last.time <= at.time {
            self.last = at;
        }
        let client = self.client();
        let unreachable = self.unreachable.get_or_insert_with(|| {
            Box::new(Unreachable {
                at,
                reporter: error.reporter,
                kind: error.kind,
                seq: error.quote.seq.filter(|_| error.quote.source == client),
                destination: Some(error.quote.destination).filter(|_| error.quote.source == client),
                count: 0,
            })
        });
        unreachable.count = unreachable.count.saturating_add(1);
    }

    /// Whether `segment` is this connection's SYN with the server's address translated: sent by the same client, with
    /// the same sequence number, right after.
    pub(crate) fn is_translated_in(&self, segment: &Segment<'_>) -> bool {
        const PASSAGE: Elapsed = Elapsed::from_millis(100);
        segment.flags.0 & (Flags::SYN.0 | Flags::ACK.0) == Flags::SYN.0
            && segment.key.endpoint(segment.from) == self.client()
            && self.opened.is_some_and(|opened| segment.time.since(opened.time) <= PASSAGE)
            && self.halves.client.is_anchored()
            && self.halves.client.is_same_syn(segment.seq)
    }

    /// Whether `error`, whose quote bears other addresses than the captured packets, quotes one of its packets from
    /// before address translation: the same client, and a sequence number that it used.
    pub(crate) fn is_quoted_untranslated(&self, error: &IcmpError) -> bool {
        error.quote.source == self.client()
            && error.quote.seq.is_some_and(|seq| self.halves.client.has_sent(seq))
    }

    #[cold]
    fn synchronised(&mut self, side: Side, segment: &Segment<'_>, at: Moment) {
        self.is_role_known = true;
        self.halves[side].synchronised(segment);
        if segment.flags.has(Flags::ACK) {
            if self.syn_ack.replace(self.syn_ack.unwrap_or(at)).is_some() {
                self.repeated.get_or_insert_default().syn_ack = Some(at);
            }
        } else if self.opened.replace(self.opened.unwrap_or(at)).is_some() && side == Side::Client {
            self.repeated.get_or_insert_default().syn = Some(at);
        }
    }

    #[inline]
    fn acknowledged(&mut self, side: Side, segment: &Segment<'_>, at: Moment) {
        self.halves[!side].acknowledged(segment.ack, segment.newest_sack_block());
        if self.established.is_none()
            && side == Side::Client
            && self.opened.is_some()
            && !segment.flags.has(Flags(Flags::SYN.0 | Flags::RST.0))
        {
            self.established = Some(at);
        }
    }

    /// It turned out that the client is who was taken for the server.
    #[cold]
    fn swap_sides(&mut self, around: &mut Around<'_>) {
        let held = self.held();
        self.is_role_known = true;
        self.client = self.client.other();
        self.halves.swap();
        self.hole_age.swap();
        self.application.swap_sides();
        around.shared.holds(held, self.held());
    }

    /// No packet follows: delivers what still waits for earlier octets. Calls that this ends go to `around`.
    pub(crate) fn finish(&mut self, around: &mut Around<'_>) {
        for side in [Side::Client, Side::Server] {
            while self.halves[side].has_hole() {
                self.skip_hole(side, around);
            }
        }
        around.shared.holds(self.held(), 0);
    }

    /// How long the connection had been open at `now`, without the clock running backwards.
    pub(crate) fn waited(&self, since: Moment, now: Timestamp) -> Elapsed {
        now.max(self.last.time).since(since.time)
    }
}

#[cfg(test)]
pub(crate) mod tests;
