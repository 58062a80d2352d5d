//! Segments of one direction in any order -> its octets in order, once each, with gaps of known size.
//!
//! In-order payload goes to the sink straight from the packet; only what arrives ahead of its turn is copied, within
//! a budget. Octets that the capture lacks become a [`Chunk::Gap`]: those that the snap length cut at once, those of
//! missing packets when the caller says that the receiver has them. Of octets sent twice the first delivered copy
//! counts (RFC 9293, section 3.10.7.4, trims to new data).

use crate::packet::Moment;

/// What one step of a stream consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chunk<'a> {
    /// Octets, in order.
    Data(&'a [u8]),
    /// So many octets were sent but not captured.
    Gap(u64),
}

/// A segment's payload and its place in the stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    /// Stream offset of the first octet.
    pub(crate) offset: i64,
    /// Octets on the wire.
    pub(crate) length: u32,
    /// Octets captured: no more than `length`.
    pub(crate) captured: &'a [u8],
    /// The packet.
    pub(crate) at: Moment,
}

impl Piece<'_> {
    const fn end(&self) -> i64 {
        self.offset.saturating_add(self.length as i64)
    }
}

/// The order keeper of one direction.
#[derive(Debug, Default)]
pub(crate) struct Reassembler {
    next: i64,
    waiting: Option<Box<Waiting>>,
}

/// Segments ahead of their turn, in order of offset.
#[derive(Debug, Default)]
struct Waiting {
    segments: Vec<Stored>,
    cost: usize,
}

#[derive(Debug)]
struct Stored {
    offset: i64,
    length: u32,
    captured: Box<[u8]>,
    at: Moment,
}

impl Stored {
    /// What keeping a segment costs beside its octets.
    const OVERHEAD: usize = 64;

    fn piece(&self) -> Piece<'_> {
        Piece { offset: self.offset, length: self.length, captured: &self.captured, at: self.at }
    }
}

impl Reassembler {
    /// What waits for earlier octets costs so many octets of memory.
    #[inline]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.cost)
    }

    /// The offset of the next octet to deliver.
    pub(crate) const fn next(&self) -> i64 {
        self.next
    }

    /// Whether octets at `offset` are the next, and none wait.
    #[inline]
    pub(crate) const fn goes_on_at(&self, offset: i64) -> bool {
        self.next == offset && self.waiting.is_none()
    }

    /// The next octets, up to `offset`, were delivered without its doing.
    #[inline]
    pub(crate) const fn delivered(&mut self, offset: i64) {
        self.next = offset;
    }

    /// The offset at which the first missing octets end, where later ones wait.
    #[inline]
    pub(crate) fn hole_end(&self) -> Option<i64> {
        self.waiting.as_ref()?.segments.first().map(|first| first.offset)
    }

    /// Whether any octet of `from..to` is neither delivered nor waiting.
    pub(crate) fn lacks(&self, from: i64, to: i64) -> bool {
        let mut from = from.max(self.next);
        for stored in self.waiting.iter().flat_map(|waiting| &waiting.segments) {
            if stored.offset > from {
                break;
            }
            from = from.max(stored.piece().end());
        }
        from < to
    }

    /// Takes a segment; delivers what is now in order. At most `budget` octets are kept waiting: past it the octets
    /// they wait for are given up.
    #[inline]
    pub(crate) fn push(&mut self, piece: Piece<'_>, budget: usize, sink: &mut impl FnMut(Chunk<'_>, Moment)) {
        if piece.end() <= self.next {
            return;
        }
        if piece.offset <= self.next {
            self.deliver(piece, sink);
            if self.waiting.is_some() {
                self.drain(piece.at, sink);
            }
            return;
        }
        self.store(piece);
        while self.waiting.as_ref().is_some_and(|waiting| waiting.cost > budget) {
            self.skip_hole(sink);
        }
    }

    /// Gives up the missing octets before the first waiting segment, and delivers from there.
    pub(crate) fn skip_hole(&mut self, sink: &mut impl FnMut(Chunk<'_>, Moment)) {
        let Some((offset, at)) = self
            .waiting
            .as_ref()
            .and_then(|waiting| waiting.segments.first())
            .map(|first| (first.offset, first.at))
        else {
            return;
        };
        sink(Chunk::Gap(offset.abs_diff(self.next)), at);
        self.next = offset;
        self.drain(at, sink);
    }

    /// Gives up the missing octets before `offset`, when nothing waits.
    pub(crate) fn skip_to(&mut self, offset: i64, at: Moment, sink: &mut impl FnMut(Chunk<'_>, Moment)) {
        if offset > self.next {
            sink(Chunk::Gap(offset.abs_diff(self.next)), at);
            self.next = offset;
        }
    }

    fn deliver(&mut self, piece: Piece<'_>, sink: &mut impl FnMut(Chunk<'_>, Moment)) {
        let known = usize::try_from(self.next - piece.offset).unwrap_or(usize::MAX);
        let fresh = piece.captured.get(known..).unwrap_or_default();
        if !fresh.is_empty() {
            sink(Chunk::Data(fresh), piece.at);
        }
        let delivered = piece.offset.max(self.next).saturating_add_unsigned(fresh.len() as u64);
        if delivered < piece.end() {
            sink(Chunk::Gap(piece.end().abs_diff(delivered)), piece.at);
        }
        self.next = piece.end();
    }

    /// Delivers the waiting segments whose turn has come; `at` is when it came.
    #[cold]
    fn drain(&mut self, at: Moment, sink: &mut impl FnMut(Chunk<'_>, Moment)) {
        let Some(mut waiting) = self.waiting.take() else { return };
        let due = waiting.segments.iter().take_while(|stored| {
            let piece = stored.piece();
            if piece.offset > self.next {
                return false;
            }
            if piece.end() > self.next {
                let at = if piece.at.is_before(at) { at } else { piece.at };
                self.deliver(Piece { at, ..piece }, sink);
            }
            true
        });
        let due = due.count();
        for stored in waiting.segments.drain(..due) {
            waiting.cost -= stored.captured.len() + Stored::OVERHEAD;
        }
        if !waiting.segments.is_empty() {
            self.waiting = Some(waiting);
        }
    }

    #[cold]
    fn store(&mut self, piece: Piece<'_>) {
        let waiting = self.waiting.get_or_insert_default();
        let place = waiting.segments.partition_point(|stored| stored.offset <= piece.offset);
        let covered = place.checked_sub(1).and_then(|before| waiting.segments.get(before));
        if covered.is_some_and(|before| before.piece().end() >= piece.end()) {
            return;
        }
        waiting.cost += piece.captured.len() + Stored::OVERHEAD;
        let Piece { offset, length, captured, at } = piece;
        waiting.segments.insert(place, Stored { offset, length, captured: captured.into(), at });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Frame;
    use crate::time::Timestamp;
    use proptest::prelude::*;

    fn moment(number: u64) -> Moment {
        Moment { time: Timestamp::from_nanos(number as i64), frame: Frame::new(0, number) }
    }

    /// Pushes `(offset, octets, octets on the wire)` and shows what came out, gaps as `<n>`.
    fn run(pieces: &[(i64, &str, u32)], budget: usize) -> String {
        let mut out = String::new();
        let mut sink = |chunk: Chunk<'_>, _| match chunk {
            Chunk::Data(data) => out.push_str(std::str::from_utf8(data).unwrap()),
            Chunk::Gap(size) => out.push_str(&format!("<{size}>")),
        };
        let mut stream = Reassembler::default();
        for (number, &(offset, text, length)) in (1..).zip(pieces) {
            let piece = Piece { offset, length, captured: text.as_bytes(), at: moment(number) };
            stream.push(piece, budget, &mut sink);
        }
        out
    }

    #[test]
    fn octets_come_out_in_order_and_once() {
        assert_eq!(run(&[(0, "ab", 2), (2, "cd", 2)], 999), "abcd");
        assert_eq!(run(&[(2, "cd", 2), (0, "ab", 2)], 999), "abcd");
        assert_eq!(run(&[(4, "ef", 2), (2, "cd", 2), (0, "ab", 2)], 999), "abcdef");
        assert_eq!(run(&[(0, "abcd", 4), (0, "abcd", 4), (2, "XXef", 4)], 999), "abcdef");
        assert_eq!(run(&[(3, "de", 2), (1, "bcd", 3), (0, "a", 1)], 999), "abcde");
    }

    #[test]
    fn octets_before_the_origin_are_no_part_of_the_stream() {
        assert_eq!(run(&[(-1, "_a", 2), (1, "b", 1)], 999), "ab");
        assert_eq!(run(&[(-1, "_", 1), (0, "a", 1)], 999), "a");
    }

    #[test]
    fn what_the_snap_length_cut_is_a_gap() {
        assert_eq!(run(&[(0, "ab", 10), (10, "kl", 2)], 999), "ab<8>kl");
        assert_eq!(run(&[(2, "c", 8), (0, "ab", 2)], 999), "abc<7>");
        assert_eq!(run(&[(0, "", 4), (4, "e", 1)], 999), "<4>e");
    }

    #[test]
    fn a_segment_past_the_budget_gives_up_the_hole() {
        assert_eq!(run(&[(5, "fg", 2), (9, "jk", 2)], Stored::OVERHEAD * 2 + 3), "<5>fg");
        assert_eq!(run(&[(5, "fg", 2)], 0), "<5>fg");
    }

    #[test]
    fn waiting_octets_bear_the_time_at_which_their_turn_came() {
        let mut times = Vec::new();
        let mut sink = |_: Chunk<'_>, at: Moment| times.push(at.frame.number());
        let mut stream = Reassembler::default();
        for (number, offset) in [(1, 1), (2, 0)] {
            stream.push(Piece { offset, length: 1, captured: b"x", at: moment(number) }, 999, &mut sink);
        }
        assert_eq!(times, [2, 2]);
    }

    #[test]
    fn lacks_tells_a_retransmission_from_a_late_segment() {
        let mut stream = Reassembler::default();
        let piece = Piece { offset: 4, length: 4, captured: b"efgh", at: moment(1) };
        stream.push(piece, 999, &mut |_, _| {});
        assert!(stream.lacks(0, 4));
        assert!(stream.lacks(2, 6));
        assert!(!stream.lacks(4, 8));
        assert!(stream.lacks(6, 9));
    }

    proptest! {
        /// Any segmentation, order, duplication and overlap gives back the stream.
        #[test]
        fn equals_the_stream(
            cuts in prop::collection::vec((0usize..64, 1usize..16), 1..40),
            seed in any::<u64>(),
        ) {
            let stream: Vec<u8> = (0..80).collect();
            let mut pieces: Vec<(usize, usize)> = cuts;
            pieces.extend((0..80).step_by(7).map(|at| (at, 7)));
            let mut order: Vec<usize> = (0..pieces.len()).collect();
            let mut state = seed;
            for at in (1..order.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                order.swap(at, (state >> 33) as usize % (at + 1));
            }
            let mut out = Vec::new();
            let mut reassembler = Reassembler::default();
            for index in order {
                let (from, length) = pieces[index];
                let captured = &stream[from..(from + length).min(80)];
                let piece = Piece {
                    offset: from as i64, length: captured.len() as u32, captured, at: moment(1),
                };
                reassembler.push(piece, 1 << 20, &mut |chunk, _| match chunk {
                    Chunk::Data(data) => out.extend_from_slice(data),
                    Chunk::Gap(_) => panic!("no octet is missing"),
                });
            }
            prop_assert_eq!(out, stream);
            prop_assert!(reassembler.waiting.is_none());
        }
    }
}
