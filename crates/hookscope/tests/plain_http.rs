//! Stories of plain HTTP and of proxies, each told in whole segments and again octet by octet.

use hookscope::packet::{Frame, LinkType};
use hookscope::report::Input;
use hookscope::report::schema::Connection;
use hookscope::time::Timestamp;
use hookscope::verdict::By;
use hookscope::{Config, Inspector, Keep, Packet};
use hookscope_testkit::{Capture, Conversation, tls, transform};

const REVIEW: &str = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"1"}}"#;
const NAME: &str = "hook.default.svc";

fn inspect(capture: &Capture) -> Connection {
    let mut inspector = Inspector::new(Config { keep: Keep::All, ..Config::default() });
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
    let mut connections = inspector.finish().report(&Input::default()).connections;
    assert_eq!(connections.len(), 1);
    connections.remove(0)
}

/// The connection's verdict, and the codes and octets of its calls.
fn outline(connection: &Connection) -> (String, Vec<String>) {
    let calls = connection.calls.iter();
    let calls =
        calls.map(|call| format!("{} {} {}", call.verdict.code, call.request_bytes, call.response_bytes));
    let verdict = &connection.verdict;
    let by = verdict.by.map_or("-", By::name);
    (format!("{} {} {by} {}", verdict.code, verdict.certainty, verdict.phase), calls.collect())
}

/// Judges a story, whole and in segments of one octet.
fn tells(story: Conversation, code: &str, calls: &[&str]) -> Connection {
    let capture = story.capture();
    let whole = inspect(&capture);
    let expected = (code.to_owned(), calls.iter().map(|call| (*call).to_owned()).collect());
    assert_eq!(outline(&whole), expected);
    let pieces = inspect(&transform::one_byte_segments(&capture));
    assert_eq!(outline(&pieces), expected, "in segments of one octet");
    assert_eq!(pieces.server_name, whole.server_name);
    whole
}

fn open() -> Conversation {
    Conversation::new("10.0.0.10:40000", "10.244.1.1:8080").handshake()
}

fn post(content: &str) -> Vec<u8> {
    format!("POST /validate HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{content}", content.len()).into()
}

fn answer(status: &str, content: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{content}", content.len()).into()
}

#[test]
fn calls_are_read_like_those_in_tls() {
    let story = open()
        .client(&post(REVIEW))
        .server(&answer("200 OK", REVIEW))
        .wait_ms(3000)
        .client(&post(REVIEW))
        .wait_ms(6000)
        .server(&answer("200 OK", REVIEW))
        .client_fin()
        .server_fin();
    let connection = tells(story, "slow observed - response", &["ok 139 122", "slow 139 122"]);
    assert!(connection.tls.is_none());
    assert_eq!(connection.calls[0].start, connection.start);
}

#[test]
fn a_status_says_that_the_call_failed() {
    let status = answer("503 Service Unavailable", "x");
    let story = open().client(&post(REVIEW)).server(&status).client_fin().server_fin();
    let connection = tells(story, "http-status observed server response", &["http-status 139 56"]);
    assert!(connection.verdict.summary.contains("status 503"), "{}", connection.verdict.summary);
}

#[test]
fn a_review_is_answered_by_a_review() {
    let page = answer("200 OK", "<html>");
    let story = open().client(&post(REVIEW)).server(&page).client_fin().server_fin();
    let connection = tells(story, "http-status observed server response", &["http-status 139 44"]);
    assert!(connection.verdict.summary.contains("without an AdmissionReview"));
    let story = open().client(&post("{}")).server(&page).client_fin().server_fin();
    tells(story, "ok observed - response", &["ok 57 44"]);
}

#[test]
fn a_response_is_cut_by_what_ends_it_early() {
    let begun = || open().client(&post(REVIEW)).server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    let closed = begun().server_fin().client_fin();
    tells(closed, "fin-in-response observed server response", &["fin-in-response 139 41"]);
    let reset = begun().wait_ms(5000).server_rst();
    tells(reset, "rst-in-response observed server response", &["rst-in-response 139 41"]);
    let aborted = begun().wait_ms(300).client_fin();
    tells(aborted, "client-aborted observed client response", &["client-aborted 139 41"]);
    let stalled = begun().at_ms(10_000).client_fin();
    tells(stalled, "response-stalled observed - response", &["response-stalled 139 41"]);
    let unfinished = tells(begun(), "capture-incomplete observed - response", &["capture-incomplete 139 41"]);
    assert_eq!(unfinished.calls[0].total_s, None);
    let head = open().client(&post(REVIEW)).server(b"HTTP/1.1 200 O").server_fin();
    tells(head, "fin-in-response observed server response", &["fin-in-response 139 14"]);
    let chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n";
    let chunks = open().client(&post(REVIEW)).server(chunk).server_fin();
    tells(chunks, "fin-in-response observed server response", &["fin-in-response 139 53"]);
}

#[test]
fn the_end_of_the_connection_ends_a_body_without_a_length() {
    let story = open().client(&post("{}")).server(b"HTTP/1.0 200 OK\r\n\r\nabc").server_fin().client_fin();
    tells(story, "ok observed - response", &["ok 57 22"]);
}

#[test]
fn what_ends_a_call_before_its_response() {
    let asked = || open().client(&post(REVIEW)).server_ack();
    let reset = asked().server_rst();
    tells(reset, "rst-before-response observed server request", &["rst-before-response 139 0"]);
    let closed = asked().server_fin().client_fin();
    tells(closed, "fin-before-response observed server request", &["fin-before-response 139 0"]);
    let aborted = asked().wait_ms(500).client_fin();
    tells(aborted, "client-aborted observed client request", &["client-aborted 139 0"]);
    let silent = asked().at_ms(10_000).client_fin();
    tells(silent, "deadline-exceeded observed - request", &["deadline-exceeded 139 0"]);
    let interim = asked().server(b"HTTP/1.1 100 Continue\r\n\r\n").server_fin().client_fin();
    tells(interim, "fin-before-response observed server request", &["fin-before-response 139 0"]);
}

#[test]
fn requests_ahead_of_their_responses_are_calls_of_their_own() {
    let story = open()
        .client(&[post("{}"), post("{1}")].concat())
        .server(&[answer("200 OK", "a"), answer("404 Not Found", "")].concat())
        .client_fin()
        .server_fin();
    tells(story, "http-status observed server response", &["ok 57 39", "http-status 58 45"]);
}

#[test]
fn other_protocols_make_no_calls() {
    for first in [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], b"EHLO mail.example\r\n", b"\x01\x02\x03"] {
        let story = open().client(first).server(b"250 fine\r\n").client_fin().server_fin();
        tells(story, "idle observed - idle", &[]);
    }
    let upgrade = open()
        .client(b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
        .server(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\x01\x02")
        .client(b"\x03\x04")
        .server(b"\x05");
    tells(upgrade.client_fin().server_fin(), "ok observed - response", &["ok 51 48"]);
}

#[test]
fn plain_http_in_answer_to_a_client_hello_stays_a_mismatch() {
    let story = open()
        .client(&tls::client_hello(Some(NAME), &["http/1.1"], true, 0))
        .server(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTPS request")
        .server_fin();
    tells(story, "plaintext-http observed server tls", &[]);
}

fn connect() -> Conversation {
    let request = format!("CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}:443\r\n\r\n");
    Conversation::new("10.0.0.10:40000", "10.0.0.5:3128").handshake().client(request.as_bytes())
}

#[test]
fn a_proxy_that_refuses_is_named_with_its_reason() {
    let story = connect().server(&answer("503 Unknown Host", "no such host")).server_fin().client_fin();
    let connection = tells(story, "proxy-refused observed server connect", &[]);
    let summary = &connection.verdict.summary;
    for part in ["10.0.0.5:3128", "hook.default.svc:443", "503 Unknown Host", "`Unknown Host`"] {
        assert!(summary.contains(part), "{summary}");
    }
    assert_eq!(connection.verdict.evidence.len(), 2);
}

#[test]
fn a_proxy_that_does_not_answer_has_the_ordinary_codes() {
    let reset = connect().server_rst();
    tells(reset, "rst-before-response observed server request", &["rst-before-response 69 0"]);
    let closed = connect().server_fin();
    tells(closed, "fin-before-response observed server request", &["fin-before-response 69 0"]);
    let silent = connect().server_ack().at_ms(10_000).client_fin();
    tells(silent, "deadline-exceeded observed - request", &["deadline-exceeded 69 0"]);
}

#[test]
fn a_proxy_may_ask_who_it_is_first() {
    let again = b"CONNECT hook.default.svc:443 HTTP/1.1\r\nProxy-Authorization: Basic eA==\r\n\r\n";
    let story = connect()
        .server(&answer("407 Proxy Authentication Required", "x"))
        .client(again)
        .server(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .client_fin();
    tells(story, "idle observed - idle", &[]);
}

#[test]
fn behind_the_proxy_the_connection_is_like_any_other() {
    let tunnel = || connect().server(b"HTTP/1.1 200 Connection established\r\n\r\n");
    let hello = tls::client_hello(Some(NAME), &["http/1.1"], true, 0);
    let called = tunnel()
        .client(&hello)
        .server(&tls::go_tls13_server_flight())
        .client(&tls::go_tls13_client_finished())
        .client(&tls::application_data(1000))
        .server(&tls::application_data(300))
        .client_fin()
        .server_fin();
    let connection = tells(called, "ok observed - response", &["ok 1005 305"]);
    assert_eq!(connection.server_name.as_deref(), Some(NAME));
    assert_eq!(connection.calls[0].start, connection.start);
    let rejected = tunnel()
        .client(&hello)
        .server(&tls::go_tls13_server_flight())
        .client(&tls::go_tls13_client_reject())
        .client_fin();
    tells(rejected, "tls-certificate-rejected inferred client tls", &[]);
    let silent = tunnel().client(&hello).server_ack().at_ms(10_000).client_fin();
    tells(silent, "tls-no-server-hello observed - tls", &[]);
    let plain = tunnel().client(&post(REVIEW)).server(&answer("404 Not Found", "")).client_fin().server_fin();
    tells(plain, "http-status observed server response", &["http-status 139 45"]);
}

#[test]
fn a_tunnel_is_cut_exactly_behind_the_answer() {
    let early = [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &tls::alert(2, 40)].concat();
    let story = connect().server(&early).server_fin();
    let connection = tells(story, "tls-handshake-failure observed server tls", &[]);
    assert_eq!(connection.tls.unwrap().alerts.len(), 1);
}

#[test]
fn what_was_not_seen_from_the_beginning_is_not_guessed() {
    let begun = Conversation::new("10.0.0.10:40000", "10.244.1.1:8080").client(&post(REVIEW));
    let story = begun.server(&answer("500 x", "")).client_fin();
    assert!(inspect(&story.capture()).calls.is_empty());
    let lost = open().client(&post(REVIEW)).lost().server(&answer("500 x", "y")).client_ack().client_fin();
    let connection = inspect(&lost.server_fin().capture());
    assert!(connection.calls.iter().all(|call| call.verdict.code != "http-status"));
}
