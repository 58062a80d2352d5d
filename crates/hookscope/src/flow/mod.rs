//! Flows: which packets belong together.

pub(crate) mod key;
