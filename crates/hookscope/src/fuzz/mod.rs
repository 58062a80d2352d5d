//! Hostile bytes -> a part of the engine, or all of it: bodies of the fuzz targets in `fuzz/`, with what must hold.
//!
//! They are ordinary functions, so that unit tests run them on seeds and on every finding of the past, and here, so that
//! they see what the public interface does not show. Not for use: built with the feature `fuzz` alone, and for tests.
//!
//! | target | takes | holds against |
//! | --- | --- | --- |
//! | `decode` | one packet of any link type | the same packet cut; what a glance at it says |
//! | `fragments` | operations on a datagram's fragments | the datagrams they were cut from |
//! | `reassembly` | operations on one direction | a model that keeps the whole stream |
//! | `half` | segments of one side, in sequence numbers that wrap | the stream they were cut from |
//! | `tls`, `http` | chunks of both directions | the same octets one by one |
//! | `dns` | messages in datagrams and streams | the same stream one by one |
//! | `certificate` | certificates, and chains with their roots | itself, later and in another order |
//! | `log` | lines of a log | bounds; a capture to tie them to |
//! | `packets` | packets with their times | the report for other batches and shards |
//! | `conversation` | what two sides do, told as operations | the same |

mod certificate;
mod conversation;
mod decode;
mod dns;
mod engine;
mod fragments;
mod half;
mod http;
mod input;
mod log;
mod reassembly;
mod seeds;
#[cfg(test)]
mod tests;
mod tls;

pub use certificate::{certificate, der};
pub use conversation::conversation;
pub use decode::decode;
pub use dns::dns;
pub use engine::{one_thread, packets};
pub use fragments::fragments;
pub use half::half;
pub use http::http;
pub use log::log;
pub use reassembly::reassembly;
pub use seeds::{Seed, by_hand, of_capture};
pub use tls::tls;

/// A target: its name, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// The targets of this crate.
pub const TARGETS: [Target; 11] = [
    ("certificate", certificate),
    ("conversation", conversation),
    ("decode", decode),
    ("dns", dns),
    ("fragments", fragments),
    ("half", half),
    ("http", http),
    ("log", log),
    ("packets", packets),
    ("reassembly", reassembly),
    ("tls", tls),
];
