//! One side of a connection as its segments show it: what it sent, what of that was acknowledged, how it closed.
//!
//! Feed with [`Half::sent`] for each of the side's own segments and [`Half::acknowledged`] for each ACK that it got.
//! Counts follow Wireshark's: a keep-alive probe is no retransmission, and octets that fill a hole in the capture
//! are late, not sent again.

use crate::packet::Moment;
use crate::tcp::reassembly::{Chunk, Piece, Reassembler};
use crate::tcp::seq::Origin;
use crate::tcp::sighting::Sightings;
use crate::wire::{Flags, Segment};

/// What one side of a connection did.
#[derive(Debug, Default)]
pub(crate) struct Half {
    /// Segments sent.
    pub(crate) packets: u64,
    /// Payload octets sent, retransmissions included.
    pub(crate) bytes: u64,
    /// Segments with octets (or SYN, FIN) that were sent before.
    pub(crate) retransmissions: u32,
    /// SYN segments without ACK.
    pub(crate) syn: u32,
    /// SYN segments with ACK.
    pub(crate) syn_ack: u32,
    /// The first payload.
    pub(crate) data_at: Option<Moment>,
    /// Since when octets wait for their acknowledgment.
    pub(crate) unacknowledged_since: Option<Moment>,
    /// Time to live of its packets: 0 until there is one.
    ttl: u8,
    /// Whether this side's last segment offered no window.
    zero_window: bool,
    origin: Option<Origin>,
    /// Offset after the last octet sent.
    end: i64,
    /// Offset up to which the peer has everything.
    acknowledged: i64,
    stream: Reassembler,
    sightings: Sightings,
    /// What happens to few, or late: how it closed, and what went wrong.
    rare: Option<Box<Rare>>,
}

/// What most sides of most connections do not have most of the time.
#[derive(Debug, Default)]
struct Rare {
    /// FIN segments.
    fin: u32,
    /// RST segments.
    rst: u32,
    /// The first FIN.
    fin_at: Option<Moment>,
    /// The first RST.
    rst_at: Option<Moment>,
    /// Time to live of the first RST.
    rst_ttl: u8,
    /// Where in the stream the FIN or RST stands, until everything before it is delivered.
    closes: Option<(i64, Moment)>,
    /// When octets last turned out to be missing that the peer received.
    lost_at: Option<Moment>,
    /// The octets that were retransmitted and not acknowledged since.
    stuck: Option<Stuck>,
    /// Octets of the smallest run that the peer acknowledged selectively, and the highest offset of all.
    sacked: Option<(u32, i64)>,
}

/// Octets that are sent again and again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stuck {
    /// Stream offset of the first of them.
    pub(crate) offset: i64,
    /// Payload octets of the last retransmission.
    pub(crate) length: u32,
    /// When they were first sent.
    pub(crate) sent: Moment,
    /// The first retransmission.
    pub(crate) first: Moment,
    /// The last retransmission.
    pub(crate) last: Moment,
    /// How many retransmissions of the first of them: several segments may be sent again in one go.
    pub(crate) count: u32,
}

impl Half {
    /// FIN segments.
    pub(crate) fn fin(&self) -> u32 {
        self.rare.as_ref().map_or(0, |rare| rare.fin)
    }

    /// RST segments.
    pub(crate) fn rst(&self) -> u32 {
        self.rare.as_ref().map_or(0, |rare| rare.rst)
    }

    /// The first FIN.
    #[inline]
    pub(crate) fn fin_at(&self) -> Option<Moment> {
        self.rare.as_ref()?.fin_at
    }

    /// The first RST.
    #[inline]
    pub(crate) fn rst_at(&self) -> Option<Moment> {
        self.rare.as_ref()?.rst_at
    }

    /// The octets that were retransmitted and not acknowledged since.
    pub(crate) fn stuck(&self) -> Option<&Stuck> {
        self.rare.as_ref()?.stuck.as_ref()
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Whether a SYN of this side or its first data gave its sequence numbers a meaning.
    pub(crate) const fn is_anchored(&self) -> bool {
        self.origin.is_some()
    }

    /// Whether the SYN in `segment` opens the sequence space that is known, or one that is still unknown.
    pub(crate) fn is_same_syn(&self, seq: u32) -> bool {
        self.origin.is_none_or(|origin| origin == Origin::after_syn(seq))
    }

    /// Whether everything that was sent is acknowledged.
    pub(crate) const fn is_acknowledged(&self) -> bool {
        self.acknowledged >= self.end
    }

    /// Whether octets after the stuck ones arrived: a later and smaller segment passed where a larger one did not.
    pub(crate) fn passed_over_stuck(&self) -> bool {
        let sacked = self.rare.as_ref().and_then(|rare| rare.sacked);
        let both = sacked.zip(self.stuck());
        both.is_some_and(|((least, end), stuck)| end > stuck.offset && least < stuck.length)
    }

    /// The time to live of its RST and that of its other packets, where they differ: then something else sent the RST.
    pub(crate) fn foreign_rst(&self) -> Option<(u8, u8)> {
        let rst_ttl = self.rare.as_ref()?.rst_ttl;
        (self.ttl != 0 && rst_ttl != 0 && self.ttl != rst_ttl).then_some((rst_ttl, self.ttl))
    }

    /// Whether this side closed, and when first: by FIN or RST.
    pub(crate) fn closed_at(&self) -> Option<Moment> {
        match (self.fin_at(), self.rst_at()) {
            (Some(fin), Some(rst)) => Some(if rst.is_before(fin) { rst } else { fin }),
            (fin, rst) => fin.or(rst),
        }
    }

    /// Whether `segment` is another sighting of a packet that was taken before: on another interface, or inside
    /// another tunnel.
    #[inline]
    pub(crate) fn is_copy(&mut self, segment: &Segment<'_>) -> bool {
        let Self { sightings, origin, end, rare, syn, syn_ack, .. } = self;
        sightings.is_copy(segment, || {
            let (fin, rst) = rare.as_ref().map_or((false, false), |rare| (rare.fin > 0, rare.rst > 0));
            let syn = *syn + *syn_ack > 0;
            let known = origin.is_some_and(|origin| {
                let from = origin.offset(segment.seq, *end);
                // What follows a FIN is numbered one further.
                from.saturating_add(segment.payload_len.into()) <= end.saturating_add(fin.into())
            });
            known
                && (syn || !segment.flags.has(Flags::SYN))
                && (fin || !segment.flags.has(Flags::FIN))
                && (rst || !segment.flags.has(Flags::RST))
        })
    }

    /// Whether the peer acknowledged the octet with sequence number `seq`, or the SYN.
    pub(crate) fn is_acknowledged_past(&self, seq: u32) -> bool {
        self.origin.is_some_and(|origin| origin.offset(seq, self.acknowledged) < self.acknowledged)
    }

    /// Whether `seq` lies in what this side has sent: where an ICMP error quotes it, it quotes this connection.
    pub(crate) fn has_sent(&self, seq: u32) -> bool {
        self.origin.is_some_and(|origin| (-1..=self.end).contains(&origin.offset(seq, self.end)))
    }

    /// Counts a segment of this side.
    #[inline]
    pub(crate) fn count(&mut self, segment: &Segment<'_>) {
        self.packets += 1;
        self.bytes += u64::from(segment.payload_len);
        if segment.flags.has(Flags::RST) {
            let rare = self.rare();
            rare.rst_ttl = if rare.rst_at.is_none() { segment.ttl } else { rare.rst_ttl };
        } else {
            self.zero_window = segment.window == 0;
            self.ttl = segment.ttl;
        }
    }

    /// Takes a SYN or SYN-ACK of this side.
    pub(crate) fn synchronised(&mut self, segment: &Segment<'_>) {
        if segment.flags.has(Flags::ACK) {
            self.syn_ack = self.syn_ack.saturating_add(1);
        } else {
            self.syn = self.syn.saturating_add(1);
        }
        if self.origin.is_none() {
            self.origin = Some(Origin::after_syn(segment.seq));
            self.acknowledged = -1;
        } else {
            self.retransmissions = self.retransmissions.saturating_add(1);
        }
    }

    /// Takes its first packet, a SYN, of which there was no other sighting.
    pub(crate) fn opened(&mut self, syn: &Segment<'_>) {
        self.sightings = Sightings::of_syn(syn);
        self.count(syn);
        self.synchronised(syn);
    }

    /// Its SYN came `times` more, alike and in no need of a closer look.
    pub(crate) fn synchronised_again(&mut self, times: u32) {
        self.packets += u64::from(times);
        self.syn = self.syn.saturating_add(times);
        self.retransmissions = self.retransmissions.saturating_add(times);
    }

    /// Takes a segment that goes on where the last one ended, as most do: its payload, captured whole, is all that is new
    /// of the stream, and in order. Says whether it is that; else nothing is done.
    #[inline]
    pub(crate) fn goes_on(&mut self, segment: &Segment<'_>, at: Moment) -> bool {
        let Some(origin) = self.origin else { return false };
        let goes_on = origin.is_at(segment.seq, self.end)
            && self.stream.goes_on_at(self.end)
            && segment.payload.len() == segment.payload_len as usize
            && !segment.flags.has(Flags::OCCUPYING)
            && self.rare.as_ref().is_none_or(|rare| rare.closes.is_none());
        if goes_on {
            self.new_data(self.end.saturating_add(segment.payload_len.into()), at);
            self.stream.delivered(self.end);
        }
        goes_on
    }

    /// Keeps the books on payload up to `end` that was not sent before.
    #[inline]
    fn new_data(&mut self, end: i64, at: Moment) {
        self.data_at.get_or_insert(at);
        self.unacknowledged_since.get_or_insert(at);
        self.end = end;
    }

    /// Takes the payload and the FIN or RST of a segment of this side; delivers octets that are now in order.
    #[inline]
    pub(crate) fn sent(
        &mut self,
        segment: &Segment<'_>,
        at: Moment,
        peer_window_is_zero: bool,
        budget: usize,
        sink: &mut impl FnMut(Chunk<'_>, Moment),
    ) {
        let origin = *self.origin.get_or_insert_with(|| {
            // Nothing was seen before: the stream begins here, and what came before counts as delivered.
            Origin::at(segment.seq)
        });
        let offset = origin.offset(segment.seq, self.end) + i64::from(segment.flags.has(Flags::SYN));
        if segment.flags.has(Flags::RST) {
            // A RST may carry a reason in text (RFC 9293, section 3.5.2): it is no part of the stream.
            let rare = self.rare();
            rare.rst = rare.rst.saturating_add(1);
            rare.rst_at.get_or_insert(at);
            rare.closes.get_or_insert((offset, at));
            return;
        }
        if segment.payload_len > 0 {
            self.data(segment, offset, at, peer_window_is_zero);
            let piece = Piece { offset, length: segment.payload_len, captured: segment.payload, at };
            self.stream.push(piece, budget, sink);
        }
        if segment.flags.has(Flags::FIN) {
            let rare = self.rare();
            rare.fin = rare.fin.saturating_add(1);
            rare.fin_at.get_or_insert(at);
            rare.closes.get_or_insert_with(|| (offset.saturating_add(segment.payload_len.into()), at));
        }
    }

    /// Octets of memory that its segments take which wait for earlier ones.
    #[inline]
    pub(crate) fn waiting(&self) -> usize {
        self.stream.waiting()
    }

    /// When this side closed, once everything that it sent before is delivered; told once. A FIN that overtook the
    /// octets before it closes when they have come: at `now`.
    #[inline]
    pub(crate) fn take_close(&mut self, now: Option<Moment>) -> Option<Moment> {
        let (offset, at) = self.rare.as_ref()?.closes?;
        if offset > self.stream.next() && self.has_hole() {
            return None;
        }
        let rare = self.rare.as_mut()?;
        rare.closes = None;
        let turn = now.filter(|now| at.is_before(*now)).unwrap_or(at);
        if rare.fin_at == Some(at) {
            rare.fin_at = Some(turn);
        }
        Some(turn)
    }

    /// Keeps the books on payload at `offset`.
    #[inline]
    fn data(&mut self, segment: &Segment<'_>, offset: i64, at: Moment, peer_window_is_zero: bool) {
        let end = offset.saturating_add(segment.payload_len.into());
        if offset >= self.end {
            return self.new_data(end, at);
        }
        self.data_at.get_or_insert(at);
        let probe = segment.payload_len == 1 && (end <= self.acknowledged || peer_window_is_zero);
        if !probe && !self.stream.lacks(offset, end) {
            self.retransmissions = self.retransmissions.saturating_add(1);
            if end > self.acknowledged && !peer_window_is_zero {
                self.retransmitted(segment.payload_len, offset, at);
            }
        }
        self.end = self.end.max(end);
    }

    #[cold]
    fn retransmitted(&mut self, length: u32, offset: i64, at: Moment) {
        let sent = self.unacknowledged_since.unwrap_or(at);
        let rare = self.rare();
        let stuck = rare.stuck.get_or_insert(Stuck { offset, length, sent, first: at, last: at, count: 0 });
        stuck.last = at;
        if offset <= stuck.offset {
            stuck.count = stuck.count.saturating_add(1);
            stuck.offset = offset;
            stuck.length = length;
        }
    }

    /// Takes an acknowledgment by the peer, with the edges of its last SACK block where it has one.
    #[inline]
    pub(crate) fn acknowledged(&mut self, ack: u32, sack: Option<(u32, u32)>) {
        let Some(origin) = self.origin else { return };
        let offset = origin.offset(ack, self.acknowledged.max(0));
        if offset > self.acknowledged {
            self.acknowledged = offset;
            if offset >= self.end {
                self.unacknowledged_since = None;
            }
            if let Some(rare) = &mut self.rare
                && rare.stuck.is_some_and(|stuck| stuck.offset < offset)
            {
                rare.stuck = None;
            }
        }
        if let Some((left, right)) = sack {
            let right_end = origin.offset(right, self.end);
            let rare = self.rare();
            let (least, end) = rare.sacked.unwrap_or((u32::MAX, i64::MIN));
            rare.sacked = Some((least.min(right.wrapping_sub(left)), end.max(right_end)));
        }
    }

    /// Whether this side's last segment offered no window.
    pub(crate) const fn has_zero_window(&self) -> bool {
        self.zero_window
    }

    /// Whether octets are missing that the peer has: they were sent, but are not in the capture.
    #[inline]
    pub(crate) fn lost_to_capture(&self) -> bool {
        self.hole_end().is_some_and(|end| end <= self.acknowledged)
    }

    /// Whether octets, or a FIN, wait for earlier octets.
    #[inline]
    pub(crate) fn has_hole(&self) -> bool {
        self.hole_end().is_some()
    }

    /// Where the first missing octets end: at octets that wait for them, or at a FIN. (A RST waits for nothing.)
    #[inline]
    fn hole_end(&self) -> Option<i64> {
        self.stream.hole_end().or_else(|| {
            let rare = self.rare.as_ref().filter(|rare| rare.rst_at.is_none())?;
            let (offset, _) = rare.closes?;
            (offset > self.stream.next()).then_some(offset)
        })
    }

    /// Gives up missing octets and delivers what waited for them.
    pub(crate) fn skip_hole(&mut self, sink: &mut impl FnMut(Chunk<'_>, Moment)) {
        let Self { stream, rare, .. } = self;
        let rare = rare.get_or_insert_default();
        let (closes, lost_at) = (rare.closes, &mut rare.lost_at);
        let sink = &mut |chunk: Chunk<'_>, at| {
            if matches!(chunk, Chunk::Gap(_)) {
                *lost_at = Some(at);
            }
            sink(chunk, at);
        };
        if stream.hole_end().is_some() {
            stream.skip_hole(sink);
        } else if let Some((offset, at)) = closes {
            stream.skip_to(offset, at, sink);
        }
    }

    /// Whether packets of this side are missing from the capture: in the middle, or at the end, where the peer
    /// acknowledged more than was seen. (A FIN counts as one octet.)
    pub(crate) fn has_losses(&self) -> bool {
        self.lost_at().is_some() || self.lacks_end()
    }

    /// Whether packets that this side sent since `moment` are missing.
    pub(crate) fn has_losses_since(&self, moment: Moment) -> bool {
        self.lost_at().is_some_and(|at| !at.is_before(moment)) || self.lacks_end()
    }

    fn lost_at(&self) -> Option<Moment> {
        self.rare.as_ref()?.lost_at
    }

    fn lacks_end(&self) -> bool {
        self.origin.is_some() && self.acknowledged > self.end.saturating_add(1)
    }
}

#[cfg(test)]
mod tests;
