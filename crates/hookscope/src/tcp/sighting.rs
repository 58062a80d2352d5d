//! One packet, several sightings: on `any` each packet shows on every interface that it crosses, inside and outside of
//! an overlay. Says which segment is the packet and which a copy.
//!
//! Two rules, each for what the other cannot tell:
//!
//! * Where the last packet of a direction was seen is its *primary* vantage. A segment from elsewhere that brings
//!   nothing new, while the primary is in use, is a copy: a retransmission shows at the primary too. What brings
//!   something new is no copy, and its vantage is the primary from then on.
//! * A segment that equals the one before to the IPv4 identification, right after it, is a copy wherever it was seen:
//!   mirrored ports. A sender numbers a retransmission anew. Where it numbers nothing (IPv6, and many an IPv4 packet that
//!   must not be cut up), other hops left to live tell a copy.

use crate::time::{Elapsed, Timestamp};
use crate::wire::{Flags, Segment, Vantage};

/// Where a direction's packets are seen.
#[derive(Debug, Default)]
pub(crate) struct Sightings {
    last: Option<Sighting>,
}

/// The last packet that was no copy.
#[derive(Clone, Copy, Debug)]
struct Sighting {
    vantage: Vantage,
    flags: u8,
    ttl: u8,
    /// Whether anything was acknowledged yet, and up to where: a first SYN and many a RST acknowledge nothing, and
    /// acknowledgments may overtake one another.
    has_acknowledged: bool,
    acknowledged: u32,
    ip_id: u16,
    window: u16,
    seq: u32,
    ack: u32,
    length: u32,
    time: Timestamp,
}

impl Sightings {
    /// How long after the primary's last packet a copy of it may show: longer than the host takes to pass it on,
    /// shorter than the least retransmission timeout of Linux, 200 ms.
    pub(crate) const PASSAGE: Elapsed = Elapsed::from_millis(100);
    /// How long after a packet its equal is a copy and not a retransmission: where something tells that it is none, and
    /// where only the time does.
    const EQUAL: Elapsed = Elapsed::from_millis(20);
    const EQUAL_UNNUMBERED: Elapsed = Elapsed::from_millis(1);

    /// Where a SYN was seen, and nothing else.
    pub(crate) fn of_syn(syn: &Segment<'_>) -> Self {
        let last = Sighting {
            vantage: syn.vantage,
            flags: syn.flags.0,
            ttl: syn.ttl,
            has_acknowledged: false,
            acknowledged: 0,
            ip_id: syn.ip_id,
            window: syn.window,
            seq: syn.seq,
            ack: syn.ack,
            length: syn.payload_len,
            time: syn.time,
        };
        Self { last: Some(last) }
    }

    /// Whether `segment` is a copy; `brings_nothing` is asked only where the vantage is another.
    #[inline]
    pub(crate) fn is_copy(&mut self, segment: &Segment<'_>, brings_nothing: impl FnOnce() -> bool) -> bool {
        let Some(last) = &mut self.last else {
            self.last = Some(Sighting::of(segment, segment.flags.has(Flags::ACK), segment.ack));
            return false;
        };
        let acknowledges_more = segment.flags.has(Flags::ACK)
            && (!last.has_acknowledged || segment.ack.wrapping_sub(last.acknowledged).cast_signed() > 0);
        // Most are neither from elsewhere nor like the one before.
        if (last.vantage != segment.vantage || last.equals(segment))
            && last.is_shown_by(segment, || !acknowledges_more && brings_nothing())
        {
            return true;
        }
        if acknowledges_more {
            last.acknowledged = segment.ack;
            last.has_acknowledged = true;
        }
        let Sighting { has_acknowledged, acknowledged, .. } = *last;
        *last = Sighting::of(segment, has_acknowledged, acknowledged);
        false
    }
}

impl Sighting {
    #[inline]
    fn of(segment: &Segment<'_>, has_acknowledged: bool, acknowledged: u32) -> Self {
        Self {
            vantage: segment.vantage,
            flags: segment.flags.0,
            ttl: segment.ttl,
            has_acknowledged,
            acknowledged,
            ip_id: segment.ip_id,
            window: segment.window,
            seq: segment.seq,
            ack: segment.ack,
            length: segment.payload_len,
            time: segment.time,
        }
    }

    /// Whether `segment` is the same packet, as far as a header tells.
    #[inline]
    fn equals(&self, segment: &Segment<'_>) -> bool {
        self.ip_id == segment.ip_id
            && self.seq == segment.seq
            && self.ack == segment.ack
            && self.length == segment.payload_len
            && self.flags == segment.flags.0
            && self.window == segment.window
    }

    /// Whether `segment` shows the same packet again, or one of before from elsewhere.
    #[cold]
    fn is_shown_by(&self, segment: &Segment<'_>, brings_nothing: impl FnOnce() -> bool) -> bool {
        let after = segment.time.since(self.time);
        let elsewhere = self.vantage != segment.vantage && after <= Sightings::PASSAGE;
        self.equals(segment) && after <= self.patience(segment) || elsewhere && brings_nothing()
    }

    /// How long two equal sightings are one packet.
    fn patience(&self, segment: &Segment<'_>) -> Elapsed {
        if self.vantage != segment.vantage {
            Sightings::PASSAGE
        } else if self.ip_id != 0 || self.ttl != segment.ttl {
            Sightings::EQUAL
        } else if self.length > 0 {
            Sightings::EQUAL_UNNUMBERED
        } else {
            // Acknowledgments and resets do come several times alike.
            Elapsed::from_nanos(-1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::key::{Address, Endpoint, FlowKey};
    use crate::packet::Frame;

    fn segment(micros: i64, interface: u32, ip_id: u16, seq: u32) -> Segment<'static> {
        let endpoint = |port| Endpoint { address: Address::v4([10, 0, 0, 1]), port };
        let (key, from) = FlowKey::of(endpoint(1), endpoint(2));
        Segment {
            key,
            hash: 0,
            from,
            flags: Flags::ACK,
            time: Timestamp::from_nanos(micros * 1000),
            frame: Frame::new(0, 1),
            seq,
            ack: 1,
            window: 9,
            ip_id,
            ttl: 64,
            vantage: Vantage { interface, depth: 0 },
            payload_len: 10,
            payload: &[],
            options: &[],
        }
    }

    #[test]
    fn a_packet_seen_on_two_interfaces_is_one() {
        let mut sightings = Sightings::default();
        assert!(!sightings.is_copy(&segment(0, 1, 7, 100), || false));
        assert!(sightings.is_copy(&segment(30, 2, 7, 100), || true));
        // Cut up on its way out: other sizes and identifications, nothing new.
        assert!(sightings.is_copy(&segment(31, 2, 8, 105), || true));
    }

    #[test]
    fn a_copy_that_comes_after_later_packets_is_one() {
        let mut sightings = Sightings::default();
        let with = |micros, interface, flags, ack| {
            let segment = segment(micros, interface, 7, 100);
            Segment { flags, ack, payload_len: 0, ..segment }
        };
        let far = 0x9000_0000;
        assert!(!sightings.is_copy(&with(0, 1, Flags::SYN, 0), || false));
        assert!(!sightings.is_copy(&with(10, 1, Flags::ACK, far), || true));
        assert!(sightings.is_copy(&with(30, 2, Flags::SYN, 0), || true), "what it says of ACK means nothing");
        assert!(!sightings.is_copy(&with(40, 1, Flags::ACK, far + 20), || true));
        assert!(!sightings.is_copy(&with(41, 1, Flags::ACK, far + 10), || true), "overtaken");
        assert!(sightings.is_copy(&with(70, 2, Flags::ACK, far + 20), || true));
        assert!(!sightings.is_copy(&with(80, 2, Flags::ACK, far + 21), || true), "acknowledges more");
    }

    #[test]
    fn a_retransmission_is_counted_once_at_the_primary() {
        let mut sightings = Sightings::default();
        assert!(!sightings.is_copy(&segment(0, 1, 7, 100), || false));
        assert!(sightings.is_copy(&segment(30, 2, 7, 100), || true));
        assert!(!sightings.is_copy(&segment(200_000, 1, 8, 100), || true));
        assert!(sightings.is_copy(&segment(200_030, 2, 8, 100), || true));
    }

    #[test]
    fn a_primary_that_fell_silent_is_replaced() {
        let mut sightings = Sightings::default();
        assert!(!sightings.is_copy(&segment(0, 1, 7, 100), || false));
        assert!(!sightings.is_copy(&segment(10, 2, 8, 110), || false), "new octets are no copy");
        assert!(!sightings.is_copy(&segment(250_000, 1, 9, 110), || true), "nobody else shows it");
    }

    #[test]
    fn a_mirrored_packet_is_one_and_a_quick_retransmission_is_not() {
        let mut sightings = Sightings::default();
        assert!(!sightings.is_copy(&segment(0, 1, 7, 100), || false));
        assert!(sightings.is_copy(&segment(50, 1, 7, 100), || true));
        assert!(!sightings.is_copy(&segment(300, 1, 8, 100), || true), "it has an identification of its own");
        assert!(!sightings.is_copy(&segment(30_000, 1, 8, 100), || true), "too late for a copy");
    }

    #[test]
    fn without_an_identification_a_hop_less_to_live_tells_a_copy() {
        let reset = Segment { flags: Flags::RST, payload_len: 0, ..segment(0, 1, 0, 100) };
        let at = |micros: i64, ttl| {
            let time = Timestamp::from_nanos(micros * 1000);
            Segment { time, ttl, ..reset }
        };
        let mut sightings = Sightings::default();
        assert!(!sightings.is_copy(&reset, || false));
        assert!(sightings.is_copy(&at(15_000, 63), || true));
        assert!(!sightings.is_copy(&at(15_001, 64), || true), "resets do come several times alike");
        assert!(!sightings.is_copy(&at(45_000, 63), || true), "too late for a copy");
    }

    #[test]
    fn without_an_identification_only_the_time_tells() {
        let mut sightings = Sightings::default();
        assert!(!sightings.is_copy(&segment(0, 1, 0, 100), || false));
        assert!(sightings.is_copy(&segment(900, 1, 0, 100), || true));
        assert!(!sightings.is_copy(&segment(3_000, 1, 0, 100), || true));
    }
}
