//! Flows: which packets belong together.

pub(crate) mod kept;
pub(crate) mod key;
