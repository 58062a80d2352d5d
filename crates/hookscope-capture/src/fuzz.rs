//! Hostile bytes -> the readers of captures: bodies of the fuzz targets in `fuzz/`, with what must hold.
//!
//! Not for use: built with the feature `fuzz` alone, and for tests. Nothing is opened, all is in memory.

use std::io::{self, Cursor, Read};

use hookscope::packet::{Batch, Packet};

use crate::compress::{Decoder, Input};
use crate::format::{Opened, Stop, Walker};
use crate::reader::Reader;

/// A target: its name, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// The targets of this crate.
pub const TARGETS: [Target; 2] = [("capture", capture), ("compressed", compressed)];

/// Bytes of decompressed content that are looked at.
const CONTENT: usize = 1 << 18;

/// A pcap or pcapng file: walked over at once, and read as a pipe and as a file. The first two bytes say how many bytes a
/// read gives.
pub fn capture(data: &[u8]) {
    let Some((&[low, high], file)) = data.split_first_chunk() else { return };
    let (is_whole, packets) = at_once(file);
    assert!(packets.iter().map(|packet| packet.data.len()).sum::<usize>() <= file.len());
    // Wireshark numbers some blocks that are no packets, too.
    assert!(
        packets.is_sorted_by(|one, next| one.frame.number() < next.frame.number()),
        "frames are not in order"
    );
    let told: Vec<_> = packets.iter().map(told).collect();
    for length in [None, Some(file.len() as u64)] {
        let read = in_reads(file, usize::from(u16::from_le_bytes([low, high])) + 1, length);
        assert_eq!(read, is_whole.map(|is_whole| (is_whole, told.clone())), "reads change what is read");
    }
}

/// A gzip, zstd or LZ4 stream of anything: in large reads and in small ones.
pub fn compressed(data: &[u8]) {
    let large = read(Box::new(Cursor::new(data.to_vec())), 1 << 16);
    let small = read(Box::new(Drip(Cursor::new(data.to_vec()), 3)), 61);
    assert_eq!(large.1, small.1, "what breaks it depends on how it is read");
    assert!(
        large.0 == small.0,
        "{} bytes come of large reads, {} of small ones",
        large.0.len(),
        small.0.len()
    );
    let _ = at_once(&large.0);
}

/// Up to so many bytes a read.
struct Drip(Cursor<Vec<u8>>, usize);

impl Read for Drip {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(self.1);
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

/// All packets, and whether the file ends where it should; no answer where it has no header.
fn at_once(file: &[u8]) -> (Option<bool>, Vec<Packet<'_>>) {
    let Ok(Opened::Ready(mut walker, start)) = Walker::open(0, file) else { return (None, Vec::new()) };
    let mut packets = Vec::new();
    let rest = file.get(start..).unwrap_or_default();
    let walked = walker.walk(rest, &mut |packet| packets.push(packet));
    assert!(walked.consumed <= rest.len(), "more was consumed than there is");
    let is_whole = match walked.stop {
        Stop::Short(short) => walked.consumed == rest.len() && short.done == 0,
        Stop::Broken(..) => false,
    };
    (Some(is_whole), packets)
}

/// The same, from reads of so many bytes each.
fn in_reads(file: &[u8], each: usize, length: Option<u64>) -> Option<(bool, Vec<Told>)> {
    let pipe = Drip(Cursor::new(file.to_vec()), each);
    let mut reader = Reader::open("", 0, Decoder::Plain(Input::new(pipe)), length).ok()?;
    let (mut batch, mut all) = (Batch::default(), Vec::new());
    while !reader.ended {
        reader.next(0, &mut batch);
        assert!(reader.ended || !batch.is_empty(), "a batch has no packets");
        all.extend(batch.packets().map(|packet| told(&packet)));
    }
    Some((!reader.summary.truncated, all))
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
