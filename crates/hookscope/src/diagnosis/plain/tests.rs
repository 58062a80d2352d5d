use std::time::Duration;

use hookscope_testkit::{Conversation, tls};
use proptest::prelude::*;

use super::*;
use crate::config::Config;
use crate::connection::Connection;
use crate::connection::tests::watch;
use crate::time::Timestamp;

fn hello() -> Vec<u8> {
    tls::client_hello(Some("hook.default.svc"), &["http/1.1"], true, 0)
}

/// What the two sides and the path between them may do next.
const STEPS: [fn(Conversation) -> Conversation; 30] = [
    |story| story.handshake().tls13_handshake("hook.default.svc"),
    |story| story.client(&tls::application_data(1140)).server_ack(),
    |story| story.server(&tls::application_data(300)).client_ack(),
    |story| story.client(&tls::application_data(700)).server(&tls::application_data(90)),
    |story| story.handshake(),
    |story| story.handshake().tls12_handshake("hook.default.svc"),
    |story| story.handshake().tls13_reject("hook.default.svc"),
    |story| story.handshake().tls13_retry_handshake("hook.default.svc"),
    |story| story.client(&hello()).server_ack(),
    |story| story.server(&tls::go_tls13_server_flight()),
    |story| story.client(&tls::go_tls13_client_finished()).server_ack(),
    |story| story.client(&tls::close_notify13()),
    |story| story.server(&tls::close_notify13()),
    |story| story.server(&tls::alert(2, 40)),
    |story| story.client(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n").server_ack(),
    |story| story.client(b"CONNECT hook.default.svc:443 HTTP/1.1\r\n\r\n").server_ack(),
    |story| story.server(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
    |story| story.server(b"HTTP/1.1 200 OK\r\n\r\n"),
    |story| story.client_fin(),
    |story| story.server_fin(),
    |story| story.client_rst(),
    |story| story.server_rst(),
    |story| story.client_retransmit(),
    |story| story.server_retransmit(),
    |story| story.unacknowledged(),
    |story| story.lost(),
    |story| story.syn(),
    |story| story.wait_ms(300),
    |story| story.wait_ms(1_000),
    |story| story.wait_ms(4_900),
];

fn told(steps: &[usize]) -> Conversation {
    let dialled = Conversation::new("10.0.0.10:40000", "10.244.1.1:9443").at_ms(1_000);
    steps.iter().fold(dialled, |story, &step| STEPS[step](story))
}

/// Asks the shortcuts about the connection of a conversation, watched for so long after it, and holds them against the
/// rules. Says what they said of the connection and of its last call.
fn asked(story: Conversation, longer: i64) -> (bool, Option<bool>) {
    let connection: Connection = watch(story);
    let slow = Some(Duration::from_secs(1));
    let now = Timestamp::from_nanos(connection.last.time.as_nanos() + longer * 1_000_000);
    let config = Config { slow, ..Config::default() };
    let case = Case { connection: &connection, now, config: &config };
    let is_plain = is_plain(&case);
    assert!(!is_plain || is_so(&case), "{:?}", findings(&case).reduce(first));
    let of_call = case.last_call().filter(|call| call.is_answered()).map(|call| {
        let is_plain = is_plain_call(&case, call);
        assert!(!is_plain || is_so_of_call(&case, call), "{call:?}");
        is_plain
    });
    (is_plain, of_call)
}

#[test]
fn an_answered_call_is_plain_while_it_is_open_and_when_it_was_closed_in_order() {
    assert_eq!(asked(told(&[0, 1, 2]), 60_000), (true, Some(true)));
    assert_eq!(asked(told(&[5, 1, 2, 1, 2]), 0), (true, Some(true)));
    assert_eq!(asked(told(&[0, 1, 2, 11, 18, 12, 19]), 0), (true, Some(true)));
    assert_eq!(asked(told(&[0, 1, 2, 28, 28, 12, 19, 11, 18]), 0), (true, Some(true)), "the server was idle");
}

#[test]
fn what_a_rule_may_say_something_of_is_not_plain() {
    for (why, steps) in [
        ("no answer", &[0, 1][..]),
        ("broken off at a deadline", &[0, 1, 2, 29, 11, 18]),
        ("RST in the response", &[0, 1, 2, 21]),
        ("no call", &[0]),
        ("a SYN again", &[26, 28, 0, 1, 2]),
        ("swallowed", &[0, 1, 2, 24, 2, 28, 23, 28, 23]),
        ("plain HTTP", &[4, 14, 17]),
    ] {
        assert!(!asked(told(steps), 0).0, "{why}");
    }
    assert_eq!(asked(told(&[0, 1, 28, 28, 2]), 0), (false, Some(false)), "slow");
}

proptest! {
    /// Of no conversation a rule says more than `ok`, where the facts say that none does.
    #[test]
    fn what_is_plain_is_healthy_by_every_rule(
        begin in 0usize..3,
        steps in prop::collection::vec(0..STEPS.len(), 0..10),
        longer in 0i64..40_000,
    ) {
        // Mostly of a call that was made: else little would be plain.
        let mut all = [&[0, 1, 2][..], &[5, 3], &[4]][begin].to_vec();
        all.extend(steps);
        asked(told(&all), longer);
    }
}
