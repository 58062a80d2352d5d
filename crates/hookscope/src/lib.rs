//! Says from a packet capture why calls of Kubernetes admission webhooks fail.
//!
//! This is the engine, without input or output: packets go in, verdicts come out. It opens no file, reads no clock,
//! prints nothing, starts no thread and has no global state; what it finds is a function of the packets and the
//! [`Config`] alone. `hookscope-capture` reads captures for it, `hookscope-cluster` the cluster's objects,
//! `hookscope-cli` is the command line.
//!
//! ```text
//!             +------------------------------- Inspector --------------------------------+
//!             |        by connection                                                     |
//!  Packet --> | wire ----> flow ----> tcp ----> tls ----> call ----> diagnosis --> tally | --> Inspection
//!             | headers    whose      octets    records,  request,   rules,        counts|        |
//!             |            is it      in order  http      response   verdicts            |     report()
//!             +--------------------------------------------------------------------------+        |
//!                  ^          while packets come: take_events() --> Event                         v
//!                  Config, your rules                                               schema::Report
//! ```
//!
//! # The model
//!
//! A **connection** is a TCP connection, a **call** a request and its response on it, a **lookup** a question to a name
//! server. Each gets one **[verdict](report::schema::Verdict)**: a stable code (`deadline-exceeded`), its class, how bad it
//! is, whether a packet says so or the pattern of packets does, the frames that show it, a sentence, and what to do. What
//! the capture does not show is not guessed: that is the code `capture-incomplete`.
//!
//! | to | use |
//! | --- | --- |
//! | push packets of your own | [`Packet`], [`Inspector::observe`], [`Inspector::observe_batch`], or `extend` with any iterator |
//! | read whole files in one call | `hookscope_capture::analyze` |
//! | watch interfaces | `hookscope_capture::live::Watch` (feature `live` there) |
//! | get verdicts while packets come | [`Config::watch`], [`Inspector::take_events`]; [`Inspector::advance`] where none come |
//! | get all that was found | [`Inspector::finish`], then [`Inspection::report`] |
//! | choose what is judged and kept | [`Config`], [`Filter`], [`Keep`], [`config::Limits`] |
//! | add a diagnosis | a [`rule::Rule`] in [`Config::rules`] |
//! | name webhooks, know their deadlines | [`cluster::Cluster`] in [`Config::cluster`] |
//! | explain kube-apiserver's log | [`log::Reader`], [`Inspection::report_with`] |
//! | explain a code, or an error message | [`diagnosis::page_of`], [`diagnosis::message::explain`] |
//!
//! # Push packets, poll verdicts
//!
//! A client's SYN, and the RST that answers it:
//!
//! ```
//! use hookscope::packet::LinkType;
//! use hookscope::report::Event;
//! use hookscope::time::Timestamp;
//! use hookscope::verdict::Severity;
//! use hookscope::{Config, Inspector, Packet};
//!
//! #[rustfmt::skip]
//! let (syn, rst) = (
//!     [0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 10, 10, 244, 1, 1, // 10.0.0.10 > 10.244.1.1
//!      0xbd, 0xf6, 0x24, 0xe3, 0, 0, 0, 7, 0, 0, 0, 0, 0x50, 0x02, 255, 255, 0, 0, 0, 0], // 48630 > 9443, SYN
//!     [0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 244, 1, 1, 10, 0, 0, 10,
//!      0x24, 0xe3, 0xbd, 0xf6, 0, 0, 0, 0, 0, 0, 0, 8, 0x50, 0x14, 0, 0, 0, 0, 0, 0], // RST, ACK
//! );
//!
//! let mut inspector = Inspector::new(Config { watch: true, ..Config::default() });
//! for (number, bytes) in (1..).zip([&syn, &rst]) {
//!     let time = Timestamp::from_nanos(number as i64 * 1_000_000);
//!     inspector.observe(&Packet::new(number, time, LinkType::RAW, bytes));
//! }
//! // No packet comes for a second: time passes all the same.
//! inspector.advance(Timestamp::from_nanos(1_000_000_000));
//! let notices = inspector.take_events().into_iter().filter_map(|event| match event {
//!     Event::Notice(notice) => Some(notice),
//!     _ => None, // counts of calls and connections, failed lookups
//! });
//! let notice = notices.last().unwrap();
//! assert_eq!(notice.connection.server, "10.244.1.1:9443");
//! assert_eq!(notice.verdict().severity, Severity::Failure);
//! assert_eq!(notice.verdict().code, "connection-refused");
//! assert_eq!(notice.verdict().evidence[1].frame, 2);
//! ```
//!
//! # What it promises
//!
//! * No bytes make it panic, and none are an error: what is wrong with a packet is counted and named in the report's
//!   warnings. What it can be told wrongly is refused where it is said, by a type that says whose fault it is
//!   ([`filter::BadServerFilter`], [`rule::RuleError`], [`log::NotALog`]).
//! * How packets are divided into batches, and connections into [shards](Config::shards), changes speed, never the
//!   answer; short of the bounds on open connections, which are shared out among the shards, and on servers, of which
//!   the first ones of each shard are counted one by one. With several
//!   shards it works on the threads of the current rayon pool.
//! * Memory for what is watched is bounded by [`config::Limits`]; at each bound something defined happens, and where
//!   that costs accuracy the report says so. What is reported stays in memory until the end: each connection that
//!   [`Keep`] asks for, and counts with one example for each server and code.
//! * All types may be sent to another thread and shared there.
//! * The JSON of [`report::schema`] and the codes of verdicts are stable: changes add to them.
//!
//! # Versions
//!
//! Releases follow [Semantic Versioning](https://semver.org): before 1.0 a change that breaks programs raises the minor
//! number. These are additions and break none: new codes, variants of enums that are `#[non_exhaustive]`, fields of
//! results and of settings. Results cannot be built outside; settings are written as
//! `Config { keep: Keep::All, ..Config::default() }`. Structs of [`cluster`], which are built outside, grow with the minor
//! number only. The listing of the interface is in `public-api.txt` of each library.
//!
//! The oldest Rust that builds it is 1.88 (`rust-version`); raising it raises the minor number, and it stays at least
//! six months old.
//!
//! # Features
//!
//! `serde`, on by default: the types of [`report::schema`] and the words of [`verdict`] implement `Serialize`, in the
//! form of `--format json`. Without it they are the same types.

#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr, clippy::exit))]

mod bytes;
mod call;
pub mod cluster;
pub mod config;
mod connection;
pub mod diagnosis;
pub mod filter;
mod flow;
mod fragments;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
mod http;
mod inspect;
pub mod log;
mod lookup;
pub mod packet;
pub mod report;
pub mod rule;
mod side;
mod tcp;
pub mod time;
mod tls;
mod trust;
pub mod verdict;
#[allow(
    unreachable_pub,
    dead_code,
    reason = "headers are read whole, whether a rule asks for a field or not; benchmarks see them"
)]
mod wire;

/// What benchmarks and tests of this workspace see besides. No promise is made of it.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    use crate::packet::Packet;

    /// Whether the headers of a packet can be read, down to those of TCP.
    pub fn decodes(packet: &Packet<'_>) -> bool {
        std::hint::black_box(crate::wire::decode(packet)).is_ok()
    }
}

pub use config::{Config, Keep};
pub use filter::Filter;
pub use flow::key::FlowKey;
pub use inspect::{Inspection, Inspector};
pub use packet::Packet;
pub use side::Side;
