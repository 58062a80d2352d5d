//! Captures that are made to cost much, in short: each is read to its end, counted to its last packet, and within the
//! memory that the system is told to give. `benches/attacks` does it at full size.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hookscope_testkit::attack::{ALL, Attack};
use serde_json::Value;

/// KiB of addresses that a process may use: more than what is promised, and less than any block here claims.
#[cfg(target_os = "linux")]
const ROOM: u32 = 2 << 20;

struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn write(attack: &Attack, packets: u64) -> Scratch {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("attack-{}", attack.name));
    let mut file = BufWriter::new(File::create(&path).unwrap());
    attack.write(packets, &mut file).unwrap();
    file.flush().unwrap();
    Scratch(path)
}

/// The exit status, and the report where there is one.
fn read(path: &Path, through_pipe: bool) -> (Option<i32>, Option<Value>) {
    let binary = env!("CARGO_BIN_EXE_hookscope");
    let path = path.to_str().unwrap();
    let (input, argument) = if through_pipe { (format!("cat {path} |"), "-") } else { (String::new(), path) };
    #[cfg(target_os = "linux")]
    let limit = format!("ulimit -v {ROOM};");
    #[cfg(not(target_os = "linux"))]
    let limit = "";
    let script = format!("{limit} {input} {binary} --threads 2 --format json {argument}");
    let output = Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !said.contains("panicked") && output.status.code().is_some_and(|code| code <= 2),
        "{script}: {said}"
    );
    (output.status.code(), serde_json::from_slice(&output.stdout).ok())
}

#[test]
fn every_attack_is_read_to_its_end_and_counted() {
    for attack in ALL {
        let packets = if attack.name.ends_with("bomb") { 300_000 } else { 2_000 };
        let file = write(attack, packets);
        let (status, report) = read(&file.0, false);
        match attack.name {
            // Refused: nobody has so much memory.
            "zstd-window" => assert_eq!((status, report.is_none()), (Some(2), true)),
            "gzip-members" | "zstd-frames" => assert_eq!(status, Some(0), "{}", attack.name),
            name => {
                let report = report.unwrap_or_else(|| panic!("{name}: no report"));
                assert!(
                    report["capture"]["packets"].as_u64().unwrap() >= packets,
                    "{name}: {}",
                    report["capture"]
                );
            }
        }
    }
}

#[test]
fn blocks_that_claim_gigabytes_are_not_waited_for_in_memory() {
    for name in ["long-block", "long-packet", "zero-block", "zstd-bomb"] {
        let file = write(Attack::named(name).unwrap(), 5_000);
        let (_, report) = read(&file.0, true);
        let capture = report.unwrap()["capture"].clone();
        assert!(capture["packets"].as_u64().unwrap() >= 5_000, "{name}: {capture}");
        assert_eq!(capture["truncated"], name != "zstd-bomb", "{name}: {capture}");
    }
}
