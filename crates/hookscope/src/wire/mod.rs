//! Bytes of one packet -> what they say. Stateless: order in time is other layers' business.
//!
//! [`decode`] walks link layer, tunnels and IP down to the inner-most TCP segment, UDP datagram or ICMP error:
//!
//! ```text
//!   Packet -> link/* -> (shim/*) -> ipv4 | ipv6 --+--> tcp, udp (port 53), icmp, fragment
//!                                      ^          |
//!                                      +-- tunnel/* (VXLAN, Geneve, GRE, ERSPAN, GTP, IP in IP)
//! ```
//!
//! A fragment leaves the walk; when its datagram is whole, [`decode_reassembled`] goes on where it left.
//! Nothing is allocated or copied, and no bytes make it panic: what is wrong with them has a name, [`Malformed`].

mod body;
pub mod dns;
mod fragment;
mod icmp;
mod ip;
mod ipv4;
mod ipv6;
mod link;
mod malformed;
mod peek;
mod shim;
mod tcp;
mod tunnel;
mod udp;

#[cfg(test)]
mod tests;

pub use self::fragment::{Fragment, FragmentKey, Reassembled};
pub use self::icmp::{IcmpError, IcmpKind, Quote};
pub use self::ip::Protocol;
pub use self::malformed::Malformed;
pub(crate) use self::peek::endpoints;
pub use self::tcp::Options;

use self::body::Body;
use self::ip::Ip;
use self::link::{
    EtherType, Network, cisco_hdlc, ethernet, ipoib, linux_sll, linux_sll2, nflog, null_loop, raw_ip,
    wireless,
};
use self::shim::ppp;
use self::tunnel::{geneve, gre, gtp, ip_in_ip, vxlan};
use crate::flow::key::{End, Endpoint, FlowKey};
use crate::packet::{Frame, LinkType, Packet};
use crate::time::Timestamp;

/// The control bits of a TCP header (RFC 9293, section 3.1), the six that matter here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x01);
    /// Synchronise sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// Reset the connection.
    pub const RST: Self = Self(0x04);
    /// Push function.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgment field is significant.
    pub const ACK: Self = Self(0x10);

    /// FIN and RST: the sender sends no more.
    pub(crate) const ENDING: Self = Self(Self::FIN.0 | Self::RST.0);

    /// SYN and FIN, which take a sequence number, and RST, which stands where the next would.
    pub(crate) const OCCUPYING: Self = Self(Self::SYN.0 | Self::ENDING.0);

    /// The six bits; those of explicit congestion notification say nothing about a connection's fate.
    const MASK: u8 = 0x3f;

    /// Whether any of `bits` is set.
    pub const fn has(self, bits: Self) -> bool {
        self.0 & bits.0 != 0
    }
}

/// Where in the network a copy of a packet was seen: on which interface, inside how many tunnels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vantage {
    /// The interface: [`Packet::interface`], and what Linux cooked captures and NFLOG say of it where there is one.
    ///
    /// [`Packet::interface`]: crate::packet::Packet::interface
    pub interface: u32,
    /// How many IP headers lay around this one.
    pub depth: u8,
}

/// One TCP segment (RFC 9293, section 3.1), its payload borrowed from the packet.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// The connection's key.
    pub key: FlowKey,
    /// [`FlowKey::hash`] of `key`.
    pub hash: u64,
    /// Which end of `key` sent it.
    pub from: End,
    /// The control bits.
    pub flags: Flags,
    /// When it was captured.
    pub time: Timestamp,
    /// Where it stands in the capture.
    pub frame: Frame,
    /// SEG.SEQ.
    pub seq: u32,
    /// SEG.ACK; meaningless without [`Flags::ACK`].
    pub ack: u32,
    /// SEG.WND as in the header, not scaled.
    pub window: u16,
    /// Identification of the IPv4 header, 0 for IPv6.
    pub ip_id: u16,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// Where it was seen.
    pub vantage: Vantage,
    /// Payload octets on the wire, by the IP length; at least `payload.len()`.
    pub payload_len: u32,
    /// The captured payload: shorter than `payload_len` where the snap length cut it.
    pub payload: &'a [u8],
    /// The options, as far as captured.
    pub options: &'a [u8],
}

impl<'a> Segment<'a> {
    /// The options, read as they are asked for.
    #[inline]
    pub const fn tcp_options(&self) -> Options<'a> {
        Options::new(self.options)
    }

    /// The newest SACK block, left and right edge: the first of the option (RFC 2018, section 4).
    #[inline]
    pub fn newest_sack_block(&self) -> Option<(u32, u32)> {
        let options = self.tcp_options();
        if options.have_no_sack() { None } else { options.sack_blocks().next() }
    }
}

/// One UDP datagram (RFC 768).
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// Who sent it.
    pub source: Endpoint,
    /// To whom.
    pub destination: Endpoint,
    /// When it was captured.
    pub time: Timestamp,
    /// Where it stands in the capture.
    pub frame: Frame,
    /// Where it was seen.
    pub vantage: Vantage,
    /// Payload octets on the wire; at least `payload.len()`.
    pub payload_len: u32,
    /// The captured payload.
    pub payload: &'a [u8],
}

/// What a packet turned out to be.
#[derive(Clone, Copy, Debug)]
pub enum Decoded<'a> {
    /// A TCP segment.
    Tcp(Segment<'a>),
    /// A UDP datagram from or to port 53, the only ones that anybody reads.
    Udp(Datagram<'a>),
    /// An ICMP or ICMPv6 error.
    Icmp(IcmpError),
    /// A part of an IP datagram, to be put together before anything can be said.
    Fragment(Fragment<'a>),
    /// Sound, and of no interest: ARP, echo, other protocols.
    Other,
}

/// When and where the packet in hand was seen.
#[derive(Clone, Copy, Debug)]
struct Seen {
    time: Timestamp,
    frame: Frame,
    vantage: Vantage,
}

/// How many IP headers may lie around one another.
const MAX_IP_HEADERS: u8 = 8;
const DNS_PORT: u16 = 53;

/// What `packet` is, down to the inner-most packet of its tunnels.
#[inline(always)]
pub fn decode<'a>(packet: &Packet<'a>) -> Result<Decoded<'a>, Malformed> {
    match peek::plain(packet) {
        Some(plain) => Ok(Decoded::Tcp(plain.segment(packet))),
        None => decode_layers(packet),
    }
}

/// The same, layer by layer.
#[inline(never)]
fn decode_layers<'a>(packet: &Packet<'a>) -> Result<Decoded<'a>, Malformed> {
    let body = Body::new(packet.data, packet.wire_len);
    let mut vantage = Vantage { interface: packet.interface.into(), depth: 0 };
    // Captures that overlap in time may show the same interface.
    let mut seen_on = |interface: u32| vantage.interface = vantage.interface << 16 | interface;
    let network = match packet.link_type {
        LinkType::ETHERNET => ethernet::strip(body)?,
        LinkType::LINUX_SLL2 => {
            let (interface, network) = linux_sll2::strip(body)?;
            seen_on(interface);
            network
        }
        LinkType::LINUX_SLL => {
            let (interface, network) = linux_sll::strip(body)?;
            seen_on(interface.into());
            network
        }
        LinkType::NULL | LinkType::LOOP => null_loop::strip(body)?,
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OLD | LinkType::IPV4 | LinkType::IPV6 => {
            raw_ip::strip(body)?
        }
        LinkType::NFLOG => {
            let (interface, network) = nflog::strip(body)?;
            seen_on(interface);
            network
        }
        LinkType::PPP | LinkType::PPP_HDLC => ppp::strip(body)?,
        LinkType::CISCO_HDLC => cisco_hdlc::strip(body)?,
        LinkType::IPOIB => ipoib::strip(body)?,
        LinkType::IEEE802_11 => wireless::strip(body)?,
        LinkType::IEEE802_11_RADIOTAP => wireless::strip_radiotap(body)?,
        _ => return Err(Malformed::UnsupportedLinkType),
    };
    network_layer(&Seen { time: packet.time, frame: packet.frame, vantage }, network)
}

impl Packet<'_> {
    /// The flow that it belongs to: of its TCP segment or DNS message, or of the one that its ICMP error quotes. None for
    /// what is neither, and for fragments, which do not tell.
    pub fn flow(&self) -> Option<FlowKey> {
        match decode(self).ok()? {
            Decoded::Tcp(segment) => Some(segment.key),
            Decoded::Udp(datagram) => Some(FlowKey::of(datagram.source, datagram.destination).0),
            Decoded::Icmp(error) => Some(FlowKey::of(error.quote.source, error.quote.destination).0),
            Decoded::Fragment(_) | Decoded::Other => None,
        }
    }
}

/// What a datagram is, now that its fragments have been put together.
pub fn decode_reassembled(whole: &Reassembled) -> Result<Decoded<'_>, Malformed> {
    let seen = Seen { time: whole.time, frame: whole.frame, vantage: whole.vantage };
    let ip = Ip {
        source: whole.key.source,
        destination: whole.key.destination,
        ip_id: whole.ip_id,
        ttl: whole.ttl,
        protocol: whole.protocol,
        piece: None,
        body: Body::new(&whole.payload, whole.payload_len),
    };
    transport_layer(&seen, &ip)
}

#[inline]
fn network_layer<'a>(seen: &Seen, network: Network<'a>) -> Result<Decoded<'a>, Malformed> {
    // Apart for the two versions, so that what their headers say stays in registers.
    match network.ether_type {
        EtherType::IPV4 => transport_layer(seen, &ipv4::strip(network.body)?),
        EtherType::IPV6 => transport_layer(seen, &ipv6::strip(network.body)?),
        _ => behind_shims(seen, network),
    }
}

/// What is neither IPv4 nor IPv6 at once may be behind labels, tags or a session; ARP and the like are not.
#[cold]
#[inline(never)]
fn behind_shims<'a>(seen: &Seen, network: Network<'a>) -> Result<Decoded<'a>, Malformed> {
    let network = shim::strip(network)?;
    match network.ether_type {
        EtherType::IPV4 => transport_layer(seen, &ipv4::strip(network.body)?),
        EtherType::IPV6 => transport_layer(seen, &ipv6::strip(network.body)?),
        _ => Ok(Decoded::Other),
    }
}

#[inline(always)]
fn transport_layer<'a>(seen: &Seen, ip: &Ip<'a>) -> Result<Decoded<'a>, Malformed> {
    if let Some(piece) = ip.piece {
        return fragment::fragment(seen, ip, piece).map(Decoded::Fragment);
    }
    match ip.protocol {
        Protocol::TCP => tcp::segment(seen, ip),
        _ => other_transport(seen, ip),
    }
}

/// Everything but TCP, apart so that the walk to TCP stays small.
#[inline(never)]
fn other_transport<'a>(seen: &Seen, ip: &Ip<'a>) -> Result<Decoded<'a>, Malformed> {
    let network = match ip.protocol {
        Protocol::UDP => {
            let udp = udp::strip(ip.body)?;
            match tunnelled(&udp)? {
                Some(network) => network,
                None if udp.source_port == DNS_PORT || udp.destination_port == DNS_PORT => {
                    return Ok(Decoded::Udp(datagram(seen, ip, &udp)));
                }
                None => return Ok(Decoded::Other),
            }
        }
        Protocol::ICMP | Protocol::ICMPV6 => {
            return Ok(icmp::error(seen, ip)?.map_or(Decoded::Other, Decoded::Icmp));
        }
        Protocol::GRE => match gre::strip(ip.body)? {
            Some(network) => network,
            None => return Ok(Decoded::Other),
        },
        _ if ipv6::has_extensions(ip) => return transport_layer(seen, &ipv6::strip_extensions(*ip)?),
        protocol => match ip_in_ip::strip(protocol, ip.body) {
            Some(network) => network,
            None => return Ok(Decoded::Other),
        },
    };
    let mut seen = *seen;
    seen.vantage.depth += 1;
    if seen.vantage.depth >= MAX_IP_HEADERS {
        return Err(Malformed::TooManyIpHeaders);
    }
    network_layer(&seen, network)
}

/// The packet inside a UDP datagram, if it is a tunnel's. Tunnels listen on their port and send from any.
fn tunnelled<'a>(udp: &udp::Udp<'a>) -> Result<Option<Network<'a>>, Malformed> {
    match udp.destination_port {
        geneve::PORT => geneve::strip(udp.payload),
        gtp::PORT => gtp::strip(udp.payload),
        gre::UDP_PORT => gre::strip(udp.payload),
        vxlan::GPE_PORT => vxlan::strip_gpe(udp.payload),
        port if vxlan::PORTS.contains(&port) => vxlan::strip(udp.payload),
        _ => Ok(vxlan::recognise(udp.payload)),
    }
}

fn datagram<'a>(seen: &Seen, ip: &Ip<'a>, udp: &udp::Udp<'a>) -> Datagram<'a> {
    Datagram {
        source: Endpoint { address: ip.source, port: udp.source_port },
        destination: Endpoint { address: ip.destination, port: udp.destination_port },
        time: seen.time,
        frame: seen.frame,
        vantage: seen.vantage,
        payload_len: udp.payload.len,
        payload: udp.payload.captured,
    }
}
