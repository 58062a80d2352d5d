use std::time::Duration;

use hookscope_testkit::{Conversation, tls};

use super::*;
use crate::connection::tests::watch;

/// What `deadline_met` says, in milliseconds.
fn met(configured: u64, elapsed: i64) -> Option<i64> {
    let connection = watch(Conversation::new("10.0.0.10:40000", "10.244.1.1:9443").syn());
    let config = Config { deadline: Duration::from_millis(configured), ..Config::default() };
    let case = Case { connection: &connection, now: Timestamp::MIN, config: &config };
    case.deadline_met(Elapsed::from_millis(elapsed)).map(|deadline| deadline.as_nanos() / 1_000_000)
}

#[test]
fn whole_seconds_from_one_to_thirty_are_deadlines() {
    for second in 1..=30 {
        for off in [-150, 0, 150] {
            assert_eq!(met(60_000, second * 1_000 + off), Some(second * 1_000));
        }
    }
}

#[test]
fn what_is_further_from_a_second_is_none() {
    for elapsed in [0, 120, 500, 849, 1_151, 3_400, 9_849, 30_151, 31_000, 59_000] {
        assert_eq!(met(60_000, elapsed), None, "{elapsed} ms");
    }
}

#[test]
fn the_configured_deadline_is_one_whether_whole_or_not() {
    assert_eq!(met(10_000, 9_860), Some(10_000));
    assert_eq!(met(10_000, 12_000), Some(12_000), "the whole second is the better guess");
    assert_eq!(met(2_500, 2_400), Some(2_500), "a deadline need not be whole");
    assert_eq!(met(2_500, 2_300), None);
    assert_eq!(met(10_000, 90_000), None, "past it is not at it");
}

#[test]
fn whoever_gives_up_past_the_configured_deadline_kept_it() {
    assert_eq!(kept(10, 10_400), Some(10_000));
    assert_eq!(kept(10, 34_500), Some(10_000));
}

fn hello() -> Vec<u8> {
    tls::client_hello(Some("hook.default.svc"), &["http/1.1"], true, 0)
}

/// What `deadline_kept` says, in milliseconds, of a client that waits so long with its request, and then so long for the
/// response.
fn kept(before_request: i64, after_request: i64) -> Option<i64> {
    let story = Conversation::new("10.0.0.10:40000", "10.244.1.1:9443").handshake().client(&hello());
    let story = story.server(&tls::go_tls13_server_flight()).client(&tls::go_tls13_client_finished());
    let story = story.server_ack().wait_ms(before_request).client(&tls::application_data(1140)).server_ack();
    let connection = watch(story.wait_ms(after_request).client_fin());
    let case = Case { connection: &connection, now: Timestamp::MIN, config: &Config::default() };
    let end = connection.halves.client.fin_at().unwrap();
    case.deadline_kept(case.last_call().unwrap(), end).map(|deadline| deadline.as_nanos() / 1_000_000)
}

#[test]
fn the_deadline_of_a_connections_first_call_counts_from_its_syn() {
    assert_eq!(kept(10, 4_990), Some(5_000));
    assert_eq!(kept(10, 3_400), None);
}

#[test]
fn a_first_request_that_waited_may_have_a_deadline_of_its_own() {
    // The connection was dialled for another call, or long before: either clock may have rung.
    assert_eq!(kept(500, 4_500), Some(5_000), "since the SYN");
    assert_eq!(kept(500, 5_000), Some(5_000), "since the request");
    assert_eq!(kept(5_400, 3_000), Some(3_000), "since the request alone");
    assert_eq!(kept(5_400, 2_600), None, "8 s since the SYN are not the call's");
}

#[test]
fn a_side_that_closed_in_several_ways_closed_with_the_first() {
    let open =
        || Conversation::new("10.0.0.10:40000", "10.244.1.1:9443").handshake().client(&hello()).server_ack();
    let first = |story: Conversation| {
        let connection = watch(story);
        let case = Case { connection: &connection, now: Timestamp::MIN, config: &Config::default() };
        case.first_close().map(|close| (close.side, close.how, close.at.frame.number()))
    };
    assert_eq!(first(open()), None);
    assert_eq!(first(open().server_fin().client_fin()), Some((Side::Server, How::Fin, 6)));
    assert_eq!(first(open().client_rst().server_fin()), Some((Side::Client, How::Rst, 6)));
    let alert = open().server(&tls::alert(2, 80)).server_fin();
    assert_eq!(first(alert), Some((Side::Server, How::Alert, 6)));
}

#[test]
fn a_rst_after_a_fin_is_not_how_a_side_ended() {
    let open = || Conversation::new("10.0.0.10:40000", "10.244.1.1:9443").handshake();
    let rst = |story: Conversation| {
        let connection = watch(story);
        let case = Case { connection: &connection, now: Timestamp::MIN, config: &Config::default() };
        case.rst_of(Side::Client).is_some()
    };
    assert!(rst(open().client_rst()));
    assert!(!rst(open().client_fin().client_rst()));
}
