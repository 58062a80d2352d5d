use hookscope_testkit::tls;
use proptest::prelude::*;

use super::*;
use crate::config::Limits;
use crate::packet::Frame;
use crate::time::Timestamp;

/// What is known after these chunks. With a `glance`, records are taken the quick way where there is one.
fn run(chunks: &[(Side, Vec<u8>)], joins: bool, glance: bool) -> String {
    let (mut application, mut shared) = (Application::default(), Shared::default());
    if joins {
        application.join_midstream(Side::Client);
        application.join_midstream(Side::Server);
    }
    for (number, (side, octets)) in (1..).zip(chunks) {
        let moment = |number: i64| Moment {
            time: Timestamp::from_nanos(number * 40_000_000),
            frame: Frame::new(0, number as u64),
        };
        let context = Context {
            opened: Some(moment(1)),
            ready: application.complete(),
            may_send_tickets: application.may_send_tickets(),
            is_acknowledged: number % 3 > 0,
        };
        let around = &mut Around { limits: &Limits::default(), shared: &mut shared };
        let at = moment(number);
        let rest = if glance {
            application.data(*side, octets, at, &context, &mut around.shared.ended)
        } else {
            octets
        };
        if !rest.is_empty() {
            application.chunk(*side, Chunk::Data(rest), at, &context, around);
        }
    }
    format!("{application:?} {:?}", shared.ended)
}

/// How a session begins, as far as it is seen.
fn opening(which: usize) -> Vec<(Side, Vec<u8>)> {
    use Side::{Client, Server};
    let finished = || [tls::change_cipher_spec(), tls::encrypted_handshake(40)].concat();
    let hello = |protocols: &[&str], is_13| (Client, tls::client_hello(Some("a.b.svc"), protocols, is_13, 0));
    let hello_12 =
        |cipher| (Server, [tls::server_hello(false, cipher, None), tls::server_hello_done()].concat());
    let flight_13 = || (Server, tls::go_tls13_server_flight());
    match which {
        0 => vec![hello(&["http/1.1"], true), flight_13(), (Client, tls::go_tls13_client_finished())],
        1 => vec![hello(&["http/1.1"], false), hello_12(0xc02b), (Client, finished()), (Server, finished())],
        2 => vec![hello(&["h2", "http/1.1"], true), flight_13(), (Client, tls::go_tls13_client_finished())],
        3 => vec![hello(&[], true), flight_13(), (Client, tls::go_tls13_client_finished())],
        // The client's Certificate, too.
        4 => vec![
            hello(&["http/1.1"], true),
            flight_13(),
            (Client, [tls::application_data(700), tls::application_data(53)].concat()),
        ],
        // Only one side is seen, or neither.
        5 => vec![flight_13()],
        6 => vec![hello(&["http/1.1"], true)],
        _ => vec![],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// What is taken the quick way leaves all as it would be left otherwise.
    #[test]
    fn a_glance_at_a_record_says_all(
        which in 0..9_usize,
        records in prop::collection::vec(
            (
                any::<bool>(),
                prop_oneof![20 => Just(23_u8), 1 => 20..25_u8],
                prop_oneof![
                    4 => Just(300_u16), 2 => Just(301), 2 => Just(19), 1 => Just(34), 1 => Just(53), 1 => 0..1200_u16
                ],
                prop_oneof![6 => Just(0_usize), 1 => 0..30_usize],
                any::<bool>(),
            ),
            0..24,
        ),
    ) {
        let mut chunks = opening(which);
        for (from_client, kind, length, cut, joined) in records {
            let side = if from_client { Side::Client } else { Side::Server };
            let [high, low] = length.to_be_bytes();
            let record = [&[kind, 3, 3, high, low][..], &vec![1; length.into()]].concat();
            let (head, tail) = record.split_at(cut.min(record.len()));
            match chunks.last_mut() {
                Some((last, octets)) if joined && *last == side => octets.extend_from_slice(head),
                _ => chunks.push((side, head.to_vec())),
            }
            chunks.push((side, tail.to_vec()));
        }
        let joins = which > 6;
        prop_assert_eq!(run(&chunks, joins, true), run(&chunks, joins, false));
    }
}
