//! Flows: which packets belong together.

pub mod fragments;
pub mod key;
