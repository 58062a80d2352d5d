//! Reads packet captures for hookscope: turns files, pipes and interfaces into batches of [`Packet`]s, in time order.
//!
//! This crate is the edge to the operating system, and nothing but that: it opens, reads and decompresses, finds where
//! each packet lies, and hands it out where it lies. What is in a packet is the core's business.
//!
//! ```text
//!   path or '-'                  bytes             packets     batches
//!   ───────────                  ─────             ───────     ───────
//!   regular file, pipe ──┐
//!                        ├── reader ── format ── source ──┐
//!   compressed ─ compress┘             (pcap,             ├── merge ── read::for_each_batch ── you
//!                                       pcapng)  source ──┘  (feed ── analyze: ── Inspector)
//! ```
//!
//! | module | turns | into |
//! | --- | --- | --- |
//! | `compress` | gzip, zstd, LZ4 | plain bytes, in bounded memory |
//! | `format` | bytes of pcap or pcapng | packets; pure functions, no I/O |
//! | `reader` | the bytes of one input, as reads give them | batches of packets, and a warning where it breaks off |
//! | `source` | a path | its reader, and packets that wait for those of others |
//! | `feed` | the only input that is due | batches, the next while those before are looked at |
//! | `merge` | several inputs | one capture in time order |
//! | `read` | the caller's paths and closure | the run |
//! | `analyze` | the caller's paths and settings | what is found in them |
//! | `live` | interfaces (feature `live`) | batches that own their packets |
//! | `write` | chosen packets | pcapng with comments, within a bound |
//! | `lines` | a text, such as a log | its lines |
//!
//! A capture that breaks off is no error: it is read up to there, and its [`FileSummary`] says so. [`InputError`] is
//! for inputs of which nothing can be read, and says by [`Fault`] who can mend that.
//!
//! [`analyze()`] is files to verdicts in one call, [`for_each_batch`] files to packets. A source of your own needs
//! neither: whatever has packets pushes them into a `hookscope::Inspector`. Nothing here prints or has global state;
//! versions are those of `hookscope`, whose documentation says what they promise.
//!
//! ```
//! use std::ops::ControlFlow;
//! use hookscope_capture::{Options, for_each_batch};
//!
//! # let path = std::env::temp_dir().join(format!("hookscope-doc-{}.pcap", std::process::id()));
//! # let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
//! # file.extend([7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0xab, 0xcd]);
//! # std::fs::write(&path, file).unwrap();
//! let mut bytes = 0;
//! let summary = for_each_batch(&[path.clone()], &Options::default(), |packets, _progress| {
//!     bytes += packets.iter().map(|packet| packet.data.len()).sum::<usize>();
//!     ControlFlow::Continue(())
//! })?;
//! assert_eq!((summary.packets(), bytes), (1, 2));
//! # std::fs::remove_file(path).unwrap();
//! # Ok::<(), hookscope_capture::InputError>(())
//! ```
//!
//! [`Packet`]: hookscope::packet::Packet

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::print_stdout,
        clippy::print_stderr,
        clippy::exit
    )
)]

mod analyze;
mod compress;
mod error;
mod feed;
mod format;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
mod lines;
#[cfg(feature = "live")]
pub mod live;
mod merge;
mod read;
mod reader;
mod source;
mod summary;
pub mod write;

pub use analyze::{Analysis, analyze};
pub use error::{Fault, InputError, NamedLinkType};
pub use hookscope::packet::Batch;
pub use lines::{LinesError, for_each_line, for_each_line_of};
pub use read::{Options, Progress, for_each_batch};
pub use summary::{FileSummary, Summary, Warning};
