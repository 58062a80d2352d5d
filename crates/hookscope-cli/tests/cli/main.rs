//! Runs the binary as people and programs do, on real captures.

mod cluster;
mod compressed;
mod docs;
mod explain;
mod extract;
mod inputs;
#[cfg(target_os = "linux")]
mod interrupt;
mod logs;
mod lookups;
mod redacted;
mod reports;
mod support;
mod usage;
