//! Pushes packets one by one, as a program with a capture loop of its own does, and prints the verdicts.
//!
//! ```text
//! cargo run --example push
//! ```
//!
//! The packets are made by hand here: a kube-apiserver dials a webhook, first where nobody listens, then where a
//! firewall drops what comes. Any link type will do; these are raw IPv4.

use std::net::SocketAddrV4;

use hookscope::packet::{Frame, LinkType};
use hookscope::report::Input;
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

    let mut inspector = Inspector::new(Config::default());
    for (number, (millis, bytes)) in (1..).zip(&packets) {
        inspector.observe(&Packet {
            time: Timestamp::from_nanos(millis * 1_000_000),
            frame: Frame::new(0, number),
            link_type: LinkType::RAW,
            interface: 0,
            wire_len: 40,
            data: bytes,
        });
    }
    for connection in inspector.finish().report(&Input::default()).connections {
        println!("{}: {}", connection.verdict.code, connection.verdict.summary);
    }
    Ok(())
}

/// A TCP segment without data in an IPv4 packet. Checksums are left out: nobody verifies them.
fn segment(from: SocketAddrV4, to: SocketAddrV4, flags: u8) -> [u8; 40] {
    let mut bytes = [0; 40];
    bytes[..10].copy_from_slice(&[0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6]);
    bytes[12..16].copy_from_slice(&from.ip().octets());
    bytes[16..20].copy_from_slice(&to.ip().octets());
    bytes[20..22].copy_from_slice(&from.port().to_be_bytes());
    bytes[22..24].copy_from_slice(&to.port().to_be_bytes());
    (bytes[31], bytes[32], bytes[33]) = (u8::from(flags == RST_ACK), 0x50, flags);
    bytes
}
