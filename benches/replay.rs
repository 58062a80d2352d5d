//! Sends the packets of a pcap file on an interface, at their own pace or as fast as it goes: what `hookscope live` is
//! measured with.
//!
//! ```text
//! replay CAPTURE INTERFACE [--seconds N [--rate N]]
//! ```
//!
//! With `--seconds`, the capture is sent again and again for so long, as fast as it goes or at so many packets a second,
//! each time between other addresses: connections are new ones.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    run(std::env::args().skip(1).collect())
}

#[cfg(not(target_os = "linux"))]
fn run(_args: Vec<String>) -> Result<(), Box<dyn Error>> {
    Err("packets can only be sent on Linux".into())
}

#[cfg(target_os = "linux")]
fn run(args: Vec<String>) -> Result<(), Box<dyn Error>> {
    use std::time::{Duration, Instant};

    use hookscope_testkit::Capture;
    use hookscope_testkit::replay::{Frames, Sender};

    let option = |name: &str| {
        let place = args.iter().position(|arg| arg == name)?;
        args.get(place + 1)
    };
    let [capture, interface, ..] = args.as_slice() else {
        return Err("usage: replay CAPTURE INTERFACE [--seconds N [--rate N]]".into());
    };
    let mut frames = Frames::of(&Capture::read(&std::fs::read(capture)?));
    let mut sender = Sender::new(interface)?;
    let begun = Instant::now();
    match option("--seconds") {
        None => sender.at_own_pace(&frames)?,
        Some(seconds) => {
            let end = begun + Duration::from_secs(seconds.parse()?);
            let rate = option("--rate").map(|rate| rate.parse()).transpose()?;
            for round in 1_u16.. {
                sender.paced(&frames, rate)?;
                if Instant::now() >= end {
                    break;
                }
                // From where they are to where this round is.
                frames.move_to((round - 1) ^ round);
            }
        }
    }
    let (seconds, packets) = (begun.elapsed().as_secs_f64(), sender.packets);
    println!(
        "{packets} packets, {} octets in {seconds:.1} s: {:.0} a second",
        sender.octets,
        packets as f64 / seconds
    );
    Ok(())
}
