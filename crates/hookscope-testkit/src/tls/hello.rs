//! The ClientHello, with the extensions in which hellos of Go programs differ from one another.

use super::record::{TLS10, TLS12, handshake, pattern};

pub(super) const X25519: u16 = 29;
pub(super) const SECP256R1: u16 = 23;

const CLIENT_HELLO: u8 = 1;

/// A ClientHello in one record, for TLS 1.3 (and 1.2) or for TLS 1.2 alone.
///
/// If `padding_to` is not zero, a padding extension makes the whole record that long; a hello that is as long
/// already, or too near it for another extension header, is left without padding or becomes up to three bytes longer.
pub fn client_hello(sni: Option<&str>, alpn: &[&str], tls13: bool, padding_to: usize) -> Vec<u8> {
    hello(sni, alpn, tls13.then_some(X25519), padding_to)
}

/// The ClientHello that follows [`hello_retry_request`](super::hello_retry_request): the same as the TLS 1.3 one
/// before but for its key share.
pub fn client_hello_after_retry(sni: Option<&str>, alpn: &[&str]) -> Vec<u8> {
    hello(sni, alpn, Some(SECP256R1), 0)
}

fn hello(sni: Option<&str>, alpn: &[&str], key_share: Option<u16>, padding_to: usize) -> Vec<u8> {
    let mut body = TLS12.to_be_bytes().to_vec();
    body.extend(pattern(32));
    body.extend(vec8(&session_id()));
    let mut ciphers: Vec<u16> = vec![0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8];
    if key_share.is_some() {
        ciphers.extend([0x1301, 0x1302, 0x1303]);
    }
    body.extend(vec16(&words(&ciphers)));
    body.extend([1, 0]); // no compression

    let mut extensions = Vec::new();
    if let Some(name) = sni {
        extensions.extend(extension(0, &vec16(&[&[0][..], &vec16(name.as_bytes())].concat())));
    }
    extensions.extend(extension(5, &[1, 0, 0, 0, 0])); // status_request
    extensions.extend(extension(10, &vec16(&words(&[X25519, SECP256R1, 24, 25]))));
    extensions.extend(extension(11, &[1, 0])); // uncompressed points
    extensions.extend(extension(13, &vec16(&words(&[0x0804, 0x0403, 0x0807, 0x0805, 0x0806, 0x0401]))));
    extensions.extend(extension(0xff01, &[0])); // renegotiation_info
    extensions.extend(extension(23, &[])); // extended_master_secret
    if !alpn.is_empty() {
        extensions.extend(alpn_extension(alpn));
    }
    if let Some(group) = key_share {
        extensions.extend(extension(43, &[4, 3, 4, 3, 3])); // supported_versions: 1.3, 1.2
        extensions.extend(extension(51, &vec16(&key_share_entry(group))));
    }
    let overhead = 5 + 4 + body.len() + 2;
    if let Some(missing) = padding_to.checked_sub(overhead + extensions.len()).filter(|&missing| missing > 0)
    {
        extensions.extend(extension(21, &vec![0; missing.saturating_sub(4)]));
    }
    body.extend(vec16(&extensions));
    handshake(TLS10, CLIENT_HELLO, &body)
}

/// The session identifier, which a TLS 1.3 server repeats.
pub(super) fn session_id() -> Vec<u8> {
    pattern(33)[1..].to_vec()
}

pub(super) fn alpn_extension(protocols: &[&str]) -> Vec<u8> {
    let names: Vec<u8> = protocols.iter().flat_map(|name| vec8(name.as_bytes())).collect();
    extension(16, &vec16(&names))
}

pub(super) fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &vec16(body)].concat()
}

pub(super) fn key_share_entry(group: u16) -> Vec<u8> {
    let share = if group == X25519 { pattern(32) } else { point() };
    [&group.to_be_bytes()[..], &vec16(&share)].concat()
}

/// Something of the form of an uncompressed point on P-256.
pub(super) fn point() -> Vec<u8> {
    [&[4][..], &pattern(64)].concat()
}

pub(super) fn vec8(body: &[u8]) -> Vec<u8> {
    [&[u8::try_from(body.len()).expect("at most 255 bytes")], body].concat()
}

pub(super) fn vec16(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).expect("at most 65535 bytes");
    [&length.to_be_bytes()[..], body].concat()
}

fn words(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_makes_the_record_as_long_as_asked() {
        let plain = client_hello(Some("a.svc"), &["h2"], true, 0).len();
        assert_eq!(client_hello(Some("a.svc"), &["h2"], true, 1500).len(), 1500);
        assert_eq!(client_hello(Some("a.svc"), &["h2"], true, plain).len(), plain);
        assert_eq!(client_hello(Some("a.svc"), &["h2"], true, plain + 1).len(), plain + 4);
    }

    #[test]
    fn only_a_tls13_hello_has_supported_versions() {
        let versions = [0, 43, 0, 5, 4, 3, 4, 3, 3];
        let has = |hello: Vec<u8>| hello.windows(versions.len()).any(|window| window == versions);
        assert!(has(client_hello(None, &[], true, 0)));
        assert!(!has(client_hello(None, &[], false, 0)));
    }

    #[test]
    fn the_lengths_of_record_message_and_extensions_agree() {
        let hello = client_hello(Some("hook.default.svc"), &["h2", "http/1.1"], true, 0);
        let at = |at: usize| usize::from(u16::from_be_bytes([hello[at], hello[at + 1]]));
        assert_eq!(at(3), hello.len() - 5);
        assert_eq!(at(7), hello.len() - 9);
        let ciphers = 9 + 2 + 32 + 1 + 32;
        let extensions = ciphers + 2 + at(ciphers) + 2;
        assert_eq!(at(extensions), hello.len() - extensions - 2);
    }
}
