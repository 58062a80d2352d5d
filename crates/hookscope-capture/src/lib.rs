//! Reads packet captures for hookscope: turns files, pipes and interfaces into batches of [`Packet`]s, in time order.
//!
//! This crate is the edge to the operating system, and nothing but that: it opens, maps, streams and decompresses,
//! finds where each packet lies, and hands it out where it lies. What is in a packet is the core's business.
//!
//! ```text
//!   path or '-'                       bytes                    packets                 batches
//!   ───────────                       ─────                    ───────                 ───────
//!   regular file ──────────── map ──────────────┐
//!                                               ├── format ── source ──┐
//!   compressed file, pipe ── compress ── stream ┘   (pcap,             ├── merge ── read::for_each_batch ── you
//!                                                    pcapng)  source ──┘  (analyze: ── Inspector)
//! ```
//!
//! | module | turns | into |
//! | --- | --- | --- |
//! | `map` | a regular file | its bytes, without copying them |
//! | `compress` | gzip, zstd, LZ4 | plain bytes, in bounded memory |
//! | `stream` | whatever comes in reads | a window of bytes that holds whole records, and the next one read beside |
//! | `format` | bytes of pcap or pcapng | packets; pure functions, no I/O |
//! | `reader` | the bytes of one input | packets, and a warning where it breaks off |
//! | `feed` | a map | batches, the next while those before are looked at |
//! | `source` | a path | bytes with their reader, and packets that wait for those of others |
//! | `ahead` | a walk over a map | one that does not wait for memory |
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

mod ahead;
mod analyze;
mod batch;
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
mod map;
mod merge;
mod read;
mod reader;
mod source;
mod stream;
mod summary;
pub mod write;

pub use analyze::{Analysis, analyze};
pub use batch::Batch;
pub use error::{Fault, InputError, NamedLinkType};
pub use lines::{LinesError, for_each_line, for_each_line_of};
pub use map::guard_maps;
pub use read::{Options, Progress, for_each_batch};
pub use summary::{FileSummary, Summary, Warning};
