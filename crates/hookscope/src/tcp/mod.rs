//! TCP as a bystander sees it (RFC 9293): sequence space, reassembly, and what each side sent.

pub(crate) mod half;
pub(crate) mod reassembly;
pub(crate) mod seq;
pub(crate) mod sighting;
