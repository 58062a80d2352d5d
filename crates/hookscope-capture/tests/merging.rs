//! What becomes of several inputs: one capture in time order.

mod common;

use std::io::Write;
use std::ops::ControlFlow;

use common::{Dir, Seen, pcap, read, warning};
use flate2::Compression;
use flate2::write::GzEncoder;
use hookscope_capture::{Options, for_each_batch};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The merge as it is defined: the input whose next packet is earliest goes on, of equals the one that began first.
fn defined(inputs: &[Vec<u32>]) -> Seen {
    let mut at = vec![0; inputs.len()];
    let mut seen = Vec::new();
    let next = |at: &[usize], file: usize| Some((*inputs[file].get(at[file])?, inputs[file][0], file));
    while let Some((time, _, file)) = (0..inputs.len()).filter_map(|file| next(&at, file)).min() {
        at[file] += 1;
        seen.push((i64::from(time), file as u16, at[file] as u64));
    }
    seen
}

/// Checks the merge of inputs with packets at these times, some of them compressed, in batches of several sizes.
fn check(inputs: &[Vec<u32>]) {
    let dir = Dir::new();
    let expected = defined(inputs);
    for compressed in 0..3 {
        let paths: Vec<_> = inputs
            .iter()
            .enumerate()
            .map(|(file, times)| {
                let bytes = pcap(times.iter().copied());
                let bytes = if file % 3 < compressed { gzip(&bytes) } else { bytes };
                dir.write(&format!("{file}.pcap"), bytes)
            })
            .collect();
        for batch in [1, 3, 64, 8_192] {
            let (seen, summary) = read(&paths, batch).unwrap();
            assert_eq!(seen, expected, "batches of {batch}");
            assert_eq!(summary.files.len(), inputs.len());
        }
    }
}

#[test]
fn files_that_take_turns_are_interleaved() {
    check(&[(0..500).map(|n| n * 2).collect(), (0..500).map(|n| n * 2 + 1).collect()]);
}

#[test]
fn the_files_of_a_ring_are_read_in_the_order_of_their_times() {
    check(&[(200..300).collect(), (300..400).collect(), (0..100).collect(), (100..200).collect()]);
}

#[test]
fn files_that_overlap_at_their_ends_are_merged_there() {
    check(&[(0..1_000).collect(), (900..2_000).collect(), (1_999..2_500).collect()]);
}

#[test]
fn equal_times_keep_the_order_in_which_the_inputs_began_or_were_given() {
    check(&[vec![5; 40], vec![5; 40], vec![4, 5, 5, 6]]);
}

#[test]
fn the_order_within_a_file_is_never_changed() {
    check(&[vec![50, 10, 70, 20], vec![40, 60, 5, 45], vec![30]]);
}

#[test]
fn files_without_packets_do_not_matter() {
    check(&[vec![], vec![2, 4], vec![], vec![1, 3]]);
}

#[test]
fn a_mixture_of_all_that_is_merged_as_defined() {
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below) as u32
    };
    for _ in 0..15 {
        let inputs: Vec<Vec<u32>> = (0..=random(7))
            .map(|_| {
                let mut time = random(2_000);
                (0..random(300))
                    .map(|_| {
                        time = (time + random(12)).saturating_sub(random(4));
                        time
                    })
                    .collect()
            })
            .collect();
        check(&inputs);
    }
}

#[test]
fn each_file_has_its_own_numbers_and_warnings() {
    let dir = Dir::new();
    let whole = pcap([1, 3, 5]);
    let paths = [dir.write("cut.pcap", &whole[..whole.len() - 1]), dir.write("whole.pcap", pcap([2, 4]))];
    let (seen, summary) = read(&paths, 100).unwrap();
    assert_eq!(seen, [(1, 0, 1), (2, 1, 1), (3, 0, 2), (4, 1, 2)]);
    assert!(warning(&summary).contains("cut.pcap: breaks off after packet 2"));
    assert_eq!((summary.files[0].packets, summary.files[0].truncated), (2, true));
    assert_eq!((summary.files[1].packets, summary.files[1].truncated), (2, false));
}

#[cfg(unix)]
#[test]
fn a_pipe_is_merged_with_a_file() {
    let dir = Dir::new();
    let fifo = dir.path("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let (writer, bytes) = (fifo.clone(), pcap((0..3_000).map(|n| n * 2)));
    let thread = std::thread::spawn(move || std::fs::write(writer, bytes).unwrap());
    let file = dir.write("file.pcap", pcap((0..3_000).map(|n| n * 2 + 1)));
    let (seen, _) = read(&[file, fifo], 1_000).unwrap();
    thread.join().unwrap();
    assert!(seen.iter().map(|(time, ..)| *time).eq(0..6_000));
}

#[test]
fn an_input_has_the_same_interface_from_its_first_packet_to_its_last() {
    let dir = Dir::new();
    // The second outlives the first by more than a batch, and then meets the third.
    let inputs: [Vec<u32>; 3] = [(0..100).collect(), (50..30_000).collect(), (29_000..29_500).collect()];
    let paths: Vec<_> = (0..)
        .zip(inputs)
        .map(|(file, times): (u16, _)| dir.write(&format!("{file}.pcap"), pcap(times)))
        .collect();
    let mut seen = std::collections::BTreeSet::new();
    for_each_batch(&paths, &Options::default(), |packets, _| {
        seen.extend(packets.iter().map(|packet| (packet.frame.file(), packet.interface)));
        ControlFlow::Continue(())
    })
    .unwrap();
    let files: Vec<u16> = seen.iter().map(|(file, _)| *file).collect();
    assert_eq!(files, [0, 1, 2], "{seen:?}");
    let interface = |file| seen.iter().find(|(of, _)| *of == file).unwrap().1;
    assert!(interface(1) != interface(0) && interface(1) != interface(2), "{seen:?}");
}
