//! Stories of lookups, from packets to the report.

use hookscope_testkit::dns::{A, AAAA, code, framed, query, response, truncated};
use hookscope_testkit::{Capture, Conversation, Datagrams};

use crate::config::{Config, Keep, Limits};
use crate::inspect::{Inspection, Inspector};
use crate::packet::{Frame, LinkType, Packet};
use crate::report::Input;
use crate::report::schema::{Connection, Example, Lookup};
use crate::time::Timestamp;
use crate::verdict::By;

const SERVER: &str = "10.96.0.10:53";
const NAME: &str = "hook.example.org";

fn socket(port: u16) -> String {
    format!("10.0.0.10:{port}")
}

/// `port` also serves as the id of the query.
trait Dns {
    fn asks(self, port: u16, name: &str, record_type: u16) -> Self;
    fn gets(self, port: u16, name: &str, record_type: u16, code: u8, addresses: &[&str]) -> Self;
}

impl Dns for Datagrams {
    fn asks(self, port: u16, name: &str, record_type: u16) -> Self {
        self.send(&socket(port), SERVER, &query(port, name, record_type))
    }

    fn gets(self, port: u16, name: &str, record_type: u16, code: u8, addresses: &[&str]) -> Self {
        self.send(SERVER, &socket(port), &response(port, name, record_type, code, addresses))
    }
}

fn config() -> Config {
    Config { keep: Keep::All, ..Config::default() }
}

fn inspect(capture: &Capture, config: Config, batch: usize) -> Inspection {
    let packets: Vec<_> = (1..)
        .zip(&capture.records)
        .map(|(number, record)| Packet {
            time: Timestamp::from_nanos(record.time_ns),
            frame: Frame::new(0, number),
            link_type: LinkType(capture.link_type),
            interface: 0,
            wire_len: record.wire_len,
            data: &record.data,
        })
        .collect();
    let mut inspector = Inspector::new(config);
    packets.chunks(batch).for_each(|packets| inspector.observe_batch(packets));
    inspector.finish()
}

fn lookups(capture: &Capture) -> Vec<Lookup> {
    let whole = inspect(capture, config(), usize::MAX).report(&Input::default()).lookups;
    let split = Config { shards: 3, ..config() };
    let one_by_one = inspect(capture, split, 1).report(&Input::default()).lookups;
    assert_eq!(format!("{whole:?}"), format!("{one_by_one:?}"));
    whole
}

fn told(capture: &Capture) -> Vec<(String, &'static str, u64)> {
    lookups(capture)
        .into_iter()
        .map(|lookup| (format!("{} {}", lookup.name, lookup.kind), lookup.verdict.code, lookup.attempts))
        .collect()
}

fn codes(story: Datagrams) -> Vec<&'static str> {
    told(&story.capture()).into_iter().map(|(_, code, _)| code).collect()
}

#[test]
fn errors_in_answer_are_failures() {
    for (answer, expected) in [
        (code::NXDOMAIN, "dns-nxdomain"),
        (code::SERVFAIL, "dns-servfail"),
        (code::REFUSED, "dns-refused"),
        (4, "dns-servfail"),
    ] {
        let story = Datagrams::new().asks(1, NAME, A).wait_ms(2).gets(1, NAME, A, answer, &[]);
        let lookup = lookups(&story.capture()).remove(0);
        assert_eq!((lookup.client.as_str(), lookup.server.as_str()), ("10.0.0.10", SERVER));
        assert_eq!((lookup.verdict.code, lookup.verdict.phase.name()), (expected, "dns"));
        assert_eq!((lookup.verdict.by.map(By::name), lookup.seconds), (Some("server"), Some(0.002)));
        let frames: Vec<_> = lookup.verdict.evidence.iter().map(|evidence| evidence.frame).collect();
        assert_eq!(frames, [1, 2]);
        assert!(lookup.verdict.summary.contains(NAME) && !lookup.verdict.hints.is_empty());
    }
}

#[test]
fn a_name_that_is_no_host_name_stays_out_of_commands() {
    let name = "a';reboot;'.svc";
    let story = Datagrams::new().asks(1, name, A).gets(1, name, A, code::NXDOMAIN, &[]);
    let verdict = lookups(&story.capture()).remove(0).verdict;
    assert!(verdict.summary.contains("reboot"));
    assert!(verdict.hints.iter().all(|hint| !hint.contains("reboot")), "{:?}", verdict.hints);
}

#[test]
fn a_name_with_addresses_or_none_of_this_type_is_ok() {
    let story = Datagrams::new()
        .asks(1, NAME, AAAA)
        .asks(2, NAME, A)
        .gets(1, NAME, AAAA, code::NO_ERROR, &[])
        .gets(2, NAME, A, code::NO_ERROR, &["10.1.1.1"]);
    assert_eq!(codes(story), ["ok", "ok"]);
}

#[test]
fn ipv6_and_other_types_and_ports() {
    let (client, server) = ("[fd00::10]:9", "[fd00::53]:53");
    let story = Datagrams::new()
        .send(client, server, &query(7, NAME, AAAA))
        .send(server, client, &response(7, NAME, AAAA, code::REFUSED, &[]))
        .send(client, server, &query(8, NAME, 12))
        .send(server, client, &response(8, NAME, 12, code::NXDOMAIN, &[]))
        .send(client, "[fd00::53]:54", &query(9, NAME, A));
    assert_eq!(told(&story.capture()), [(format!("{NAME} AAAA"), "dns-refused", 1)]);
}

#[test]
fn a_query_from_a_new_socket_repeats_one_that_was_not_answered() {
    let story = Datagrams::new().asks(1, NAME, A).wait_ms(5_000).asks(2, NAME, A);
    assert_eq!(told(&story.clone().capture()), [(format!("{NAME} A"), "dns-timeout", 2)]);
    let answered = story.gets(2, NAME, A, code::NO_ERROR, &["10.1.1.1"]);
    assert_eq!(told(&answered.capture()), [(format!("{NAME} A"), "ok", 2)]);
}

#[test]
fn the_next_server_is_asked_after_an_error() {
    let story = Datagrams::new()
        .asks(1, NAME, A)
        .gets(1, NAME, A, code::SERVFAIL, &[])
        .send(&socket(2), "10.96.0.11:53", &query(2, NAME, A))
        .send("10.96.0.11:53", &socket(2), &response(2, NAME, A, code::NO_ERROR, &["10.1.1.1"]));
    assert_eq!(told(&story.capture()), [(format!("{NAME} A"), "ok", 2)]);
}

#[test]
fn a_name_that_does_not_exist_is_looked_up_anew() {
    let story = Datagrams::new()
        .asks(1, NAME, A)
        .gets(1, NAME, A, code::NXDOMAIN, &[])
        .asks(2, NAME, A)
        .gets(2, NAME, A, code::NXDOMAIN, &[]);
    assert_eq!(codes(story), ["dns-nxdomain", "dns-nxdomain"]);
}

#[test]
fn what_waits_at_the_end_is_not_judged_until_it_is_old() {
    let story = Datagrams::new().asks(1, NAME, A).wait_ms(4_900).asks(9, "other.example.org", A);
    assert_eq!(codes(story.clone()), ["capture-incomplete", "capture-incomplete"]);
    let later = story.wait_ms(100).asks(10, "more.example.org", A);
    assert_eq!(codes(later)[0], "dns-timeout");
}

#[test]
fn an_answer_that_comes_too_late_or_to_another_question_is_none() {
    let story = Datagrams::new().asks(1, NAME, A).wait_ms(5_100).gets(1, NAME, A, code::NO_ERROR, &[]);
    assert_eq!(codes(story), ["dns-timeout"]);
    let story = Datagrams::new().asks(1, NAME, A).gets(1, "x.example.org", A, code::NXDOMAIN, &[]);
    assert_eq!(codes(story), ["capture-incomplete"]);
}

#[test]
fn copies_of_a_query_are_no_attempts() {
    let story = Datagrams::new()
        .asks(1, NAME, A)
        .asks(1, NAME, A)
        .gets(1, NAME, A, code::NXDOMAIN, &[])
        .gets(1, NAME, A, code::NXDOMAIN, &[]);
    assert_eq!(told(&story.capture()), [(format!("{NAME} A"), "dns-nxdomain", 1)]);
}

#[test]
fn a_truncated_answer_is_asked_for_over_tcp() {
    let udp = Datagrams::new().asks(1, NAME, A).send(SERVER, &socket(1), &truncated(1, NAME, A)).capture();
    let tcp = |answer: &[u8]| {
        let (front, back) = answer.split_at(1);
        Conversation::new("10.0.0.10:40000", SERVER)
            .at_ms(1)
            .handshake()
            .client(&framed(&query(2, NAME, A)))
            .server(front)
            .server(back)
            .client_fin()
            .server_fin()
            .client_ack()
            .capture()
    };
    let answer = framed(&response(2, NAME, A, code::NO_ERROR, &["10.1.1.1"]));
    let capture = Capture::merge(&[udp.clone(), tcp(&answer)]);
    assert_eq!(told(&capture), [(format!("{NAME} A"), "ok", 2)]);
    let connections = inspect(&capture, config(), 5).report(&Input::default()).connections;
    assert_eq!(connections[0].verdict.severity, "ok");
    let answer = framed(&response(2, NAME, A, code::NXDOMAIN, &[]));
    assert_eq!(told(&Capture::merge(&[udp.clone(), tcp(&answer)]))[0].1, "dns-nxdomain");
    assert_eq!(told(&udp)[0].1, "ok");
}

#[test]
fn a_candidate_of_the_search_list_may_fail_if_another_resolves() {
    let candidates = ["hook.ns.svc.default.svc.cluster.local", "hook.ns.svc.svc.cluster.local"];
    for found in ["hook.ns.svc.cluster.local", "hook.ns.svc"] {
        let mut story = Datagrams::new();
        for (port, candidate) in (1..).zip(candidates) {
            story = story
                .asks(port, candidate, A)
                .asks(port + 10, candidate, AAAA)
                .gets(port, candidate, A, code::NXDOMAIN, &[])
                .wait_ms(200)
                .gets(port + 10, candidate, AAAA, code::NXDOMAIN, &[]);
        }
        let story = story.asks(3, found, A).gets(3, found, A, code::NO_ERROR, &["10.1.1.1"]);
        assert_eq!(codes(story), ["ok"; 5]);
    }
    let bare_first = Datagrams::new()
        .asks(1, NAME, A)
        .gets(1, NAME, A, code::NXDOMAIN, &[])
        .asks(2, "hook.example.org.lab.example", A)
        .gets(2, "hook.example.org.lab.example", A, code::NO_ERROR, &["10.1.1.1"]);
    assert_eq!(codes(bare_first), ["ok", "ok"]);
}

#[test]
fn of_a_search_list_that_failed_the_bare_name_is_reported() {
    let story = Datagrams::new()
        .asks(1, "hook.example.org.lab.example", A)
        .gets(1, "hook.example.org.lab.example", A, code::NXDOMAIN, &[])
        .asks(2, NAME, A)
        .gets(2, NAME, A, code::NXDOMAIN, &[])
        .asks(3, "hook.example.org.other.example", A)
        .gets(3, "hook.example.org.other.example", A, code::NXDOMAIN, &[]);
    assert_eq!(codes(story), ["ok", "dns-nxdomain", "ok"]);
}

#[test]
fn another_name_or_client_excuses_nothing() {
    let story = Datagrams::new()
        .asks(1, "hook.one.svc", A)
        .gets(1, "hook.one.svc", A, code::NXDOMAIN, &[])
        .asks(2, "hook.two.svc", A)
        .gets(2, "hook.two.svc", A, code::NO_ERROR, &["10.1.1.1"])
        .send("10.0.0.99:3", SERVER, &query(3, "hook.one.svc.lab.example", A))
        .send(SERVER, "10.0.0.99:3", &response(3, "hook.one.svc.lab.example", A, 0, &["10.1.1.1"]));
    assert_eq!(codes(story), ["dns-nxdomain", "ok", "ok"]);
}

#[test]
fn one_type_may_fail_if_the_other_has_addresses() {
    let story = Datagrams::new()
        .asks(1, NAME, A)
        .asks(2, NAME, AAAA)
        .gets(1, NAME, A, code::NO_ERROR, &["10.1.1.1"])
        .gets(2, NAME, AAAA, code::SERVFAIL, &[]);
    assert_eq!(codes(story), ["ok", "ok"]);
}

#[test]
fn failures_are_grouped_by_name_and_code() {
    let story = Datagrams::new()
        .asks(1, NAME, A)
        .asks(2, NAME, AAAA)
        .gets(1, NAME, A, code::NXDOMAIN, &[])
        .gets(2, NAME, AAAA, code::NXDOMAIN, &[])
        .asks(3, "fine.example.org", A)
        .gets(3, "fine.example.org", A, code::NO_ERROR, &["10.1.1.1"])
        .capture();
    let settings = Config { keep: Keep::Examples, ..Config::default() };
    let inspection = inspect(&story, settings, usize::MAX);
    assert_eq!(inspection.report(&Input::default()).lookups.len(), 2);
    let groups = inspection.groups(&Input::default());
    assert_eq!((groups.len(), groups[0].count, groups[0].of), (1, 2, 2));
    assert!(matches!(&groups[0].example, Example::Lookup(lookup) if lookup.name == NAME));
}

fn connection(story: Datagrams) -> Connection {
    let syns = Conversation::new("10.0.0.10:40000", "10.1.1.1:9443").at_ms(1_000).syn().wait_ms(1_000).syn();
    let capture = Capture::merge(&[story.capture(), syns.capture()]);
    inspect(&capture, config(), usize::MAX).report(&Input::default()).connections.remove(0)
}

#[test]
fn answers_name_connections_that_say_no_name() {
    let named = |at, name| {
        Datagrams::new().at_ms(at).asks(1, name, A).gets(1, name, A, code::NO_ERROR, &["10.1.1.1"])
    };
    let before = connection(named(900, NAME));
    assert_eq!((before.server_name.as_deref(), before.server_name_source), (Some(NAME), Some("dns")));
    assert_eq!(connection(named(1_500, NAME)).server_name, None);
}

#[test]
fn a_flood_is_bounded_and_counted() {
    let mut story = Datagrams::new();
    for port in 1..=200 {
        let name = format!("hook.n{port}.example");
        story = story.asks(port, &name, A).gets(port, &name, A, code::NXDOMAIN, &[]);
    }
    let limits = Limits { lookups: 10, kept_lookups: 50, names: 1, ..Limits::default() };
    let inspection = inspect(&story.capture(), Config { limits, ..config() }, 7);
    assert_eq!((inspection.lookups.kept.len(), inspection.lookups.asked.len()), (50, 50));
    assert_eq!((inspection.lookups.left_out, inspection.lookups.tracker.given_up), (150, 190));
    assert_eq!(inspection.report(&Input::default()).capture.warnings.len(), 2);
}
