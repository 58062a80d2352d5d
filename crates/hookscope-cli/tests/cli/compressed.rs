//! Compressed captures, whole and damaged: what stands before the damage is analysed, and decides the exit status.

use std::io::Write;
use std::process::Stdio;

use crate::support::{DEADLINE, Said, Scratch, fixture, hookscope, run};
use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::Value;

const FILE_HEADER: usize = 24;
/// A healthy capture that fills several blocks of any compression.
const LARGE: &str = "ok/lossy-ok.pcap";

/// A name and what compresses.
type Codec = (&'static str, fn(&[u8]) -> Vec<u8>);

const CODECS: [Codec; 3] = [
    ("gzip", |bytes| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }),
    ("zstd", |bytes| compress_to_vec(bytes, CompressionLevel::Fastest)),
    ("LZ4", |bytes| {
        // As the command does; without a checksum, damage may give other packets and go unnoticed.
        let checked = lz4_flex::frame::FrameInfo::new().content_checksum(true);
        let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(checked, Vec::new());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }),
];

/// Several captures in one file, one after the other, in `first` and then `rounds` times the large one.
fn captures(first: &[u8], rounds: usize) -> Vec<u8> {
    let large = std::fs::read(fixture(LARGE)).unwrap();
    assert!(first.starts_with(&large[..FILE_HEADER]), "files of one kind");
    let rest = std::iter::repeat_n(&large[FILE_HEADER..], rounds);
    [first].into_iter().chain(rest).collect::<Vec<_>>().concat()
}

/// A failure, and then much that is healthy.
fn failing() -> Vec<u8> {
    captures(&std::fs::read(fixture(DEADLINE)).unwrap(), 2)
}

fn healthy() -> Vec<u8> {
    captures(&std::fs::read(fixture(LARGE)).unwrap(), 1)
}

/// The capture from a file and from a pipe.
fn from_file_and_pipe(name: &str, bytes: &[u8], args: &[&str]) -> [Said; 2] {
    let file = Scratch::new(name, bytes);
    let mut child = hookscope(&[args, &["-"]].concat()).stdin(Stdio::piped()).spawn().unwrap();
    let (mut pipe, bytes) = (child.stdin.take().unwrap(), bytes.to_vec());
    // A reader that stops at the damage closes the pipe: that is no error.
    let writer = std::thread::spawn(move || drop(pipe.write_all(&bytes)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let piped = Said { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
    [run(&[args, &[file.path()]].concat()), piped]
}

fn summary(said: &Said) -> Value {
    let report: Value = serde_json::from_str(&said.out).unwrap();
    report["summary"].clone()
}

#[test]
fn compression_changes_nothing() {
    let plain = Scratch::new("whole.pcap", &failing());
    let plain = run(&["--format", "json", plain.path()]);
    assert_eq!(plain.status, Some(1));
    for (name, compress) in CODECS {
        for said in from_file_and_pipe(&format!("whole.{name}"), &compress(&failing()), &["--format", "json"])
        {
            assert_eq!((said.status, said.err.as_str()), (Some(1), ""), "{name}");
            assert_eq!(summary(&said), summary(&plain), "{name}");
        }
    }
}

/// What `damage` leaves of a compressed capture is judged, with a warning that contains `warning`. (Before a stream is
/// found to be damaged, it may give packets that are.)
#[track_caller]
fn judged_up_to_the_damage(kind: &str, warning: &str, damage: impl Fn(&mut Vec<u8>)) {
    for (name, compress) in CODECS {
        for (bytes, status, verdict) in [(failing(), 1, "deadline-exceeded"), (healthy(), 0, "")] {
            let mut bytes = compress(&bytes);
            damage(&mut bytes);
            for said in from_file_and_pipe(&format!("{kind}-{status}.{name}"), &bytes, &["--format", "json"])
            {
                assert_eq!(said.status, Some(status), "{name}: {}", said.err);
                let warnings = said.err.lines().filter(|line| line.contains(warning)).count();
                assert_eq!(warnings, 1, "{name}: {}", said.err);
                let report: Value = serde_json::from_str(&said.out).unwrap();
                assert_eq!(report["capture"]["truncated"], true, "{name}");
                assert!(report["capture"]["packets"].as_u64().unwrap() > 40, "{name}");
                assert!(report["summary"]["verdicts"].to_string().contains(verdict), "{name}");
            }
            for said in from_file_and_pipe(&format!("{kind}-text-{status}.{name}"), &bytes, &[]) {
                assert_eq!((said.status, said.err.as_str()), (Some(status), ""), "{name}");
                assert!(said.out.lines().any(|line| line.starts_with("! ")), "{name}: {}", said.out);
            }
        }
    }
}

#[test]
fn a_stream_that_was_cut_is_judged_up_to_the_cut() {
    judged_up_to_the_damage("cut", "stream breaks", |bytes| bytes.truncate(bytes.len() * 3 / 4));
}

#[test]
fn a_stream_that_was_overwritten_is_judged_up_to_there() {
    judged_up_to_the_damage("overwritten", "breaks off after packet", |bytes| {
        let middle = bytes.len() * 3 / 4;
        bytes[middle..middle + 64].fill(0xff);
    });
}
