//! Writes conversations, captures and their transformations for hookscope's tests.
//!
//! A test tells a story with [`Conversation`] or [`Datagrams`], puts scripted [`tls`] or [`dns`] bytes into it, bends the result with
//! [`transform`] and hands the file's bytes to the code under test. Everything is deterministic: no clock, no
//! randomness except the seeds given to [`Rng`]. The crate depends on nothing of hookscope, so that the unit tests
//! of any of its crates can use it without meeting a second copy of their own types.
//!
//! Mistakes in a test's story panic: this is a test kit, and the panic's message is the diagnosis.

pub mod attack;
mod capture;
pub mod conversation;
mod datagrams;
pub mod dns;
mod file;
mod inner;
#[cfg(target_os = "linux")]
pub mod replay;
mod rng;
pub mod story;
pub mod tls;
pub mod transform;
mod view;
mod wire;

pub use capture::{Capture, Record, link};
pub use conversation::Conversation;
pub use datagrams::Datagrams;
pub use file::{ByteOrder, Resolution};
pub use rng::Rng;
