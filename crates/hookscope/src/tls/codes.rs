//! Numbers of TLS and their names (RFC 8446, sections 4 to 6, and the registries behind it).

use std::fmt;

/// The type of a record (RFC 8446, section 5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContentType(pub(crate) u8);

impl ContentType {
    pub(crate) const CHANGE_CIPHER_SPEC: Self = Self(20);
    pub(crate) const ALERT: Self = Self(21);
    pub(crate) const HANDSHAKE: Self = Self(22);
    pub(crate) const APPLICATION_DATA: Self = Self(23);
}

/// The type of a handshake message (RFC 8446, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HandshakeType(pub(crate) u8);

impl HandshakeType {
    pub(crate) const CLIENT_HELLO: Self = Self(1);
    pub(crate) const SERVER_HELLO: Self = Self(2);
    pub(crate) const CERTIFICATE: Self = Self(11);
}

/// A protocol version as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u16);

impl Version {
    /// TLS 1.3 (RFC 8446).
    pub(crate) const TLS13: Self = Self(0x0304);

    /// Whether records hide their types after the ServerHello: TLS 1.3, its drafts (0x7f..) and Facebook's (0xfb..).
    pub(crate) const fn is_13(self) -> bool {
        self.0 == Self::TLS13.0 || matches!(self.0 >> 8, 0x7f | 0xfb)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0x0002 | 0x0200 => f.write_str("SSL 2.0"),
            0x0300 => f.write_str("SSL 3.0"),
            0x0301 => f.write_str("TLS 1.0"),
            0x0302 => f.write_str("TLS 1.1"),
            0x0303 => f.write_str("TLS 1.2"),
            0x0304 | 0xfb00..=0xfbff => f.write_str("TLS 1.3"),
            draft if draft >> 8 == 0x7f => write!(f, "TLS 1.3 draft-{}", draft & 0xff),
            other => write!(f, "0x{other:04x}"),
        }
    }
}

/// A cipher suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CipherSuite(pub(crate) u16);

impl CipherSuite {
    /// Octets of the Finished message's verify_data in TLS 1.3: the length of the suite's hash
    /// (RFC 8446, section 4.4.4).
    pub(crate) const fn hash_len(self) -> u16 {
        if self.0 == 0x1302 { 48 } else { 32 }
    }

    /// Octets that TLS 1.3 adds to a record's content: one for its type, and the authentication tag
    /// (RFC 8446, section 5.2, without padding). TLS_AES_128_CCM_8_SHA256 has the short tag.
    pub(crate) const fn expansion(self) -> u16 {
        1 + if self.0 == 0x1305 { 8 } else { 16 }
    }
}

/// The registered name, or the number.
impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match tls_parser::TlsCipherSuite::from_id(self.0) {
            Some(suite) => f.write_str(suite.name),
            None => write!(f, "0x{:04x}", self.0),
        }
    }
}

/// The description of an alert (RFC 8446, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AlertDescription(pub(crate) u8);

impl AlertDescription {
    /// No more data follows.
    pub(crate) const CLOSE_NOTIFY: Self = Self(0);
    /// The handshake was cancelled for a reason that is no failure of the protocol.
    pub(crate) const USER_CANCELED: Self = Self(90);
    /// No renegotiation (TLS 1.2 and before; always a warning).
    pub(crate) const NO_RENEGOTIATION: Self = Self(100);

    /// Whether it ends the connection by its meaning, whatever level it bears: TLS 1.3 ignores levels
    /// (RFC 8446, section 6).
    pub(crate) const fn is_error(self) -> bool {
        !matches!(self, Self::CLOSE_NOTIFY | Self::USER_CANCELED | Self::NO_RENEGOTIATION)
    }

    /// Its verdict code: `tls-` and its name in kebab-case; `tls-alert` for a number that has no name.
    pub(crate) const fn code(self) -> &'static str {
        self.names().1
    }

    /// Whether a verdict code is one made of an alert's name.
    pub(crate) fn is_code(code: &str) -> bool {
        (0..=u8::MAX).any(|number| Self(number).code() == code)
    }

    /// Whether a client sends it about a certificate that it does not accept.
    pub(crate) const fn is_about_certificate(self) -> bool {
        matches!(self.0, 42..=46 | 48 | 113 | 114)
    }

    /// Its name in RFC 8446, and the verdict code made of it.
    const fn names(self) -> (&'static str, &'static str) {
        match self.0 {
            0 => ("close_notify", "tls-close-notify"),
            10 => ("unexpected_message", "tls-unexpected-message"),
            20 => ("bad_record_mac", "tls-bad-record-mac"),
            21 => ("decryption_failed", "tls-decryption-failed"),
            22 => ("record_overflow", "tls-record-overflow"),
            30 => ("decompression_failure", "tls-decompression-failure"),
            40 => ("handshake_failure", "tls-handshake-failure"),
            41 => ("no_certificate", "tls-no-certificate"),
            42 => ("bad_certificate", "tls-bad-certificate"),
            43 => ("unsupported_certificate", "tls-unsupported-certificate"),
            44 => ("certificate_revoked", "tls-certificate-revoked"),
            45 => ("certificate_expired", "tls-certificate-expired"),
            46 => ("certificate_unknown", "tls-certificate-unknown"),
            47 => ("illegal_parameter", "tls-illegal-parameter"),
            48 => ("unknown_ca", "tls-unknown-ca"),
            49 => ("access_denied", "tls-access-denied"),
            50 => ("decode_error", "tls-decode-error"),
            51 => ("decrypt_error", "tls-decrypt-error"),
            60 => ("export_restriction", "tls-export-restriction"),
            70 => ("protocol_version", "tls-protocol-version"),
            71 => ("insufficient_security", "tls-insufficient-security"),
            80 => ("internal_error", "tls-internal-error"),
            86 => ("inappropriate_fallback", "tls-inappropriate-fallback"),
            90 => ("user_canceled", "tls-user-canceled"),
            100 => ("no_renegotiation", "tls-no-renegotiation"),
            109 => ("missing_extension", "tls-missing-extension"),
            110 => ("unsupported_extension", "tls-unsupported-extension"),
            111 => ("certificate_unobtainable", "tls-certificate-unobtainable"),
            112 => ("unrecognized_name", "tls-unrecognized-name"),
            113 => ("bad_certificate_status_response", "tls-bad-certificate-status-response"),
            114 => ("bad_certificate_hash_value", "tls-bad-certificate-hash-value"),
            115 => ("unknown_psk_identity", "tls-unknown-psk-identity"),
            116 => ("certificate_required", "tls-certificate-required"),
            117 => ("general_error", "tls-general-error"),
            120 => ("no_application_protocol", "tls-no-application-protocol"),
            121 => ("ech_required", "tls-ech-required"),
            _ => ("unassigned", "tls-alert"),
        }
    }
}

/// The name in RFC 8446; a number that has none is named with it.
impl fmt::Display for AlertDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names().0 {
            "unassigned" => write!(f, "unassigned_{}", self.0),
            name => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alert_codes_are_the_kebab_case_of_their_names() {
        for number in 0..=255 {
            let alert = AlertDescription(number);
            let (name, code) = alert.names();
            if name != "unassigned" {
                assert_eq!(code, format!("tls-{}", name.replace('_', "-")));
            }
        }
        assert_eq!(AlertDescription(200).to_string(), "unassigned_200");
    }

    #[test]
    fn versions_and_suites_have_their_names() {
        assert_eq!(Version(0x0304).to_string(), "TLS 1.3");
        assert_eq!(Version(0x7f1c).to_string(), "TLS 1.3 draft-28");
        assert!(Version(0x7f1c).is_13());
        assert_eq!(CipherSuite(0x1301).to_string(), "TLS_AES_128_GCM_SHA256");
        assert_eq!(CipherSuite(0xfafa).to_string(), "0xfafa");
    }
}
