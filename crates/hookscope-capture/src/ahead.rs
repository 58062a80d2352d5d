//! Turns a walk over a map into one that does not wait for memory: bytes are brought into the cache just before they
//! are walked over, here or on another thread.
//!
//! Where a record ends is known only once its header is there, so a walk over cold bytes waits for memory once for
//! every packet (100 ns and more), one after the other: no prefetcher follows such steps. Reading one byte of every
//! cache line in order first is what prefetchers are made for; walking then takes about half the time, and whoever
//! decodes the packets finds them in the cache, too. Knows nothing about records, and changes nothing about the walk.

use std::hint::black_box;

use hookscope::packet::Packet;

use crate::format::{Stop, Walked, Walker};

/// How many bytes are brought in at a time: a share of a core's second-level cache.
const STEP: usize = 256 << 10;

/// The size of a cache line; where it is larger, some are touched twice.
const LINE: usize = 64;

/// Where records are longer than this on average, waiting for their headers is cheaper than bringing in everything.
const LONG: usize = 1_024;

/// Does what [`Walker::walk`] does. `ready` is told how far it will look, before it does.
pub(crate) fn walk<'a>(
    walker: &mut Walker,
    bytes: &'a [u8],
    room: usize,
    packets: &mut Vec<Packet<'a>>,
    ready: &mut impl FnMut(usize),
) -> Walked {
    let (mut consumed, mut end, mut touch) = (0, 0, true);
    loop {
        let start = end;
        end = (end + STEP).min(bytes.len());
        ready(end);
        if touch {
            bring_in(bytes.get(start..end).unwrap_or_default());
        }
        let before = packets.len();
        let walked = walker.walk(bytes.get(consumed..end).unwrap_or_default(), room, packets);
        consumed += walked.consumed;
        if end == bytes.len() || !matches!(walked.stop, Stop::Short(_)) {
            return Walked { consumed, ..walked };
        }
        touch = (packets.len() - before) * LONG > STEP;
    }
}

/// Reads a byte of every cache line of `bytes`.
pub(crate) fn bring_in(bytes: &[u8]) {
    black_box(bytes.iter().step_by(LINE).fold(0, |all, byte| all ^ byte));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Opened;

    /// A capture with packets of these lengths.
    fn capture(lengths: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
        bytes.extend([0; 12]);
        bytes.extend(1_u32.to_le_bytes());
        for length in lengths {
            bytes.extend([0, 0, *length, *length].map(u32::to_le_bytes).concat());
            bytes.resize(bytes.len() + *length as usize, 7);
        }
        bytes
    }

    #[test]
    fn steps_change_nothing_about_a_walk() {
        let lengths: Vec<u32> = (0..3_000).map(|number| number * 83 % 1_500).chain([200_000; 6]).collect();
        let bytes = capture(&lengths);
        for cut in [0, 1, 150_000] {
            let bytes = &bytes[..bytes.len() - cut];
            for room in [10, 100_000] {
                let open = || match Walker::open(0, bytes) {
                    Ok(Opened::Ready(walker, start)) => (walker, start),
                    other => panic!("{other:?}"),
                };
                let ((mut one, start), (mut two, _)) = (open(), open());
                let (mut plain, mut stepped) = (Vec::new(), Vec::new());
                let expected = one.walk(&bytes[start..], room, &mut plain);
                let walked = walk(&mut two, &bytes[start..], room, &mut stepped, &mut |_| ());
                assert_eq!(walked, expected);
                assert_eq!(stepped.len(), plain.len());
            }
        }
    }
}
