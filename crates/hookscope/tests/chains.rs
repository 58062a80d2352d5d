//! Chains of certificates in handshakes, held against what a webhook trusts: each cause, each link, however the
//! handshake is cut into packets.

mod common;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::Recording;
use hookscope::cluster::{CaBundle, Cluster, FailurePolicy, Objects, Selector, Target, Webhook, WebhookKind};
use hookscope::report::schema::{Connection, Report};
use hookscope::verdict::Cause;
use hookscope::{Config, Keep};
use hookscope_testkit::transform::segments_of;
use hookscope_testkit::{Capture, Conversation, tls};

/// In the middle of 2026.
const NOW_MS: i64 = 1_782_000_000_000;

/// The certificate that `src/trust/tests/make.py` calls so, as PEM.
fn pem(label: &str) -> String {
    let all = include_str!("../src/trust/tests/chains.pem");
    let (_, rest) = all.split_once(&format!("{label}\n-----BEGIN CERTIFICATE-----\n")).unwrap();
    let (body, _) = rest.split_once("-----END").unwrap();
    format!("-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n")
}

fn der(label: &str) -> Vec<u8> {
    let text: String = pem(label).lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(text).unwrap()
}

/// A webhook `NAME.example` at https://hook.ns.svc:9443 for each of these roots.
fn trusting(roots: &[&str]) -> Config {
    let webhook = |root: &&str| Webhook {
        kind: WebhookKind::Mutating,
        configuration: (*root).to_owned(),
        name: format!("{root}.example"),
        target: Target::Url("https://hook.ns.svc:9443/mutate".to_owned()),
        timeout: None,
        failure_policy: FailurePolicy::Fail,
        ca_bundle: CaBundle::Bytes(pem(root).into_bytes()),
        namespace_selector: Selector::default(),
        object_selector: Selector::default(),
        rules: Vec::new(),
        match_conditions: 0,
    };
    let objects = Objects { webhooks: roots.iter().map(webhook).collect(), ..Objects::default() };
    Config { keep: Keep::All, cluster: Some(Arc::new(Cluster::new(objects))), ..Config::default() }
}

/// A client that rejects this chain in TLS 1.2.
fn rejected12(chain: &[&str]) -> Capture {
    let chain: Vec<Vec<u8>> = chain.iter().map(|label| der(label)).collect();
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let flight = [
        tls::server_hello(false, 0xc02b, None),
        tls::certificate12(&chain),
        tls::server_key_exchange(),
        tls::server_hello_done(),
    ];
    Conversation::new("10.0.0.10:40000", "10.244.1.1:9443")
        .at_ms(NOW_MS)
        .handshake()
        .client(&tls::client_hello(Some("hook.ns.svc"), &["http/1.1"], true, 0))
        .server(&flight.concat())
        .client(&tls::alert(2, 42))
        .client_fin()
        .capture()
}

/// A client that rejects an encrypted certificate in TLS 1.3.
fn rejected13() -> Capture {
    Conversation::new("10.0.0.10:40001", "10.244.1.1:9443")
        .at_ms(NOW_MS + 1000)
        .handshake()
        .client(&tls::client_hello(Some("hook.ns.svc"), &["http/1.1"], true, 0))
        .server(&tls::go_tls13_server_flight())
        .client(&tls::go_tls13_client_reject())
        .client_fin()
        .capture()
}

fn report(capture: &Capture, config: Config) -> Report {
    Recording::of(capture).report(config)
}

fn last(report: &Report) -> &Connection {
    report.connections.last().unwrap()
}

#[test]
fn the_whole_chain_is_verified() {
    for (chain, root, cause, result, subject) in [
        (
            &["leaf-below", "intermediate"][..],
            "other-ca",
            "unknown-ca",
            "unknown-issuer",
            "CN=hook-intermediate",
        ),
        (&["leaf-below", "intermediate"], "twin-ca", "unknown-ca", "other-key", "CN=hook-intermediate"),
        (&["leaf-below"], "ca", "unknown-ca", "unknown-issuer", "CN=hook"),
        (&["leaf-below", "intermediate-old"], "ca", "expired", "expired", "CN=hook-intermediate"),
        (&["leaf-of-old"], "ca-old", "expired", "expired", "CN=hook-ca-old"),
        (
            &["leaf-too-deep", "second", "intermediate"],
            "ca",
            "unknown-ca",
            "path-too-long",
            "CN=hook-intermediate",
        ),
        (&["leaf-client"], "ca", "key-usage", "not-for-servers", "CN=hook"),
        (&["leaf-young"], "ca", "not-yet-valid", "not-yet-valid", "CN=hook"),
        (&["leaf-ip"], "ca", "name-mismatch", "name-mismatch", "CN=hook"),
        (&["leaf-rsa-pss"], "ca", "unknown-ca", "unknown-issuer", "CN=hook"),
    ] {
        let capture = rejected12(chain);
        for capture in [segments_of(&capture, 1), segments_of(&capture, 100), capture] {
            let report = report(&capture, trusting(&[root]));
            let connection = last(&report);
            assert_eq!(connection.verdict.code, "tls-bad-certificate", "{chain:?}");
            assert_eq!(connection.verdict.cause.map(Cause::name), Some(cause), "{chain:?} {root}");
            let verification = connection.verification.as_ref().unwrap();
            assert_eq!(verification.presented.len(), chain.len());
            let against = &verification.against[0];
            assert_eq!(against.result, Some(result), "{chain:?} {root}");
            assert_eq!(against.broken.as_ref().unwrap().subject, subject, "{chain:?} {root}");
        }
    }
}

#[test]
fn the_sentence_names_the_link_its_issuer_and_who_is_trusted() {
    let report_ = report(&rejected12(&["leaf-below", "intermediate"]), trusting(&["twin-ca"]));
    let summary = &last(&report_).verdict.summary;
    let key = |label: &str| {
        let report = report(&rejected12(&[label]), trusting(&["other-ca"]));
        last(&report).verification.as_ref().unwrap().presented[0].key_id.clone().unwrap()[..16].to_owned()
    };
    let expected = format!(
        "CN=hook-intermediate is signed by another key of CN=hook-ca (key id {}…) than the one that is trusted: the \
         caBundle of twin-ca.example trusts CN=hook-ca (key id {}…) (2 certificates were presented)",
        key("ca"),
        key("twin-ca")
    );
    assert!(summary.ends_with(&expected), "{summary}\n{expected}");
}

#[test]
fn without_objects_the_certificate_alone_is_judged() {
    let alone = Config { keep: Keep::All, ..Config::default() };
    for (chain, cause) in
        [(&["leaf-below", "intermediate"][..], "unknown-ca"), (&["leaf-young"], "not-yet-valid")]
    {
        let report = report(&rejected12(chain), alone.clone());
        assert_eq!(
            (last(&report).verdict.cause.map(Cause::name), last(&report).verification.is_none()),
            (Some(cause), true)
        );
    }
}

#[test]
fn an_encrypted_certificate_is_explained_by_those_of_other_connections() {
    let both = Capture::merge(&[rejected12(&["leaf"]), rejected13()]);
    let report_ = report(&both, trusting(&["twin-ca"]));
    let connection = last(&report_);
    assert_eq!(
        (connection.verdict.code, connection.verdict.cause.map(Cause::name)),
        ("tls-certificate-rejected", None)
    );
    assert_eq!(connection.verification.as_ref().unwrap().against[0].result, Some("elsewhere"));
    let summary = &connection.verdict.summary;
    assert!(
        summary.contains("on other connections does not verify: it is signed by another key"),
        "{summary}"
    );
    // On its own it is not explained.
    let alone = report(&rejected13(), trusting(&["twin-ca"]));
    assert_eq!(last(&alone).verification.as_ref().unwrap().against[0].result, None);
}

#[test]
fn a_chain_that_never_ends_is_cut_off() {
    let long: Vec<&str> = ["leaf"].into_iter().chain(["ca"; 60]).collect();
    let report = report(&rejected12(&long), trusting(&["other-ca"]));
    let connection = last(&report);
    assert_eq!(connection.verdict.cause.map(Cause::name), Some("unknown-ca"));
    assert_eq!(connection.verification.as_ref().unwrap().presented.len(), 16);
}
