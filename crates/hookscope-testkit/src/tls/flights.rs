//! The flights of a TLS 1.3 handshake in the sizes Go programs give them.

use super::handshake::server_hello;
use super::record::{application_data, change_cipher_spec};

/// An alert under TLS 1.3: two bytes, the hidden content type and the tag.
const ENCRYPTED_ALERT: usize = 2 + 1 + 16;
/// A Finished under TLS 1.3 with SHA-256: header, hash, hidden content type and tag.
const ENCRYPTED_FINISHED: usize = 4 + 32 + 1 + 16;

/// ServerHello, ChangeCipherSpec, and the encrypted rest of a Go server's first flight.
pub fn go_tls13_server_flight() -> Vec<u8> {
    [server_hello(true, 0x1301, None), change_cipher_spec(), go_tls13_encrypted_flight()].concat()
}

/// The encrypted part of a Go server's first flight: EncryptedExtensions, Certificate, CertificateVerify and
/// Finished, each in a record of its own.
pub fn go_tls13_encrypted_flight() -> Vec<u8> {
    [42, 622, 95, ENCRYPTED_FINISHED].into_iter().flat_map(application_data).collect()
}

/// ChangeCipherSpec and the client's Finished.
pub fn go_tls13_client_finished() -> Vec<u8> {
    [change_cipher_spec(), application_data(ENCRYPTED_FINISHED)].concat()
}

/// ChangeCipherSpec and an encrypted alert instead of the Finished: the client rejects the server's certificate.
pub fn go_tls13_client_reject() -> Vec<u8> {
    [change_cipher_spec(), application_data(ENCRYPTED_ALERT)].concat()
}

/// The encrypted alert with which either side says that it closes.
pub fn close_notify13() -> Vec<u8> {
    application_data(ENCRYPTED_ALERT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flights_have_the_sizes_seen_on_the_wire() {
        assert_eq!(go_tls13_encrypted_flight().len(), 42 + 622 + 95 + 53 + 4 * 5);
        assert_eq!(go_tls13_client_finished().len(), 6 + 5 + 53);
        assert_eq!(go_tls13_client_reject().len(), 6 + 5 + 19);
        assert_eq!(close_notify13().len(), 5 + 19);
    }
}
