use hookscope_testkit::transform::{self, Link};
use hookscope_testkit::{Capture, Conversation, tls};

use super::*;
use crate::config::Keep;
use crate::packet::{Frame, LinkType};
use crate::report::Input;
use crate::report::schema::Report;
use crate::verdict::By;

/// The report on a capture, every connection in it.
fn report(capture: &Capture) -> Report {
    let mut inspector = Inspector::new(Config { keep: Keep::All, shards: 2, ..Config::default() });
    for (number, record) in (1..).zip(&capture.records) {
        inspector.observe(&Packet {
            time: Timestamp::from_nanos(record.time_ns),
            frame: Frame::new(0, number),
            link_type: LinkType(capture.link_type),
            interface: 0,
            wire_len: record.wire_len,
            data: &record.data,
        });
    }
    inspector.finish().report(&Input::default())
}

/// A capture on `any`, all on one interface.
fn on_interface(capture: &Capture, interface: u32) -> Capture {
    let mut cooked = transform::relink(capture, Link::LinuxSll2);
    for record in &mut cooked.records {
        record.data[4..8].copy_from_slice(&interface.to_be_bytes());
    }
    cooked
}

fn answered_call(server: &str) -> Conversation {
    Conversation::new("10.0.0.10:40000", server)
        .sequence_numbers(77, 99)
        .at_ms(1000)
        .handshake()
        .tls13_handshake("hook.default.svc")
        .client(&tls::application_data(900))
        .server_ack()
        .server(&tls::application_data(300))
        .client_ack()
}

#[test]
fn a_connection_seen_before_and_after_address_translation_is_one() {
    let before = on_interface(&answered_call("10.96.0.20:443").capture(), 2);
    let mut after = on_interface(&answered_call("10.244.1.1:9443").capture(), 3);
    for record in &mut after.records {
        record.time_ns += 20_000;
    }
    let both = report(&Capture::merge(&[before.clone(), after]));
    assert_eq!(both.summary.connections, 1);
    assert_eq!(both.capture.duplicates as usize, before.records.len());
    assert_eq!(both.connections[0].verdict.code, "ok");
    assert_eq!(both.connections[0].retransmissions.client, 0);
    assert_eq!(both.connections[0].calls.len(), 1);
}

#[test]
fn connections_of_one_client_port_to_two_servers_are_two() {
    let one = on_interface(&answered_call("10.96.0.20:443").capture(), 2);
    let other = Conversation::new("10.0.0.10:40000", "10.244.1.1:9443").sequence_numbers(5, 6).at_ms(1000);
    let other = on_interface(&other.handshake().capture(), 3);
    assert_eq!(report(&Capture::merge(&[one, other])).summary.connections, 2);
}

#[test]
fn an_icmp_error_alone_makes_the_connection_that_it_quotes() {
    let refused =
        Conversation::new("10.0.0.10:40000", "10.96.0.20:443").syn().icmp_error("10.0.0.10", 3, 3, 0);
    let mut capture = refused.capture();
    capture.records.remove(0);
    let report = report(&capture);
    let connection = &report.connections[0];
    assert_eq!(
        (connection.client.as_str(), connection.server.as_str()),
        ("10.0.0.10:40000", "10.96.0.20:443")
    );
    assert_eq!(
        (connection.verdict.code, connection.verdict.by),
        ("icmp-port-unreachable", Some(By::Network))
    );
    assert_eq!(connection.verdict.evidence[0].frame, 1);
    assert_eq!(connection.packets.client, 0);
}

#[test]
fn an_icmp_error_that_quotes_the_untranslated_address_finds_its_connection() {
    let quoted = Conversation::new("10.0.0.10:40000", "10.96.0.20:443").sequence_numbers(77, 99);
    let mut error = quoted.syn().icmp_error("10.0.0.1", 3, 13, 0).capture();
    error.records.remove(0);
    let syn =
        Conversation::new("10.0.0.10:40000", "10.244.1.1:9443").sequence_numbers(77, 99).syn().capture();
    let report = report(&Capture::merge(&[syn, error]));
    assert_eq!(report.summary.connections, 1);
    assert_eq!(report.connections[0].server, "10.244.1.1:9443");
    assert_eq!(report.connections[0].verdict.code, "icmp-admin-prohibited");
}

#[test]
fn that_a_packet_was_too_long_is_no_failure() {
    let healthy = answered_call("10.244.1.1:9443").icmp_error("10.0.0.1", 3, 4, 1280);
    assert_eq!(report(&healthy.capture()).connections[0].verdict.code, "ok");
}

#[test]
fn an_icmp_error_that_the_connection_survives_is_no_failure() {
    let survives = Conversation::new("10.0.0.10:40000", "10.244.1.1:9443")
        .syn()
        .icmp_error("10.0.0.1", 3, 1, 0)
        .wait_ms(1000)
        .client_retransmit()
        .syn_ack()
        .ack()
        .tls13_handshake("hook.default.svc")
        .client(&tls::application_data(900))
        .server(&tls::application_data(300))
        .client_ack();
    assert_eq!(report(&survives.capture()).connections[0].verdict.code, "syn-retransmitted");
}

#[test]
fn a_response_that_the_capture_lost_is_not_called_missing() {
    let lossy = Conversation::new("10.0.0.10:40000", "10.244.1.1:9443")
        .handshake()
        .tls13_handshake("hook.default.svc")
        .client(&tls::application_data(900))
        .server_ack()
        .lost()
        .server(&tls::application_data(300))
        .client_ack()
        .wait_ms(10_000)
        .client(&tls::close_notify13())
        .client_fin();
    assert_eq!(report(&lossy.capture()).connections[0].verdict.code, "capture-incomplete");
}

#[test]
fn the_front_of_a_cut_client_hello_names_the_server() {
    let hello = tls::client_hello(Some("hook.default.svc"), &["http/1.1"], true, 1500);
    let story =
        Conversation::new("10.0.0.10:40000", "10.244.1.1:9443").handshake().client(&hello).server_ack();
    let cut = report(&transform::snap(&story.capture(), 256));
    assert_eq!(cut.connections[0].server_name.as_deref(), Some("hook.default.svc"));
    assert_eq!(cut.connections[0].verdict.code, "capture-incomplete");
}

#[test]
fn last_words_of_what_may_be_http2_are_no_aborted_call() {
    let hello = tls::client_hello(None, &[], true, 1500);
    let story = Conversation::new("10.0.0.10:40000", "10.0.0.1:6443")
        .handshake()
        .client(&hello)
        .server(&tls::go_tls13_server_flight())
        .client(&tls::go_tls13_client_finished())
        .client(&tls::application_data(60))
        .server(&tls::application_data(300))
        .wait_ms(200)
        .client(&tls::application_data(60))
        .client(&tls::close_notify13())
        .client_fin()
        .capture();
    assert_eq!(report(&story).connections[0].verdict.code, "client-aborted");
    assert_eq!(report(&transform::snap(&story, 120)).connections[0].verdict.code, "capture-incomplete");
}

#[test]
fn a_connection_joined_late_that_speaks_http2_has_no_calls() {
    let story = |control: usize| {
        let mut capture = Conversation::new("10.0.0.10:40000", "10.0.0.1:6443")
            .handshake()
            .tls13_handshake("unseen")
            .client(&tls::application_data(control))
            .server(&tls::application_data(34))
            .wait_ms(30_000)
            .client(&tls::application_data(200))
            .server_fin()
            .capture();
        capture.records.drain(..9);
        report(&capture)
    };
    let http2 = story(34);
    assert_eq!((http2.connections[0].verdict.code, http2.summary.calls), ("idle", 0));
    assert_eq!(story(300).connections[0].verdict.code, "fin-before-response");
}

#[test]
fn what_a_client_sends_to_close_is_missed_by_nobody() {
    let farewell = answered_call("10.244.1.1:9443")
        .wait_ms(1300)
        .unacknowledged()
        .client(&tls::close_notify13())
        .wait_ms(200)
        .client_retransmit()
        .wait_ms(400)
        .client_retransmit()
        .wait_ms(800)
        .client_retransmit();
    assert_eq!(report(&farewell.capture()).connections[0].verdict.code, "ok");
}

#[test]
fn a_rst_from_elsewhere_shows_by_its_time_to_live() {
    let mut capture =
        answered_call("10.244.1.1:9443").client(&tls::application_data(900)).server_rst().capture();
    let summary = |capture: &Capture| report(capture).connections[0].verdict.summary.clone();
    assert!(!summary(&capture).contains("TTL"));
    capture.records.last_mut().unwrap().data[14 + 8] = 255;
    assert!(summary(&capture).contains("TTL of 255 is not the 64"), "{}", summary(&capture));
}

#[test]
fn what_is_counted_of_syns_is_what_a_closer_look_finds() {
    for syns in 1..4 {
        for watched_ms in [0, 999, 1_000, 60_000, 200_000] {
            let open = Conversation::new("10.0.0.10:40000", "10.244.1.1:9443").syn();
            let opening = (1..syns).fold(open, |story, _| story.wait_ms(1_000).client_retransmit());
            let end = (syns as i64 - 1) * 1_000 + watched_ms;
            let other =
                Conversation::new("10.0.0.11:40000", "10.244.1.2:9443").at_ms(end).server_keep_alive();
            let both = report(&Capture::merge(&[opening.capture(), other.capture()]));
            for connection in &both.connections {
                let code = &connection.verdict.code;
                let alike = both.connections.iter().filter(|other| other.verdict.code == *code).count();
                assert_eq!(
                    both.summary.verdicts[&code[..]],
                    alike as u64,
                    "{syns} SYNs, {watched_ms} ms: {code}"
                );
            }
        }
    }
}
