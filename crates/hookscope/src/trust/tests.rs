use super::*;

/// The certificate that `tests/make.py` calls so, as PEM.
pub(crate) fn pem(label: &str) -> &'static str {
    let all = include_str!("tests/chains.pem");
    let (_, rest) = all.split_once(&format!("{label}\n-----BEGIN")).unwrap_or_else(|| panic!("no {label}"));
    let end = rest.find("-----END CERTIFICATE-----\n").unwrap() + "-----END CERTIFICATE-----\n".len();
    let start =
        all.len() - all.split_once(&format!("{label}\n-----BEGIN")).unwrap().1.len() - "-----BEGIN".len();
    &all[start..start + "-----BEGIN".len() + end]
}

pub(crate) fn der(label: &str) -> Vec<u8> {
    let bundle = Bundle::read(pem(label).as_bytes()).unwrap();
    bundle.certificates()[0].clone()
}

fn bundle(labels: &[&str]) -> Bundle {
    let text: String = labels.iter().map(|label| pem(label)).collect();
    Bundle::read(text.as_bytes()).unwrap()
}

/// In the middle of 2026.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_nanos(1_782_000_000 * 1_000_000_000)
}

fn verify_as(chain: &[&str], roots: &[&str], name: &str) -> Trust {
    let chain: Vec<_> = chain.iter().map(|label| der(label)).collect();
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    verify(&chain, &bundle(roots), name, now())
}

/// Whether hook.ns.svc is trusted, or the flaw and who has it.
fn judged(chain: &[&str], roots: &[&str]) -> Result<(), (Flaw, String)> {
    match verify_as(chain, roots, "hook.ns.svc") {
        Trust::Trusted => Ok(()),
        Trust::Broken(broken) => Err((broken.flaw, broken.link.subject)),
        Trust::Undecided => panic!("{chain:?} is undecided"),
    }
}

fn flaw(flaw: Flaw, subject: &str) -> Result<(), (Flaw, String)> {
    Err((flaw, format!("CN={subject}")))
}

#[test]
fn a_chain_to_a_trusted_root_is_trusted() {
    assert_eq!(judged(&["leaf"], &["ca"]), Ok(()));
    assert_eq!(judged(&["leaf-plain"], &["other-ca", "twin-ca", "ca"]), Ok(()));
    assert_eq!(judged(&["leaf", "ca"], &["ca"]), Ok(()));
    assert_eq!(judged(&["leaf-below", "intermediate"], &["ca"]), Ok(()));
    assert_eq!(judged(&["leaf-below", "other-ca", "intermediate-old", "intermediate"], &["ca"]), Ok(()));
    // An intermediate may be trusted itself.
    assert_eq!(judged(&["leaf-below"], &["intermediate"]), Ok(()));
}

#[test]
fn all_usual_signatures_are_checked() {
    for kind in ["rsa", "p384", "p521", "ed25519"] {
        let (leaf, ca) = (format!("leaf-{kind}"), format!("ca-{kind}"));
        assert_eq!(judged(&[&leaf], &[&ca]), Ok(()), "{kind}");
    }
    for leaf in ["leaf-rsa-sha256", "leaf-rsa-pss"] {
        assert_eq!(judged(&[leaf], &["ca-rsa"]), Ok(()), "{leaf}");
    }
}

#[test]
fn a_signature_with_sha_1_is_too_weak() {
    // sha256WithRSAEncryption becomes sha1WithRSAEncryption, which is told apart before the signature is checked.
    let rsa_with = |hash| [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, hash];
    let mut leaf = der("leaf-rsa-sha256");
    while let Some(place) = leaf.windows(9).position(|bytes| bytes == rsa_with(11)) {
        leaf[place + 8] = 5;
    }
    let trust = verify(&[&leaf], &bundle(&["ca-rsa"]), "hook.ns.svc", now());
    assert!(matches!(trust, Trust::Broken(Broken { flaw: Flaw::WeakSignature, .. })), "{trust:?}");
}

#[test]
fn another_ca_is_told_from_another_key_of_the_same_name() {
    assert_eq!(judged(&["leaf"], &["other-ca"]), flaw(Flaw::UnknownIssuer, "hook"));
    assert_eq!(judged(&["leaf"], &["twin-ca"]), flaw(Flaw::OtherKey, "hook"));
    assert_eq!(judged(&["leaf", "ca"], &["other-ca"]), flaw(Flaw::UnknownIssuer, "hook-ca"));
    assert_eq!(judged(&["leaf-below"], &["ca"]), flaw(Flaw::UnknownIssuer, "hook"));
    assert_eq!(
        judged(&["leaf-below", "intermediate"], &["twin-ca"]),
        flaw(Flaw::OtherKey, "hook-intermediate")
    );
}

#[test]
fn a_certificate_that_is_trusted_itself_needs_no_issuer() {
    assert_eq!(judged(&["self"], &["self"]), Ok(()));
    assert_eq!(judged(&["self"], &["self-other"]), flaw(Flaw::NotCa, "hook"));
    assert_eq!(judged(&["self"], &["ca"]), flaw(Flaw::UnknownIssuer, "hook"));
}

#[test]
fn validity_counts_at_every_link() {
    assert_eq!(judged(&["leaf-old"], &["ca"]), flaw(Flaw::Expired, "hook"));
    assert_eq!(judged(&["leaf-young"], &["ca"]), flaw(Flaw::NotYetValid, "hook"));
    assert_eq!(judged(&["leaf-of-old"], &["ca-old"]), flaw(Flaw::Expired, "hook-ca-old"));
    assert_eq!(
        judged(&["leaf-below", "intermediate-old"], &["ca"]),
        flaw(Flaw::Expired, "hook-intermediate")
    );
    assert!(bundle(&["ca-old"]).is_out_of_date(now()));
    assert!(!bundle(&["ca-old", "ca"]).is_out_of_date(now()));
}

#[test]
fn names_count_and_the_common_name_does_not() {
    assert_eq!(judged(&["leaf-no-san"], &["ca"]), flaw(Flaw::NoSan, "hook.ns.svc"));
    assert_eq!(judged(&["leaf-other-name"], &["ca"]), flaw(Flaw::NameMismatch, "hook.ns.svc"));
    assert_eq!(judged(&["leaf-wildcard"], &["ca"]), Ok(()));
    assert_eq!(judged(&["leaf-ip"], &["ca"]), flaw(Flaw::NameMismatch, "hook"));
    assert_eq!(verify_as(&["leaf-ip"], &["ca"], "10.0.0.1"), Trust::Trusted);
    assert!(matches!(
        verify_as(&["leaf"], &["ca"], "10.0.0.1"),
        Trust::Broken(Broken { flaw: Flaw::NameMismatch, .. })
    ));
    for (name, fits) in [("a.ns.svc", true), ("A.NS.svc.", true), ("a.b.ns.svc", false), (".ns.svc", false)] {
        assert_eq!(verify_as(&["leaf-wildcard"], &["ca"], name) == Trust::Trusted, fits, "{name}");
    }
}

#[test]
fn who_may_not_issue_vouches_for_nobody() {
    assert_eq!(judged(&["leaf-of-not-ca", "not-ca"], &["ca"]), flaw(Flaw::NotCa, "hook"));
    assert_eq!(judged(&["leaf-of-not-ca"], &["not-ca"]), flaw(Flaw::NotCa, "hook"));
    assert_eq!(judged(&["leaf-of-no-cert-sign"], &["no-cert-sign"]), flaw(Flaw::NotCa, "hook"));
    let deep = judged(&["leaf-too-deep", "second", "intermediate"], &["ca"]);
    assert_eq!(deep, flaw(Flaw::PathTooLong, "hook-intermediate"));
}

#[test]
fn a_certificate_for_clients_is_none_for_servers() {
    assert_eq!(judged(&["leaf-client"], &["ca"]), flaw(Flaw::NotForServers, "hook"));
    assert_eq!(judged(&["leaf-of-client-ca"], &["ca-client"]), flaw(Flaw::NotForServers, "hook-ca-client"));
}

#[test]
fn what_is_not_understood_is_not_judged() {
    assert_eq!(verify_as(&["leaf-of-limited"], &["ca-limited"], "hook.ns.svc"), Trust::Undecided);
    assert_eq!(verify(&[], &bundle(&["ca"]), "a", now()), Trust::Undecided);
    assert_eq!(verify(&[b"nonsense"], &bundle(&["ca"]), "a", now()), Trust::Undecided);
}

#[test]
fn a_bundle_is_what_go_takes_from_it() {
    let text = format!(
        "# comment\n{}garbage\n-----BEGIN OTHER-----\nYWJj\n-----END OTHER-----\n{}",
        pem("ca"),
        pem("self")
    );
    assert_eq!(Bundle::read(text.as_bytes()).unwrap().identities().len(), 2);
    assert_eq!(Bundle::read(b""), Err(Unusable::NotPem));
    assert_eq!(Bundle::read(&der("ca")), Err(Unusable::NotPem));
    let other = "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n";
    assert_eq!(Bundle::read(other.as_bytes()), Err(Unusable::NoCertificate));
}

#[test]
fn identities_tell_keys_apart() {
    let (ca, twin, leaf) = (der("ca"), der("twin-ca"), der("leaf"));
    let [ca, twin, leaf] = [ca, twin, leaf].map(|der| identify(&der).unwrap());
    assert_eq!(ca.subject, twin.subject);
    assert_ne!(ca.key_id, twin.key_id);
    assert_eq!(leaf.authority_key_id, ca.key_id);
    assert_eq!(identify(b""), None);
}

#[test]
fn damaged_certificates_never_stop_it() {
    let (leaf, roots) = (der("leaf"), bundle(&["ca"]));
    for place in 0..leaf.len() {
        for flip in [1, 0x80, 0xff] {
            let mut damaged = leaf.clone();
            damaged[place] ^= flip;
            let trust = verify(&[&damaged], &roots, "hook.ns.svc", now());
            // What is signed stands after the outermost header; a signature of P-256 takes less than 80 octets.
            let is_signed = (4..leaf.len() - 100).contains(&place);
            assert!(!is_signed || trust != Trust::Trusted, "{place}");
        }
        verify(&[&leaf[..place]], &roots, "hook.ns.svc", now());
    }
}
