//! Turns a few numbers into capture files in a directory that is gone after the test.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use hookscope_capture::{InputError, Options, Summary, for_each_batch};

/// A directory of its own for a test.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("hookscope-capture-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The file header of a pcap file.
pub(crate) fn header(link_type: u32) -> Vec<u8> {
    let mut bytes = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    bytes.extend([0, 0, 65_535, link_type].map(u32::to_le_bytes).concat());
    bytes
}

/// A packet record with `length` bytes, `micros` after the epoch.
pub(crate) fn record(micros: u32, length: u32) -> Vec<u8> {
    let mut bytes = [micros / 1_000_000, micros % 1_000_000, length, length].map(u32::to_le_bytes).concat();
    bytes.resize(16 + length as usize, micros as u8);
    bytes
}

/// A pcap file with packets of 50 bytes at these microseconds.
pub(crate) fn pcap(times: impl IntoIterator<Item = u32>) -> Vec<u8> {
    header(1).into_iter().chain(times.into_iter().flat_map(|time| record(time, 50))).collect()
}

/// What was handed out: for each packet its microseconds, its file and its number there.
pub(crate) type Seen = Vec<(i64, u16, u64)>;

/// Reads `paths` in batches of at most `batch`.
pub(crate) fn read(paths: &[impl AsRef<Path>], batch: usize) -> Result<(Seen, Summary), InputError> {
    let mut seen = Vec::new();
    let summary = for_each_batch(paths, &Options { batch, ..Options::default() }, |packets, _| {
        assert!((1..=batch).contains(&packets.len()));
        for packet in packets {
            let micros = packet.time.as_nanos() / 1_000;
            let own = |byte: Option<&u8>| byte.is_none_or(|byte| *byte == micros as u8);
            assert!(own(packet.data.first()) && own(packet.data.last()), "its own bytes");
            seen.push((micros, packet.frame.file(), packet.frame.number()));
        }
        ControlFlow::Continue(())
    })?;
    assert_eq!(summary.packets(), seen.len() as u64);
    Ok((seen, summary))
}

/// The only warning.
pub(crate) fn warning(summary: &Summary) -> String {
    let warnings: Vec<String> = summary.warnings().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    warnings.into_iter().next().unwrap()
}
