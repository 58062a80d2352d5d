//! IP fragments -> whole datagrams (RFC 791, section 3.2; RFC 8200, section 4.5).
//!
//! Fragments may come in any order and more than once. Where copies overlap they must agree: RFC 5722 drops an
//! IPv6 datagram whose fragments overlap at all, here a datagram of either version is dropped when the bytes
//! differ, because agreeing copies of one fragment are what a capture on several interfaces is full of.
//! Memory is bounded by [`FragmentLimits`]; time is that of the packets.
//!
//! Feed: [`Fragments::push`].

use std::collections::BTreeMap;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::config::FragmentLimits;
use crate::time::{Elapsed, Timestamp};
use crate::wire::{Fragment, FragmentKey, Malformed, Protocol, Reassembled};

/// The datagrams of which some fragments have been seen, and others not yet.
#[derive(Debug, Default)]
pub(crate) struct Fragments {
    limits: FragmentLimits,
    partial: HashMap<FragmentKey, Partial, FixedState>,
    /// The datagrams by the order in which they began, and when that was.
    order: BTreeMap<u64, (FragmentKey, Timestamp)>,
    arrivals: u64,
    octets: usize,
}

impl Fragments {
    /// Nothing yet.
    pub(crate) fn new(limits: FragmentLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes one fragment in; the whole datagram, where this was the last that it waited for.
    ///
    /// An error means that its datagram is given up, and this fragment is the first that shows why.
    pub(crate) fn push(&mut self, fragment: &Fragment<'_>) -> Result<Option<Reassembled>, Malformed> {
        self.expire(fragment.time);
        let arrivals = &mut self.arrivals;
        let order = &mut self.order;
        let partial = self.partial.entry(fragment.key).or_insert_with(|| {
            *arrivals += 1;
            order.insert(*arrivals, (fragment.key, fragment.time));
            Partial::new(*arrivals)
        });
        if partial.given_up {
            return Ok(None);
        }
        let before = partial.octets;
        if let Err(anomaly) = partial.add(fragment, &self.limits) {
            self.octets -= before;
            partial.give_up();
            return Err(anomaly);
        }
        self.octets += partial.octets - before;
        if let Some(total) = partial.complete() {
            return Ok(self.remove(&fragment.key).map(|partial| partial.assemble(fragment, total)));
        }
        self.evict();
        Ok(None)
    }

    /// Forgets the datagrams that have waited too long at `now`.
    fn expire(&mut self, now: Timestamp) {
        let timeout = Elapsed::from(self.limits.timeout);
        while let Some((_, (_, first))) = self.order.first_key_value()
            && now.since(*first) > timeout
        {
            self.remove_oldest();
        }
    }

    fn evict(&mut self) {
        while self.partial.len() > self.limits.datagrams || self.octets > self.limits.octets {
            self.remove_oldest();
        }
    }

    fn remove_oldest(&mut self) {
        if let Some((_, (key, _))) = self.order.pop_first() {
            self.remove(&key);
        }
    }

    fn remove(&mut self, key: &FragmentKey) -> Option<Partial> {
        let partial = self.partial.remove(key)?;
        self.order.remove(&partial.arrival);
        self.octets -= partial.octets;
        Some(partial)
    }

    /// Stops where its books do not agree, or a limit does not hold.
    #[cfg(any(test, feature = "fuzz"))]
    pub(crate) fn assert_holds(&self) {
        let octets: usize = self.partial.values().flat_map(|it| &it.pieces).map(|it| it.captured.len()).sum();
        assert_eq!((self.octets, self.order.len()), (octets, self.partial.len()));
        assert!(self.partial.len() <= self.limits.datagrams && octets <= self.limits.octets);
    }
}

/// The fragments of one datagram so far.
#[derive(Debug)]
struct Partial {
    arrival: u64,
    /// By their offset; they may overlap, but then they agree.
    pieces: Vec<Piece>,
    /// What the first fragment says it carries.
    protocol: Option<Protocol>,
    /// Known from the last fragment on.
    total: Option<u32>,
    /// Captured octets in `pieces`.
    octets: usize,
    /// Octets that were compared with those of `pieces`.
    compared: u64,
    /// Its fragments are ignored until it times out, as RFC 5722 asks for: else the rest would be taken for a new
    /// datagram of the same number.
    given_up: bool,
}

#[derive(Debug)]
struct Piece {
    start: u32,
    end: u32,
    captured: Box<[u8]>,
}

impl Partial {
    /// How often each octet of a datagram is compared with copies of it that are no copies of whole fragments.
    const COMPARED: u64 = 4;

    const fn new(arrival: u64) -> Self {
        Self {
            arrival,
            pieces: Vec::new(),
            protocol: None,
            total: None,
            octets: 0,
            compared: 0,
            given_up: false,
        }
    }

    fn give_up(&mut self) {
        self.pieces = Vec::new();
        self.octets = 0;
        self.given_up = true;
    }

    fn add(&mut self, fragment: &Fragment<'_>, limits: &FragmentLimits) -> Result<(), Malformed> {
        let (start, end) = (fragment.offset, fragment.offset.saturating_add(fragment.payload_len));
        if end > limits.datagram_octets {
            return Err(Malformed::OversizedDatagram);
        }
        let longest = self.pieces.iter().map(|piece| piece.end).max().unwrap_or(0);
        let length_agrees = match (self.total, fragment.more) {
            (Some(total), true) => end <= total,
            (Some(total), false) => end == total,
            (None, true) => true,
            (None, false) => longest <= end,
        };
        let before = self.compared;
        let compared = &mut self.compared;
        if !length_agrees || self.pieces.iter().any(|piece| !piece.agrees(start, fragment.payload, compared))
        {
            return Err(Malformed::ConflictingFragments);
        }
        // Copies agree with one piece. What overlaps with many others, again and again, is made to cost time.
        let is_copy = self.compared - before <= 2 * fragment.payload.len() as u64;
        if !is_copy && self.compared > Self::COMPARED * u64::from(limits.datagram_octets) {
            return Err(Malformed::TooManyFragments);
        }
        if !fragment.more {
            self.total = Some(end);
        }
        if start == 0 {
            self.protocol = Some(fragment.protocol);
        }
        if self.pieces.iter().any(|piece| piece.covers(start, end, fragment.payload.len())) {
            return Ok(());
        }
        if self.pieces.len() >= limits.datagram_fragments {
            return Err(Malformed::TooManyFragments);
        }
        let at = self.pieces.partition_point(|piece| piece.start <= start);
        self.pieces.insert(at, Piece { start, end, captured: fragment.payload.into() });
        self.octets += fragment.payload.len();
        Ok(())
    }

    /// The datagram's length, where every octet of it has been on the wire.
    fn complete(&self) -> Option<u32> {
        let total = self.total?;
        let mut reached = 0;
        for piece in &self.pieces {
            if piece.start > reached {
                return None;
            }
            reached = reached.max(piece.end);
        }
        (reached == total).then_some(total)
    }

    /// Puts the datagram together up to the first octet that was not captured.
    fn assemble(self, last: &Fragment<'_>, total: u32) -> Reassembled {
        let mut payload = Vec::with_capacity(self.octets.min(total as usize));
        for piece in &self.pieces {
            let seen = payload.len().checked_sub(piece.start as usize);
            let Some(seen) = seen else { break };
            payload.extend_from_slice(piece.captured.get(seen..).unwrap_or(&[]));
        }
        Reassembled {
            key: last.key,
            protocol: self.protocol.unwrap_or(last.protocol),
            time: last.time,
            frame: last.frame,
            vantage: last.vantage,
            ttl: last.ttl,
            ip_id: last.ip_id,
            payload_len: total,
            payload,
        }
    }
}

impl Piece {
    /// Whether the octets that it shares with `other`, which begins at `start`, are the same.
    fn agrees(&self, start: u32, other: &[u8], compared: &mut u64) -> bool {
        let distance = self.start.abs_diff(start) as usize;
        let (earlier, later) =
            if self.start <= start { (&*self.captured, other) } else { (other, &*self.captured) };
        let Some(shared) = earlier.get(distance..) else { return true };
        let length = shared.len().min(later.len());
        *compared += length as u64;
        shared.get(..length) == later.get(..length)
    }

    /// Whether a fragment with so much captured adds nothing to it.
    fn covers(&self, start: u32, end: u32, captured: usize) -> bool {
        let captured_end = self.start as usize + self.captured.len();
        self.start <= start && end <= self.end && start as usize + captured <= captured_end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::key::Address;
    use crate::packet::Frame;
    use crate::wire::{Decoded, Vantage, decode_reassembled};
    use proptest::prelude::*;

    /// A fragment of datagram 1, captured as a whole at second `at`.
    fn piece(at: i64, offset: u32, more: bool, payload: &[u8]) -> Fragment<'_> {
        let (source, destination) = (Address::v4([10, 0, 0, 1]), Address::v4([10, 0, 0, 2]));
        let protocol = Protocol::TCP;
        Fragment {
            key: FragmentKey { source, destination, identification: 1, protocol: Some(protocol), depth: 0 },
            protocol,
            time: Timestamp::from_nanos(at * 1_000_000_000),
            frame: Frame::new(0, at as u64 + 1),
            vantage: Vantage::default(),
            ttl: 64,
            ip_id: 1,
            offset,
            more,
            payload_len: payload.len() as u32,
            payload,
        }
    }

    fn with_id(identification: u32, mut fragment: Fragment<'_>) -> Fragment<'_> {
        fragment.key.identification = identification;
        fragment
    }

    #[test]
    fn fragments_in_any_order_make_the_datagram() {
        let bytes: Vec<u8> = (0..20).collect();
        let pieces = |at| {
            [
                piece(at, 0, true, &bytes[..8]),
                piece(at, 8, true, &bytes[8..16]),
                piece(at, 16, false, &bytes[16..]),
            ]
        };
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut fragments = Fragments::default();
            let [a, b, c] = order.map(|at| fragments.push(&pieces(at as i64)[at]).unwrap());
            assert!(a.is_none() && b.is_none());
            let whole = c.unwrap();
            assert_eq!((whole.payload.as_slice(), whole.payload_len), (bytes.as_slice(), 20));
            assert_eq!(whole.frame.number(), order[2] as u64 + 1, "the fragment that completed it");
            assert!(fragments.partial.is_empty() && fragments.order.is_empty() && fragments.octets == 0);
        }
    }

    #[test]
    fn copies_and_agreeing_overlaps_do_no_harm() {
        let bytes: Vec<u8> = (0..24).collect();
        let mut fragments = Fragments::default();
        for fragment in [
            piece(0, 8, true, &bytes[8..16]),
            piece(0, 8, true, &bytes[8..16]),
            piece(0, 0, true, &bytes[..16]),
            piece(0, 0, true, &bytes[..8]),
        ] {
            assert!(fragments.push(&fragment).unwrap().is_none());
        }
        assert_eq!(fragments.push(&piece(0, 8, false, &bytes[8..])).unwrap().unwrap().payload, bytes);
    }

    #[test]
    fn a_conflict_drops_the_datagram_and_what_still_comes_of_it() {
        let mut fragments = Fragments::default();
        assert!(fragments.push(&piece(0, 0, true, &[1; 16])).unwrap().is_none());
        let conflict = fragments.push(&piece(0, 8, false, &[2; 8]));
        assert_eq!(conflict.unwrap_err(), Malformed::ConflictingFragments);
        assert!(fragments.push(&piece(1, 0, true, &[1; 16])).unwrap().is_none());
        assert!(fragments.push(&piece(1, 16, false, &[1; 8])).unwrap().is_none());
        assert_eq!(fragments.octets, 0);

        assert!(fragments.push(&piece(31, 0, true, &[1; 16])).unwrap().is_none());
        assert!(fragments.push(&piece(31, 16, false, &[1; 8])).unwrap().is_some(), "its time is over");
    }

    #[test]
    fn lengths_that_disagree_are_a_conflict() {
        for (first, second) in [
            (piece(0, 8, false, &[0; 8]), piece(0, 16, false, &[0; 8])),
            (piece(0, 8, false, &[0; 8]), piece(0, 16, true, &[0; 8])),
            (piece(0, 24, true, &[0; 8]), piece(0, 16, false, &[0; 8])),
        ] {
            let mut fragments = Fragments::default();
            fragments.push(&first).unwrap();
            assert_eq!(fragments.push(&second).unwrap_err(), Malformed::ConflictingFragments);
        }
    }

    #[test]
    fn a_cut_fragment_leaves_the_tail_uncaptured() {
        let mut cut = piece(0, 0, true, &[1; 10]);
        cut.payload_len = 16;
        let mut fragments = Fragments::default();
        fragments.push(&cut).unwrap();
        let whole = fragments.push(&piece(0, 16, false, &[2; 4])).unwrap().unwrap();
        assert_eq!((whole.payload.as_slice(), whole.payload_len), (&[1; 10][..], 20));
    }

    #[test]
    fn a_longer_copy_of_a_cut_fragment_fills_in_what_it_lacked() {
        let mut cut = piece(0, 0, true, &[1; 10]);
        cut.payload_len = 16;
        let mut fragments = Fragments::default();
        fragments.push(&cut).unwrap();
        fragments.push(&piece(0, 0, true, &[1; 16])).unwrap();
        let whole = fragments.push(&piece(0, 16, false, &[2; 4])).unwrap().unwrap();
        assert_eq!(whole.payload, [&[1; 16][..], &[2; 4]].concat());
    }

    #[test]
    fn depths_do_not_mix() {
        let mut fragments = Fragments::default();
        fragments.push(&piece(0, 0, true, &[1; 8])).unwrap();
        let mut inner = piece(0, 8, false, &[2; 8]);
        inner.key.depth = 1;
        assert!(fragments.push(&inner).unwrap().is_none());
    }

    #[test]
    fn what_waits_too_long_or_is_too_much_is_forgotten() {
        let mut fragments =
            Fragments::new(FragmentLimits { datagrams: 2, octets: 40, ..FragmentLimits::default() });
        fragments.push(&piece(0, 0, true, &[1; 8])).unwrap();
        fragments.push(&with_id(2, piece(31, 0, true, &[1; 8]))).unwrap();
        assert_eq!(fragments.partial.len(), 1, "the first one waited for 31 s");
        fragments.push(&with_id(3, piece(31, 0, true, &[1; 8]))).unwrap();
        fragments.push(&with_id(4, piece(31, 0, true, &[1; 8]))).unwrap();
        assert_eq!((fragments.partial.len(), fragments.octets), (2, 16));
        fragments.push(&with_id(5, piece(31, 0, true, &[1; 40]))).unwrap();
        assert_eq!((fragments.partial.len(), fragments.octets), (1, 40));
    }

    #[test]
    fn one_datagram_has_its_limits_too() {
        let mut fragments =
            Fragments::new(FragmentLimits { datagram_fragments: 1, ..FragmentLimits::default() });
        assert_eq!(
            fragments.push(&piece(0, 65_528, true, &[0; 16])).unwrap_err(),
            Malformed::OversizedDatagram
        );
        fragments.push(&with_id(2, piece(0, 0, true, &[0; 8]))).unwrap();
        let second = with_id(2, piece(0, 8, true, &[0; 8]));
        assert_eq!(fragments.push(&second).unwrap_err(), Malformed::TooManyFragments);
    }

    #[test]
    fn a_datagram_whose_fragments_overlap_one_another_over_and_over_is_given_up() {
        let mut fragments = Fragments::default();
        let mut push = |at: u32| fragments.push(&piece(0, at * 8, true, &[7; 1_400]));
        let given_up = (0..255).rev().find_map(|at| push(at).err());
        assert_eq!(given_up, Some(Malformed::TooManyFragments));
        // Copies of whole fragments, as a capture of all interfaces has them, are none of that.
        let mut fragments = Fragments::default();
        for _ in 0..50 {
            for at in 0..40 {
                assert!(
                    fragments.push(&with_id(2, piece(0, at * 1_400, true, &[7; 1_400]))).unwrap().is_none()
                );
            }
        }
    }

    #[test]
    fn the_whole_is_decoded_from_its_transport_on() {
        let mut tcp = [0; 24];
        (tcp[1], tcp[3], tcp[12], tcp[13]) = (9, 8, 0x50, 0x10);
        let mut fragments = Fragments::default();
        fragments.push(&piece(0, 0, true, &tcp[..16])).unwrap();
        let whole = fragments.push(&piece(0, 16, false, &tcp[16..])).unwrap().unwrap();
        let Ok(Decoded::Tcp(segment)) = decode_reassembled(&whole) else { panic!("{whole:?}") };
        assert_eq!((segment.payload_len, segment.ttl, segment.ip_id), (4, 64, 1));
    }

    proptest! {
        #[test]
        fn any_cut_in_any_order_with_any_copies_gives_back_the_bytes(
            bytes in prop::collection::vec(any::<u8>(), 1..400),
            picks in prop::collection::vec((0..50usize, 1..50usize), 0..40),
        ) {
            let fragment = |from: usize, to: usize| {
                let to = to.min(bytes.len());
                piece(0, from as u32, to < bytes.len(), &bytes[from..to])
            };
            let mut fragments = Fragments::default();
            let mut whole = None;
            let anywhere = picks.iter().map(|(from, len)| (from * 8, (from + len) * 8));
            let everything = (0..bytes.len()).step_by(8).rev().map(|from| (from, from + 8));
            for (from, to) in anywhere.chain(everything) {
                if from < bytes.len() && whole.is_none() {
                    whole = fragments.push(&fragment(from, to)).unwrap();
                }
            }
            prop_assert_eq!(whole.unwrap().payload, bytes);
            prop_assert_eq!(fragments.octets, 0);
        }
    }
}
