//! Writes a capture that attacks whoever reads it.
//!
//! ```text
//! cargo run --release -p hookscope-testkit --example attack -- syn-flood --packets 1000000 -o flood.pcap
//! ```
//!
//! Without arguments it lists the attacks. `benches/attacks` measures what each costs.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

use hookscope_testkit::attack::{ALL, Attack};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let written = match words[..] {
        [name, "--packets", packets, "-o", path] => write(name, packets, path),
        [] => {
            ALL.iter().for_each(|attack| println!("{:14}{}", attack.name, attack.what));
            return ExitCode::SUCCESS;
        }
        _ => Err("attack NAME --packets N -o OUTPUT".to_owned()),
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn write(name: &str, packets: &str, path: &str) -> Result<(), String> {
    let attack = Attack::named(name).ok_or_else(|| format!("{name}: there is no such attack"))?;
    let packets = packets.parse().map_err(|_| format!("{packets}: not a number"))?;
    let written = File::create(path).and_then(|file| {
        let mut file = BufWriter::with_capacity(1 << 20, file);
        attack.write(packets, &mut file)?;
        file.flush()
    });
    written.map_err(|error| format!("{path}: {error}"))
}
