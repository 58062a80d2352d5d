//! What becomes of single inputs: files, pipes, compressed streams, damaged captures, and what is no capture at all.

mod common;

use std::io::Write;
use std::ops::ControlFlow;

use common::{Dir, header, pcap, read, record, warning};
use flate2::Compression;
use flate2::write::GzEncoder;
use hookscope_capture::{InputError, Options, for_each_batch};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A capture of some megabytes, with packets of all sizes and one of the largest there are.
fn large() -> Vec<u8> {
    let sizes = (0..20_000_u32).map(|number| number * 7_919 % 600).chain([262_144]).chain(0..50);
    header(1).into_iter().chain(sizes.enumerate().flat_map(|(at, size)| record(at as u32, size))).collect()
}

#[test]
fn a_file_gives_the_same_packets_plain_and_compressed() {
    let dir = Dir::new();
    let bytes = large();
    let (expected, _) = read(&[dir.write("plain", &bytes)], 8_192).unwrap();
    assert_eq!(expected.len(), 20_051);
    for (name, compressed) in [("gzip", gzip(&bytes)), ("zstd", zstd(&bytes)), ("lz4", lz4(&bytes))] {
        for batch in [1_000, 1_000_000] {
            let (seen, summary) = read(&[dir.write(name, &compressed)], batch).unwrap();
            assert!(seen == expected, "{name} in batches of {batch}");
            assert_eq!(summary.warnings().count(), 0);
        }
    }
}

#[test]
fn progress_comes_to_the_size_of_the_file() {
    let dir = Dir::new();
    for bytes in [large(), gzip(&large())] {
        let (mut last, mut batches) = (0, 0);
        let path = dir.write("a", &bytes);
        for_each_batch(&[path], &Options::default(), |_, progress| {
            assert!(progress.consumed >= last);
            assert_eq!(progress.total, Some(bytes.len() as u64));
            (last, batches) = (progress.consumed, batches + 1);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!((last, batches > 1), (bytes.len() as u64, true));
    }
}

#[test]
fn reading_stops_when_told() {
    let dir = Dir::new();
    let path = dir.write("a.pcap", pcap(0..100));
    let summary =
        for_each_batch(&[path], &Options { batch: 10, ..Options::default() }, |_, _| ControlFlow::Break(()))
            .unwrap();
    assert_eq!((summary.packets(), summary.truncated()), (10, false));
}

#[test]
fn a_cut_capture_says_where_and_what_is_missing() {
    let dir = Dir::new();
    let whole = pcap([1, 2, 3]);
    let (seen, summary) = read(&[dir.write("a.pcap", &whole[..whole.len() - 20])], 100).unwrap();
    assert_eq!(seen.len(), 2);
    assert!(summary.truncated());
    let name = dir.path("a.pcap").display().to_string();
    let what = "breaks off after packet 2, at byte 156: the packet record there needs 66 bytes, the file has 46 left";
    assert_eq!(warning(&summary), format!("{name}: {what}"));
    assert_eq!(summary.files[0].name, name);
}

#[test]
fn a_capture_cut_anywhere_gives_the_whole_packets_before() {
    let dir = Dir::new();
    let whole = pcap([1, 2, 3]);
    for length in 24..whole.len() {
        let (seen, summary) = read(&[dir.write("a.pcap", &whole[..length])], 100).unwrap();
        assert_eq!(seen.len(), (length - 24) / 66);
        assert_eq!(summary.truncated(), (length - 24) % 66 != 0);
    }
}

#[test]
fn garbage_in_a_capture_ends_it_with_its_place() {
    let dir = Dir::new();
    let bytes = [pcap([1, 2]), vec![0xff; 200]].concat();
    for (name, bytes) in [("a.pcap", bytes.clone()), ("a.gz", gzip(&bytes))] {
        let (seen, summary) = read(&[dir.write(name, bytes)], 100).unwrap();
        assert_eq!(seen.len(), 2);
        assert!(warning(&summary).contains("after packet 2, at byte 156"), "{}", warning(&summary));
    }
}

#[test]
fn a_cut_compressed_stream_is_read_up_to_the_cut() {
    let dir = Dir::new();
    let bytes = large();
    for (name, compressed) in [("gzip", gzip(&bytes)), ("zstd", zstd(&bytes)), ("LZ4", lz4(&bytes))] {
        let half = &compressed[..compressed.len() / 2];
        let (seen, summary) = read(&[dir.write(name, half)], 1_000).unwrap();
        assert!(seen.len() > 5_000, "{name}: {}", seen.len());
        assert!(
            warning(&summary).contains(&format!("its {name} stream breaks at byte")),
            "{}",
            warning(&summary)
        );
        let (_, summary) = read(&[dir.write(name, &compressed[..compressed.len() - 2])], 1_000).unwrap();
        assert!(summary.truncated(), "{name}");
        let error = read(&[dir.write(name, &compressed[..9])], 1_000).unwrap_err();
        assert!(
            matches!(error, InputError::Compressed { compression, .. } if compression == name),
            "{error}"
        );
    }
}

#[test]
fn what_cannot_be_read_at_all_is_an_error_that_names_it() {
    let dir = Dir::new();
    let error = |bytes: &[u8]| read(&[dir.write("x", bytes)], 9).unwrap_err();
    assert!(matches!(read(&[dir.path("none")], 9).unwrap_err(), InputError::NotFound { .. }));
    assert!(matches!(read(&[dir.path("")], 9).unwrap_err(), InputError::IsDirectory { .. }));
    assert!(matches!(error(b""), InputError::Empty { .. }));
    assert!(matches!(error(&gzip(b"")), InputError::Empty { .. }));
    assert!(matches!(error(b"apiVersion: v1\nkind: List\n"), InputError::NotACapture { .. }));
    assert!(matches!(error(&gzip(&gzip(&pcap([1])))), InputError::NotACapture { .. }));
    assert!(matches!(error(&header(147)), InputError::LinkType { .. }));
    assert!(matches!(error(&header(1)[..20]), InputError::HeaderCut { length: 20, .. }));
    assert!(matches!(error(&[0x0a, 0x0d, 0x0d, 0x0a, 28, 0]), InputError::HeaderCut { length: 6, .. }));
    let paths = [dir.write("good.pcap", pcap([1])), dir.path("bad.pcap")];
    assert!(read(&paths, 9).unwrap_err().to_string().contains("bad.pcap"));
}

#[test]
fn a_capture_without_packets_is_a_capture() {
    let dir = Dir::new();
    let (seen, summary) = read(&[dir.write("a.pcap", header(1))], 9).unwrap();
    assert_eq!((seen.len(), summary.truncated(), summary.link_types().len()), (0, false, 1));
}

#[test]
fn a_file_that_shrinks_while_it_is_read_ends_with_a_warning() {
    let dir = Dir::new();
    let path = dir.write("a.pcap", pcap(0..30_000));
    let length = 24 + 30_000 * 66;
    for left in [0, 100, length / 2] {
        std::fs::write(&path, pcap(0..30_000)).unwrap();
        let mut packets = 0;
        let summary = for_each_batch(std::slice::from_ref(&path), &Options::default(), |batch, _| {
            if packets == 0 {
                std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(left).unwrap();
            }
            packets += batch.len();
            assert!(batch.iter().all(|packet| packet.data.len() == 50));
            ControlFlow::Continue(())
        })
        .unwrap();
        assert!(summary.truncated() && (packets as u64) < 30_000, "{packets}");
        let warning = warning(&summary);
        let cut = warning.split_once(": the file was cut from 1980024 to ").unwrap().1;
        let now: u64 = cut.split_once(' ').unwrap().0.parse().unwrap();
        assert!(now >= left && now < length, "{warning}");
    }
}

#[test]
fn of_a_file_that_grows_what_was_there_is_read() {
    let dir = Dir::new();
    let path = dir.write("a.pcap", pcap(0..30_000));
    let mut packets = 0;
    let summary = for_each_batch(std::slice::from_ref(&path), &Options::default(), |batch, _| {
        if packets == 0 {
            let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
            file.write_all(&record(1, 50)).unwrap();
        }
        packets += batch.len();
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!((packets, summary.truncated()), (30_000, false));
}

#[cfg(unix)]
mod pipes {
    use std::fs::OpenOptions;
    use std::process::Command;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    fn fifo(dir: &Dir, name: &str) -> std::path::PathBuf {
        let path = dir.path(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    #[test]
    fn a_pipe_gives_the_same_packets_as_a_file() {
        let dir = Dir::new();
        let bytes = large();
        let (expected, _) = read(&[dir.write("plain", &bytes)], 8_192).unwrap();
        for (name, bytes) in [("plain", bytes.clone()), ("gzip", gzip(&bytes)), ("zstd", zstd(&bytes))] {
            let path = fifo(&dir, &format!("{name}.fifo"));
            let writer = path.clone();
            let thread = std::thread::spawn(move || std::fs::write(writer, bytes).unwrap());
            let (seen, summary) = read(&[path], 8_192).unwrap();
            thread.join().unwrap();
            assert!(seen == expected, "{name}");
            assert_eq!(summary.warnings().count(), 0, "{name}");
        }
    }

    #[test]
    fn packets_come_out_of_a_live_pipe_as_they_go_in() {
        let dir = Dir::new();
        let path = fifo(&dir, "live");
        let (report, reported) = mpsc::channel();
        let reader = path.clone();
        let thread = std::thread::spawn(move || {
            for_each_batch(&[reader], &Options::default(), |packets, _| {
                packets.iter().for_each(|packet| report.send(packet.frame.number()).unwrap());
                ControlFlow::Continue(())
            })
            .unwrap()
        });
        let mut pipe = OpenOptions::new().write(true).open(path).unwrap();
        let next = || reported.recv_timeout(Duration::from_secs(20));
        pipe.write_all(&[header(1), record(1, 50)].concat()).unwrap();
        assert_eq!(next(), Ok(1));
        let second = record(2, 50);
        pipe.write_all(&second[..20]).unwrap();
        pipe.write_all(&second[20..]).unwrap();
        assert_eq!(next(), Ok(2));
        pipe.write_all(&record(3, 50)[..30]).unwrap();
        drop(pipe);
        let summary = thread.join().unwrap();
        assert!(warning(&summary).ends_with(
            "after packet 2, at byte 156: the packet record there needs 66 bytes, the stream has 30 left"
        ));
    }
}
