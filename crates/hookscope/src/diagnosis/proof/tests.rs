use super::*;
use crate::cluster::{FailurePolicy, Objects, Selector, Target, WebhookKind};
use crate::tls::pool::Pool;
use crate::trust::tests::{der, now, pem};

/// A cluster with a webhook at hook.ns.svc for each of these roots.
pub(crate) fn cluster(roots: &[&str]) -> (Cluster, Vec<WebhookId>) {
    let webhook = |root: &&str| Webhook {
        kind: WebhookKind::Validating,
        configuration: format!("{root}-configuration"),
        name: format!("{root}.example"),
        target: Target::Url("https://hook.ns.svc".to_owned()),
        timeout: None,
        failure_policy: FailurePolicy::Fail,
        ca_bundle: CaBundle::Bytes(pem(root).as_bytes().to_vec()),
        namespace_selector: Selector::default(),
        object_selector: Selector::default(),
        rules: Vec::new(),
        match_conditions: 0,
    };
    let webhooks: Vec<_> = roots.iter().map(webhook).collect();
    let ids = (0..webhooks.len()).map(WebhookId).collect();
    (Cluster::new(Objects { webhooks, ..Objects::default() }), ids)
}

/// What a server presents: these certificates.
pub(crate) fn list(labels: &[&str]) -> CertificateList {
    let mut body = vec![0; 3];
    for der in labels.iter().map(|label| der(label)) {
        body.extend(&(der.len() as u32).to_be_bytes()[1..]);
        body.extend(der);
    }
    CertificateList::read(&body, &mut Pool::default()).unwrap()
}

/// What webhooks with these roots say of a list, or of lists elsewhere.
fn proof(roots: &[&str], presented: Option<&[&str]>, elsewhere: &[&[&str]]) -> Proof {
    let (cluster, ids) = cluster(roots);
    let elsewhere: Vec<_> = elsewhere.iter().map(|labels| list(labels)).collect();
    Proof::new(&cluster, &ids, presented.map(list).as_ref(), &elsewhere, now()).unwrap()
}

fn culprits(proof: &Proof) -> Vec<usize> {
    proof.culprits().map(|view| view.webhook.0).collect()
}

#[test]
fn the_cause_is_that_of_the_link_that_breaks() {
    for (chain, roots, cause) in [
        (&["leaf"][..], "other-ca", Some(Cause::UnknownCa)),
        (&["leaf"], "twin-ca", Some(Cause::UnknownCa)),
        (&["leaf-old"], "ca", Some(Cause::Expired)),
        (&["leaf-of-old"], "ca-old", Some(Cause::Expired)),
        (&["leaf-young"], "ca", Some(Cause::NotYetValid)),
        (&["leaf-no-san"], "ca", Some(Cause::NoSan)),
        (&["leaf-other-name"], "ca", Some(Cause::NameMismatch)),
        (&["leaf-client"], "ca", Some(Cause::KeyUsage)),
        (&["leaf"], "ca", None),
        (&["leaf-of-limited"], "ca-limited", None),
    ] {
        assert_eq!(proof(&[roots], Some(chain), &[]).cause(), cause, "{chain:?} {roots}");
    }
}

#[test]
fn those_who_do_not_trust_it_account_for_it() {
    let mixed = proof(&["ca", "other-ca"], Some(&["leaf"]), &[]);
    assert_eq!((culprits(&mixed), mixed.cause()), (vec![1], Some(Cause::UnknownCa)));
    // All trust it: any of them may have been another one at that time.
    let trusted = proof(&["ca", "ca"], Some(&["leaf"]), &[]);
    assert_eq!((culprits(&trusted), trusted.cause()), (vec![0, 1], None));
}

#[test]
fn an_encrypted_certificate_is_known_from_other_connections() {
    let opinion = |elsewhere: &[&[&str]]| proof(&["twin-ca"], None, elsewhere).views[0].opinion.clone();
    let Opinion::Elsewhere(broken) = opinion(&[&["leaf"]]) else { panic!() };
    assert_eq!(broken.flaw, Flaw::OtherKey);
    assert_eq!(opinion(&[]), Opinion::Nothing);
    // One of those that were presented elsewhere verifies: it may be the one.
    assert_eq!(proof(&["ca"], None, &[&["leaf-old"], &["leaf"]]).views[0].opinion, Opinion::Nothing);
    assert_eq!(proof(&["ca-old"], None, &[]).views[0].opinion, Opinion::OutOfDate);
}

#[test]
fn who_trusts_somebody_else_comes_first_where_nothing_is_visible() {
    let proof = proof(&["ca", "ca", "other-ca"], None, &[]);
    assert_eq!(culprits(&proof), [2, 0, 1]);
    let (one, other) = proof.disagreement().unwrap();
    assert_eq!((one.webhook.0, other.webhook.0), (2, 0));
}
