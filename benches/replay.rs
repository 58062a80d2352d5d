//! Sends the packets of a capture on an interface, at their own pace or as fast as it goes: what `hookscope live` is
//! tested and measured with.
//!
//! ```text
//! replay CAPTURE INTERFACE [--fast] [--seconds N]
//! ```
//!
//! With `--seconds`, the capture is sent again and again for so long, each time from other addresses, so that connections
//! are new ones. Packets of other link types get an Ethernet header.

use std::error::Error;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use hookscope::packet::LinkType;
use hookscope_capture::{Options, for_each_batch};

/// What is to be done.
struct Wishes {
    capture: String,
    interface: String,
    fast: bool,
    seconds: Option<u64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let wishes = wishes().ok_or("usage: replay CAPTURE INTERFACE [--fast] [--seconds N]")?;
    let packets = read(&wishes.capture)?;
    let mut device = pcap::Capture::from_device(wishes.interface.as_str())?.snaplen(64).open()?;
    // What comes back is of no interest.
    device.filter("less 1", true)?;
    let begun = Instant::now();
    let end = wishes.seconds.map(|seconds| begun + Duration::from_secs(seconds));
    let (mut sent, mut octets, mut round) = (0_u64, 0_u64, 0_u16);
    let mut frame = Vec::new();
    loop {
        let round_began = Instant::now();
        for (after, packet) in &packets {
            if !wishes.fast {
                std::thread::sleep((round_began + *after).saturating_duration_since(Instant::now()));
            }
            frame.clear();
            frame.extend_from_slice(packet);
            from_elsewhere(&mut frame, round);
            // A full queue of the interface empties soon.
            while let Err(error) = device.sendpacket(frame.as_slice()) {
                if !error.to_string().contains("buffer") {
                    return Err(format!("packet {sent} of {} octets: {error}", frame.len()).into());
                }
            }
            sent += 1;
            octets += frame.len() as u64;
        }
        round = round.wrapping_add(1);
        if end.is_none_or(|end| Instant::now() >= end) {
            break;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{sent} packets, {octets} octets in {seconds:.1} s: {:.0} packets/s", sent as f64 / seconds);
    Ok(())
}

fn wishes() -> Option<Wishes> {
    let mut args = std::env::args().skip(1);
    let mut wishes = Wishes { capture: args.next()?, interface: args.next()?, fast: false, seconds: None };
    while let Some(option) = args.next() {
        match option.as_str() {
            "--fast" => wishes.fast = true,
            "--seconds" => wishes.seconds = Some(args.next()?.parse().ok()?),
            _ => return None,
        }
    }
    Some(wishes)
}

/// The packets as Ethernet frames, each with its time since the first.
fn read(path: &str) -> Result<Vec<(Duration, Vec<u8>)>, Box<dyn Error>> {
    let mut packets = Vec::new();
    let mut first = None;
    for_each_batch(&[path], &Options::default(), |batch, _| {
        for packet in batch {
            let first = *first.get_or_insert(packet.time);
            let after = u64::try_from(packet.time.since(first).as_nanos()).unwrap_or(0);
            packets.extend(
                ethernet(packet.link_type, packet.data).map(|frame| (Duration::from_nanos(after), frame)),
            );
        }
        ControlFlow::Continue(())
    })?;
    Ok(packets)
}

/// A packet with an Ethernet header, where it carries IP.
fn ethernet(link_type: LinkType, data: &[u8]) -> Option<Vec<u8>> {
    let ip = match link_type {
        LinkType::ETHERNET => return Some(data.to_vec()),
        LinkType::LINUX_SLL => data.get(16..)?,
        LinkType::LINUX_SLL2 => data.get(20..)?,
        LinkType::NULL | LinkType::LOOP => data.get(4..)?,
        _ => data,
    };
    let ether_type: [u8; 2] = match ip.first()? >> 4 {
        4 => [0x08, 0x00],
        6 => [0x86, 0xdd],
        _ => return None,
    };
    Some([&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], ether_type.as_slice(), ip].concat())
}

/// The same packet between other addresses: both change alike, in bits that no test network uses.
fn from_elsewhere(frame: &mut [u8], round: u16) {
    if frame.get(12..14) != Some(&[0x08, 0x00]) {
        return;
    }
    let [high, low] = round.to_be_bytes();
    for source_or_destination in [26, 30] {
        for (at, change) in [(source_or_destination, high), (source_or_destination + 1, low)] {
            if let Some(octet) = frame.get_mut(at) {
                *octet ^= change;
            }
        }
    }
}
