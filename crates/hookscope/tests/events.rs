//! What is said while packets come: soon, once, and in the end the same as the report says.

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{Fixture, json};
use hookscope::packet::{Frame, LinkType};
use hookscope::report::{Event, Input, Notice};
use hookscope::time::Timestamp;
use hookscope::{Config, Inspector, Keep, Packet};
use hookscope_testkit::{Capture, Conversation, tls};

const STEP: i64 = 50_000_000;

fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

/// Hands packets to an inspector as a driver does whose clock goes on where none come.
struct Driver {
    inspector: Inspector,
    clock: Option<i64>,
    events: Vec<Event>,
    /// When each event was told.
    told: Vec<i64>,
}

impl Driver {
    fn new(config: Config) -> Self {
        let inspector = Inspector::new(Config { watch: true, ..config });
        Self { inspector, clock: None, events: Vec::new(), told: Vec::new() }
    }

    fn pass_until(&mut self, time: i64) {
        while let Some(clock) = self.clock.filter(|clock| clock + STEP <= time) {
            self.clock = Some(clock + STEP);
            self.inspector.advance(Timestamp::from_nanos(clock + STEP));
            self.take();
        }
    }

    fn packet(&mut self, packet: &Packet<'_>) {
        let time = packet.time.as_nanos();
        self.pass_until(time);
        self.inspector.observe(packet);
        self.clock = Some(self.clock.map_or(time, |clock| clock.max(time)));
        self.take();
    }

    fn capture(&mut self, capture: &Capture) {
        for (number, record) in (1..).zip(&capture.records) {
            self.packet(&Packet {
                time: Timestamp::from_nanos(record.time_ns),
                frame: Frame::new(0, number),
                link_type: LinkType(capture.link_type),
                interface: 0,
                wire_len: record.wire_len,
                data: &record.data,
            });
        }
    }

    fn take(&mut self) {
        let events = self.inspector.take_events();
        self.told.extend(events.iter().map(|_| self.clock.unwrap_or_default()));
        self.events.extend(events);
    }

    fn notices(&self) -> Vec<(i64, &Notice)> {
        let told = self.told.iter().copied().zip(&self.events);
        told.filter_map(|(at, event)| match event {
            Event::Notice(notice) => Some((at, &**notice)),
            _ => None,
        })
        .collect()
    }

    /// Seconds and codes of the notices.
    fn said(&self) -> Vec<(f64, &'static str)> {
        self.notices().into_iter().map(|(at, notice)| (seconds(at), notice.verdict().code)).collect()
    }
}

fn call() -> Conversation {
    Conversation::new("10.0.0.10:40000", "10.244.1.1:9443")
        .handshake()
        .tls13_handshake("hook.default.svc")
        .client(&tls::application_data(900))
        .server_ack()
}

fn ended(capture: &Capture) -> f64 {
    seconds(capture.records.last().unwrap().time_ns)
}

#[test]
fn a_client_that_gives_up_is_told_of_at_once_and_once() {
    let story = call().wait_ms(9_998).client(&tls::close_notify13()).client_fin().capture();
    let mut driver = Driver::new(Config::default());
    driver.capture(&story);
    let end = ended(&story);
    assert_eq!(driver.said(), []);
    driver.pass_until(story.records.last().unwrap().time_ns + 200_000_000_000);
    let [(at, code)] = driver.said()[..] else { panic!("{:?}", driver.said()) };
    assert_eq!(code, "deadline-exceeded");
    assert!(at - end < 0.3, "{at} is late after {end}");
    let (_, notice) = driver.notices()[0];
    assert_eq!((notice.call, notice.revises), (None, None));
    assert_eq!(notice.connection.calls[0].verdict.code, "deadline-exceeded");
}

#[test]
fn what_waits_is_told_of_at_its_deadline_though_no_packet_comes() {
    for (story, expected) in [
        (Conversation::new("10.0.0.10:40000", "10.244.1.1:9443").syn(), "syn-unanswered"),
        (
            Conversation::new("10.0.0.10:40000", "10.244.1.1:9443")
                .handshake()
                .client(&tls::client_hello(Some("hook.default.svc"), &["http/1.1"], true, 1500))
                .server_ack(),
            "tls-no-server-hello",
        ),
        (call(), "deadline-exceeded"),
    ] {
        let capture = story.capture();
        let mut driver = Driver::new(Config { deadline: Duration::from_secs(3), ..Config::default() });
        driver.capture(&capture);
        let begin = capture.records[0].time_ns;
        driver.pass_until(begin + 20_000_000_000);
        let [(at, code)] = driver.said()[..] else { panic!("{expected}: {:?}", driver.said()) };
        assert_eq!(code, expected);
        assert!((3.0..3.5).contains(&(at - seconds(begin))), "{expected} at {}", at - seconds(begin));
    }
}

#[test]
fn a_later_call_on_a_connection_has_a_deadline_of_its_own() {
    let story = call()
        .server(&tls::application_data(300))
        .client_ack()
        .wait_ms(5_000)
        .client(&tls::application_data(900))
        .server_ack()
        .capture();
    let mut driver = Driver::new(Config::default());
    driver.capture(&story);
    let end = story.records.last().unwrap().time_ns;
    driver.pass_until(end + 100_000_000_000);
    let [(at, code)] = driver.said()[..] else { panic!("{:?}", driver.said()) };
    assert_eq!(code, "deadline-exceeded");
    assert!((10.0..10.5).contains(&(at - seconds(end))), "{}", at - seconds(end));
}

#[test]
fn what_turns_out_otherwise_is_told_again() {
    let late = call().wait_ms(7_000).server(&tls::application_data(300)).client_ack().capture();
    let mut driver = Driver::new(Config { deadline: Duration::from_secs(3), ..Config::default() });
    driver.capture(&late);
    driver.pass_until(late.records.last().unwrap().time_ns + 5_000_000_000);
    assert_eq!(
        driver.said().iter().map(|(_, code)| *code).collect::<Vec<_>>(),
        ["deadline-exceeded", "slow"]
    );
    assert_eq!(driver.notices()[1].1.revises, Some("deadline-exceeded"));
}

#[test]
fn a_slow_call_is_told_of_while_its_connection_goes_on() {
    let story = call()
        .wait_ms(6_000)
        .server(&tls::application_data(300))
        .client_ack()
        .wait_ms(3_000)
        .client(&tls::application_data(900))
        .server(&tls::application_data(300))
        .wait_ms(30_000)
        .client(&tls::application_data(900))
        .wait_ms(5_500)
        .server(&tls::application_data(300))
        .client_ack()
        .wait_ms(2_000)
        .client(&tls::close_notify13())
        .client_fin()
        .capture();
    let mut driver = Driver::new(Config::default());
    driver.capture(&story);
    driver.pass_until(story.records.last().unwrap().time_ns + 100_000_000_000);
    assert_eq!(driver.said().iter().map(|(_, code)| *code).collect::<Vec<_>>(), ["slow", "slow"]);
    let calls: Vec<_> = driver.notices().iter().map(|(_, notice)| notice.call).collect();
    assert_eq!(calls, [None, Some(2)]);
    let (first, answered) = (driver.said()[0].0, seconds(story.records[0].time_ns) + 6.0);
    assert!((1.0..1.5).contains(&(first - answered)), "{}", first - answered);
}

#[test]
fn a_verdict_that_a_dropped_packet_could_explain_says_so() {
    let story = call().wait_ms(9_998).client(&tls::close_notify13()).client_fin().capture();
    let reset = Conversation::new("10.0.0.10:40000", "10.244.1.1:9443").syn().server_rst().capture();
    let verdict = |capture: &Capture, from: i64, to: i64| {
        let mut driver = Driver::new(Config::default());
        let begin = capture.records[0].time_ns;
        let at = |seconds: i64| Timestamp::from_nanos(begin + seconds * 1_000_000_000);
        driver.inspector.lost(17, at(from), at(to));
        driver.capture(capture);
        let report = driver.inspector.finish().report(&Input::default());
        let verdict = &report.connections[0].verdict;
        (verdict.certainty.name(), verdict.summary.contains("17 packets"))
    };
    assert_eq!(verdict(&story, 4, 5), ("inferred", true));
    assert_eq!(verdict(&story, -9, -8), ("observed", false));
    assert_eq!(verdict(&story, 60, 61), ("observed", false));
    // A packet that is there is no loss.
    assert_eq!(verdict(&reset, -1, 1), ("observed", false));
}

/// What was said last of each connection with a fault.
fn last_words(driver: &Driver) -> BTreeMap<u64, &'static str> {
    let mut words = BTreeMap::new();
    for (_, notice) in driver.notices().into_iter().filter(|(_, notice)| notice.call.is_none()) {
        let verdict = &notice.connection.verdict;
        words.insert(notice.connection.id, verdict.code);
        if verdict.severity == "ok" {
            words.remove(&notice.connection.id);
        }
    }
    words
}

#[test]
fn in_the_end_the_same_was_said_as_the_report_says() {
    let mut revised = Vec::new();
    for fixture in Fixture::small() {
        let recording = fixture.read();
        let config = Config { keep: Keep::All, ..fixture.config() };
        let mut driver = Driver::new(Config { shards: 2, ..config.clone() });
        for packet in &recording.packets {
            driver.packet(&packet.packet());
        }
        driver.inspector.close();
        driver.take();
        let words = last_words(&driver);
        let counted = |is_call: bool| {
            let of_kind = |event: &&Event| match event {
                Event::Call(_) => is_call,
                Event::Connection(_) => !is_call,
                _ => false,
            };
            driver.events.iter().filter(of_kind).count() as u64
        };
        let (calls, connections) = (counted(true), counted(false));
        let lookups = driver.events.iter().filter(|event| matches!(event, Event::Lookup(_))).count() as u64;
        for (_, notice) in driver.notices() {
            revised.extend(notice.revises.map(|code| (fixture.to_string(), code, notice.verdict().code)));
        }
        let flagged: Vec<(u64, Option<u64>)> =
            driver.notices().iter().map(|(_, notice)| (notice.connection.id, notice.call)).collect();
        let report = driver.inspector.finish().report(&recording.input);
        let expected: BTreeMap<_, _> = report
            .connections
            .iter()
            .filter(|connection| connection.verdict.severity != "ok")
            .map(|connection| (connection.id, connection.verdict.code))
            .collect();
        assert_eq!(words, expected, "{fixture}");
        assert_eq!((calls, connections), (report.summary.calls, report.summary.connections), "{fixture}");
        assert_eq!(lookups, report.summary.failed_lookups, "{fixture}");
        for connection in &report.connections {
            for call in connection.calls.iter().filter(|call| call.verdict.severity != "ok") {
                let told = flagged.iter().any(|(id, about)| {
                    *id == connection.id
                        && about
                            .map_or(call.verdict.code == connection.verdict.code, |about| about == call.index)
                });
                assert!(told, "{fixture}: nobody was told of call {} of {}", call.index, connection.id);
            }
        }
        let unwatched = recording.report(config);
        assert!(json(&report) == json(&unwatched), "{fixture}: watching changes the report");
    }
    // Few verdicts change once they were given.
    assert!(revised.len() <= 3, "{revised:#?}");
}

#[test]
fn however_many_servers_there_are_some_are_counted_one_by_one_and_the_rest_together() {
    let limits = hookscope::config::Limits { servers: 10, ..hookscope::config::Limits::unattended() };
    let mut inspector = Inspector::new(Config { limits, ..Config::default() });
    for number in 0..1000_u32 {
        let server = format!("10.244.{}.{}:9443", number / 250, number % 250);
        let capture = Conversation::new("10.0.0.10:40000", &server).syn().server_rst().capture();
        for record in &capture.records {
            inspector.observe(&Packet {
                time: Timestamp::from_nanos(record.time_ns),
                frame: Frame::new(0, 1 + u64::from(number)),
                link_type: LinkType(capture.link_type),
                interface: 0,
                wire_len: record.wire_len,
                data: &record.data,
            });
        }
    }
    let report = inspector.finish().report(&Input::default());
    assert_eq!((report.endpoints.len(), report.summary.failed_connections), (11, 1000));
    let others = &report.endpoints[0];
    assert_eq!((others.server_name.as_deref(), others.failed), (Some("other servers"), 990));
}
