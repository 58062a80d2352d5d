//! Why a certificate was rejected: proven where it is visible, explained by the objects where it is not.

mod common;

use common::{only, recordings, report, webhook, worst};
use hookscope::report::schema::{Connection, Report};
use hookscope::verdict::Cause;
use serde_json::{Value, json};

/// Objects in which only the webhook of this recording is left.
fn objects(name: &str) -> Value {
    only(recordings(), |it| it == format!("{name}.lab.io"))
}

/// The same with another `caBundle`.
fn trusting(name: &str, ca_bundle: &Value) -> Value {
    let mut objects = objects(name);
    webhook(&mut objects, &format!("{name}.lab.io"))["clientConfig"]["caBundle"] = ca_bundle.clone();
    objects
}

/// The `caBundle` of another recording's webhook.
fn bundle_of(name: &str) -> Value {
    webhook(&mut recordings(), &format!("{name}.lab.io"))["clientConfig"]["caBundle"].clone()
}

fn result(report: &Report) -> Option<&'static str> {
    worst(report).verification.as_ref().unwrap().against[0].result
}

fn said(connection: &Connection, what: &[&str]) {
    for what in what {
        assert!(connection.verdict.summary.contains(what), "{what}: {}", connection.verdict.summary);
    }
}

#[test]
fn each_cause_is_proven_from_a_visible_certificate() {
    for (name, cause, result_, what) in [
        (
            "tls12-unknown-ca",
            "unknown-ca",
            "unknown-issuer",
            &["CN=other-ca", "b41b27b4b5012eba", "CN=lab-ca", "2ef203530801c829"][..],
        ),
        ("tls12-expired", "expired", "expired", &["it expired at 2026-11-12 15:14:40 UTC"]),
        ("tls12-nosan", "no-san", "no-san", &["no subject alternative name"]),
        (
            "tls12-wrong-name",
            "name-mismatch",
            "name-mismatch",
            &["webhook.other.svc", "not for cert-manager-webhook.cert-manager.svc"],
        ),
    ] {
        let report = report(&format!("tls-bad-certificate/{name}.pcap"), &objects(name));
        let connection = worst(&report);
        assert_eq!(connection.verdict.code, "tls-bad-certificate", "{name}");
        assert_eq!(connection.verdict.certainty, "observed", "{name}");
        assert_eq!(connection.verdict.cause.map(Cause::name), Some(cause), "{name}");
        assert_eq!(result(&report), Some(result_), "{name}");
        said(connection, what);
        assert!(connection.verdict.hints.len() >= 2, "{name}");
    }
}

#[test]
fn a_wrong_bundle_is_shown_with_both_issuers() {
    let objects = trusting("tls12-expired", &bundle_of("tls12-unknown-ca"));
    let report_ = report(
        "tls-bad-certificate/tls12-unknown-ca.pcap",
        &trusting("tls12-unknown-ca", &bundle_of("tls12-expired")),
    );
    let verification = worst(&report_).verification.as_ref().unwrap();
    assert_eq!(verification.presented[0].issuer, "CN=other-ca");
    let trusted = &verification.against[0].trusted;
    assert_eq!(trusted[0].subject, "CN=lab-ca");
    assert_ne!(verification.presented[0].authority_key_id, trusted[0].key_id);
    assert!(worst(&report_).verdict.hints[0].contains("ValidatingWebhookConfiguration tls12-unknown-ca"));
    // Go looks at the dates before it looks for the issuer.
    let report_ = report("tls-bad-certificate/tls12-expired.pcap", &objects);
    assert_eq!(worst(&report_).verdict.cause.map(Cause::name), Some("expired"));
}

#[test]
fn a_bundle_that_was_repaired_since_is_said_to_be() {
    let report = report(
        "tls-bad-certificate/tls12-unknown-ca.pcap",
        &trusting("tls12-unknown-ca", &bundle_of("tls12-cabundle-rotated")),
    );
    let connection = worst(&report);
    // The certificate has no other fault: that its issuer was not trusted then still holds.
    assert_eq!(
        (connection.verdict.cause.map(Cause::name), result(&report)),
        (Some("unknown-ca"), Some("trusted"))
    );
    said(connection, &["as the objects are now"]);
}

#[test]
fn of_several_webhooks_those_count_that_do_not_trust_the_certificate() {
    let keep = ["tls12-unknown-ca.lab.io", "snap96-unknown-ca.lab.io"];
    let mut objects = only(recordings(), |it| keep.contains(&it));
    let other = webhook(&mut objects, "snap96-unknown-ca.lab.io");
    other["clientConfig"]["service"]["port"] = 9445.into();
    other["clientConfig"]["caBundle"] = bundle_of("tls12-cabundle-rotated");
    let report = report("tls-bad-certificate/tls12-unknown-ca.pcap", &objects);
    let connection = worst(&report);
    assert_eq!(connection.cluster.as_ref().unwrap().webhooks, ["tls12-unknown-ca.lab.io"]);
    assert_eq!(connection.verification.as_ref().unwrap().against.len(), 1);
}

#[test]
fn where_the_certificate_is_encrypted_the_objects_explain_what_they_can() {
    let capture = "tls-certificate-rejected/tls13-unknown-ca.pcap";
    let old = {
        use base64::Engine;
        let all = include_str!("../../hookscope/src/trust/tests/chains.pem");
        let (_, old) = all.split_once("ca-old\n").unwrap();
        let end = old.find("-----END CERTIFICATE-----").unwrap() + "-----END CERTIFICATE-----\n".len();
        base64::engine::general_purpose::STANDARD.encode(&old[..end])
    };
    for (bundle, result_, what) in [
        (json!(""), Some("ca-bundle-empty"), "is empty"),
        (Value::Null, Some("ca-bundle-empty"), "is empty"),
        (json!("%%%"), Some("ca-bundle-unusable"), "is not base64"),
        (json!("bm8gcGVt"), Some("ca-bundle-unusable"), "is not PEM"),
        (json!(old), Some("ca-bundle-out-of-date"), "CN=hook-ca-old (valid 2020-01-01"),
        (bundle_of("tls13-unknown-ca"), None, "instead of finishing the handshake"),
    ] {
        let report = report(capture, &trusting("tls13-unknown-ca", &bundle));
        let connection = worst(&report);
        assert_eq!(connection.verdict.code, "tls-certificate-rejected");
        assert_eq!((connection.verdict.cause.map(Cause::name), result(&report)), (None, result_), "{bundle}");
        said(connection, &[what]);
    }
}

#[test]
fn the_one_that_trusts_somebody_else_is_named_first() {
    let report = report("tls-certificate-rejected/tls13-cabundle-rotated.pcap", &recordings());
    let connection = worst(&report);
    let webhooks = &connection.cluster.as_ref().unwrap().webhooks;
    assert!(webhooks.len() > 2 && webhooks[0] == "tls13-cabundle-rotated.lab.io", "{webhooks:?}");
    said(connection, &["trust different CAs", "CN=other-ca", "CN=lab-ca"]);
}

#[test]
fn healthy_connections_and_other_failures_are_not_verified() {
    for capture in [
        "ok/ok-tls12.pcap",
        "tls-handshake-failure/tls12-mtls.pcap",
        "deadline-exceeded/deadline-10s-tls12.pcap",
    ] {
        let report = report(capture, &recordings());
        assert!(report.connections.iter().all(|it| it.verification.is_none()), "{capture}");
    }
}
