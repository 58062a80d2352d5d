//! The handshake messages that follow the ClientHello in the clear.

use super::hello::{
    SECP256R1, X25519, alpn_extension, extension, key_share_entry, point, session_id, vec8, vec16,
};
use super::record::{TLS12, handshake, pattern};

const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const SERVER_HELLO_DONE: u8 = 14;
const CLIENT_KEY_EXCHANGE: u8 = 16;

/// The random of a ServerHello that is a HelloRetryRequest (RFC 8446, section 4.1.3): SHA-256 of that name.
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// A ServerHello. The ALPN answer is in it under TLS 1.2 only: under TLS 1.3 it is encrypted.
pub fn server_hello(tls13: bool, cipher: u16, alpn: Option<&str>) -> Vec<u8> {
    if tls13 {
        return hello13(&server_random(), cipher, &key_share_entry(X25519));
    }
    let mut extensions = [extension(0xff01, &[0]), extension(23, &[]), extension(11, &[1, 0])].concat();
    if let Some(protocol) = alpn {
        extensions.extend(alpn_extension(&[protocol]));
    }
    hello(&server_random(), &[], cipher, &extensions)
}

/// A HelloRetryRequest that asks for a key share on P-256.
pub fn hello_retry_request() -> Vec<u8> {
    hello13(&RETRY_RANDOM, 0x1301, &SECP256R1.to_be_bytes())
}

/// The TLS 1.3 ServerHello that answers the hello sent after [`hello_retry_request`].
pub fn server_hello_after_retry(cipher: u16) -> Vec<u8> {
    hello13(&server_random(), cipher, &key_share_entry(SECP256R1))
}

fn hello13(random: &[u8], cipher: u16, key_share: &[u8]) -> Vec<u8> {
    let extensions = [extension(43, &[3, 4]), extension(51, key_share)].concat();
    hello(random, &session_id(), cipher, &extensions)
}

fn hello(random: &[u8], session_id: &[u8], cipher: u16, extensions: &[u8]) -> Vec<u8> {
    let mut body = TLS12.to_be_bytes().to_vec();
    body.extend(random);
    body.extend(vec8(session_id));
    body.extend(cipher.to_be_bytes());
    body.push(0); // no compression
    body.extend(vec16(extensions));
    handshake(TLS12, SERVER_HELLO, &body)
}

fn server_random() -> Vec<u8> {
    pattern(34)[2..].to_vec()
}

/// A TLS 1.2 Certificate message with this chain of DER certificates, in as many records as it needs.
pub fn certificate12(chain: &[&[u8]]) -> Vec<u8> {
    let chain: Vec<u8> = chain.iter().flat_map(|der| vec24(der)).collect();
    let body = vec24(&chain);
    handshake(TLS12, CERTIFICATE, &body)
}

/// A TLS 1.2 ServerKeyExchange: ECDHE over X25519 with a signature of the form of ECDSA's.
pub fn server_key_exchange() -> Vec<u8> {
    let curve = [&[3][..], &X25519.to_be_bytes(), &vec8(&pattern(32))].concat();
    let integer = [&[0x02, 32, 0x2a][..], &pattern(31)].concat();
    let signature = [&[0x30, 68][..], &integer, &integer].concat();
    let body = [&curve[..], &[0x04, 0x03], &vec16(&signature)].concat();
    handshake(TLS12, SERVER_KEY_EXCHANGE, &body)
}

/// A TLS 1.2 ServerHelloDone.
pub fn server_hello_done() -> Vec<u8> {
    handshake(TLS12, SERVER_HELLO_DONE, &[])
}

/// A TLS 1.2 ClientKeyExchange: a point for ECDHE.
pub fn client_key_exchange() -> Vec<u8> {
    handshake(TLS12, CLIENT_KEY_EXCHANGE, &vec8(&point()))
}

fn vec24(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("less than 16 MiB").to_be_bytes();
    [&length[1..], body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_request_is_a_server_hello_with_the_special_random() {
        let retry = hello_retry_request();
        assert_eq!(retry[..6], [22, 3, 3, 0, 88, SERVER_HELLO]);
        assert_eq!(retry[11..43], RETRY_RANDOM);
    }

    #[test]
    fn a_certificate_chain_nests_three_lengths() {
        let message = certificate12(&[&[1, 2, 3], &[4]]);
        assert_eq!(message[..9], [22, 3, 3, 0, 17, CERTIFICATE, 0, 0, 13]);
        assert_eq!(message[9..], [0, 0, 10, 0, 0, 3, 1, 2, 3, 0, 0, 1, 4]);
    }

    #[test]
    fn a_long_chain_spans_records() {
        let message = certificate12(&[&[7; 40_000]]);
        assert_eq!(message[3..5], 16_384_u16.to_be_bytes());
        assert_eq!(message.len(), 40_000 + 4 + 3 + 3 + 3 * 5);
    }
}
