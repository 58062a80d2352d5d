//! ICMP and ICMPv6 error messages -> who could not deliver what, and why (RFC 792; RFC 4443, section 3).
//!
//! Echo, redirects and neighbour discovery are none. The quoted packet may end eight octets after its IP header,
//! and may bear addresses from before NAT: tying it to a connection is for others.

use std::fmt;

use super::ip::{Ip, Protocol};
use super::link::EtherType;
use super::malformed::Malformed;
use super::{Seen, Vantage, ipv4, ipv6};
use crate::flow::key::{Address, Endpoint};
use crate::packet::Frame;
use crate::time::Timestamp;

/// Why a packet was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IcmpKind {
    /// Nobody listens, or a firewall says so: 3/3, ICMPv6 1/4.
    PortUnreachable,
    /// The host does not answer on its link: 3/1, ICMPv6 1/3.
    HostUnreachable,
    /// No route: 3/0, ICMPv6 1/0.
    NetUnreachable,
    /// A firewall or a reject route forbids it: 3/9, 3/10, 3/13, ICMPv6 1/1, 1/5, 1/6.
    AdminProhibited,
    /// Too long for the next link: 3/4, ICMPv6 2.
    FragmentationNeeded {
        /// The largest packet that fits; 0 from routers that do not say (RFC 1191, section 5).
        mtu: u32,
    },
    /// It went in circles, or a fragment was lost: 11, ICMPv6 3.
    TimeExceeded,
    /// Any other code of "destination unreachable".
    Other,
}

impl fmt::Display for IcmpKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PortUnreachable => f.write_str("port unreachable"),
            Self::HostUnreachable => f.write_str("host unreachable"),
            Self::NetUnreachable => f.write_str("network unreachable"),
            Self::AdminProhibited => f.write_str("administratively prohibited"),
            Self::FragmentationNeeded { mtu } => write!(f, "fragmentation needed, MTU {mtu}"),
            Self::TimeExceeded => f.write_str("time exceeded"),
            Self::Other => f.write_str("destination unreachable"),
        }
    }
}

/// The packet that an ICMP error is about, as far as it is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// What it carries.
    pub protocol: Protocol,
    /// Who sent it; port 0 where it has none.
    pub source: Endpoint,
    /// To whom; port 0 where it has none.
    pub destination: Endpoint,
    /// SEG.SEQ of a TCP segment.
    pub seq: Option<u32>,
}

/// One ICMP or ICMPv6 error.
#[derive(Clone, Copy, Debug)]
pub struct IcmpError {
    /// When it was captured.
    pub time: Timestamp,
    /// Where it stands in the capture.
    pub frame: Frame,
    /// Where it was seen.
    pub vantage: Vantage,
    /// Who sent the error.
    pub reporter: Address,
    /// To whom, usually the sender of the quoted packet.
    pub to: Address,
    /// What it says.
    pub kind: IcmpKind,
    /// The type field.
    pub icmp_type: u8,
    /// The code field.
    pub icmp_code: u8,
    /// What it is about.
    pub quote: Quote,
}

/// Reads the message; `None` where it is no error.
pub(super) fn error(seen: &Seen, ip: &Ip<'_>) -> Result<Option<IcmpError>, Malformed> {
    let &[icmp_type, ..] = ip.body.captured else { return Err(Malformed::TruncatedIcmpHeader) };
    let ether_type = match (ip.protocol, ip.is_v4(), icmp_type) {
        (Protocol::ICMP, true, 3 | 11) => EtherType::IPV4,
        (Protocol::ICMPV6, false, 1..=3) => EtherType::IPV6,
        _ => return Ok(None),
    };
    let (header, quoted) = ip.body.split::<8>().ok_or(Malformed::TruncatedIcmpHeader)?;
    let &[_, icmp_code, _, _, a, b, c, d] = header;
    let kind = match ether_type {
        EtherType::IPV4 => v4_kind(icmp_type, icmp_code, u16::from_be_bytes([c, d])),
        _ => v6_kind(icmp_type, icmp_code, u32::from_be_bytes([a, b, c, d])),
    };
    let quoted = match ether_type {
        EtherType::IPV4 => ipv4::strip(quoted),
        _ => ipv6::strip(quoted).and_then(ipv6::strip_extensions),
    };
    let quote = quoted.ok().and_then(|quoted| quote(&quoted)).ok_or(Malformed::BadIcmpQuote)?;
    Ok(Some(IcmpError {
        time: seen.time,
        frame: seen.frame,
        vantage: seen.vantage,
        reporter: ip.source,
        to: ip.destination,
        kind,
        icmp_type,
        icmp_code,
        quote,
    }))
}

/// RFC 792, with the codes of RFC 1122, section 3.2.2.1, RFC 1191 and RFC 1812, section 5.2.7.1.
fn v4_kind(icmp_type: u8, code: u8, mtu: u16) -> IcmpKind {
    match (icmp_type, code) {
        (3, 0) => IcmpKind::NetUnreachable,
        (3, 1) => IcmpKind::HostUnreachable,
        (3, 3) => IcmpKind::PortUnreachable,
        (3, 4) => IcmpKind::FragmentationNeeded { mtu: mtu.into() },
        (3, 9 | 10 | 13) => IcmpKind::AdminProhibited,
        (11, _) => IcmpKind::TimeExceeded,
        _ => IcmpKind::Other,
    }
}

/// RFC 4443, sections 3.1 to 3.3.
fn v6_kind(icmp_type: u8, code: u8, mtu: u32) -> IcmpKind {
    match (icmp_type, code) {
        (1, 0) => IcmpKind::NetUnreachable,
        (1, 1 | 5 | 6) => IcmpKind::AdminProhibited,
        (1, 3) => IcmpKind::HostUnreachable,
        (1, 4) => IcmpKind::PortUnreachable,
        (2, _) => IcmpKind::FragmentationNeeded { mtu },
        (3, _) => IcmpKind::TimeExceeded,
        _ => IcmpKind::Other,
    }
}

/// The quoted packet; `None` where a transport with ports was quoted without them.
fn quote(ip: &Ip<'_>) -> Option<Quote> {
    // Only a datagram's first fragment holds its ports.
    let first = ip.piece.is_none_or(|piece| piece.offset == 0);
    let (mut ports, mut seq) = ((0, 0), None);
    if first && matches!(ip.protocol, Protocol::TCP | Protocol::UDP) {
        let (&[a, b, c, d], rest) = ip.body.split::<4>()?;
        ports = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        if ip.protocol == Protocol::TCP {
            seq = rest.captured.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        }
    }
    Some(Quote {
        protocol: ip.protocol,
        source: Endpoint { address: ip.source, port: ports.0 },
        destination: Endpoint { address: ip.destination, port: ports.1 },
        seq,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::body::Body;
    use etherparse::PacketBuilder;

    fn seen() -> Seen {
        Seen { time: Timestamp::MIN, frame: Frame::new(0, 7), vantage: Vantage::default() }
    }

    /// A TCP segment from port 4321 to port 443 with sequence number 99, in IPv4 or in IPv6.
    fn quoted(v4: bool) -> Vec<u8> {
        let builder = match v4 {
            true => PacketBuilder::ipv4([10, 0, 0, 1], [10, 96, 0, 1], 60),
            false => PacketBuilder::ipv6([0xfd; 16], [0xfe; 16], 60),
        };
        let mut bytes = Vec::new();
        builder.tcp(4321, 443, 99, 1000).syn().write(&mut bytes, &[]).unwrap();
        bytes
    }

    /// The error of `header` about `quoted`.
    fn read(v4: bool, header: [u8; 8], quoted: &[u8]) -> Result<Option<IcmpError>, Malformed> {
        let message = [&header, quoted].concat();
        let protocol = if v4 { Protocol::ICMP } else { Protocol::ICMPV6 };
        let (source, destination) = match v4 {
            true => (Address::v4([192, 168, 0, 1]), Address::v4([10, 0, 0, 1])),
            false => (Address::v6([1; 16]), Address::v6([0xfd; 16])),
        };
        let body = Body::new(&message, 0);
        error(&seen(), &Ip { source, destination, ip_id: 0, ttl: 64, protocol, piece: None, body })
    }

    #[test]
    fn types_and_codes_have_their_meaning() {
        use IcmpKind::*;
        for (v4, icmp_type, code, kind) in [
            (true, 3, 0, NetUnreachable),
            (true, 3, 1, HostUnreachable),
            (true, 3, 2, Other),
            (true, 3, 3, PortUnreachable),
            (true, 3, 4, FragmentationNeeded { mtu: 1400 }),
            (true, 3, 9, AdminProhibited),
            (true, 3, 10, AdminProhibited),
            (true, 3, 13, AdminProhibited),
            (true, 11, 0, TimeExceeded),
            (false, 1, 0, NetUnreachable),
            (false, 1, 1, AdminProhibited),
            (false, 1, 2, Other),
            (false, 1, 3, HostUnreachable),
            (false, 1, 4, PortUnreachable),
            (false, 1, 5, AdminProhibited),
            (false, 1, 6, AdminProhibited),
            (false, 2, 0, FragmentationNeeded { mtu: 1400 }),
            (false, 3, 0, TimeExceeded),
        ] {
            let error = read(v4, [icmp_type, code, 0, 0, 0, 0, 0x05, 0x78], &quoted(v4)).unwrap().unwrap();
            assert_eq!(error.kind, kind, "{icmp_type}/{code}");
            assert_eq!((error.icmp_type, error.icmp_code, error.frame.number()), (icmp_type, code, 7));
        }
    }

    #[test]
    fn the_quote_names_the_connection_and_the_segment() {
        let error = read(true, [3, 3, 0, 0, 0, 0, 0, 0], &quoted(true)).unwrap().unwrap();
        assert_eq!(error.quote.source.to_string(), "10.0.0.1:4321");
        assert_eq!(error.quote.destination.to_string(), "10.96.0.1:443");
        assert_eq!((error.quote.protocol, error.quote.seq), (Protocol::TCP, Some(99)));
        assert_eq!(format!("{:?} {:?}", error.reporter, error.to), "192.168.0.1 10.0.0.1");
    }

    #[test]
    fn eight_octets_behind_the_header_suffice() {
        let quote = |len: usize| read(true, [3, 3, 0, 0, 0, 0, 0, 0], &quoted(true)[..len]);
        assert_eq!(quote(28).unwrap().unwrap().quote.seq, Some(99));
        assert_eq!(quote(27).unwrap().unwrap().quote.seq, None);
        assert_eq!(quote(23).unwrap_err(), Malformed::BadIcmpQuote);
        assert_eq!(quote(19).unwrap_err(), Malformed::BadIcmpQuote);
    }

    #[test]
    fn quotes_with_extension_headers_are_read() {
        let mut bytes = quoted(false);
        bytes[6] = Protocol::DESTINATION_OPTIONS.0;
        bytes.splice(40..40, [Protocol::TCP.0, 0, 0, 0, 0, 0, 0, 0]);
        let error = read(false, [1, 4, 0, 0, 0, 0, 0, 0], &bytes).unwrap().unwrap();
        assert_eq!((error.quote.source.port, error.quote.seq), (4321, Some(99)));
    }

    #[test]
    fn quotes_without_ports_have_none() {
        for (at, byte) in [(7, 9), (9, 132)] {
            let mut bytes = quoted(true);
            bytes[at] = byte;
            let quote = read(true, [3, 1, 0, 0, 0, 0, 0, 0], &bytes).unwrap().unwrap().quote;
            assert_eq!((quote.source.port, quote.destination.port, quote.seq), (0, 0, None));
        }
    }

    #[test]
    fn what_is_no_error_is_not_read() {
        assert!(read(true, [8, 0, 0, 0, 0, 0, 0, 0], &[]).unwrap().is_none());
        assert!(read(false, [135, 0, 0, 0, 0, 0, 0, 0], &[]).unwrap().is_none());
    }

    #[test]
    fn a_cut_header_is_named() {
        for message in [&[][..], &[3, 3, 0, 0]] {
            let (source, protocol) = (Address::v4([1; 4]), Protocol::ICMP);
            let body = Body::new(message, 60);
            let ip = Ip { source, destination: source, ip_id: 0, ttl: 64, protocol, piece: None, body };
            assert_eq!(error(&seen(), &ip).unwrap_err(), Malformed::TruncatedIcmpHeader);
        }
    }
}
