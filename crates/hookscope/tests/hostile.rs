//! Whatever the bytes are, the engine counts the packet and goes on; and what it holds stays within its limits.

mod common;

use std::time::Duration;

use common::{Fixture, Held, Recording, codes, stories};
use hookscope::config::Limits;
use hookscope::packet::LinkType;
use hookscope::time::Timestamp;
use hookscope::{Config, Keep};
use hookscope_testkit::{Capture, Conversation, Rng, tls};

/// Runs packets through the engine; all of them must be counted.
#[track_caller]
fn survives(recording: &Recording, config: Config) -> hookscope::report::schema::Report {
    let inspection = recording.inspect_in(64, config);
    // Prose is written for the report: it must stand hostile facts, too.
    let report = inspection.report(&recording.input);
    inspection.groups(&recording.input);
    assert_eq!(report.capture.packets, recording.packets.len() as u64);
    assert_eq!(report.summary.connections, report.summary.verdicts.values().sum::<u64>());
    report
}

fn all() -> Config {
    Config { keep: Keep::All, ..Config::default() }
}

fn recordings() -> Vec<Recording> {
    let all =
        Fixture::small().into_iter().filter(|fixture| fixture.path().metadata().unwrap().len() < 12_000);
    all.map(|fixture| fixture.read()).collect()
}

#[test]
fn packets_cut_anywhere_are_counted() {
    for recording in recordings() {
        for cut in (0..100).step_by(3).chain([120, 200, 600, 1_300]) {
            let mut recording = recording.clone();
            for packet in &mut recording.packets {
                packet.data.truncate(cut);
            }
            survives(&recording, all());
        }
    }
}

#[test]
fn captures_that_end_or_begin_anywhere_are_counted() {
    for recording in recordings() {
        for at in 0..recording.packets.len().min(40) {
            let (mut head, mut tail) = (recording.clone(), recording.clone());
            tail.packets = head.packets.split_off(at);
            survives(&head, all());
            survives(&tail, all());
        }
    }
}

#[test]
fn flipped_bytes_are_survived() {
    let mut rng = Rng::new(7);
    for recording in recordings() {
        for flips in [1, 1, 2, 4, 16, 64] {
            let mut recording = recording.clone();
            for packet in &mut recording.packets {
                if rng.chance(60) {
                    rng.flip_bytes(&mut packet.data, flips);
                }
            }
            survives(&recording, all());
        }
    }
}

#[test]
fn flipped_bytes_behind_the_tcp_header_are_survived() {
    let mut rng = Rng::new(8);
    for story in stories::all() {
        for _ in 0..12 {
            let mut recording = Recording::of(&story.capture());
            for packet in &mut recording.packets {
                if let Some(payload) = packet.data.get_mut(54..).filter(|_| rng.chance(50)) {
                    rng.flip_bytes(payload, 3);
                }
            }
            survives(&recording, all());
        }
    }
}

#[test]
fn flipped_bytes_in_the_tcp_header_are_survived() {
    let mut rng = Rng::new(9);
    for story in stories::all() {
        for _ in 0..12 {
            let mut recording = Recording::of(&story.capture());
            for packet in &mut recording.packets {
                if let Some(header) = packet.data.get_mut(38..54).filter(|_| rng.chance(30)) {
                    rng.flip_bytes(header, 2);
                }
            }
            survives(&recording, all());
        }
    }
}

#[test]
fn noise_of_any_link_type_is_survived() {
    let mut rng = Rng::new(10);
    let mut recording = stories::all().first().map(|story| Recording::of(&story.capture())).unwrap();
    let sample = recording.packets[0].clone();
    for number in 0..4_000 {
        let length = rng.below(200);
        let link_type = *rng.pick(
            &[0, 1, 9, 12, 14, 50, 101, 104, 105, 108, 113, 127, 147, 228, 229, 239, 242, 276].map(LinkType),
        );
        let mut data = rng.bytes(length);
        if let (Some(first), true) = (data.first_mut(), rng.chance(50)) {
            *first = if rng.chance(50) { 0x45 } else { 0x60 };
        }
        let wire_len = rng.next_u64() as u32;
        let time = Timestamp::from_nanos(number * 1_000);
        recording.packets.push(Held { link_type, data, wire_len, time, ..sample.clone() });
    }
    survives(&recording, all());
}

#[test]
fn times_that_jump_by_decades_are_survived() {
    let mut rng = Rng::new(11);
    for recording in recordings() {
        for _ in 0..3 {
            let mut recording = recording.clone();
            for packet in &mut recording.packets {
                if rng.chance(30) {
                    packet.time = Timestamp::from_nanos(rng.next_u64() as i64);
                }
            }
            survives(&recording, all());
        }
    }
}

#[test]
fn lengths_on_the_wire_that_are_absurd_are_survived() {
    let mut rng = Rng::new(12);
    for recording in recordings() {
        let mut recording = recording.clone();
        for packet in &mut recording.packets {
            packet.wire_len = *rng.pick(&[0, 1, 54, u32::MAX, u32::MAX - 1, 1 << 31]);
        }
        survives(&recording, all());
    }
}

#[test]
fn more_connections_than_allowed_are_judged_early_and_named() {
    let open = |number: u32| {
        let client = format!("10.1.{}.{}:40000", number >> 8 & 255, number & 255);
        let story = Conversation::new(&client, "10.244.1.1:9443").at_ms(i64::from(number));
        story.handshake().client(&stories::hello()).capture()
    };
    let recording = Recording::of(&Capture::merge(&(0..200).map(open).collect::<Vec<_>>()));
    let limits = Limits { connections: 64, ..Limits::default() };
    let report = survives(&recording, Config { limits, ..all() });
    assert_eq!(report.summary.connections, 200);
    let warning = report.capture.warnings.iter().find(|warning| warning.contains("more than 64"));
    let early: u64 = warning.unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((200 - 64..200).contains(&early), "{early} were judged early");
    assert!(codes(&report).iter().all(|code| *code == "capture-incomplete"), "{:?}", codes(&report));
}

/// So many clients, each with a SYN, a thousandth of a second apart.
fn flood(clients: u32) -> Recording {
    let syn = |number: u32| {
        let client = format!("10.1.{}.{}:40000", number >> 8 & 255, number & 255);
        Conversation::new(&client, "10.244.1.1:9443").at_ms(i64::from(number)).syn().capture()
    };
    Recording::of(&Capture::merge(&(0..clients).map(syn).collect::<Vec<_>>()))
}

#[test]
fn a_flood_of_syns_is_counted_to_the_last_and_holds_no_more_connections_than_allowed() {
    let recording = flood(2_000);
    let limits = Limits { openings: 64, ..Limits::default() };
    let report = survives(&recording, Config { limits, ..all() });
    assert_eq!(report.summary.connections, 2_000);
    let warning = report.capture.warnings.iter().find(|warning| warning.contains("more than 64"));
    let early: u64 = warning.unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((2_000 - 64..2_000).contains(&early), "{early} were judged early");
}

#[test]
fn what_is_judged_early_is_incomplete_and_not_wrong() {
    let limits = Limits { openings: 64, ..Limits::default() };
    let report = survives(&flood(2_000), Config { limits, ..all() });
    // A SYN that was watched for less than a second says nothing.
    let early: Vec<_> = codes(&report).into_iter().take(1_000).collect();
    assert_eq!(early, vec!["capture-incomplete"; 1_000]);
}

#[test]
fn past_their_bound_connections_are_counted_and_the_first_are_listed() {
    let recording = flood(300);
    let limits = Limits { kept: 16, ..Limits::default() };
    for shards in [1, 2] {
        let report = survives(&recording, Config { limits, shards, ..all() });
        assert_eq!((report.summary.connections, report.connections.len()), (300, 16));
        assert!(report.connections.iter().map(|connection| connection.id).eq(0..16));
        let warning = "284 connections are counted but not listed: more than 16 were to be";
        assert!(report.capture.warnings.iter().any(|text| text == warning), "{:?}", report.capture.warnings);
    }
}

#[test]
fn past_their_bound_servers_are_counted_together() {
    let syn = |number: u32| {
        let [_, a, b, c] = number.to_be_bytes();
        Conversation::new("10.1.0.1:40000", &format!("10.{a}.{b}.{c}:9443")).syn().capture()
    };
    let servers = 9_000;
    let recording = Recording::of(&Capture::merge(&(0..servers).map(syn).collect::<Vec<_>>()));
    let report = survives(&recording, all());
    assert_eq!(report.summary.connections, u64::from(servers));
    assert_eq!(report.endpoints.len(), 8_193, "the last stands for all others");
    assert_eq!(report.endpoints.iter().map(|endpoint| endpoint.connections).sum::<u64>(), u64::from(servers));
    let warning = "808 connections are counted together under 0.0.0.0:0";
    assert!(report.capture.warnings.iter().any(|text| text.starts_with(warning)));
}

#[test]
fn without_a_flood_nothing_is_judged_early() {
    let report =
        survives(&flood(60), Config { limits: Limits { openings: 64, ..Limits::default() }, ..all() });
    assert!(report.capture.warnings.is_empty(), "{:?}", report.capture.warnings);
}

#[test]
fn a_reassembly_budget_that_is_spent_gives_up_octets_and_not_the_connection() {
    // The first octets of the server's flight are missing from the capture; a lot follows.
    let began = stories::greeted().lost().server(&tls::go_tls13_server_flight()[..100]);
    let mut story = began.server(&tls::go_tls13_server_flight()[100..]);
    for _ in 0..50 {
        story = story.server(&tls::application_data(1_400));
    }
    let recording = Recording::of(&story.capture());
    let limits = Limits { reassembly: 4_096, ..Limits::default() };
    let report = survives(&recording, Config { limits, ..all() });
    assert_eq!(codes(&report), ["capture-incomplete"]);
    assert!(report.connections[0].bytes.server > 70_000);
}

/// So many connections of which the second segment is missing and ten more came.
fn waiting(connections: u32) -> Recording {
    let story = |number: u32| {
        let client = format!("10.1.{}.{}:40000", number >> 8 & 255, number & 255);
        let mut story = Conversation::new(&client, "10.244.1.1:9443").at_ms(i64::from(number)).handshake();
        story = story.client(&stories::hello()).lost().client(&tls::application_data(100));
        for _ in 0..10 {
            story = story.client(&tls::application_data(1_400));
        }
        story.capture()
    };
    Recording::of(&Capture::merge(&(0..connections).map(story).collect::<Vec<_>>()))
}

#[test]
fn what_all_connections_hold_together_has_a_bound_of_its_own() {
    let recording = waiting(100);
    let limits = Limits { held: 64 << 10, ..Limits::default() };
    let report = survives(&recording, Config { limits, ..all() });
    assert_eq!(report.summary.connections, 100);
    let warning = "octets waited for others: what those lacked counts as lost";
    assert!(
        report.capture.warnings.iter().any(|text| text.ends_with(warning)),
        "{:?}",
        report.capture.warnings
    );
    let report = survives(&recording, all());
    assert!(report.capture.warnings.is_empty(), "there is room for all: {:?}", report.capture.warnings);
}

#[test]
fn what_a_connection_held_is_free_when_it_is_over() {
    // A day apart: each is over before the next begins. Together they would exceed the bound.
    let limits = Limits { held: 40 << 10, ..Limits::default() };
    let mut recording = waiting(20);
    for packet in &mut recording.packets {
        let client = packet.data[29].max(packet.data[33]);
        packet.time = Timestamp::from_nanos(packet.time.as_nanos() + i64::from(client) * 86_400_000_000_000);
    }
    recording.packets.sort_by_key(|packet| packet.time);
    let inspection = recording.inspect_in(16, Config { limits, ..all() });
    let report = inspection.report(&recording.input);
    assert_eq!(report.summary.connections, 20);
    assert!(report.capture.warnings.is_empty(), "{:?}", report.capture.warnings);
}

/// What becomes of a call in plain HTTP, each message cut into segments of `size`, while another connection holds all
/// that may be held but `left`.
fn call_in_plain_http(request: &[u8], response: &[u8], size: usize, left: usize) -> String {
    let mut story = Conversation::new("10.0.0.10:40000", "10.244.1.1:8080").at_ms(1_000).handshake();
    for segment in request.chunks(size) {
        story = story.client(segment);
    }
    story = story.server_ack().wait_ms(5);
    for segment in response.chunks(size) {
        story = story.server(segment);
    }
    let story = story.client_ack().wait_ms(95_370).server_fin().client_fin().server_ack();
    // A ClientHello of 4,096 octets, of which only the first come: there has to be room for all of them.
    let hello = [22, 3, 1, 16, 4, 1, 0, 16, 0, 3, 3];
    let other = Conversation::new("10.0.0.11:40000", "10.244.1.1:9443").handshake().client(&hello);
    let mut recording = Recording::of(&other.capture());
    recording.packets.extend(Recording::of(&story.capture()).packets);
    let limits = Limits { held: 4_096 + left, ..Limits::default() };
    let report = survives(&recording, Config { limits, ..all() });
    assert!(left > 0 || !report.capture.warnings.is_empty(), "there is room left");
    let is_it = |connection: &&hookscope::report::schema::Connection| connection.server.ends_with(":8080");
    report.connections.iter().find(is_it).unwrap().verdict.code.to_string()
}

const REQUEST: &[u8] = b"POST /validate HTTP/1.1\r\nHost: hook\r\nContent-Length: 12\r\n\r\n{\"kind\":\"x\"}";

#[test]
fn a_head_that_there_is_no_room_for_makes_no_call_fail() {
    let responses: [&[u8]; 3] = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"kind\":\"x\"}",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\n{}",
    ];
    for response in responses {
        for size in [1, 7, 30, 50, 1_000] {
            for left in [0, 1, 10, 30, 45, 60, 1_000] {
                let code = call_in_plain_http(REQUEST, response, size, left);
                assert!(
                    ["ok", "idle", "capture-incomplete"].contains(&&*code),
                    "{code}, in {size}, {left} left"
                );
            }
        }
    }
}

#[test]
fn a_message_whose_head_is_whole_takes_no_room() {
    // Head and body are cut right between them.
    let response = b"HTTP/1.1 503 Unavailable\r\nServer: x\r\nContent-Length: 12\r\n\r\nunavailable!";
    let head = |message: &[u8]| message.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    assert_eq!((head(REQUEST), head(response)), (59, 59));
    assert_eq!(call_in_plain_http(REQUEST, response, 59, 0), "http-status");
}

#[test]
fn calls_past_their_limit_in_all_connections_are_counted_only() {
    let story = |number: u8| {
        let mut story = stories::ready();
        for _ in 0..5 {
            story = stories::answer(stories::request(story.wait_ms(50)).wait_ms(5));
        }
        let mut recording = Recording::of(&story.capture());
        for packet in &mut recording.packets {
            // Other addresses: the last octet of both.
            for at in [29, 33] {
                packet.data[at] = packet.data[at].wrapping_add(number * 7);
            }
        }
        recording
    };
    let mut recording = story(0);
    (1..10).for_each(|number| recording.packets.extend(story(number).packets));
    let limits = Limits { calls_in_all: 12, ..Limits::default() };
    let report = survives(&recording, Config { limits, ..all() });
    assert_eq!(report.summary.calls, 50);
    let listed: usize = report.connections.iter().map(|connection| connection.calls.len()).sum();
    assert!((12..=24).contains(&listed), "{listed} are listed");
    assert!(report.capture.warnings.iter().any(|text| text.contains("calls are counted but not listed")));
}

#[test]
fn a_handshake_message_past_its_bound_is_skipped_and_the_session_goes_on() {
    let limits = Limits { handshake: 64, ..Limits::default() };
    let recording = Recording::of(&stories::answer(stories::asked().wait_ms(5)).capture());
    let report = survives(&recording, Config { limits, ..all() });
    let [connection] = &report.connections[..] else { panic!("one connection") };
    assert_eq!(connection.server_name, None, "the ClientHello is longer than that");
    assert_eq!(connection.verdict.code, "ok");
}

#[test]
fn an_announced_handshake_message_of_sixteen_megabytes_is_not_waited_for() {
    let mut hello = stories::hello();
    hello[6] = 0xff;
    let story = stories::opened().client(&hello).server_ack().wait_ms(10_000).client_fin();
    let report = survives(&Recording::of(&story.capture()), all());
    assert_eq!(codes(&report), ["tls-no-server-hello"]);
}

#[test]
fn calls_past_their_limit_are_counted_only() {
    let mut story = stories::ready();
    for _ in 0..20 {
        story = stories::answer(stories::request(story.wait_ms(50)).wait_ms(5));
    }
    let limits = Limits { calls: 4, ..Limits::default() };
    let report = survives(&Recording::of(&story.capture()), Config { limits, ..all() });
    assert_eq!(report.summary.calls, 20);
    assert!(report.connections[0].calls.len() <= 5, "{} calls are kept", report.connections[0].calls.len());
}

#[test]
fn a_connection_that_was_quiet_for_too_long_is_over() {
    let limits = Limits { idle: Duration::from_secs(60), ..Limits::default() };
    let story = stories::answer(stories::asked()).wait_ms(61_000).client_keep_alive().server_ack();
    let report = survives(&Recording::of(&story.capture()), Config { limits, ..all() });
    assert_eq!(codes(&report).len(), 2);
    assert_eq!(codes(&report)[0], "ok");
}
