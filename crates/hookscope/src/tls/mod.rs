//! TLS as a bystander without keys sees it: records, handshake messages, and what sizes and order imply.

pub(crate) mod certificate;
pub(crate) mod codes;
pub(crate) mod handshake;
pub(crate) mod hello;
pub(crate) mod inference;
pub(crate) mod pool;
pub(crate) mod record;
pub(crate) mod session;
