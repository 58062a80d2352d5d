//! Segments of one side, in sequence numbers that wrap: what is delivered is the stream that they were cut from.

use crate::flow::key::{Address, Endpoint, FlowKey};
use crate::fuzz::input::{Input, moment};
use crate::fuzz::reassembly::octet;
use crate::tcp::half::Half;
use crate::tcp::reassembly::Chunk;
use crate::wire::{Flags, Segment, Vantage};

/// The first bytes are the initial sequence number; then each operation is a byte of what to do, and its numbers.
pub fn half(data: &[u8]) {
    let mut input = Input(data);
    let initial = input.u32();
    let budget = usize::from(input.u8()) * 8;
    let ends = [1, 2].map(|last| Endpoint { address: Address::v4([10, 0, 0, last]), port: 443 });
    let (key, from) = FlowKey::of(ends[0], ends[1]);
    let segment = |flags: u8, seq: u32, number: u64| Segment {
        key,
        hash: key.hash(),
        from,
        flags: Flags(flags),
        time: moment(number).time,
        frame: moment(number).frame,
        seq,
        ack: 0,
        window: 1,
        ip_id: number as u16,
        ttl: 64,
        vantage: Vantage::default(),
        payload_len: 0,
        payload: &[],
        options: &[],
    };
    let mut half = Half::default();
    half.synchronised(&segment(Flags::SYN.0, initial, 1));
    // The stream's octet that is next to be delivered.
    let (mut next, mut counted, mut number) = (0, 0, 1);
    while !input.is_empty() {
        number += 1;
        let (what, place, length) = (input.u8(), usize::from(input.u16() & 0x3ff), usize::from(input.u8()));
        let octets: Vec<u8> = (place..place + length).map(octet).collect();
        let captured = if what & 0x40 == 0 { length } else { length / 2 };
        let flags = [0x10, 0x18, 0x11, 0x02, 0x12, 0x14, 0x04, 0x03][usize::from(what & 7)];
        // A SYN stands before the octets.
        let seq = initial.wrapping_add(place as u32).wrapping_add(u32::from(flags & 2 == 0));
        let segment = Segment {
            payload_len: length as u32,
            payload: octets.get(..captured).unwrap_or_default(),
            window: u16::from(what & 0x20),
            ..segment(flags, seq, number)
        };
        let mut sink = |chunk: Chunk<'_>, _| match chunk {
            Chunk::Data(data) => {
                for byte in data {
                    assert_eq!(*byte, octet(next), "octet {next} of the stream");
                    next += 1;
                }
            }
            Chunk::Gap(size) => next += size as usize,
        };
        match what >> 3 & 3 {
            0 | 1 => {
                if half.is_copy(&segment) {
                    continue;
                }
                half.count(&segment);
                counted += 1;
                if flags & 2 != 0 {
                    half.synchronised(&segment);
                }
                half.sent(&segment, moment(number), what & 0x80 != 0, budget, &mut sink);
            }
            2 => {
                let sack = (what & 0x40 != 0).then_some((seq, seq.wrapping_add(length as u32)));
                half.acknowledged(seq, sack);
            }
            _ => {
                if half.lost_to_capture() || what & 0x40 != 0 {
                    half.skip_hole(&mut sink);
                }
                let _ = half.take_close((what & 0x80 != 0).then_some(moment(number)));
            }
        }
    }
    let mut holes = 0;
    while half.has_hole() {
        half.skip_hole(&mut |_, _| {});
        let _ = half.take_close(None);
        holes += 1;
        assert!(holes <= number + 1, "holes without an end");
    }
    assert_eq!(half.packets, counted);
    let _ = (half.has_losses(), half.foreign_rst(), half.passed_over_stuck(), half.closed_at());
}
