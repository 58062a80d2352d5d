//! A file that is cut while it is read ends in an error or a warning, and never in a crash. A process of its own, since
//! the guard is one for all of a process.

mod common;

use std::fs::OpenOptions;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::{Dir, pcap};
use hookscope_capture::{InputError, Options, Summary, for_each_batch, guard_maps};

/// One test at a time: one of them takes all places for maps.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Packets of a batch.
const BATCH: usize = 1_000;

fn cut(path: &Path, length: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
}

/// Reads the files, and cuts the first to `length` while the `at`-th batch is looked at; then all its bytes are
/// touched.
fn read(paths: &[impl AsRef<Path>], at: u32, length: u64) -> (Result<Summary, InputError>, u64) {
    let (mut batch, mut sum) = (0, 0_u64);
    let options = Options { batch: BATCH, ..Options::default() };
    let read = for_each_batch(paths, &options, |packets, _| {
        if batch == at {
            cut(paths[0].as_ref(), length);
        }
        batch += 1;
        sum += packets.iter().flat_map(|packet| packet.data).map(|byte| u64::from(*byte)).sum::<u64>();
        ControlFlow::Continue(())
    });
    (read, sum)
}

/// A file of 66 bytes a packet, several megabytes long.
fn long(dir: &Dir) -> std::path::PathBuf {
    dir.write("long.pcap", pcap(0..60_000))
}

#[test]
fn a_file_that_is_cut_under_a_reader_is_an_error() {
    let _turn = turn();
    guard_maps().unwrap();
    for length in [0, 10, 100_000] {
        let dir = Dir::new();
        // The third batch begins at byte 132,024: all of it is gone while it is touched.
        let (read, sum) = read(&[long(&dir)], 2, length);
        let error = read.unwrap_err();
        assert!(matches!(error, InputError::Lost { .. }), "{error}");
        let said = format!("it was cut from 3960024 to {length} bytes while it was read");
        assert!(error.to_string().contains(&said), "{error}");
        assert!(sum > 0, "what came before was read");
    }
}

#[test]
fn a_file_that_is_cut_ahead_of_a_reader_is_read_up_to_what_was_seen() {
    let _turn = turn();
    guard_maps().unwrap();
    let dir = Dir::new();
    let (read, _) = read(&[long(&dir)], 2, 2_000_000);
    let summary = read.unwrap();
    assert_eq!((summary.packets(), summary.truncated()), (3_000, true));
    let warning = summary.warnings().next().unwrap().to_string();
    assert!(warning.contains("was cut from 3960024 to 2000000 bytes while it was read"), "{warning}");
}

#[test]
fn one_of_several_files_that_is_cut_is_named() {
    let _turn = turn();
    guard_maps().unwrap();
    let dir = Dir::new();
    let other = dir.write("other.pcap", pcap((0..60_000).map(|time| time + 1)));
    let (read, _) = read(&[long(&dir), other], 3, 0);
    let error = read.unwrap_err().to_string();
    assert!(error.contains("long.pcap: it was cut"), "{error}");
}

#[test]
fn files_that_stay_are_read_as_ever_however_many_there_are() {
    let _turn = turn();
    guard_maps().unwrap();
    let dir = Dir::new();
    // More than are watched at a time, all of one time: those beyond are read, not mapped.
    let paths: Vec<_> =
        (0..300).map(|number| dir.write(&format!("{number}.pcap"), pcap([1, 2, 3]))).collect();
    let mut packets = 0;
    let summary = for_each_batch(&paths, &Options::default(), |batch, _| {
        packets += batch.len();
        ControlFlow::Continue(())
    });
    assert_eq!((summary.unwrap().packets(), packets), (900, 900));
}
