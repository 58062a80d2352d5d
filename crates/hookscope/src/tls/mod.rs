//! TLS as a bystander without keys sees it: records, handshake messages, and what sizes and order imply.

pub(crate) mod codes;
pub(crate) mod record;
