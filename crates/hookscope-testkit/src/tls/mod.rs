//! Scripted TLS: records that real parsers accept, without any cryptography behind them.
//!
//! Everything a passive reader can see is as RFC 8446 and RFC 5246 want it: record and message lengths, versions,
//! extensions, the special random of a retry request. What would be random or encrypted is a fixed pattern. Each
//! function returns complete records; concatenate them into flights.

mod flights;
mod handshake;
mod hello;
mod record;

pub use flights::{
    close_notify13, go_tls13_client_finished, go_tls13_client_reject, go_tls13_encrypted_flight,
    go_tls13_server_flight,
};
pub use handshake::{
    certificate12, client_key_exchange, hello_retry_request, server_hello, server_hello_after_retry,
    server_hello_done, server_key_exchange,
};
pub use hello::{client_hello, client_hello_after_retry};
pub use record::{alert, application_data, change_cipher_spec, encrypted_handshake, in_records_of};

/// A certificate (DER) for `hook.default.svc` and `hook.default.svc.cluster.local`, self-signed with ECDSA over
/// P-256, valid from 1970 to 2099.
pub const CERTIFICATE: &[u8] = include_bytes!("certificate.der");
