//! An embedder's own rules: they are asked about every connection and call, on every path, and count among the others.

use std::sync::Arc;

use hookscope::packet::LinkType;
use hookscope::report::schema::Report;
use hookscope::report::{Event, Input};
use hookscope::rule::{Call, Case, Finding, Rule, RuleError};
use hookscope::time::Timestamp;
use hookscope::verdict::{Class, Phase};
use hookscope::{Config, Inspector, Keep, Packet, Side};
use hookscope_testkit::{Capture, Conversation, tls};

/// Finds something in every connection, as soon as there is its first packet.
#[derive(Debug)]
struct Everywhere;

impl Rule for Everywhere {
    fn code(&self) -> &'static str {
        "seen-by-us"
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let summary = format!("{} SYNs of {} to {}", case.sent(Side::Client).syns, case.client, case.server);
        Some(
            Finding::failure(case.first, Phase::Connect, summary)
                .by(Side::Client)
                .inferred()
                .shown(case.first, "the first packet")
                .shown(None, "nothing")
                .hint("Do this")
                .hint("Then that"),
        )
    }
}

/// Finds answers that are too large, and says in which class.
#[derive(Debug)]
struct Large(u64);

impl Rule for Large {
    fn code(&self) -> &'static str {
        "large-answer"
    }

    fn class(&self) -> Class {
        Class::SlowResponse
    }

    fn call(&self, case: &Case<'_>, call: &Call) -> Option<Finding> {
        let version = case.tls.as_ref()?.version?;
        let end = call.last_byte.filter(|_| call.is_answered && call.response_bytes > self.0)?;
        let summary = format!("call {} of {:?}, TLS {version:#06x}", call.index, case.server_name);
        Some(Finding::warning(end, Phase::Response, summary).shown(end, "end"))
    }
}

/// Finds a RST where a built-in rule finds it, too.
#[derive(Debug)]
struct OurReset;

impl Rule for OurReset {
    fn code(&self) -> &'static str {
        "our-reset"
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let rst = case.sent(Side::Server).rst?;
        assert_eq!(case.first_close().map(|(side, at)| (side, at.frame)), Some((Side::Server, rst.frame)));
        Some(Finding::failure(rst, Phase::Connect, "Reset, as we know"))
    }
}

fn config(rules: &[Arc<dyn Rule>]) -> Config {
    let mut config = Config { keep: Keep::All, ..Config::default() };
    rules.iter().for_each(|rule| config.rules.push(Arc::clone(rule)).unwrap());
    config
}

fn packets(capture: &Capture) -> Vec<Packet<'_>> {
    let numbered = (1..).zip(&capture.records);
    let link_type = LinkType(capture.link_type);
    let packet = |(number, record)| {
        let record: &hookscope_testkit::Record = record;
        Packet::new(number, Timestamp::from_nanos(record.time_ns), link_type, &record.data)
    };
    numbered.map(packet).collect()
}

fn report(capture: &Capture, config: Config) -> Report {
    let mut inspector = Inspector::new(config);
    inspector.extend(packets(capture));
    inspector.finish().report(&Input::default())
}

fn called() -> Conversation {
    let opened = Conversation::new("10.0.0.10:40000", "10.244.0.7:9443")
        .handshake()
        .client(&tls::client_hello(Some("hook.default.svc"), &["http/1.1"], true, 0))
        .server(&tls::go_tls13_server_flight())
        .client(&tls::go_tls13_client_finished());
    let asked = |story: Conversation, answer| {
        let asked = story.client(&tls::application_data(900)).server_ack().wait_ms(3);
        asked.server(&tls::application_data(answer)).client_ack().wait_ms(20)
    };
    asked(asked(opened, 200), 4_000)
}

#[test]
fn a_syn_without_an_answer_is_shown_to_them_however_many_there_are() {
    let knocks = (0..300).map(|at| {
        let client = format!("10.0.{}.{}:40000", at / 200, at % 200);
        Conversation::new(&client, "10.244.0.7:9443").at_ns(at * 1_000_000).syn().capture()
    });
    let capture = Capture::merge(&knocks.collect::<Vec<_>>());
    for (keep, shards) in [(Keep::All, 1), (Keep::Examples, 1), (Keep::All, 4)] {
        let config = Config { keep, shards, ..config(&[Arc::new(Everywhere)]) };
        let report = report(&capture, config);
        assert_eq!(report.summary.verdicts.get("seen-by-us"), Some(&300), "{keep:?}");
        assert_eq!((report.summary.verdicts.len(), report.summary.failed_connections), (1, 300));
    }
    let report = report(&capture, config(&[Arc::new(Everywhere)]));
    let verdict = &report.connections[0].verdict;
    assert_eq!((verdict.class, verdict.class.name()), (Class::Custom, "custom"));
    assert_eq!(verdict.summary, "1 SYNs of 10.0.0.0:40000 to 10.244.0.7:9443");
    assert_eq!((verdict.certainty.name(), verdict.by.unwrap().name()), ("inferred", "client"));
    assert_eq!(verdict.hints, ["Do this", "Then that"]);
    assert_eq!((verdict.evidence.len(), verdict.evidence[0].frame), (1, 1));
    assert_eq!(verdict.apiserver_error, None);
}

#[test]
fn an_answered_call_is_shown_to_them_and_its_finding_is_the_connection_s() {
    let capture = called().capture();
    let report = report(&capture, config(&[Arc::new(Large(1_000))]));
    let connection = &report.connections[0];
    assert_eq!((connection.verdict.code, connection.verdict.class), ("large-answer", Class::SlowResponse));
    assert_eq!(connection.verdict.summary, "call 1 of Some(\"hook.default.svc\"), TLS 0x0304");
    let codes: Vec<_> = connection.calls.iter().map(|call| call.verdict.code).collect();
    assert_eq!(codes, ["ok", "large-answer"]);
    assert_eq!(report.summary.failed_connections, 0, "a warning is no failure");
}

#[test]
fn on_the_same_packet_theirs_counts_and_before_it_the_built_in_one() {
    let refused = Conversation::new("10.0.0.10:40000", "10.244.0.7:9443").syn().server_rst();
    let code = |capture: &Capture, config| report(capture, config).connections[0].verdict.code;
    assert_eq!(code(&refused.capture(), Config::default()), "connection-refused");
    let refused = Conversation::new("10.0.0.10:40000", "10.244.0.7:9443").syn().server_rst();
    assert_eq!(code(&refused.capture(), config(&[Arc::new(OurReset)])), "our-reset");
    // The server's FIN comes first, and the RST after it is its consequence.
    let closed =
        called().client(&tls::application_data(900)).server_ack().server_fin().wait_ms(5).server_rst();
    let rules: [Arc<dyn Rule>; 1] = [Arc::new(Rst)];
    assert_eq!(code(&closed.capture(), config(&rules)), "fin-before-response");
}

/// Finds a RST and nothing else.
#[derive(Debug)]
struct Rst;

impl Rule for Rst {
    fn code(&self) -> &'static str {
        "any-rst"
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        Some(Finding::failure(case.sent(Side::Server).rst?, Phase::Idle, "A RST"))
    }
}

#[test]
fn what_they_find_is_told_to_those_who_watch() {
    let capture = called().capture();
    let mut inspector = Inspector::new(Config { watch: true, ..config(&[Arc::new(Large(1_000))]) });
    inspector.extend(packets(&capture));
    inspector.close();
    let events = inspector.take_events();
    let notices = events.iter().filter_map(|event| match event {
        Event::Notice(notice) => Some((notice.verdict().code, notice.call)),
        _ => None,
    });
    assert_eq!(notices.collect::<Vec<_>>(), [("large-answer", None)]);
    let calls = events.iter().filter_map(|event| match event {
        Event::Call(call) => Some(call.code),
        _ => None,
    });
    assert_eq!(calls.collect::<Vec<_>>(), ["ok", "large-answer"]);
}

#[test]
fn codes_are_kebab_case_and_belong_to_one_rule() {
    #[derive(Debug)]
    struct Named(&'static str);
    impl Rule for Named {
        fn code(&self) -> &'static str {
            self.0
        }
    }
    let mut rules = Config::default().rules;
    for code in ["", "-", "a-", "-a", "a--b", "Large", "large_answer", "größe", "a b"] {
        assert_eq!(rules.push(Arc::new(Named(code))), Err(RuleError::NotKebabCase { code }), "{code}");
    }
    for code in ["ok", "syn-unanswered", "tls-record-overflow"] {
        assert_eq!(rules.push(Arc::new(Named(code))), Err(RuleError::BuiltIn { code }), "{code}");
    }
    assert!(rules.is_empty());
    assert_eq!(rules.push(Arc::new(Named("http2-refused"))), Ok(()));
    let code = "http2-refused";
    assert_eq!(rules.push(Arc::new(Named(code))), Err(RuleError::Taken { code }));
    assert_eq!(rules.iter().map(Rule::code).collect::<Vec<_>>(), [code]);
}
