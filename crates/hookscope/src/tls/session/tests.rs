use hookscope_testkit::{Conversation, tls, transform};

use super::*;
use crate::connection::Connection;
use crate::connection::tests::{watch, watch_records};

fn open() -> Conversation {
    Conversation::new("10.0.0.10:40000", "10.244.1.1:9443").handshake()
}

fn greeted() -> Conversation {
    open().client(&tls::client_hello(Some("hook.default.svc"), &["http/1.1"], true, 0)).server_ack()
}

fn session(story: Conversation) -> Session {
    of(watch(story))
}

fn of(connection: Connection) -> Session {
    connection.application.session.unwrap()
}

fn frame(at: Option<Moment>) -> Option<u64> {
    at.map(|at| at.frame.number())
}

/// The server's flight and the client's records in answer, in packets 6 and 8.
fn answered(records: &[u8]) -> Session {
    session(greeted().server(&tls::go_tls13_server_flight()).client_ack().client(records))
}

#[test]
fn tls13_is_complete_with_the_clients_finished() {
    let session = answered(&tls::go_tls13_client_finished());
    assert_eq!(frame(session.complete), Some(8));
    assert_eq!((frame(session.server_flight), session.rejected().is_some()), (Some(6), false));
    assert!(session.version().is_some_and(Version::is_13));
    assert_eq!(session.offered().unwrap().server_name.as_deref(), Some("hook.default.svc"));
}

#[test]
fn an_alert_in_place_of_the_finished_is_a_rejection() {
    let session = answered(&tls::go_tls13_client_reject());
    assert_eq!((frame(session.rejected()), session.complete.is_some()), (Some(8), false));
    assert_eq!(frame(session.closed(Side::Client)), Some(8));
}

#[test]
fn a_record_before_the_finished_is_the_clients_certificate() {
    let certificate = tls::application_data(4 + 4 + 1 + 16);
    let records = [tls::change_cipher_spec(), certificate, tls::application_data(53)].concat();
    let session = answered(&records);
    assert_eq!((frame(session.client_certificate()), frame(session.complete)), (Some(8), Some(8)));
    assert!(answered(&tls::go_tls13_client_finished()).client_certificate().is_none());
}

#[test]
fn a_retry_request_does_not_end_the_handshake() {
    let session = session(open().tls13_retry_handshake("hook.default.svc"));
    assert!(session.complete.is_some());
    assert_eq!((session.rejected().is_some(), session.client_certificate().is_some()), (false, false));
    assert_eq!(frame(session.client_hello.map(|hello| hello.at)), Some(4), "the first ClientHello counts");
}

#[test]
fn tls12_is_complete_with_the_later_finished() {
    let session = session(open().tls12_handshake("hook.default.svc"));
    assert_eq!(frame(session.complete), Some(9));
    assert!(session.version().is_some_and(|version| !version.is_13()));
    assert_eq!(session.leaf(), Some(tls::CERTIFICATE));
}

#[test]
fn a_resumed_tls12_session_is_complete_with_the_clients_finished() {
    let finished = || [tls::change_cipher_spec(), tls::encrypted_handshake(40)].concat();
    let hello = tls::client_hello(Some("hook.default.svc"), &["http/1.1"], false, 0);
    let flight = [tls::server_hello(false, 0xc02b, Some("http/1.1")), finished()].concat();
    let session =
        session(open().client(&hello).server_ack().server(&flight).client(&finished()).server_ack());
    assert_eq!((frame(session.complete), session.leaf().is_some()), (Some(7), false));
}

#[test]
fn an_alert_that_is_split_over_segments_is_read_and_bears_the_packet_that_completes_it() {
    let alert = tls::alert(2, 40);
    for cut in 1..alert.len() {
        let (head, tail) = alert.split_at(cut);
        let session = session(greeted().server(head).server(tail).server_fin());
        let [alert] = session.alerts()[..] else { panic!("one alert") };
        assert_eq!((alert.by, alert.description.0, alert.is_fatal), (Side::Server, 40, true));
        assert_eq!(alert.at.frame.number(), 7);
    }
}

#[test]
fn a_warning_is_not_fatal_and_close_notify_closes() {
    let warned = session(greeted().server(&tls::alert(1, 112)));
    assert_eq!((warned.alerts()[0].is_fatal, warned.closed(Side::Server).is_some()), (false, false));
    let closed = session(greeted().server(&tls::alert(1, 0)));
    assert_eq!((closed.alerts()[0].is_fatal, frame(closed.closed(Side::Server))), (false, Some(6)));
}

#[test]
fn alerts_past_a_bound_are_not_kept() {
    let many = (0..40).flat_map(|_| tls::alert(1, 112)).collect::<Vec<_>>();
    assert_eq!(session(greeted().server(&many)).alerts().len(), Session::MAX_ALERTS);
}

#[test]
fn a_handshake_cut_by_the_snap_length_is_still_followed_by_its_records() {
    let story = greeted().server(&tls::go_tls13_server_flight()).client_ack();
    let capture = story.client(&tls::go_tls13_client_finished()).server_ack().capture();
    let session = of(watch_records(&transform::snap(&capture, 96).records));
    assert_eq!(frame(session.client_hello.as_ref().map(|hello| hello.at)), Some(4));
    assert!(session.offered().is_none(), "the ClientHello was cut");
    assert!(session.server_hello.is_some_and(|hello| hello.said.is_none()));
}

#[test]
fn a_message_split_over_records_is_read() {
    let hello = tls::client_hello(Some("hook.default.svc"), &["http/1.1"], true, 0);
    let session = session(open().client(&tls::in_records_of(7, &hello)).server_ack());
    assert_eq!(session.offered().unwrap().server_name.as_deref(), Some("hook.default.svc"));
}

#[test]
fn application_data_after_a_missed_finished_completes_tls12() {
    let hello = tls::client_hello(Some("hook.default.svc"), &["http/1.1"], false, 0);
    let story = open().client(&hello).server_ack();
    let story = story.server(&tls::server_hello(false, 0xc02b, None)).client_ack();
    let session = session(story.client(&tls::application_data(500)).server_ack());
    assert_eq!(frame(session.complete), Some(8));
}
