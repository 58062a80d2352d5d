//! Whole conversations through one connection; [`watch`] is for the tests of other layers, too.

use hookscope_testkit::{Conversation, Record, tls};

use super::*;
use crate::packet::{Frame, LinkType, Packet};
use crate::tls::session::Session;
use crate::wire::{Decoded, decode};

/// The connection that a conversation's packets make, whatever else they might open.
pub(crate) fn watch(story: Conversation) -> Connection {
    watch_records(&story.capture().records)
}

/// The same of packets in any order.
pub(crate) fn watch_records(records: &[Record]) -> Connection {
    let mut shared = Shared::default();
    let mut connection = watch_on(records, &mut shared);
    connection.finish(&mut Around { limits: &Limits::default(), shared: &mut shared });
    assert_eq!(shared.held(), 0);
    connection
}

/// The same, with more packets to come.
fn watch_on(records: &[Record], shared: &mut Shared) -> Connection {
    let mut connection: Option<Connection> = None;
    each_of(records, |segment| {
        let connection = connection.get_or_insert_with(|| Connection::new(0, segment));
        connection.observe(segment, &mut Around { limits: &Limits::default(), shared });
        assert_eq!(shared.held(), connection.held(), "{}", segment.frame.number());
    });
    connection.unwrap()
}

fn each_segment(story: Conversation, take: impl FnMut(&Segment<'_>)) {
    each_of(&story.capture().records, take);
}

fn each_of(records: &[Record], mut take: impl FnMut(&Segment<'_>)) {
    for (number, record) in (1..).zip(records) {
        let packet = Packet {
            time: Timestamp::from_nanos(record.time_ns),
            frame: Frame::new(0, number),
            link_type: LinkType::ETHERNET,
            interface: 0,
            wire_len: record.wire_len,
            data: &record.data,
        };
        let Ok(Decoded::Tcp(segment)) = decode(&packet) else { panic!("not TCP") };
        take(&segment);
    }
}

/// Between a low port that calls and a high one that serves: ports tell the wrong story.
fn dial() -> Conversation {
    Conversation::new("10.0.0.10:1000", "10.244.1.1:9443")
}

fn hello() -> Vec<u8> {
    tls::client_hello(Some("hook.default.svc"), &["http/1.1"], true, 0)
}

fn frame(at: Option<Moment>) -> Option<u64> {
    at.map(|at| at.frame.number())
}

#[test]
fn the_sender_of_the_syn_is_the_client_whatever_the_ports() {
    assert_eq!(watch(dial().handshake()).client().port, 1000);
    assert_eq!(watch(dial().lost().syn().syn_ack().ack()).client().port, 1000);
}

#[test]
fn without_a_syn_the_sender_of_the_client_hello_is_the_client() {
    let story = dial().server_keep_alive().client(&hello()).server_ack();
    let connection = watch(story);
    assert_eq!(connection.client().port, 1000);
    assert_eq!(connection.halves.client.bytes as usize, hello().len());
    assert_eq!(connection.halves.server.packets, 2);
}

#[test]
fn without_syn_and_client_hello_the_higher_port_is_the_client() {
    assert_eq!(watch(dial().server(b"x").client_ack()).client().port, 9443);
}

#[test]
fn a_syn_ack_before_its_syn_belongs_to_the_same_connection() {
    let mut records = dial().handshake().capture().records;
    records.swap(0, 1);
    let mut connection: Option<Connection> = None;
    each_of(&records, |segment| {
        let connection = connection.get_or_insert_with(|| Connection::new(0, segment));
        assert!(!connection.is_reopened_by(segment));
        connection
            .observe(segment, &mut Around { limits: &Limits::default(), shared: &mut Shared::default() });
    });
    let connection = connection.unwrap();
    assert_eq!((frame(connection.opened), frame(connection.syn_ack)), (Some(2), Some(1)));
    assert_eq!((connection.client().port, frame(connection.established)), (1000, Some(3)));
}

#[test]
fn a_syn_in_another_sequence_space_opens_another_connection() {
    let known = watch(dial().handshake().client(b"x").client_fin());
    let reopens = |story: Conversation| {
        let mut reopens = Vec::new();
        each_segment(story, |segment| reopens.push(known.is_reopened_by(segment)));
        reopens
    };
    assert_eq!(reopens(dial().syn()), [false], "the same SYN once more");
    assert_eq!(reopens(dial().sequence_numbers(7, 8).syn()), [true]);
    assert_eq!(reopens(dial().sequence_numbers(7, 8).client(b"x")), [false], "no SYN");
}

#[test]
fn a_syn_of_the_server_opens_another_connection() {
    let known = watch(dial().handshake());
    each_segment(Conversation::new("10.244.1.1:9443", "10.0.0.10:1000").syn(), |segment| {
        assert!(known.is_reopened_by(segment));
    });
}

#[test]
fn syns_that_cross_open_one_connection() {
    // Told from either end: what one has sent, and what the other sends into it.
    let (client, server) = ("10.0.0.10:1000", "10.244.1.1:9443");
    let dialled = |from, to, client_seq, server_seq| {
        Conversation::new(from, to).sequence_numbers(client_seq, server_seq)
    };
    let reopens = |known: &Connection, story: Conversation, which: usize| {
        let mut reopens = Vec::new();
        each_segment(story, |segment| reopens.push(known.is_reopened_by(segment)));
        reopens[which]
    };
    let opened = watch(dialled(client, server, 5, 9).syn());
    assert!(!reopens(&opened, dialled(server, client, 9, 5).syn(), 0), "the server's SYN");
    let mut crossed = watch(dialled(client, server, 5, 9).syn());
    each_segment(dialled(server, client, 9, 5).syn(), |segment| {
        crossed.observe(segment, &mut Around { limits: &Limits::default(), shared: &mut Shared::default() });
    });
    assert_eq!((crossed.halves.client.syn, crossed.halves.server.syn), (1, 1));
    assert_eq!(crossed.last_syn(), crossed.opened, "the client's was sent once");
    assert!(!reopens(&crossed, dialled(server, client, 9, 5).syn_ack(), 0), "the client's answer to it");
    assert!(reopens(&crossed, dialled(server, client, 9, 77).syn_ack(), 0), "that of another client's SYN");
    assert!(reopens(&crossed, dialled(server, client, 77, 5).syn(), 0), "another SYN of the server");
}

#[test]
fn a_connection_is_closed_by_two_fins_or_one_rst() {
    let open = || dial().handshake().client(b"x").server_ack();
    assert!(!watch(open().client_fin()).is_closed());
    assert!(watch(open().client_fin().server_fin()).is_closed());
    assert!(watch(open().server_rst()).is_closed());
}

#[test]
fn a_half_closed_server_may_still_answer() {
    let story = dial().handshake().client(&hello()).client_fin().server(b"HTTP/1.0 400 Bad Request\r\n\r\n");
    let connection = watch(story.server_fin());
    assert!(connection.application.plain(Side::Server).is_some());
    assert_eq!(frame(connection.halves.client.fin_at()), Some(5));
}

#[test]
fn a_fin_behind_a_hole_closes_when_the_hole_is_filled() {
    let alert = tls::alert(2, 40);
    let (first, second) = alert.split_at(3);
    // The second half of the alert and the FIN come first, as packets 5 and 6.
    let story = dial().handshake().client(&hello()).lost().unacknowledged().server(first);
    let connection = watch(story.server(second).server_fin().server_retransmit_missing().client_ack());
    let session = connection.application.session.as_ref().unwrap();
    assert_eq!(session.alerts().len(), 1);
    assert_eq!(frame(connection.halves.server.fin_at()), Some(7));
    assert_eq!(frame(session.closed(Side::Server)), Some(7));
}

#[test]
fn a_fin_behind_octets_that_the_capture_lacks_closes_after_the_others_went_on() {
    let story = dial().handshake().client(&hello()).server_ack().lost().server(b"lost").server_fin();
    let connection = watch(story.client_ack().client_fin().server_ack());
    assert!(connection.halves.server.has_losses());
    assert_eq!(frame(connection.halves.server.fin_at()), Some(6));
    assert!(!watch(dial().handshake().client(&hello()).server_fin().client_ack()).halves.server.has_losses());
}

#[test]
fn the_text_of_a_rst_is_no_part_of_the_stream() {
    let story = dial().handshake().client(&hello()).server_ack();
    let (seq, ack) = (story.server_next(), story.client_next());
    let connection = watch(story.server_raw(seq, ack, 0x14, b"HTTP/1.1 no such thing"));
    assert_eq!(connection.halves.server.rst(), 1);
    assert!(connection.application.plain(Side::Server).is_none());
    assert!(connection.halves.server.data_at.is_none());
}

#[test]
fn octets_that_are_acknowledged_and_not_captured_are_given_up_after_a_little_patience() {
    let story = dial().handshake().client(&hello()).server_ack();
    let mut story =
        story.lost().server(&tls::application_data(100)).server(&tls::application_data(200)).client_ack();
    for _ in 0..Connection::REORDERING {
        story = story.client_keep_alive().server_ack();
    }
    let connection = watch_on(&story.capture().records, &mut Shared::default());
    assert!(!connection.halves.server.has_hole());
    assert!(connection.halves.server.has_losses());
}

#[test]
fn what_is_held_is_told_of_whatever_ends_it() {
    let open = || Conversation::new("10.0.0.10:40000", "10.244.1.1:8080").handshake();
    let asked =
        || open().client(b"GET / HT").client(b"TP/1.0\r\n\r\n").server(b"HTTP/1.0 200").server(b" OK\r\n");
    watch(asked().server(b"\r\nuntil it closes").server_fin().client_fin());
    watch(asked().server_fin().client_fin());
    watch(asked().client(b"GET /ne").server_rst());
    watch(open().client(b"GET / HTTP/1.1\r\n\r\n").client(b"no request, as ").client(b"it turns out\n"));
    watch(asked().lost().server(b"\r\n").server(b"behind it").server_fin().client_ack());
    // Half a ClientHello; with the roles to be swapped; half a DNS message; octets behind those that are missing.
    let hello = hello();
    let (half, rest) = hello.split_at(90);
    watch(open().client(half).client_fin());
    watch(dial().server_keep_alive().client(half).client(rest).server(&tls::go_tls13_server_flight()[..900]));
    watch(
        Conversation::new("10.0.0.10:40000", "10.244.1.1:53").handshake().client(b"\0\x40half").client_fin(),
    );
    watch(open().client(half).lost().client(rest).client(rest).client_fin());
}

/// The segments of `story`.
fn segments(story: Conversation, mut take: impl FnMut(u64, &Segment<'_>)) {
    let mut position = 0;
    each_segment(story, |segment| {
        take(position, segment);
        position += 1;
    });
}

#[test]
fn an_opening_becomes_the_connection_that_its_syns_would_have_made() {
    for count in 1..5 {
        let story = (1..count).fold(dial().syn(), |story, _| story.wait_ms(1_000).client_retransmit());
        let (mut opening, mut expected) = (None::<Opening>, None::<Connection>);
        let limits = Limits::default();
        segments(story, |position, segment| {
            let mut around = Around { limits: &limits, shared: &mut Shared::default() };
            expected.get_or_insert_with(|| Connection::new(position, segment)).observe(segment, &mut around);
            match &mut opening {
                Some(opening) => assert!(opening.takes(segment)),
                None => opening = Some(Opening::new(position, segment)),
            }
        });
        let opening = opening.unwrap();
        assert_eq!(format!("{:?}", opening.connection()), format!("{:?}", expected.unwrap()));
    }
}

#[test]
fn what_is_no_repetition_of_the_syn_is_not_taken_for_one() {
    let mut others = Vec::new();
    segments(dial().syn().syn_ack(), |_, segment| others.push(Opening::is_begun_by(segment)));
    assert_eq!(others, [true, false]);
    // A copy of the same SYN, and one that begins another sequence space.
    for (wait, seq) in [(0, 77), (1_000, 78)] {
        let mut opening = None;
        segments(dial().sequence_numbers(77, 1).syn(), |_, segment| opening = Some(Opening::new(0, segment)));
        let again = dial().sequence_numbers(seq, 1).at_ms(wait).syn();
        segments(again, |_, segment| assert!(!opening.as_mut().unwrap().takes(segment), "{wait} {seq}"));
    }
}

#[test]
fn a_connection_takes_little_room() {
    // A million of them may be open at once: what few of them have belongs behind a pointer.
    let sizes = [size_of::<Session>(), size_of::<Half>(), size_of::<Connection>()];
    assert!(sizes[0] <= 152 && sizes[1] <= 152 && sizes[2] <= 824, "{sizes:?}");
}

#[test]
fn an_opening_takes_a_tenth_of_that() {
    // Four million of them may be open at once, each of them another client's.
    assert!(size_of::<Option<Opening>>() <= 80, "{}", size_of::<Option<Opening>>());
}
