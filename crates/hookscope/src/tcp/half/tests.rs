use hookscope_testkit::Conversation;
use proptest::prelude::*;

use super::*;
use crate::connection::tests::watch;
use crate::flow::key::{Address, Endpoint, FlowKey};
use crate::packet::Frame;
use crate::time::Timestamp;
use crate::wire::Vantage;

fn open() -> Conversation {
    Conversation::new("10.0.0.10:40000", "10.244.1.1:9443").handshake()
}

/// What the client did.
fn client(story: Conversation) -> Half {
    watch(story).halves.client
}

#[test]
fn octets_that_are_sent_again_are_a_retransmission() {
    let story = open().unacknowledged().client(b"hello").wait_ms(300).client_retransmit().server_ack();
    let half = client(story);
    assert_eq!((half.retransmissions, half.bytes), (1, 10));
    assert!(half.stuck().is_none(), "they were acknowledged in the end");
    assert!(half.is_acknowledged());
}

#[test]
fn a_keep_alive_probe_is_no_retransmission() {
    let half = client(open().client(b"hello").server_ack().client_keep_alive().server_ack());
    assert_eq!(half.retransmissions, 0);
    // Some stacks put one octet of garbage into it.
    let story = open().client(b"hello").server_ack();
    let (seq, ack) = (story.client_next().wrapping_sub(1), story.server_next());
    let half = client(story.client_raw(seq, ack, 0x10, b"?").server_ack());
    assert_eq!((half.retransmissions, half.stuck().is_some()), (0, false));
}

#[test]
fn a_probe_of_a_closed_window_is_neither_a_retransmission_nor_stuck() {
    let mut capture =
        open().client(b"hello").server_ack().client(b"!").client_retransmit().client_retransmit().capture();
    // The server's acknowledgment offers no window.
    capture.records[4].data[14 + 20 + 14..14 + 20 + 16].fill(0);
    let half = watch_records(&capture);
    assert_eq!((half.retransmissions, half.stuck().is_some()), (0, false));
}

#[test]
fn octets_that_fill_a_hole_are_late_and_not_sent_again() {
    let mut capture = open().client(b"hello").client(b"world").client(b"!").server_ack().capture();
    capture.records.swap(3, 4);
    let half = watch_records(&capture);
    assert_eq!((half.retransmissions, half.bytes), (0, 11));
    assert!(half.is_acknowledged() && !half.has_hole() && !half.has_losses());
}

#[test]
fn a_retransmission_of_what_the_capture_missed_fills_the_hole() {
    let story = open().lost().unacknowledged().client(b"hello").client(b"!").server_ack();
    let half = client(story.wait_ms(200).client_retransmit_missing().server_ack());
    assert_eq!(half.retransmissions, 0);
    assert!(!half.has_losses());
}

#[test]
fn octets_that_are_never_acknowledged_are_stuck_from_their_first_sending() {
    let story = open().client(b"fine").server_ack().wait_ms(50).unacknowledged().client(b"lost");
    let story = story.wait_ms(300).client_retransmit().wait_ms(600);
    let half = client(story.unacknowledged().client_retransmit());
    let stuck = half.stuck().unwrap();
    assert_eq!((stuck.offset, stuck.length, stuck.count), (4, 4, 2));
    let frames = [stuck.sent, stuck.first, stuck.last].map(|at| at.frame.number());
    assert_eq!(frames, [6, 7, 8]);
    assert_eq!(half.retransmissions, 2);
}

#[test]
fn several_segments_that_are_sent_again_in_one_go_count_once() {
    let story = open().unacknowledged().client(b"one").unacknowledged().client(b"two");
    let (first, second) = (story.client_next().wrapping_sub(6), story.client_next().wrapping_sub(3));
    let ack = story.server_next();
    let half = client(story.client_raw(first, ack, 0x18, b"one").client_raw(second, ack, 0x18, b"two"));
    assert_eq!((half.stuck().unwrap().count, half.retransmissions), (1, 2));
    assert_eq!(half.stuck().unwrap().offset, 0);
}

#[test]
fn a_later_segment_that_passed_is_known_from_its_selective_acknowledgment() {
    let lost = || open().unacknowledged().client(&[0; 1400]).client(b"small").server_ack();
    let again = |story: Conversation| client(story.wait_ms(300).unacknowledged().client_retransmit_missing());
    assert!(again(lost()).passed_over_stuck());
    let story = open().unacknowledged().client(&[0; 1400]).unacknowledged().client(b"small").server_ack();
    assert!(!again(story).passed_over_stuck());
    let stamped = Conversation::new("10.0.0.10:40000", "10.244.1.1:9443").timestamps().handshake();
    let story = stamped.unacknowledged().client(&[0; 1400]).client(b"small").server_ack();
    assert!(again(story).passed_over_stuck(), "beside timestamps");
}

#[test]
fn a_second_syn_is_a_retransmission() {
    let story = Conversation::new("10.0.0.10:40000", "10.244.1.1:9443");
    let half = client(story.unacknowledged().syn().wait_ms(1_000).client_retransmit().syn_ack().ack());
    assert_eq!((half.syn, half.retransmissions), (2, 1));
}

#[test]
fn a_connection_without_a_syn_begins_with_what_is_seen_first() {
    let story = Conversation::new("10.0.0.10:40000", "10.244.1.1:9443");
    let half = client(story.client(b"middle").server_ack().client_retransmit());
    assert_eq!((half.retransmissions, half.has_losses(), half.is_acknowledged()), (1, false, true));
    assert!(half.stuck().is_none(), "it was acknowledged before");
}

fn watch_records(capture: &hookscope_testkit::Capture) -> Half {
    crate::connection::tests::watch_records(&capture.records).halves.client
}

/// A segment of `length` octets, some of them captured.
fn piece(number: u64, flags: u8, seq: u32, length: u32, captured: &[u8]) -> Segment<'_> {
    let ends = [1, 2].map(|last| Endpoint { address: Address::v4([10, 0, 0, last]), port: 443 });
    let (key, from) = FlowKey::of(ends[0], ends[1]);
    Segment {
        key,
        hash: 0,
        from,
        flags: Flags(flags),
        time: Timestamp::from_nanos(number as i64),
        frame: Frame::new(0, number),
        seq,
        ack: 0,
        window: 1,
        ip_id: 0,
        ttl: 64,
        vantage: Vantage::default(),
        payload_len: length,
        payload: captured,
        options: &[],
    }
}

proptest! {
    /// A segment that just goes on changes what any other way of taking it would change.
    #[test]
    fn a_segment_that_goes_on_is_taken_like_any_other(
        initial in any::<u32>(),
        has_syn in any::<bool>(),
        steps in prop::collection::vec(
            (
                prop_oneof![6 => Just(None), 1 => (0..200_u32).prop_map(Some)],
                prop_oneof![9 => 1..30_u32, 1 => Just(0)],
                prop_oneof![8 => Just(0x18_u8), 4 => Just(0x10_u8), 1 => 0..0x40_u8],
                prop_oneof![9 => Just(false), 1 => Just(true)],
                prop_oneof![3 => Just(None), 1 => (0..220_u32).prop_map(Some)],
            ),
            1..30,
        ),
    ) {
        let (octets, mut end) = ([7; 30], 1);
        let (mut quick, mut slow) = (Half::default(), Half::default());
        let mut delivered = [String::new(), String::new()];
        if has_syn {
            quick.synchronised(&piece(1, 0x02, initial, 0, &[]));
            slow.synchronised(&piece(1, 0x02, initial, 0, &[]));
        }
        for (number, (place, length, flags, is_cut, ack)) in (2..).zip(steps) {
            let place = place.unwrap_or(end);
            end = end.max(place + length);
            let captured = &octets[..(if is_cut { length / 2 } else { length }) as usize];
            let segment = piece(number, flags, initial.wrapping_add(place), length, captured);
            let at = Moment { time: segment.time, frame: segment.frame };
            let [by_quick, by_slow] = &mut delivered;
            if segment.flags.has(Flags::SYN) {
                quick.synchronised(&segment);
                slow.synchronised(&segment);
            }
            let is_over = length == 0 && !segment.flags.has(Flags::ENDING);
            if !is_over {
                if quick.goes_on(&segment, at) {
                    by_quick.push_str(&format!("{:?} {at:?}", Chunk::Data(captured)));
                } else {
                    quick.sent(&segment, at, false, 300, &mut |chunk, at| {
                        by_quick.push_str(&format!("{chunk:?} {at:?}"));
                    });
                }
                quick.take_close(Some(at));
            }
            if !is_over || segment.flags.has(Flags::SYN) {
                slow.sent(&segment, at, false, 300, &mut |chunk, at| {
                    by_slow.push_str(&format!("{chunk:?} {at:?}"));
                });
                slow.take_close(Some(at));
            }
            for half in [&mut quick, &mut slow] {
                if let Some(ack) = ack {
                    half.acknowledged(initial.wrapping_add(ack), None);
                }
            }
            prop_assert_eq!(format!("{quick:?}"), format!("{slow:?}"));
        }
        prop_assert_eq!(&delivered[0], &delivered[1]);
    }
}
