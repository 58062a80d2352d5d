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

/// Octets of an alert (RFC 8446, section 6).
const ALERT: u16 = 2;

/// Octets that encryption adds.
const fn expansion(cipher: Option<CipherSuite>) -> u16 {
    match cipher {
        Some(cipher) => cipher.expansion(),
        None => 17,
    }
}

/// Octets of the body of a record that is probably an alert; `cipher` where it is known.
pub(crate) const fn alert_length(cipher: Option<CipherSuite>) -> u16 {
    expansion(cipher) + ALERT
}

/// What a record with a body of `length` octets probably holds; `cipher` where it is known.
pub(crate) const fn content(length: u16, cipher: Option<CipherSuite>) -> Probable {
    /// Type and length of a handshake message.
    const HANDSHAKE_HEADER: u16 = 4;
    let (short_hash, long_hash) = match cipher {
        Some(cipher) => (cipher.hash_len(), cipher.hash_len()),
        None => (32, 48),
    };
    let Some(content) = length.checked_sub(expansion(cipher)) else { return Probable::Other };
    if content == ALERT {
        Probable::Alert
    } else if content == HANDSHAKE_HEADER + short_hash || content == HANDSHAKE_HEADER + long_hash {
        Probable::Finished
    } else {
        Probable::Other
    }
}

/// Whether a client's record with a body of `length` octets is probably one of HTTP/2's control frames (RFC 9113,
/// section 6): SETTINGS acknowledged, WINDOW_UPDATE, PING. No request of HTTP/1.1 is as short.
pub(crate) fn is_http2_control(length: u16, cipher: Option<CipherSuite>) -> bool {
    const FRAMES: [u16; 3] = [9, 9 + 4, 9 + 8];
    /// What TLS 1.2 adds with AES-GCM (RFC 5288) and with ChaCha20-Poly1305 (RFC 7905).
    const TLS12: [u16; 2] = [8 + 16, 16];
    let expansions = match cipher {
        Some(cipher) if cipher.0 >> 8 == 0x13 => [cipher.expansion(); 3],
        _ => [17, TLS12[0], TLS12[1]],
    };
    expansions.iter().any(|expansion| FRAMES.iter().any(|frame| frame + expansion == length))
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

    #[test]
    fn control_frames_of_http2_are_shorter_than_any_request() {
        assert!(is_http2_control(34, None), "PING in TLS 1.3");
        assert!(is_http2_control(37, None), "WINDOW_UPDATE in TLS 1.2 with AES-GCM");
        assert!(!is_http2_control(37, Some(CipherSuite(0x1301))));
        assert!(!is_http2_control(19, None), "an alert");
        assert!(!is_http2_control(1140, None));
    }
}
