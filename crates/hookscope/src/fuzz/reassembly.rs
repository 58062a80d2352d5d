//! Operations on the reassembly of one direction, held against a model that keeps the whole stream.

use crate::fuzz::input::{Input, moment};
use crate::packet::Moment;
use crate::tcp::reassembly::{Chunk, Piece, Reassembler};

/// Octets of the stream.
const LENGTH: usize = 600;

/// What an octet of the stream is: of its place, so that one out of place shows.
pub(super) const fn octet(at: usize) -> u8 {
    (at % 251) as u8 ^ (at / 251) as u8
}

/// The octets `from..to` of the stream.
fn stream(from: usize, to: usize) -> Vec<u8> {
    (from..to).map(octet).collect()
}

/// All that was sent, and how far delivery must be.
struct Model {
    /// Which octets were on the wire.
    sent: [bool; LENGTH],
    next: usize,
    /// Whether each segment was captured whole.
    is_whole: bool,
    /// Whether missing octets were given up.
    has_given_up: bool,
}

impl Model {
    fn send(&mut self, from: usize, to: usize) {
        for at in from..to {
            self.sent[at] = true;
        }
        self.go_on();
    }

    fn go_on(&mut self) {
        while self.sent.get(self.next).copied().unwrap_or(false) {
            self.next += 1;
        }
    }

    /// The first octet that waits behind missing ones.
    fn hole_end(&self) -> Option<usize> {
        (self.next..LENGTH).find(|at| self.sent[*at])
    }
}

/// Takes what comes out, and holds it against the stream.
struct Delivered {
    next: usize,
    is_whole: bool,
    sent: [bool; LENGTH],
}

impl Delivered {
    fn take(&mut self, chunk: Chunk<'_>) {
        match chunk {
            Chunk::Data(data) => {
                assert!(!data.is_empty(), "an empty chunk");
                let end = self.next + data.len();
                assert_eq!(data, stream(self.next, end), "octets out of place at {}", self.next);
                self.next = end;
            }
            Chunk::Gap(size) => {
                assert!(size > 0, "an empty gap");
                let end = self.next + size as usize;
                let lost = (self.next..end).all(|at| !self.sent[at]);
                assert!(lost || !self.is_whole, "octets that were sent and captured are given up");
                self.next = end;
            }
        }
    }
}

/// Each operation is two bytes of place, one of length, and one of what to do.
pub fn reassembly(data: &[u8]) {
    let mut input = Input(data);
    // Half of all runs have more room than they can use: then nothing may be given up.
    let budget = match input.u8() {
        small @ ..128 => usize::from(small) * 16,
        _ => usize::MAX,
    };
    let mut model = Model { sent: [false; LENGTH], next: 0, is_whole: true, has_given_up: false };
    let mut out = Delivered { next: 0, is_whole: true, sent: model.sent };
    let mut reassembler = Reassembler::default();
    let mut number = 0;
    while !input.is_empty() {
        number += 1;
        let (place, length, what) = (usize::from(input.u16()), usize::from(input.u8()), input.u8());
        let from = place % LENGTH;
        let to = (from + length).min(LENGTH);
        let at = moment(number);
        if what >= 250 {
            skip(&mut reassembler, &mut model, &mut out);
        } else if from < to {
            // Segments without payload are not given to it.
            // Not all of it may have been captured, and it may begin before the stream does.
            let captured = if what < 200 { to } else { from + (to - from) * usize::from(what - 200) / 50 };
            let before = if what % 8 == 7 && from == 0 && captured == to { usize::from(what) } else { 0 };
            model.is_whole &= captured == to;
            model.send(from, to);
            (out.is_whole, out.sent) = (model.is_whole, model.sent);
            let octets = [vec![0; before], stream(from, captured)].concat();
            let piece = Piece {
                offset: from as i64 - before as i64,
                length: (to - from + before) as u32,
                captured: &octets,
                at,
            };
            reassembler.push(piece, budget, &mut |chunk, _: Moment| out.take(chunk));
        }
        model.has_given_up |= out.next > model.next;
        if model.has_given_up {
            assert!(budget < usize::MAX || model.next == out.next);
            model.next = model.next.max(out.next);
            model.go_on();
        }
        agrees(&reassembler, &model, &out);
    }
    while reassembler.hole_end().is_some() {
        skip(&mut reassembler, &mut model, &mut out);
    }
    agrees(&reassembler, &model, &out);
}

fn skip(reassembler: &mut Reassembler, model: &mut Model, out: &mut Delivered) {
    let hole = model.hole_end();
    assert_eq!(reassembler.hole_end().map(|end| end as usize), hole);
    reassembler.skip_hole(&mut |chunk, _| out.take(chunk));
    if let Some(end) = hole {
        model.next = end;
        model.go_on();
    }
}

fn agrees(reassembler: &Reassembler, model: &Model, out: &Delivered) {
    assert_eq!((reassembler.next() as usize, out.next), (model.next, model.next));
    assert_eq!(reassembler.hole_end().map(|end| end as usize), model.hole_end());
    for (from, to) in [(0, LENGTH), (model.next, model.next + 40), (model.next + 7, model.next + 8)] {
        let lacks = (from.max(model.next)..to).any(|at| !model.sent.get(at).copied().unwrap_or(false));
        assert_eq!(reassembler.lacks(from as i64, to as i64), lacks, "{from}..{to}");
    }
}
