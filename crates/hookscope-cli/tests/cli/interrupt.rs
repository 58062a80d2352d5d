//! Ctrl-C on a pipeline: the report comes when the input ends.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{DEADLINE, fixture, hookscope};

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// Whether the process catches SIGINT yet: bit 1 of the mask that Linux shows.
fn catches_interrupts(child: &Child) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
    u64::from_str_radix(mask.trim(), 16).unwrap_or(0) & 2 != 0
}

fn reading_from_a_pipe() -> Child {
    let child = hookscope(&["-"]).stdin(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while !catches_interrupts(&child) {
        assert!(begun.elapsed() < Duration::from_secs(10), "no handler was set");
        sleep(Duration::from_millis(10));
    }
    child
}

#[test]
fn the_first_interrupt_is_left_to_the_writer() {
    let mut child = reading_from_a_pipe();
    let mut pipe = child.stdin.take().unwrap();
    let capture = std::fs::read(fixture(DEADLINE)).unwrap();
    let (first, rest) = capture.split_at(1000);
    pipe.write_all(first).unwrap();
    interrupt(&child);
    sleep(Duration::from_millis(100));
    pipe.write_all(rest).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("deadline-exceeded"));
}

#[test]
fn the_second_interrupt_ends_it() {
    let mut child = reading_from_a_pipe();
    let pipe = child.stdin.take().unwrap();
    interrupt(&child);
    sleep(Duration::from_millis(100));
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(pipe);
}
