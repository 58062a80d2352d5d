//! Hostile bytes -> the readers of captures: bodies of the fuzz targets in `fuzz/`, with what must hold.
//!
//! Not for use: built with the feature `fuzz` alone, and for tests. Nothing is opened, all is in memory.

use std::io::{self, Cursor, Read};

use hookscope::packet::Packet;

use crate::compress::{Decoder, Input};
use crate::format::{Opened, Stop, Walker};

/// A target: its name, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// The targets of this crate.
pub const TARGETS: [Target; 2] = [("capture", capture), ("compressed", compressed)];

/// Bytes of decompressed content that are looked at.
const CONTENT: usize = 1 << 18;

/// A pcap or pcapng file: walked over at once, as in a map, and in windows, as from a pipe. The first two bytes say how
/// many bytes a read gives, and how many packets a batch has.
pub fn capture(data: &[u8]) {
    let Some((&[read, batch], file)) = data.split_first_chunk() else { return };
    let (whole, packets) = at_once(file);
    assert!(packets.iter().map(|packet| packet.data.len()).sum::<usize>() <= file.len());
    // Wireshark numbers some blocks that are no packets, too.
    assert!(
        packets.is_sorted_by(|one, next| one.frame.number() < next.frame.number()),
        "frames are not in order"
    );
    let told: Vec<_> = packets.iter().map(told).collect();
    let (streamed, seen) = in_windows(file, usize::from(read) + 1, usize::from(batch) + 1);
    assert_eq!(seen, told, "a stream of the file has other packets than its map");
    assert_eq!(streamed, whole);
}

/// A gzip, zstd or LZ4 stream of anything: in large reads and in small ones.
pub fn compressed(data: &[u8]) {
    let large = read(Box::new(Cursor::new(data.to_vec())), 1 << 16);
    let small = read(Box::new(Drip(Cursor::new(data.to_vec()))), 61);
    assert_eq!(large.1, small.1, "what breaks it depends on how it is read");
    assert!(
        large.0 == small.0,
        "{} bytes come of large reads, {} of small ones",
        large.0.len(),
        small.0.len()
    );
    let _ = at_once(&large.0);
}

/// Up to three bytes a read.
struct Drip(Cursor<Vec<u8>>);

impl Read for Drip {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(3);
        self.0.read(out.get_mut(..most).unwrap_or_default())
    }
}

/// All that comes out, and what broke it.
fn read(stream: Box<dyn Read + Send>, size: usize) -> (Vec<u8>, Option<String>) {
    let mut decoder = match Decoder::new(Input::new(stream)) {
        Ok(decoder) => decoder,
        Err(error) => return (Vec::new(), Some(error.to_string())),
    };
    let (mut all, mut out) = (Vec::new(), vec![0; size]);
    while all.len() < CONTENT {
        match decoder.read(&mut out) {
            Ok(0) => return (all, None),
            Ok(count) => all.extend_from_slice(out.get(..count).unwrap_or_default()),
            Err(error) => return (all, Some(error.to_string())),
        }
    }
    all.truncate(CONTENT);
    (all, Some("more than is looked at".to_owned()))
}

/// What can be told of a packet.
type Told = (i64, u64, u16, u16, u32, Vec<u8>);

fn told(packet: &Packet<'_>) -> Told {
    let Packet { time, frame, link_type, interface, wire_len, data } = packet;
    (time.as_nanos(), frame.number(), link_type.0, *interface, *wire_len, data.to_vec())
}

/// What stopped a walk, without what depends on how bytes came.
fn why(stop: Stop) -> Option<String> {
    match stop {
        Stop::Full => None,
        Stop::Short(short) => Some(format!("{} of {}", short.what, short.whole)),
        Stop::Broken(why, _) => Some(why),
    }
}

fn at_once(file: &[u8]) -> (Option<String>, Vec<Packet<'_>>) {
    let (mut walker, mut start) = match Walker::open(0, file) {
        Ok(Opened::Ready(walker, start)) => (walker, start),
        Ok(Opened::Short(..)) => return (Some("cut".to_owned()), Vec::new()),
        Err(error) => return (Some(format!("{error:?}")), Vec::new()),
    };
    let mut packets = Vec::new();
    loop {
        let walked = walker.walk(file.get(start..).unwrap_or_default(), packets.len() + 1_000, &mut packets);
        start += walked.consumed;
        assert!(start <= file.len(), "more was consumed than there is");
        if let Some(why) = why(walked.stop) {
            return (Some(why), packets);
        }
    }
}

/// In windows that grow by `read` bytes where more is wanted, with up to `batch` packets a time.
fn in_windows(file: &[u8], read: usize, batch: usize) -> (Option<String>, Vec<Told>) {
    let mut end = 0;
    let (mut walker, mut start) = loop {
        match Walker::open(0, file.get(..end).unwrap_or(file)) {
            Ok(Opened::Ready(walker, start)) => break (walker, start),
            Ok(Opened::Short(_, wants)) => {
                assert!(wants > end.min(file.len()), "nothing more is wanted");
                if end >= file.len() {
                    return (Some("cut".to_owned()), Vec::new());
                }
                end = wants.max(end + read);
            }
            Err(error) => return (Some(format!("{error:?}")), Vec::new()),
        }
    };
    let mut all = Vec::new();
    loop {
        let window = file.get(..end).unwrap_or(file).get(start..).unwrap_or_default();
        let mut packets = Vec::new();
        let walked = walker.walk(window, batch, &mut packets);
        assert!(packets.len() <= batch);
        all.extend(packets.iter().map(told));
        start += walked.consumed;
        match walked.stop {
            Stop::Short(short) if end < file.len() => {
                assert!(short.wants > window.len() - walked.consumed, "nothing more is wanted");
                end = (start + short.wants).max(end + read);
            }
            stop => {
                if let Some(why) = why(stop) {
                    return (Some(why), all);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn files(folder: &str) -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
        let mut files: Vec<_> =
            fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// A target, and what to give it.
    type Seed = (fn(&[u8]), Vec<u8>);

    /// The fixtures of all formats, for the target that reads them.
    fn seeds() -> Vec<Seed> {
        let read = |path: PathBuf| {
            let file = fs::read(&path).unwrap();
            match path.extension().unwrap().to_str().unwrap() {
                "pcap" | "pcapng" => Some((capture as fn(&[u8]), [&[7, 3][..], &file].concat())),
                "gz" | "zst" | "lz4" => Some((compressed as fn(&[u8]), file)),
                _ => None,
            }
        };
        let seeds: Vec<_> = files("fixtures/formats").into_iter().filter_map(read).collect();
        assert!(seeds.len() > 20, "the fixtures are missing");
        seeds
    }

    #[test]
    fn every_target_takes_its_seeds_cut_and_changed_anywhere() {
        for (body, seed) in seeds() {
            body(&seed);
            for at in (0..seed.len()).step_by(seed.len() / 40 + 1) {
                body(&seed[..at]);
                let mut changed = seed.clone();
                changed[at] ^= 0x81;
                body(&changed);
            }
        }
    }

    #[test]
    fn every_finding_of_the_past_is_taken() {
        for (name, body) in TARGETS {
            for path in files(&format!("fuzz/findings/{name}")) {
                println!("{}", path.display());
                body(&fs::read(path).unwrap());
            }
            let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../fuzz/targets/{name}.rs"));
            assert!(program.exists(), "{}", program.display());
        }
    }
}
