//! Pushes packets one by one, as a program with a capture loop of its own does, and polls for verdicts in between.
//!
//! ```text
//! cargo run --example push
//! ```
//!
//! The packets are made by hand here: a kube-apiserver dials a webhook, first where nobody listens, then where a
//! firewall drops what comes. Any link type will do; these are raw IPv4.

use std::net::SocketAddrV4;

use hookscope::packet::LinkType;
use hookscope::report::Event;
use hookscope::time::Timestamp;
use hookscope::{Config, Inspector, Packet};

const SYN: u8 = 0x02;
const RST_ACK: u8 = 0x14;

fn main() -> Result<(), std::net::AddrParseError> {
    let (one, other) = ("10.0.0.10:48630".parse()?, "10.0.0.10:48632".parse()?);
    let (closed, silent) = ("10.244.1.1:9443".parse()?, "10.244.1.2:9443".parse()?);
    let packets = [
        (0, segment(one, closed, SYN)),
        (1, segment(closed, one, RST_ACK)),
        (50, segment(other, silent, SYN)),
        (1_050, segment(other, silent, SYN)),
        (3_050, segment(other, silent, SYN)),
    ];
    let mut inspector = Inspector::new(Config { watch: true, ..Config::default() });
    for (number, (millis, bytes)) in (1..).zip(&packets) {
        let time = Timestamp::from_nanos(millis * 1_000_000);
        inspector.observe(&Packet::new(number, time, LinkType::RAW, bytes));
        tell(&mut inspector);
    }
    inspector.close(); // no packet follows: what is still open is judged as it stands
    tell(&mut inspector);
    Ok(())
}

/// Prints what became known since the last time.
fn tell(inspector: &mut Inspector) {
    for event in inspector.take_events() {
        if let Event::Notice(notice) = event {
            println!("{}: {}", notice.verdict().code, notice.verdict().summary);
        }
    }
}

/// A TCP segment without data in an IPv4 packet. Checksums are left out: nobody verifies them.
fn segment(from: SocketAddrV4, to: SocketAddrV4, flags: u8) -> [u8; 40] {
    let mut bytes = [0; 40];
    bytes[..10].copy_from_slice(&[0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6]);
    bytes[12..20].copy_from_slice(&[from.ip().octets(), to.ip().octets()].concat());
    bytes[20..24].copy_from_slice(&[from.port().to_be_bytes(), to.port().to_be_bytes()].concat());
    (bytes[31], bytes[32], bytes[33]) = (u8::from(flags == RST_ACK), 0x50, flags);
    bytes
}
