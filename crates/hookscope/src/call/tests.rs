use super::*;
use crate::packet::Frame;
use crate::time::Timestamp;

fn at(millis: i64) -> Moment {
    Moment { time: Timestamp::from_nanos(millis * 1_000_000), frame: Frame::new(0, millis as u64) }
}

fn context() -> Context {
    Context { opened: Some(at(0)), ready: Some(at(10)), may_send_tickets: true, is_acknowledged: true }
}

fn record(calls: &mut Calls, side: Side, length: u16, millis: i64) -> Option<Call> {
    let mut ended = Vec::new();
    calls.began(side, length, at(millis), &context(), &mut ended);
    calls.octets(side, u64::from(length) + 5, at(millis));
    ended.pop()
}

#[test]
fn calls_alternate_and_the_first_begins_with_the_syn() {
    let mut calls = Calls::default();
    assert!(record(&mut calls, Side::Client, 100, 11).is_none());
    record(&mut calls, Side::Server, 50, 30);
    let first = record(&mut calls, Side::Client, 100, 500).unwrap();
    assert_eq!((first.index, first.start, first.request_bytes, first.response_bytes), (0, at(0), 105, 55));
    assert_eq!((first.first_byte, first.last_byte), (Some(at(30)), Some(at(30))));
    assert_eq!(calls.last.unwrap().start, at(500));
    assert_eq!(calls.count, 2);
}

#[test]
fn a_first_request_after_a_long_wait_begins_with_itself() {
    let mut calls = Calls::default();
    record(&mut calls, Side::Client, 100, 1_011);
    assert_eq!(calls.last.unwrap().start, at(1_011));
}

#[test]
fn two_records_of_one_size_after_the_handshake_are_tickets() {
    let mut calls = Calls::default();
    record(&mut calls, Side::Client, 1140, 11);
    record(&mut calls, Side::Server, 250, 12);
    record(&mut calls, Side::Server, 250, 13);
    assert_eq!(calls.last.unwrap().first_byte, None);
    record(&mut calls, Side::Server, 162, 20);
    record(&mut calls, Side::Server, 162, 21);
    let call = calls.last.unwrap();
    assert_eq!((call.first_byte, call.response_bytes), (Some(at(20)), 334));
}

#[test]
fn a_response_in_records_of_different_sizes_is_no_ticket() {
    let mut calls = Calls::default();
    record(&mut calls, Side::Client, 1140, 11);
    record(&mut calls, Side::Server, 162, 12);
    record(&mut calls, Side::Server, 159, 13);
    let call = calls.last.unwrap();
    assert_eq!((call.first_byte, call.response_bytes), (Some(at(12)), 331));
}

#[test]
fn equal_records_were_the_response_when_another_request_follows() {
    let mut calls = Calls::default();
    record(&mut calls, Side::Client, 1140, 11);
    record(&mut calls, Side::Server, 162, 12);
    record(&mut calls, Side::Server, 162, 13);
    let first = record(&mut calls, Side::Client, 1140, 200).unwrap();
    assert_eq!((first.first_byte, first.last_byte, first.response_bytes), (Some(at(12)), Some(at(13)), 334));
}

#[test]
fn what_comes_before_the_first_request_is_no_response() {
    let mut calls = Calls::default();
    record(&mut calls, Side::Server, 250, 11);
    record(&mut calls, Side::Client, 1140, 12);
    record(&mut calls, Side::Server, 250, 13);
    assert_eq!(calls.last.unwrap().first_byte, None);
}

#[test]
fn what_follows_the_clients_closing_is_no_response() {
    let mut calls = Calls::default();
    record(&mut calls, Side::Client, 1140, 11);
    calls.close(Side::Client, at(10_000));
    record(&mut calls, Side::Server, 92, 10_001);
    let call = calls.last.unwrap();
    assert_eq!((call.first_byte, call.response_bytes), (None, 0));
}
