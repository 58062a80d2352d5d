//! Certificates as servers send them, and chains of them with the roots that a `caBundle` holds.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::fuzz::input::Input;
use crate::time::Timestamp;
use crate::tls::certificate::{Certificate, CertificateList};
use crate::tls::pool::Pool;
use crate::trust::{Bundle, Trust, identify, verify};

/// 2026-06-21, when the certificates of the tests are valid.
const NOW: i64 = 1_782_000_000;
/// The name that they are for.
const NAME: &str = "hook.ns.svc";
/// More links than this take long, and show nothing new.
const LINKS: usize = 6;

/// The first byte says what follows: one certificate, the body of a Certificate message, a bundle as text; or a chain,
/// of which each link is two bytes of length, the top bit of which makes it a root.
pub fn certificate(data: &[u8]) {
    let mut input = Input(data);
    let now = Timestamp::from_nanos(NOW * 1_000_000_000);
    match input.u8() {
        0..32 => one(input.0),
        32..64 => {
            let Some(list) = CertificateList::read(input.0, &mut Pool::default()) else { return };
            assert!(list.octets() <= input.0.len() && list.iter().count() > 0);
            list.leaf().iter().for_each(|leaf| one(leaf));
        }
        64..80 => {
            if let Ok(bundle) = Bundle::read(input.0) {
                assert!(!bundle.identities().is_empty());
                let _ = bundle.is_out_of_date(now);
            }
        }
        seed => chain(input, now, if seed & 1 == 0 { NAME } else { "10.0.0.1" }),
    }
}

fn one(der: &[u8]) {
    let certificate = Certificate::read(der);
    if let Some(it) = &certificate {
        let _ = (it.names_an_address(), it.is_for(NAME), it.not_before.to_string(), it.not_after.to_string());
    }
    if let Some(it) = identify(der) {
        assert!(certificate.is_some(), "{it:?} is one certificate here and none there");
    }
}

fn chain(mut input: Input<'_>, now: Timestamp, name: &str) {
    let (mut links, mut roots) = (Vec::new(), Vec::new());
    while !input.is_empty() && links.len() + roots.len() < LINKS {
        let length = input.u16();
        let der = input.up_to(usize::from(length & 0x7fff));
        if length & 0x8000 == 0 {
            links.push(der);
        } else {
            let base64 = BASE64_STANDARD.encode(der);
            roots.push(format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n"));
        }
    }
    let bundle = |roots: &[String]| Bundle::read(roots.concat().as_bytes()).unwrap_or_default();
    let trust = verify(&links, &bundle(&roots), name, now);
    assert_ne!(verify(&links, &Bundle::default(), name, now), Trust::Trusted, "trusted without a root");
    // Which way up is found does not depend on the order of those who are trusted.
    roots.reverse();
    let reversed = verify(&links, &bundle(&roots), name, now);
    if trust != Trust::Undecided && reversed != Trust::Undecided {
        assert_eq!(trust == Trust::Trusted, reversed == Trust::Trusted, "{trust:?}, and {reversed:?}");
    }
}

/// The first certificate in a text of PEM.
pub fn der(pem: &str) -> Option<Vec<u8>> {
    Bundle::read(pem.as_bytes()).ok()?.certificates().first().cloned()
}
