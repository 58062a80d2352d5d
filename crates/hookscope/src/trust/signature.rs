//! Whether a key made a certificate's signature.

use ed25519_dalek::Verifier;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::traits::SignatureScheme;
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_HASH_SHA1, OID_NIST_EC_P384, OID_NIST_EC_P521, OID_NIST_HASH_SHA256,
    OID_NIST_HASH_SHA384, OID_NIST_HASH_SHA512, OID_PKCS1_MD5WITHRSAENC, OID_PKCS1_RSASSAPSS,
    OID_PKCS1_SHA1WITHRSA, OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA,
    OID_SHA1_WITH_RSA, OID_SIG_ECDSA_WITH_SHA256, OID_SIG_ECDSA_WITH_SHA384, OID_SIG_ECDSA_WITH_SHA512,
    OID_SIG_ED25519, asn1_rs::Oid, asn1_rs::oid,
};
use x509_parser::prelude::X509Certificate;
use x509_parser::public_key::PublicKey;
use x509_parser::signature_algorithm::SignatureAlgorithm;
use x509_parser::x509::SubjectPublicKeyInfo;

/// What became of checking a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signature {
    /// The key made it.
    Good,
    /// Another key did.
    Bad,
    /// Go accepts none of this kind (MD5, SHA-1).
    Weak,
    /// It is of a kind that is not known here.
    Unknown,
}

/// Keys beyond this many bits are not worth the time: Go refuses them in TLS as well.
const MAX_RSA_BITS: usize = 8192;

const ECDSA_WITH_SHA1: Oid<'static> = oid!(1.2.840.10045.4.1);

#[derive(Clone, Copy)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

/// Checks the signature of `signed` with `key`.
pub(super) fn check(signed: &X509Certificate<'_>, key: &SubjectPublicKeyInfo<'_>) -> Signature {
    let algorithm = &signed.signature_algorithm.algorithm;
    let is = |oid: &Oid<'_>| algorithm == oid;
    if [OID_PKCS1_MD5WITHRSAENC, OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA, ECDSA_WITH_SHA1].iter().any(is) {
        return Signature::Weak;
    }
    let made = if is(&OID_SIG_ED25519) {
        ed25519(signed, key)
    } else if let Some(hash) = hash_of(algorithm, &ECDSA) {
        ecdsa(signed, key, hash)
    } else if let Some(hash) = hash_of(algorithm, &PKCS1) {
        match hash {
            Hash::Sha256 => rsa(signed, key, hash, Pkcs1v15Sign::new::<Sha256>()),
            Hash::Sha384 => rsa(signed, key, hash, Pkcs1v15Sign::new::<Sha384>()),
            Hash::Sha512 => rsa(signed, key, hash, Pkcs1v15Sign::new::<Sha512>()),
        }
    } else if is(&OID_PKCS1_RSASSAPSS) {
        return pss(signed, key);
    } else {
        return Signature::Unknown;
    };
    told(made)
}

const fn told(made: Option<bool>) -> Signature {
    match made {
        Some(true) => Signature::Good,
        Some(false) => Signature::Bad,
        None => Signature::Unknown,
    }
}

const ECDSA: [(Oid<'static>, Hash); 3] = [
    (OID_SIG_ECDSA_WITH_SHA256, Hash::Sha256),
    (OID_SIG_ECDSA_WITH_SHA384, Hash::Sha384),
    (OID_SIG_ECDSA_WITH_SHA512, Hash::Sha512),
];
const PKCS1: [(Oid<'static>, Hash); 3] = [
    (OID_PKCS1_SHA256WITHRSA, Hash::Sha256),
    (OID_PKCS1_SHA384WITHRSA, Hash::Sha384),
    (OID_PKCS1_SHA512WITHRSA, Hash::Sha512),
];
const HASHES: [(Oid<'static>, Hash); 3] = [
    (OID_NIST_HASH_SHA256, Hash::Sha256),
    (OID_NIST_HASH_SHA384, Hash::Sha384),
    (OID_NIST_HASH_SHA512, Hash::Sha512),
];

fn hash_of(algorithm: &Oid<'_>, known: &[(Oid<'static>, Hash)]) -> Option<Hash> {
    known.iter().find(|(oid, _)| oid == algorithm).map(|(_, hash)| *hash)
}

fn ed25519(signed: &X509Certificate<'_>, key: &SubjectPublicKeyInfo<'_>) -> Option<bool> {
    let Ok(bytes) = <[u8; 32]>::try_from(&*key.subject_public_key.data) else { return Some(false) };
    let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(&bytes) else { return Some(false) };
    let Ok(signature) = ed25519_dalek::Signature::from_slice(&signed.signature_value.data) else {
        return Some(false);
    };
    Some(key.verify(signed.tbs_certificate.as_ref(), &signature).is_ok())
}

/// A signature by a key of one curve: `false` where either cannot be read.
macro_rules! of_curve {
    ($curve:ident, $point:expr, $digest:expr, $signature:expr) => {{
        let key = $curve::ecdsa::VerifyingKey::from_sec1_bytes($point);
        let signature = $curve::ecdsa::Signature::from_der($signature);
        matches!((key, signature), (Ok(key), Ok(signature)) if key.verify_prehash($digest, &signature).is_ok())
    }};
}

fn ecdsa(signed: &X509Certificate<'_>, key: &SubjectPublicKeyInfo<'_>, hash: Hash) -> Option<bool> {
    let Some(curve) = key.algorithm.parameters.as_ref().and_then(|it| it.as_oid().ok()) else {
        // A key of another kind.
        return Some(false);
    };
    let digest = hash.of(signed.tbs_certificate.as_ref());
    let (point, signature) = (&key.subject_public_key.data, &signed.signature_value.data);
    if curve == OID_EC_P256 {
        Some(of_curve!(p256, point, &digest, signature))
    } else if curve == OID_NIST_EC_P384 {
        Some(of_curve!(p384, point, &digest, signature))
    } else if curve == OID_NIST_EC_P521 {
        Some(of_curve!(p521, point, &digest, signature))
    } else {
        None
    }
}

fn rsa(
    signed: &X509Certificate<'_>,
    key: &SubjectPublicKeyInfo<'_>,
    hash: Hash,
    scheme: impl SignatureScheme,
) -> Option<bool> {
    let Ok(PublicKey::RSA(key)) = key.parsed() else { return Some(false) };
    let (modulus, exponent) = (BigUint::from_bytes_be(key.modulus), BigUint::from_bytes_be(key.exponent));
    let key = RsaPublicKey::new_with_max_size(modulus, exponent, MAX_RSA_BITS).ok()?;
    let digest = hash.of(signed.tbs_certificate.as_ref());
    Some(key.verify(scheme, &digest, &signed.signature_value.data).is_ok())
}

fn pss(signed: &X509Certificate<'_>, key: &SubjectPublicKeyInfo<'_>) -> Signature {
    let Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) =
        SignatureAlgorithm::try_from(&signed.signature_algorithm)
    else {
        return Signature::Unknown;
    };
    let algorithm = parameters.hash_algorithm_oid();
    if *algorithm == OID_HASH_SHA1 {
        return Signature::Weak;
    }
    let Some(hash) = hash_of(algorithm, &HASHES) else { return Signature::Unknown };
    let Ok(salt) = usize::try_from(parameters.salt_length()) else { return Signature::Unknown };
    told(match hash {
        Hash::Sha256 => rsa(signed, key, hash, Pss::new_with_salt::<Sha256>(salt)),
        Hash::Sha384 => rsa(signed, key, hash, Pss::new_with_salt::<Sha384>(salt)),
        Hash::Sha512 => rsa(signed, key, hash, Pss::new_with_salt::<Sha512>(salt)),
    })
}
