//! What the size of an encrypted TLS 1.3 record implies about its content.
//!
//! Everything here is inference: a record's length gives its content's away, because kube-apiserver's TLS and all
//! common servers send no padding (RFC 8446, section 5.4). This is the only file where sizes are given a meaning.

use crate::tls::codes::CipherSuite;

/// What an encrypted record probably is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probable {
    /// Two octets: an alert (RFC 8446, section 6).
    Alert,
    /// The size of a Finished message (RFC 8446, section 4.4.4).
    Finished,
    /// Anything else.
    Other,
}

/// What a record with a body of `length` octets probably holds; `cipher` where it is known.
pub(crate) const fn content(length: u16, cipher: Option<CipherSuite>) -> Probable {
    /// Type and length of a handshake message.
    const HANDSHAKE_HEADER: u16 = 4;
    const ALERT: u16 = 2;
    let (expansion, short_hash, long_hash) = match cipher {
        Some(cipher) => (cipher.expansion(), cipher.hash_len(), cipher.hash_len()),
        None => (17, 32, 48),
    };
    let Some(content) = length.checked_sub(expansion) else { return Probable::Other };
    if content == ALERT {
        Probable::Alert
    } else if content == HANDSHAKE_HEADER + short_hash || content == HANDSHAKE_HEADER + long_hash {
        Probable::Finished
    } else {
        Probable::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_from_the_suite() {
        let sha256 = Some(CipherSuite(0x1301));
        let sha384 = Some(CipherSuite(0x1302));
        let ccm8 = Some(CipherSuite(0x1305));
        assert_eq!(content(19, sha256), Probable::Alert);
        assert_eq!(content(53, sha256), Probable::Finished);
        assert_eq!(content(69, sha256), Probable::Other);
        assert_eq!(content(69, sha384), Probable::Finished);
        assert_eq!(content(11, ccm8), Probable::Alert);
        assert_eq!(content(45, ccm8), Probable::Finished);
        assert_eq!(content(25, sha256), Probable::Other, "an empty Certificate");
        assert_eq!((content(53, None), content(69, None)), (Probable::Finished, Probable::Finished));
        assert_eq!(content(3, None), Probable::Other);
    }
}
