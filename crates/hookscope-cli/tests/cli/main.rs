//! Runs the binary as people and programs do, on real captures.

mod explain;
mod inputs;
mod readme;
mod reports;
mod support;
mod usage;
