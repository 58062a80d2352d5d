//! Whole TLS handshakes as the Go programs on both ends of a webhook call exchange them.

use super::Conversation;
use crate::tls;

const AES_128_GCM_SHA256: u16 = 0x1301;
const ECDHE_ECDSA_AES_128_GCM_SHA256: u16 = 0xc02b;

impl Conversation {
    /// A TLS 1.3 handshake with HTTP/1.1 offered, as kube-apiserver does, up to the client's Finished and its acknowledgement.
    pub fn tls13_handshake(self, sni: &str) -> Self {
        self.client(&tls::client_hello(Some(sni), &["http/1.1"], true, 0))
            .server_ack()
            .server(&tls::go_tls13_server_flight())
            .client_ack()
            .client(&tls::go_tls13_client_finished())
            .server_ack()
    }

    /// A TLS 1.3 handshake in which the client does not accept the server's certificate: it sends its alert and
    /// closes.
    pub fn tls13_reject(self, sni: &str) -> Self {
        self.client(&tls::client_hello(Some(sni), &["http/1.1"], true, 0))
            .server_ack()
            .server(&tls::go_tls13_server_flight())
            .client_ack()
            .client(&tls::go_tls13_client_reject())
            .client_fin()
    }

    /// A full TLS 1.2 handshake with HTTP/1.1 agreed, up to the server's Finished and its acknowledgement.
    pub fn tls12_handshake(self, sni: &str) -> Self {
        let server_flight = [
            tls::server_hello(false, ECDHE_ECDSA_AES_128_GCM_SHA256, Some("http/1.1")),
            tls::certificate12(&[tls::CERTIFICATE]),
            tls::server_key_exchange(),
            tls::server_hello_done(),
        ];
        let finished = || [tls::change_cipher_spec(), tls::encrypted_handshake(40)].concat();
        self.client(&tls::client_hello(Some(sni), &["http/1.1"], false, 0))
            .server_ack()
            .server(&server_flight.concat())
            .client_ack()
            .client(&[tls::client_key_exchange(), finished()].concat())
            .server(&finished())
            .client_ack()
    }

    /// A TLS 1.3 handshake in which the server asks for another key share first.
    pub fn tls13_retry_handshake(self, sni: &str) -> Self {
        let hello = tls::client_hello(Some(sni), &["http/1.1"], true, 0);
        let second_hello =
            [tls::change_cipher_spec(), tls::client_hello_after_retry(Some(sni), &["http/1.1"])];
        // The server has sent its ChangeCipherSpec with the retry request and does not repeat it.
        let flight = [tls::server_hello_after_retry(AES_128_GCM_SHA256), tls::go_tls13_encrypted_flight()];
        self.client(&hello)
            .server(&[tls::hello_retry_request(), tls::change_cipher_spec()].concat())
            .client(&second_hello.concat())
            .server(&flight.concat())
            .client(&tls::application_data(53))
            .server_ack()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_have_received_everything_at_the_end() {
        let story = || Conversation::new("10.0.0.1:1", "10.0.0.2:2").handshake();
        for story in
            [story().tls13_handshake("a"), story().tls12_handshake("a"), story().tls13_retry_handshake("a")]
        {
            assert_eq!(story.client.next, story.server.received);
            assert_eq!(story.server.next, story.client.received);
        }
    }
}
