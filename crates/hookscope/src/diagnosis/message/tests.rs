use std::collections::BTreeMap;

use super::*;
use crate::diagnosis::pages;

/// Messages of several Go and Kubernetes versions, and what gives them.
const SAID: &[(&str, &[&str])] = &[
    (
        "dial tcp 10.96.1.2:443: connect: connection refused",
        &["connection-refused", "icmp-port-unreachable", "nothing-sent"],
    ),
    ("dial tcp 10.96.1.2:443: i/o timeout", &["syn-unanswered", "syn-ack-ignored"]),
    (
        "dial tcp [fd00::7]:9443: connect: no route to host",
        &["icmp-admin-prohibited", "icmp-host-unreachable", "nothing-sent"],
    ),
    ("dial tcp: lookup hook.example on 10.96.0.10:53: no such host", &["dns-nxdomain"]),
    ("dial tcp: lookup hook.example: no such host", &["dns-nxdomain"]),
    ("dial tcp: lookup hook.example on 10.96.0.10:53: server misbehaving", &["dns-servfail", "dns-refused"]),
    ("dial tcp: lookup hook.example: i/o timeout", &["dns-timeout", "dns-servfail"]),
    (
        "dial tcp: lookup a.b on 10.0.0.1:53: read udp 10.0.0.2:1->10.0.0.1:53: read: connection refused",
        &["dns-timeout", "dns-servfail"],
    ),
    (
        "x509: certificate signed by unknown authority (possibly because of \"crypto/rsa: verification error\" while trying to verify candidate authority certificate \"ca\")",
        &["tls-certificate-rejected", "tls-bad-certificate", "tls-unknown-ca"],
    ),
    (
        "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-01-02T03:04:05Z is after 2026-01-01T00:00:00Z",
        &["tls-certificate-rejected", "tls-bad-certificate", "tls-certificate-expired"],
    ),
    (
        "tls: failed to verify certificate: x509: certificate is valid for a.b.svc, not c.d.svc",
        &["tls-certificate-rejected", "tls-bad-certificate", "tls-certificate-unknown"],
    ),
    (
        "x509: certificate relies on legacy Common Name field, use SANs or temporarily enable Common Name matching with GODEBUG=x509ignoreCN=0",
        &["tls-certificate-rejected", "tls-bad-certificate", "tls-certificate-unknown"],
    ),
    (
        "tls: failed to verify certificate: x509: “hook” certificate is not standards compliant",
        &["tls-certificate-rejected", "tls-bad-certificate", "tls-certificate-unknown"],
    ),
    ("remote error: tls: bad certificate", &["tls-bad-certificate", "tls-client-rejected"]),
    ("remote error: tls: certificate required", &["tls-client-rejected", "tls-certificate-required"]),
    ("remote error: tls: inappropriate fallback", &["tls-alert"]),
    (
        "net/http: TLS handshake timeout",
        &["tls-no-server-hello", "mtu-blackhole", "tls-handshake-incomplete"],
    ),
    (
        "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
        &["deadline-exceeded", "syn-unanswered", "tls-no-server-hello"],
    ),
    (
        "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
        &["deadline-exceeded", "syn-unanswered", "tls-no-server-hello"],
    ),
    (
        "net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
        &["syn-unanswered", "syn-ack-ignored", "tls-no-server-hello"],
    ),
    ("http: server gave HTTP response to HTTPS client", &["plaintext-http"]),
    ("tls: oversized record received with length 20527", &["not-tls", "plaintext-http"]),
    (
        "read tcp 10.0.0.1:43210->10.96.0.7:443: read: connection reset by peer",
        &["rst-before-response", "rst-in-tls-handshake", "tls-client-rejected"],
    ),
    (
        "write tcp 10.0.0.1:43210->10.96.0.7:443: write: broken pipe",
        &["rst-before-response", "fin-before-response"],
    ),
    ("EOF", &["fin-before-response", "fin-in-tls-handshake", "nothing-sent"]),
    ("unexpected EOF", &["fin-in-response", "fin-before-response", "fin-in-tls-handshake"]),
    ("http2: client connection lost", &["stale-connection"]),
    ("http2: server sent GOAWAY and closed the connection; LastStreamID=1", &["fin-before-response"]),
    (
        "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /, Kind=",
        &["http-status", "ok"],
    ),
    ("the server could not find the requested resource", &["http-status", "ok"]),
    ("Service Unavailable", &["proxy-refused", "http-status"]),
    (
        "proxyconnect tcp: dial tcp 10.1.1.1:3128: connect: connection refused",
        &["connection-refused", "syn-unanswered", "dns-nxdomain"],
    ),
    ("no endpoints available for service \"hook\"", &["nothing-sent"]),
    ("service \"hook\" not found", &["nothing-sent"]),
    ("Address is not allowed", &["nothing-sent"]),
    ("No agent available", &["nothing-sent", "proxy-refused"]),
    (
        "proxy error from 127.0.0.1:6443 while dialing 10.42.3.16:9443, code 503: 503 Service Unavailable",
        &["nothing-sent", "proxy-refused"],
    ),
    ("context canceled", &["client-aborted"]),
    ("admission webhook \"x.io\" denied the request: dial tcp: connection refused", &["ok"]),
];

fn codes(explanation: &Explanation) -> Vec<&'static str> {
    explanation.candidates.iter().map(|candidate| candidate.code).collect()
}

#[test]
fn messages_of_many_versions_are_recognised() {
    for (error, expected) in SAID {
        for text in [
            (*error).to_owned(),
            format!(
                "Internal error occurred: failed calling webhook \"x.io\": failed to call webhook: Post \"https://a.b.svc:443/c?timeout=10s\": {error}"
            ),
            format!(
                "Internal error occurred: failed calling webhook \"x.io\": Post https://a.b.svc:443/c?timeout=10s: {error}"
            ),
        ] {
            assert_eq!(codes(&explain(&text)), *expected, "{text}");
        }
    }
}

#[test]
fn alerts_that_go_never_sends_stand_last_and_are_said_to_be_of_others() {
    for error in [
        "x509: certificate signed by unknown authority",
        "x509: certificate has expired or is not yet valid: current time 2026-01-02T03:04:05Z is after 2026-01-01T00:00:00Z",
        "x509: certificate is valid for a.b.svc, not c.d.svc",
        "x509: something new",
    ] {
        let others: Vec<bool> = explain(error).candidates.iter().map(|it| it.only_other_clients).collect();
        assert_eq!(others, [false, false, true], "{error}");
    }
    // Here the webhook says so, of the client's certificate.
    let explanation = explain("remote error: tls: unknown certificate authority");
    assert_eq!(codes(&explanation), ["tls-unknown-ca", "tls-client-rejected"]);
    assert!(explanation.candidates.iter().all(|candidate| !candidate.only_other_clients));
}

#[test]
fn an_unknown_message_gives_no_codes() {
    for text in
        ["", "everything is fine", "Forbidden: user cannot create pods", "\\\"", "Post \"https://a/b\": what"]
    {
        let explanation = explain(text);
        assert!(
            explanation.candidates.is_empty() && explanation.meaning.is_none(),
            "{text}: {explanation:?}"
        );
    }
}

#[test]
fn what_to_run_next_is_a_capture_or_names_the_service() {
    assert_eq!(
        explain("EOF").next,
        "tcpdump -i any -s 0 -w webhooks.pcap 'tcp or icmp or icmp6 or udp port 53'"
    );
    let line = "Post \"https://hook.ns.svc:443/?timeout=5s\": no endpoints available for service \"hook\"";
    let explanation = explain(line);
    assert!(!explanation.captures);
    assert_eq!(
        explanation.next,
        "kubectl -n ns get endpointslices -l kubernetes.io/service-name=hook -o wide"
    );
}

#[test]
fn who_denied_a_request_is_looked_for_by_name() {
    let next = |name: &str| {
        let explanation =
            explain(&format!("Error from server: admission webhook \"{name}\" denied the request: no"));
        assert_eq!(codes(&explanation), ["ok"]);
        explanation.next
    };
    assert!(next("x.y.io").ends_with(" | grep -F x.y.io"));
    assert!(next("x; reboot").ends_with(" | grep -F WEBHOOK"));
}

#[test]
fn every_wording_is_explained_by_codes_that_exist() {
    for wording in table::all() {
        let text = wording.texts.first().unwrap();
        assert!((1..=3).contains(&wording.given_by.len()), "{text}");
        assert!(wording.given_by.len() == 1 || !wording.apart.is_empty(), "{text}: what tells them apart?");
        assert!(wording.meaning.ends_with('.'), "{text}");
        let mut seen = Vec::new();
        for giver in wording.givers() {
            assert!(page_of(giver.code).is_some(), "{text}: there is no code {}", giver.code);
            assert!(!seen.contains(&giver.code), "{text}: {} twice", giver.code);
            seen.push(giver.code);
        }
    }
}

#[test]
fn every_wording_is_recognised_as_itself() {
    for wording in table::all() {
        for text in wording.texts.iter().filter(|text| !text.starts_with("{reason}")) {
            let example = Template(text).fill(|_| Some("a.b".to_owned()));
            let found = recognise(&example).map(|found| found.texts);
            assert_eq!(found, Some(wording.texts), "{example}");
        }
    }
}

/// Every message that a code's page quotes names the code when it is explained, and the other way round each code of
/// which a page says that it gives a message is known to give one.
#[test]
fn what_pages_quote_leads_back_to_them() {
    let mut quoted = BTreeMap::new();
    for page in pages() {
        let section = page.text.split("## What kube-apiserver says\n").nth(1).unwrap_or_default();
        let section = section.split("\n## ").next().unwrap_or_default();
        let block =
            section.split("```").nth(1).and_then(|block| block.strip_prefix("text\n")).unwrap_or_default();
        for line in block.lines().filter(|line| !line.starts_with("apiserver_")) {
            quoted.entry(line).or_insert_with(Vec::new).push(page.code.name);
        }
    }
    assert!(quoted.len() > 50);
    for (line, pages) in quoted {
        let wording = recognise(&Quote::read(line).error);
        for page in pages {
            assert!(
                wording.is_some_and(|wording| wording.gives(page)),
                "{page}.md quotes {line:?}: {wording:?}"
            );
        }
    }
}
