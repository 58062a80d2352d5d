//! One short story for each verdict: what happens on the wire, and what is to be said of it.
//!
//! A new rule gets a line in [`all`]. Stories of codes that no recorded capture shows are fixtures too: `in_fixtures`
//! makes them so, and blessing writes them.

use hookscope_testkit::{Capture, Conversation, tls};

/// A conversation and the verdict on it.
pub(crate) struct Story {
    /// What it is called, in kebab-case.
    pub(crate) name: String,
    /// The verdict's code.
    pub(crate) code: &'static str,
    /// Who caused it.
    pub(crate) by: Option<&'static str>,
    /// How it is known.
    pub(crate) certainty: &'static str,
    /// When it happened.
    pub(crate) phase: &'static str,
    /// Whether its capture lies under `fixtures/`.
    pub(crate) is_fixture: bool,
    tell: Box<dyn Fn() -> Conversation>,
}

impl Story {
    /// The file name of its capture.
    pub(crate) fn file_name(&self) -> String {
        format!("story-{}.pcap", self.name)
    }

    /// Its packets.
    pub(crate) fn capture(&self) -> Capture {
        (self.tell)().capture()
    }

    fn by(self, by: &'static str) -> Self {
        Self { by: Some(by), ..self }
    }

    fn inferred(self) -> Self {
        Self { certainty: "inferred", ..self }
    }

    fn in_fixtures(self) -> Self {
        Self { is_fixture: true, ..self }
    }

    fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }
}

fn story(code: &'static str, phase: &'static str, tell: impl Fn() -> Conversation + 'static) -> Story {
    Story {
        name: code.to_owned(),
        code,
        by: None,
        certainty: "observed",
        phase,
        is_fixture: false,
        tell: Box::new(tell),
    }
}

const NAME: &str = "hook.default.svc";
/// A length that AES-128-GCM gives to an empty Certificate message.
const EMPTY_CERTIFICATE: usize = 4 + 4 + 1 + 16;
/// Octets of a Finished with SHA-256 under AES-GCM.
const FINISHED: usize = 53;

/// A connection that is about to be opened.
pub(crate) fn dial() -> Conversation {
    Conversation::new("10.0.0.10:40000", "10.244.1.1:9443").at_ms(1_792_731_967_000)
}

/// An open connection.
pub(crate) fn opened() -> Conversation {
    dial().handshake()
}

/// kube-apiserver's ClientHello.
pub(crate) fn hello() -> Vec<u8> {
    tls::client_hello(Some(NAME), &["http/1.1"], true, 0)
}

/// An open connection and the ClientHello, acknowledged.
pub(crate) fn greeted() -> Conversation {
    opened().client(&hello()).server_ack()
}

/// The server's TLS 1.3 flight and the client's answer to it.
pub(crate) fn finish_tls13(conversation: Conversation) -> Conversation {
    conversation
        .server(&tls::go_tls13_server_flight())
        .client_ack()
        .client(&tls::go_tls13_client_finished())
        .server_ack()
}

/// A connection with TLS 1.3, ready for requests.
pub(crate) fn ready() -> Conversation {
    finish_tls13(greeted())
}

/// The server's whole first flight in TLS 1.2.
pub(crate) fn flight12() -> Vec<u8> {
    [
        tls::server_hello(false, 0xc02b, Some("http/1.1")),
        tls::certificate12(&[tls::CERTIFICATE]),
        tls::server_key_exchange(),
        tls::server_hello_done(),
    ]
    .concat()
}

/// The client sends a request, and the server acknowledges it.
pub(crate) fn request(conversation: Conversation) -> Conversation {
    conversation.client(&tls::application_data(1140)).server_ack()
}

/// The server sends its response in two records, and the client acknowledges it.
pub(crate) fn answer(conversation: Conversation) -> Conversation {
    conversation.server(&[tls::application_data(162), tls::application_data(159)].concat()).client_ack()
}

/// The client ends the connection as Go does: an alert and FIN.
pub(crate) fn hang_up(conversation: Conversation) -> Conversation {
    conversation.client(&tls::close_notify13()).client_fin()
}

/// A request that waits for its response.
pub(crate) fn asked() -> Conversation {
    request(ready())
}

/// The same segment again and again, without an acknowledgment.
fn in_vain(mut conversation: Conversation) -> Conversation {
    for wait in [300, 600, 1_200, 2_400] {
        conversation = conversation.wait_ms(wait).unacknowledged().client_retransmit_missing();
    }
    conversation
}

/// All stories.
pub(crate) fn all() -> Vec<Story> {
    let mut all = vec![
        story("ok", "response", || hang_up(answer(asked().wait_ms(20))).server_fin().client_ack()),
        story("idle", "idle", || hang_up(ready().wait_ms(5_000)).server_fin()).in_fixtures(),
        story("idle", "idle", || opened().client_fin().server_fin().client_ack())
            .named("health-check")
            .in_fixtures(),
    ];
    all.extend(connect());
    all.extend(handshake());
    all.extend(alerts());
    all.extend(calls());
    all.extend(blackholes());
    all.extend(plain_http());
    all.push(refused_lookup());
    all
}

fn connect() -> Vec<Story> {
    let icmp = |code: &'static str, number: u8| {
        let tell = move || dial().syn().after_us(300).icmp_error("10.0.0.1", 3, number, 0);
        story(code, "connect", tell).by("network")
    };
    vec![
        story("syn-unanswered", "connect", || {
            let twice = dial().unacknowledged().syn().wait_ms(1_000).unacknowledged().client_retransmit();
            twice.wait_ms(2_000).client_retransmit()
        }),
        story("syn-ack-ignored", "connect", || {
            let again = dial().syn().after_us(200).syn_ack().wait_ms(1_000).client_retransmit();
            again.after_us(200).server_retransmit()
        }),
        story("syn-retransmitted", "connect", || {
            let open = dial().unacknowledged().syn().wait_ms(1_000).client_retransmit().syn_ack().ack();
            answer(request(finish_tls13(open.client(&hello()).server_ack())))
        }),
        story("connection-refused", "connect", || dial().syn().after_us(100).server_rst()).by("server"),
        story("capture-incomplete", "connect", || dial().syn()).named("one-syn").in_fixtures(),
        icmp("icmp-port-unreachable", 3),
        icmp("icmp-host-unreachable", 1),
        icmp("icmp-net-unreachable", 0).in_fixtures(),
        icmp("icmp-admin-prohibited", 13),
    ]
}

fn handshake() -> Vec<Story> {
    vec![
        story("rst-in-tls-handshake", "tls", || greeted().server_rst()).by("server"),
        story("fin-in-tls-handshake", "tls", || greeted().server_fin().client_ack()).by("server"),
        story("tls-no-server-hello", "tls", || greeted().wait_ms(10_000).client_fin()),
        story("tls-handshake-incomplete", "tls", || {
            let began = greeted().server(&tls::server_hello(true, 0x1301, None)).client_ack();
            began.wait_ms(10_000).client_fin().server_ack()
        })
        .in_fixtures(),
        story("tls-certificate-rejected", "tls", || {
            let shown = greeted().server(&tls::go_tls13_server_flight()).client_ack();
            shown.client(&tls::go_tls13_client_reject()).client_fin()
        })
        .by("client")
        .inferred(),
        story("tls-client-rejected", "tls", || {
            let shown = greeted().server(&tls::go_tls13_server_flight()).client_ack();
            let certificate = tls::application_data(EMPTY_CERTIFICATE);
            let finished = tls::application_data(FINISHED);
            let answered = shown.client(&[tls::change_cipher_spec(), certificate, finished].concat());
            request(answered).server(&tls::close_notify13()).server_fin().client_ack()
        })
        .by("server")
        .inferred(),
        story("plaintext-http", "tls", || greeted().server(b"HTTP/1.0 400 Bad Request\r\n\r\n").client_rst())
            .by("server"),
        story("not-tls", "tls", || greeted().server(b"SSH-2.0-OpenSSH_9.2\r\n").client_fin()).by("server"),
        story("slow-tls-handshake", "tls", || answer(request(finish_tls13(greeted().wait_ms(6_000))))),
    ]
}

/// Alerts that no recorded capture shows come from the server in answer to the ClientHello.
fn alerts() -> Vec<Story> {
    const RECORDED: [u8; 4] = [40, 70, 80, 120];
    // It shares the page of those that have no name.
    const WITHOUT_PAGE: [u8; 1] = [22];
    let by_server = [
        (10, "tls-unexpected-message"),
        (40, "tls-handshake-failure"),
        (43, "tls-unsupported-certificate"),
        (44, "tls-certificate-revoked"),
        (45, "tls-certificate-expired"),
        (46, "tls-certificate-unknown"),
        (47, "tls-illegal-parameter"),
        (48, "tls-unknown-ca"),
        (49, "tls-access-denied"),
        (50, "tls-decode-error"),
        (51, "tls-decrypt-error"),
        (70, "tls-protocol-version"),
        (71, "tls-insufficient-security"),
        (80, "tls-internal-error"),
        (109, "tls-missing-extension"),
        (112, "tls-unrecognized-name"),
        (116, "tls-certificate-required"),
        (120, "tls-no-application-protocol"),
        (99, "tls-alert"),
        (22, "tls-record-overflow"),
    ];
    let alert = |(number, code): (u8, &'static str)| {
        let tell = move || greeted().server(&tls::alert(2, number)).server_fin().client_ack();
        let is_fixture = !RECORDED.contains(&number) && !WITHOUT_PAGE.contains(&number);
        Story { is_fixture, ..story(code, "tls", tell).by("server") }
    };
    let mut all: Vec<_> = by_server.into_iter().map(alert).collect();
    all.push(
        story("tls-bad-certificate", "tls", || {
            let shown = greeted().server(&flight12()).client_ack();
            shown.client(&tls::alert(2, 42)).client_fin()
        })
        .by("client"),
    );
    all
}

fn calls() -> Vec<Story> {
    vec![
        story("rst-before-response", "request", || asked().wait_ms(30).server_rst()).by("server"),
        story("rst-in-response", "response", || answer(asked()).wait_ms(1).server_rst())
            .by("server")
            .inferred(),
        story("fin-before-response", "request", || asked().wait_ms(30).server_fin().client_ack())
            .by("server"),
        story("fin-before-response", "request", || {
            asked().wait_ms(30).server(&tls::close_notify13()).server_fin().client_ack()
        })
        .named("close-notify-before-response")
        .by("server")
        .inferred(),
        story("client-aborted", "request", || hang_up(asked().wait_ms(3_400)).server_ack()).by("client"),
        story("deadline-exceeded", "request", || hang_up(asked().wait_ms(10_000)).server_ack()),
        story("response-stalled", "response", || {
            hang_up(asked().server(&tls::application_data(9_000)).client_ack().wait_ms(10_000)).server_ack()
        })
        .inferred(),
        story("slow", "response", || answer(asked().wait_ms(6_000))),
        story("capture-incomplete", "request", asked).in_fixtures(),
    ]
}

fn blackholes() -> Vec<Story> {
    vec![
        story("stale-connection", "request", || {
            let worked = answer(asked()).wait_ms(60_000);
            in_vain(worked.unacknowledged().client(&tls::application_data(1140)))
        })
        .inferred(),
        story("mtu-blackhole", "request", || {
            let request = tls::application_data(1_600);
            let (large, small) = request.split_at(1_460);
            in_vain(ready().unacknowledged().client(large).client(small).server_ack())
        })
        .inferred(),
        story("data-unacknowledged", "tls", || in_vain(opened().unacknowledged().client(&hello())))
            .inferred()
            .in_fixtures(),
    ]
}

fn plain_http() -> Vec<Story> {
    const POST: &[u8] = b"POST /validate?timeout=10s HTTP/1.1\r\nHost: hook.default.svc\r\n\
        Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    vec![
        story("fin-in-response", "response", || {
            let part = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n{\"kind\":";
            opened().client(POST).server_ack().wait_ms(5).server(part).server_fin().client_ack()
        })
        .by("server")
        .in_fixtures(),
        story("http-status", "response", || {
            let error = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\noops\n";
            opened().client(POST).server_ack().wait_ms(5).server(error).client_ack().client_fin()
        })
        .by("server")
        .in_fixtures(),
        story("proxy-refused", "connect", || {
            let connect = b"CONNECT hook.default.svc:443 HTTP/1.1\r\nHost: hook.default.svc:443\r\n\r\n";
            let refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
            opened().client(connect).server_ack().server(refusal).client_ack().client_fin()
        })
        .by("server")
        .in_fixtures(),
    ]
}

/// Over TCP, as resolvers ask after a truncated answer.
fn refused_lookup() -> Story {
    const REFUSED: u8 = 5;
    let message = |flags: [u8; 2]| {
        let question = b"\x04hook\x07default\x03svc\x00\x00\x01\x00\x01";
        let header = [0x12, 0x34, flags[0], flags[1], 0, 1, 0, 0, 0, 0, 0, 0];
        [&[0, (header.len() + question.len()) as u8][..], &header, question].concat()
    };
    story("dns-refused", "dns", move || {
        let dial = Conversation::new("10.0.0.10:40000", "10.96.0.10:53").at_ms(1_792_731_967_000);
        let asked = dial.handshake().client(&message([0x01, 0x00])).server_ack();
        asked.server(&message([0x81, 0x80 | REFUSED])).client_ack().client_fin().server_fin()
    })
    .by("server")
    .in_fixtures()
}
