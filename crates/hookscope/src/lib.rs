//! Says from a packet capture why calls of Kubernetes admission webhooks fail.
//!
//! This is the engine, without input or output: packets go in, verdicts come out. It opens no file, reads no clock,
//! prints nothing and starts no thread; what it finds is a function of the packets and the [`Config`] alone.
//! `hookscope-capture` reads captures for it, `hookscope-cli` is the command line.
//!
//! ```text
//!             +------------------------------- Inspector --------------------------------+
//!             |        by connection                                                     |
//!  Packet --> | wire ----> flow ----> tcp ----> tls ----> call ----> diagnosis --> tally | --> Inspection
//!             | headers    whose      octets    records,  request,   rules,        counts|        |
//!             |            is it      in order  http      response   verdicts            |     report()
//!             +--------------------------------------------------------------------------+        |
//!                                                                              schema::Report <---+
//! ```
//!
//! | type | is |
//! | --- | --- |
//! | [`Packet`] | one record of a capture: time, frame number, link type, bytes |
//! | [`Inspector`] | the engine: takes packets one by one or in batches, in the order of the capture |
//! | [`Config`] | the deadline, what to keep, which connections, bounds on memory |
//! | [`cluster::Cluster`] | what is known of the cluster: whose address is whose, and each webhook's own deadline |
//! | [`Filter`] | which connections: by server, port or name |
//! | [`Inspection`] | what was found, once there are no more packets |
//! | [`report::schema::Report`] | the same as data, in the form that `--format json` prints |
//! | [`log::Log`] | the failed calls that kube-apiserver's log names, for [`Inspection::report_with`] |
//! | [`diagnosis::message::explain`] | what a message of kube-apiserver's means, and which codes give it |
//! | [`diagnosis::pages`] | all codes, and the page that explains each |
//!
//! # Example
//!
//! A client's SYN, and the RST that answers it:
//!
//! ```
//! use hookscope::packet::{Frame, LinkType};
//! use hookscope::report::Input;
//! use hookscope::time::Timestamp;
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
//! let mut inspector = Inspector::new(Config::default());
//! for (number, data) in (1..).zip([&syn, &rst]) {
//!     inspector.observe(&Packet {
//!         time: Timestamp::from_nanos(number as i64 * 1_000_000),
//!         frame: Frame::new(0, number),
//!         link_type: LinkType::RAW,
//!         interface: 0,
//!         wire_len: 40,
//!         data,
//!     });
//! }
//! let report = inspector.finish().report(&Input::default());
//! let connection = &report.connections[0];
//! assert_eq!(connection.server, "10.244.1.1:9443");
//! assert_eq!(connection.verdict.code, "connection-refused");
//! assert_eq!(connection.verdict.evidence[1].frame, 2);
//! ```
//!
//! # What it promises
//!
//! * No bytes make it panic: what is wrong with a packet is counted and named in the report's warnings.
//! * How packets are divided into batches, and connections into [shards](Config::shards), changes speed, never the
//!   answer; short of the bounds on open connections, which are shared out among the shards, and on servers, of which
//!   the first ones of each shard are counted one by one.
//! * Memory for what is watched is bounded by [`config::Limits`]; at each bound something defined happens, and where
//!   that costs accuracy the report says so. What is reported stays in memory until the end: each connection that
//!   [`Keep`] asks for, and counts with one example for each server and code.
//! * The JSON of [`report::schema`] and the codes of [`diagnosis`] are stable: changes add to them.

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
