//! The whole walk: what etherparse builds is what [`decode`] reads, through every link and tunnel; and no bytes
//! make it panic.

use etherparse::{PacketBuilder, TcpOptionElement, VlanId};
use proptest::prelude::*;

use super::*;
use crate::flow::key::Address;
use crate::fragments::Fragments;

mod glance;

/// The headers of a TCP segment, as etherparse takes them and as we ought to read them.
#[derive(Clone, Debug)]
struct Sample {
    v4: bool,
    source: [u8; 16],
    destination: [u8; 16],
    ports: (u16, u16),
    seq: u32,
    ack: u32,
    flags: u8,
    window: u16,
    ttl: u8,
    options: Vec<TcpOptionElement>,
    payload: Vec<u8>,
}

impl Sample {
    fn plain(v4: bool) -> Self {
        Self {
            v4,
            source: [10; 16],
            destination: [0xfd; 16],
            ports: (48_630, 9443),
            seq: 0xffff_fff0,
            ack: 7,
            flags: 0x18,
            window: 502,
            ttl: 64,
            options: vec![TcpOptionElement::Noop, TcpOptionElement::Noop, TcpOptionElement::Timestamp(5, 6)],
            payload: b"\x16\x03\x01".to_vec(),
        }
    }

    /// The IP packet.
    fn ip(&self) -> Vec<u8> {
        let quarter = |bytes: [u8; 16]| *bytes.first_chunk().unwrap();
        let mut step = match self.v4 {
            true => PacketBuilder::ipv4(quarter(self.source), quarter(self.destination), self.ttl),
            false => PacketBuilder::ipv6(self.source, self.destination, self.ttl),
        }
        .tcp(self.ports.0, self.ports.1, self.seq, self.window)
        .options(&self.options)
        .unwrap();
        for (bit, set) in [(0x01, 0), (0x02, 1), (0x04, 2), (0x08, 3)] {
            step = match (self.flags & bit != 0, set) {
                (false, _) => step,
                (true, 0) => step.fin(),
                (true, 1) => step.syn(),
                (true, 2) => step.rst(),
                (true, _) => step.psh(),
            };
        }
        if self.flags & 0x10 != 0 {
            step = step.ack(self.ack);
        }
        let mut bytes = Vec::new();
        step.write(&mut bytes, &self.payload).unwrap();
        bytes
    }

    fn ether_type(&self) -> [u8; 2] {
        if self.v4 { [0x08, 0x00] } else { [0x86, 0xdd] }
    }

    /// The IP packet in an Ethernet frame.
    fn ethernet(&self) -> Vec<u8> {
        [&[0x02; 12], &self.ether_type()[..], &self.ip()].concat()
    }

    fn endpoints(&self) -> (Endpoint, Endpoint) {
        let address = |bytes: [u8; 16]| match self.v4 {
            true => Address::v4(*bytes.first_chunk().unwrap()),
            false => Address::v6(bytes),
        };
        (
            Endpoint { address: address(self.source), port: self.ports.0 },
            Endpoint { address: address(self.destination), port: self.ports.1 },
        )
    }

    fn assert_is(&self, decoded: Result<Decoded<'_>, Malformed>, depth: u8) {
        let Ok(Decoded::Tcp(segment)) = decoded else { panic!("{decoded:?}") };
        let (source, destination) = self.endpoints();
        let (key, from) = FlowKey::of(source, destination);
        assert_eq!((segment.key, segment.from, segment.hash), (key, from, key.hash()));
        assert_eq!((segment.seq, segment.window), (self.seq, self.window));
        assert_eq!(segment.ack, if self.flags & 0x10 != 0 { self.ack } else { 0 });
        assert_eq!((segment.flags, segment.ttl), (Flags(self.flags), self.ttl));
        assert_eq!((segment.payload, segment.payload_len), (&*self.payload, self.payload.len() as u32));
        assert_eq!(segment.vantage.depth, depth);
    }
}

fn packet(link_type: LinkType, data: &[u8]) -> Packet<'_> {
    Packet {
        time: Timestamp::from_nanos(1),
        frame: Frame::new(0, 1),
        link_type,
        interface: 3,
        wire_len: data.len() as u32,
        data,
    }
}

fn decode_ip(data: &[u8]) -> Result<Decoded<'_>, Malformed> {
    decode(&packet(LinkType::RAW, data))
}

/// `inner` as the payload of an IPv4 packet of `protocol`.
fn in_ipv4(protocol: u8, inner: &[u8]) -> Vec<u8> {
    let mut header = [0; 20];
    (header[0], header[8], header[9]) = (0x45, 64, protocol);
    header[2..4].copy_from_slice(&(inner.len() as u16 + 20).to_be_bytes());
    header[12..].copy_from_slice(&[192, 168, 0, 1, 192, 168, 0, 2]);
    [&header, inner].concat()
}

/// `inner` as the payload of a UDP datagram to `port`.
fn in_udp(port: u16, inner: &[u8]) -> Vec<u8> {
    let mut header = [0; 8];
    header[..2].copy_from_slice(&[0xd0, 0x01]);
    header[2..4].copy_from_slice(&port.to_be_bytes());
    header[4..6].copy_from_slice(&(inner.len() as u16 + 8).to_be_bytes());
    in_ipv4(17, &[&header, inner].concat())
}

/// `inner` as netfilter logs it, from interface 2.
fn in_nflog(inner: &[u8]) -> Vec<u8> {
    let len = (inner.len() as u16 + 4).to_le_bytes();
    [&[2, 0, 0, 1, 8, 0, 4, 0, 0, 0, 0, 2][..], &len, &[9, 0], inner].concat()
}

const VXLAN: [u8; 8] = [8, 0, 0, 0, 0, 0, 1, 0];
const GENEVE: [u8; 8] = [0, 0, 0x65, 0x58, 0, 0, 1, 0];

#[test]
fn every_link_type_leads_to_the_segment() {
    for sample in [Sample::plain(true), Sample::plain(false)] {
        let (ip, ether_type) = (sample.ip(), sample.ether_type());
        let cooked = [&[0; 14], &ether_type[..], &ip].concat();
        let cooked2 = [&ether_type[..], &[0, 0, 0, 0, 0, 9], &[0; 12], &ip].concat();
        let family = if sample.v4 { 2 } else { 30 };
        let ppp = [&[0xff, 0x03, 0][..], if sample.v4 { &[0x21] } else { &[0x57] }, &ip].concat();
        let ipoib = [&[0; 40][..], &ether_type, &[0, 0], &ip].concat();
        for (link_type, bytes, interface) in [
            (LinkType::ETHERNET, sample.ethernet(), 3),
            (LinkType::LINUX_SLL, cooked, 3 << 16),
            (LinkType::LINUX_SLL2, cooked2, 3 << 16 | 9),
            (LinkType::NULL, [&[family, 0, 0, 0], &ip[..]].concat(), 3),
            (LinkType::LOOP, [&[0, 0, 0, family], &ip[..]].concat(), 3),
            (LinkType::RAW, ip.clone(), 3),
            (LinkType::RAW_BSD, ip.clone(), 3),
            (LinkType::RAW_OLD, ip.clone(), 3),
            (LinkType::IPV4, ip.clone(), 3),
            (LinkType::IPV6, ip.clone(), 3),
            (LinkType::NFLOG, in_nflog(&ip), 3 << 16 | 2),
            (LinkType::PPP, ppp.clone(), 3),
            (LinkType::PPP_HDLC, ppp, 3),
            (LinkType::CISCO_HDLC, [&[0x0f, 0], &ether_type[..], &ip].concat(), 3),
            (LinkType::IPOIB, ipoib, 3),
        ] {
            assert!(link_type.is_supported());
            let decoded = decode(&packet(link_type, &bytes));
            sample.assert_is(decoded, 0);
            let Ok(Decoded::Tcp(segment)) = decoded else { unreachable!() };
            assert_eq!(segment.vantage.interface, interface);
        }
    }
    assert_eq!(decode(&packet(LinkType(147), &[0; 60])).unwrap_err(), Malformed::UnsupportedLinkType);
}

#[test]
fn every_tunnel_leads_to_the_segment() {
    for sample in [Sample::plain(true), Sample::plain(false)] {
        let (frame, ip, ether_type) = (sample.ethernet(), sample.ip(), sample.ether_type());
        let vxlan = [&VXLAN, &frame[..]].concat();
        let gre = [&[0x20, 0], &ether_type[..], &[0, 0, 0, 7], &ip].concat();
        let own_protocol = if sample.v4 { 4 } else { 41 };
        for outer in [
            in_udp(4789, &vxlan),
            in_udp(8472, &vxlan),
            in_udp(31_337, &vxlan),
            in_udp(6081, &[&GENEVE, &frame[..]].concat()),
            in_ipv4(47, &gre),
            in_ipv4(47, &[&[0, 0, 0x65, 0x58], &frame[..]].concat()),
            in_ipv4(own_protocol, &ip),
            in_ipv4(47, &[&[0x10, 0, 0x88, 0xbe], &[0; 12][..], &frame].concat()),
            in_udp(4754, &gre),
            in_udp(4790, &[&[0x0c, 0, 0, 3], &[0; 4], &frame[..]].concat()),
            in_udp(2152, &[&[0x30, 255, 0, 0], &[0; 4], &ip[..]].concat()),
        ] {
            sample.assert_is(decode_ip(&outer), 1);
            let twice = in_ipv4(4, &outer);
            sample.assert_is(decode_ip(&twice), 2);
        }
    }
}

#[test]
fn what_switches_put_before_ip_is_no_tunnel() {
    for sample in [Sample::plain(true), Sample::plain(false)] {
        let labels =
            [&[0; 12], &[0x81, 0, 0, 5, 0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64][..], &sample.ip()].concat();
        let snap =
            [&[0; 12][..], &[1, 0, 0xaa, 0xaa, 3, 0, 0, 0], &sample.ether_type(), &sample.ip()].concat();
        let backbone = [&[0; 12], &[0x88, 0xe7, 0, 0, 0, 1][..], &sample.ethernet()].concat();
        for frame in [labels, snap, backbone] {
            sample.assert_is(decode(&packet(LinkType::ETHERNET, &frame)), 0);
        }
    }
}

#[test]
fn nesting_has_a_limit() {
    let sample = Sample::plain(true);
    let mut bytes = sample.ip();
    for depth in 0..8 {
        sample.assert_is(decode_ip(&bytes), depth);
        bytes = in_ipv4(4, &bytes);
    }
    assert_eq!(decode_ip(&bytes).unwrap_err(), Malformed::TooManyIpHeaders);
}

#[test]
fn only_dns_is_read_of_udp() {
    for (port, is_read) in [(53, true), (5353, false), (443, false)] {
        let bytes = in_udp(port, b"abc");
        let decoded = decode_ip(&bytes).unwrap();
        assert_eq!(matches!(decoded, Decoded::Udp(_)), is_read);
        if let Decoded::Udp(datagram) = decoded {
            assert_eq!((datagram.payload, datagram.payload_len), (&b"abc"[..], 3));
            assert_eq!(datagram.destination.to_string(), "192.168.0.2:53");
        }
    }
}

#[test]
fn what_nobody_reads_is_no_anomaly() {
    let arp = [&[0xff; 12], &[0x08, 0x06][..], &[0; 28]].concat();
    assert!(matches!(decode(&packet(LinkType::ETHERNET, &arp)), Ok(Decoded::Other)));
    for bytes in [
        in_ipv4(132, &[]),
        in_ipv4(47, &[0x20, 1, 0x88, 0x0b]),
        in_ipv4(47, &[0, 0, 0x88, 0xcc]),
        in_udp(6081, &[0xc0; 8]),
        in_udp(4789, &[0; 8]),
        in_ipv4(1, &[8, 0, 0, 0]),
        in_ipv4(58, &[1, 4]),
    ] {
        assert!(matches!(decode_ip(&bytes), Ok(Decoded::Other)), "{bytes:?}");
    }
}

#[test]
fn icmp_errors_are_found_inside_tunnels() {
    let error = [&[3, 3, 0, 0, 0, 0, 0, 0], &Sample::plain(true).ip()[..28]].concat();
    let bytes = in_ipv4(4, &in_ipv4(1, &error));
    let Ok(Decoded::Icmp(error)) = decode_ip(&bytes) else { panic!() };
    assert_eq!((error.kind, error.vantage.depth), (IcmpKind::PortUnreachable, 1));
    assert_eq!((error.quote.source.port, error.quote.seq), (48_630, Some(0xffff_fff0)));
}

#[test]
fn the_snap_length_cuts_payload_and_options_but_not_the_lengths() {
    let sample = Sample { payload: vec![1; 100], ..Sample::plain(true) };
    let whole = sample.ethernet();
    for (captured, options, payload) in
        [(14 + 20 + 20, 0, 0), (14 + 20 + 25, 5, 0), (14 + 20 + 32 + 9, 12, 9)]
    {
        let cut = Packet { wire_len: whole.len() as u32, ..packet(LinkType::ETHERNET, &whole[..captured]) };
        let Ok(Decoded::Tcp(segment)) = decode(&cut) else { panic!() };
        assert_eq!(
            (segment.options.len(), segment.payload.len(), segment.payload_len),
            (options, payload, 100)
        );
    }
    let cut = packet(LinkType::ETHERNET, &whole[..14 + 20 + 19]);
    assert_eq!(decode(&cut).unwrap_err(), Malformed::TruncatedTcpHeader);
}

#[test]
fn padding_is_no_payload_and_a_super_segment_is_all_payload() {
    let sample = Sample { payload: vec![], options: vec![], ..Sample::plain(true) };
    let padded = [sample.ethernet(), vec![0; 6]].concat();
    sample.assert_is(decode(&packet(LinkType::ETHERNET, &padded)), 0);

    for v4 in [true, false] {
        let sample = Sample { payload: vec![5; 9], ..Sample::plain(v4) };
        let mut bytes = sample.ip();
        bytes[if v4 { 2..4 } else { 4..6 }].fill(0);
        sample.assert_is(decode_ip(&bytes), 0);
        let cut = Packet { wire_len: bytes.len() as u32 + 100_000, ..packet(LinkType::RAW, &bytes) };
        let Ok(Decoded::Tcp(segment)) = decode(&cut) else { panic!() };
        assert_eq!((segment.payload.len(), segment.payload_len), (9, 100_009));
    }
}

#[test]
fn a_data_offset_that_cannot_be_is_named() {
    let mut bytes = Sample::plain(true).ip();
    for (offset, anomaly) in
        [(0x40, Some(Malformed::BadTcpDataOffset)), (0x80, None), (0xf0, Some(Malformed::BadTcpDataOffset))]
    {
        bytes[20 + 12] = offset;
        assert_eq!(decode_ip(&bytes).err(), anomaly);
    }
}

#[test]
fn checksums_are_never_looked_at() {
    let sample = Sample::plain(true);
    let mut bytes = sample.ip();
    bytes[10] ^= 0xff;
    bytes[20 + 16] ^= 0xff;
    sample.assert_is(decode_ip(&bytes), 0);
}

/// `ip` (IPv4, or IPv6 without extension headers) in fragments of at most `size` octets of payload.
fn in_fragments(ip: &[u8], size: usize) -> Vec<Vec<u8>> {
    let v4 = ip[0] >> 4 == 4;
    let (header, payload) = ip.split_at(if v4 { 20 } else { 40 });
    let count = payload.len().div_ceil(size);
    let fragment = |(number, part): (usize, &[u8])| {
        let (mut header, more, offset) = (header.to_vec(), number + 1 < count, number * size);
        if v4 {
            header[2..4].copy_from_slice(&(20 + part.len() as u16).to_be_bytes());
            let field = (offset as u16 / 8) | if more { 0x2000 } else { 0 };
            header[6..8].copy_from_slice(&field.to_be_bytes());
            [&header, part].concat()
        } else {
            header[4..6].copy_from_slice(&(8 + part.len() as u16).to_be_bytes());
            let next_header = std::mem::replace(&mut header[6], 44);
            let field = (offset as u16 | u16::from(more)).to_be_bytes();
            [&header, &[next_header, 0, field[0], field[1], 0, 0, 0, 9][..], part].concat()
        }
    };
    payload.chunks(size).enumerate().map(fragment).collect()
}

/// Pushes `packets` until one completes a datagram.
fn reassemble(packets: &[Vec<u8>]) -> Reassembled {
    let mut fragments = Fragments::default();
    let mut whole = None;
    for bytes in packets {
        let Ok(Decoded::Fragment(fragment)) = decode_ip(bytes) else { panic!("{:?}", decode_ip(bytes)) };
        assert!(whole.is_none());
        whole = fragments.push(&fragment).unwrap();
    }
    whole.unwrap()
}

#[test]
fn fragments_come_back_as_the_segment() {
    for v4 in [true, false] {
        let sample = Sample { payload: vec![5; 99], ..Sample::plain(v4) };
        for size in [8, 24, 96] {
            let whole = reassemble(&in_fragments(&sample.ip(), size));
            sample.assert_is(decode_reassembled(&whole), 0);
        }
    }
}

#[test]
fn fragments_of_a_tunnel_and_fragments_inside_it_come_back_as_the_segment() {
    let sample = Sample { payload: vec![5; 99], ..Sample::plain(true) };
    let vxlan = [&VXLAN, &sample.ethernet()[..]].concat();
    let whole = reassemble(&in_fragments(&in_udp(8472, &vxlan), 48));
    sample.assert_is(decode_reassembled(&whole), 1);

    let inside: Vec<_> = in_fragments(&sample.ip(), 48).iter().map(|fragment| in_ipv4(4, fragment)).collect();
    let whole = reassemble(&inside);
    sample.assert_is(decode_reassembled(&whole), 1);
}

#[test]
fn fragments_that_cannot_be_are_named() {
    for (len, field) in [(0, 0x2000_u16), (9, 0x2000), (0, 0x0001)] {
        let mut bytes = in_ipv4(6, &[0; 16][..len]);
        bytes[6..8].copy_from_slice(&field.to_be_bytes());
        assert_eq!(decode_ip(&bytes).unwrap_err(), Malformed::BadFragmentLength);
    }
}

#[test]
fn an_extension_header_behind_the_fragment_header_is_skipped_when_the_datagram_is_whole() {
    let sample = Sample::plain(false);
    let mut ip = sample.ip();
    ip.splice(40..40, [ip[6], 0, 0, 0, 0, 0, 0, 0]);
    (ip[6], ip[5]) = (60, ip[5] + 8);
    sample.assert_is(decode_ip(&ip), 0);
    let whole = reassemble(&in_fragments(&ip, 16));
    sample.assert_is(decode_reassembled(&whole), 0);
}

prop_compose! {
    fn samples()(
        v4: bool,
        source: [u8; 16],
        destination: [u8; 16],
        ports: (u16, u16),
        numbers: (u32, u32),
        flags in 0..32u8,
        window: u16,
        ttl: u8,
        timestamps: Option<(u32, u32)>,
        size: Option<u16>,
        payload in prop::collection::vec(any::<u8>(), 0..64),
    ) -> Sample {
        let options = size.map(TcpOptionElement::MaximumSegmentSize).into_iter()
            .chain(timestamps.map(|(value, echo)| TcpOptionElement::Timestamp(value, echo)))
            .collect();
        let (seq, ack) = numbers;
        Sample { v4, source, destination, ports, seq, ack, flags, window, ttl, options, payload }
    }
}

proptest! {
    #[test]
    fn what_etherparse_builds_is_what_we_read(sample in samples(), tags in 0..3usize) {
        let link = PacketBuilder::ethernet2([2; 6], [4; 6]);
        let vlan = VlanId::try_new(5).unwrap();
        let mut bytes = Vec::new();
        let step = match tags {
            0 => link.ipv4([1; 4], [2; 4], 3),
            1 => link.single_vlan(vlan).ipv4([1; 4], [2; 4], 3),
            _ => link.double_vlan(vlan, vlan).ipv4([1; 4], [2; 4], 3),
        };
        step.udp(1, 2).write(&mut bytes, &[]).unwrap();
        let link_len = bytes.len() - 28;
        bytes.truncate(link_len);
        bytes[link_len - 2..].copy_from_slice(&sample.ether_type());
        bytes.extend(sample.ip());
        let decoded = decode(&packet(LinkType::ETHERNET, &bytes));
        sample.assert_is(decoded, 0);

        let Ok(Decoded::Tcp(segment)) = decoded else { unreachable!() };
        let find = |wanted: fn(&TcpOptionElement) -> bool| sample.options.iter().find(|option| wanted(option)).cloned();
        let timestamps = segment.tcp_options().timestamps();
        prop_assert_eq!(
            timestamps.map(|clocks| TcpOptionElement::Timestamp(clocks.value, clocks.echo)),
            find(|option| matches!(option, TcpOptionElement::Timestamp(..)))
        );
        prop_assert_eq!(
            segment.tcp_options().maximum_segment_size().map(TcpOptionElement::MaximumSegmentSize),
            find(|option| matches!(option, TcpOptionElement::MaximumSegmentSize(_)))
        );
    }

    #[test]
    fn a_glance_says_what_the_layers_say(
        mut bytes in prop::collection::vec(any::<u8>(), 56..120),
        words in (5..7u8, 4..10u8),
        padding in 0..8usize,
        more_on_the_wire in 0..3u32,
    ) {
        let total_len = bytes.len() - 14 - padding;
        bytes[12..15].copy_from_slice(&[0x08, 0x00, 0x40 | words.0]);
        bytes[16..18].copy_from_slice(&(total_len as u16).to_be_bytes());
        bytes[20..22].fill(0);
        bytes[23] = 6;
        bytes[14 + usize::from(words.0) * 4 + 12] = words.1 << 4;
        let wire_len = bytes.len() as u32 + more_on_the_wire;
        let packet = Packet { wire_len, ..packet(LinkType::ETHERNET, &bytes) };
        let glance = peek::plain(&packet).map(|plain| plain.segment(&packet));
        prop_assert!(glance.is_some() == (words.0 == 5 && decode_layers(&packet).is_ok()));
        if let Some(segment) = glance {
            prop_assert_eq!(format!("{:?}", decode_layers(&packet)), format!("{:?}", Ok::<_, ()>(Decoded::Tcp(segment))));
        }
    }

    #[test]
    fn any_bytes_agree_with_etherparse(
        mut bytes in prop::collection::vec(any::<u8>(), 64..120),
        words in (5..8u8, 4..10u8),
        padding in 0..8usize,
    ) {
        let total_len = bytes.len() - padding;
        bytes[0] = 0x40 | words.0;
        bytes[2..4].copy_from_slice(&(total_len as u16).to_be_bytes());
        bytes[6..8].fill(0);
        bytes[9] = 6;
        bytes[usize::from(words.0) * 4 + 12] = words.1 << 4;
        match (decode_ip(&bytes), etherparse::SlicedPacket::from_ip(&bytes)) {
            (Ok(Decoded::Tcp(segment)), Ok(theirs)) => {
                let Some(etherparse::TransportSlice::Tcp(tcp)) = theirs.transport else { panic!("{theirs:?}") };
                prop_assert_eq!((segment.payload, segment.options), (tcp.payload(), tcp.options()));
                prop_assert_eq!((segment.seq, segment.ack), (tcp.sequence_number(), tcp.acknowledgment_number()));
                prop_assert_eq!(segment.window, tcp.window_size());
            }
            (ours, theirs) => prop_assert!(ours.is_err() && theirs.is_err(), "{:?}", ours),
        }
    }
}

/// Sample packets of every kind that the walk knows.
fn corpus() -> Vec<(LinkType, Vec<u8>)> {
    let (v4, v6) = (Sample::plain(true), Sample::plain(false));
    let vxlan = [&VXLAN, &v4.ethernet()[..]].concat();
    let quote = [&[3, 4, 0, 0, 0, 0, 5, 0], &v4.ip()[..]].concat();
    let quote6 = [&[1, 4, 0, 0, 0, 0, 0, 0], &v6.ip()[..]].concat();
    let mut icmp6 = v6.ip()[..40].to_vec();
    (icmp6[4], icmp6[5], icmp6[6]) = (0, quote6.len() as u8, 58);
    icmp6.extend(quote6);
    let mut extended = v6.ip();
    extended[6] = 0;
    extended.splice(
        40..40,
        [
            60, 0, 0, 0, 0, 0, 0, 0, 44, 0, 0, 0, 0, 0, 0, 0, 51, 0, 0, 0, 0, 0, 0, 1, 6, 1, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0,
        ],
    );
    extended[5] += 36;
    let dns = [
        &[1, 2, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 2, b'n', b'x', 0, 0, 1, 0, 1],
        &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 1][..],
    ]
    .concat();
    let mut corpus = vec![
        (LinkType::ETHERNET, v4.ethernet()),
        (LinkType::ETHERNET, v6.ethernet()),
        (LinkType::ETHERNET, [&[2; 12], &[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0][..], &v4.ip()].concat()),
        (LinkType::LINUX_SLL, [&[0; 14], &[0x86, 0xdd][..], &v6.ip()].concat()),
        (LinkType::LINUX_SLL2, [&[8, 0], &[0; 18][..], &v4.ip()].concat()),
        (LinkType::NULL, [&[2, 0, 0, 0], &v4.ip()[..]].concat()),
        (LinkType::NFLOG, in_nflog(&v4.ip())),
        (LinkType::ETHERNET, [&[2; 12], &[0x88, 0x64, 0x11, 0, 0, 1, 0, 0, 0, 0x21][..], &v4.ip()].concat()),
        (LinkType::ETHERNET, [&[2; 12], &[0x88, 0x48, 0, 0, 1, 9, 0, 0, 0, 0][..], &v4.ethernet()].concat()),
    ];
    let raw = [
        in_udp(8472, &vxlan),
        in_udp(999, &vxlan),
        in_udp(6081, &[&[1], &GENEVE[1..], &[0; 4], &v6.ethernet()].concat()),
        in_udp(53, &dns),
        in_udp(2152, &[&[0x34, 255, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 0, 0], &v4.ip()[..]].concat()),
        in_ipv4(47, &[&[0x10, 0, 0x22, 0xeb][..], &[0; 15], &[1], &[0; 8], &v4.ethernet()].concat()),
        in_ipv4(47, &[&[0xb0, 0, 8, 0], &[0; 12][..], &v4.ip()].concat()),
        in_ipv4(4, &in_ipv4(41, &v6.ip())),
        in_ipv4(1, &quote),
        icmp6,
        extended,
    ];
    corpus.extend(raw.into_iter().map(|bytes| (LinkType::RAW, bytes)));
    corpus.extend(in_fragments(&v4.ip(), 16).into_iter().map(|bytes| (LinkType::RAW, bytes)));
    corpus.extend(in_fragments(&v6.ip(), 16).into_iter().map(|bytes| (LinkType::RAW, bytes)));
    corpus
}

/// Reads everything that can be read of `bytes`.
fn exercise(link_type: LinkType, bytes: &[u8], wire_len: u32, fragments: &mut Fragments) {
    let mut whole = match decode(&Packet { wire_len, ..packet(link_type, bytes) }) {
        Ok(Decoded::Tcp(segment)) => {
            assert!(segment.payload.len() as u32 <= segment.payload_len);
            let options = segment.tcp_options();
            assert!(options.count() + options.sack_blocks().count() <= 60);
            None
        }
        Ok(Decoded::Udp(datagram)) => {
            let _ = dns::Message::parse(datagram.payload);
            None
        }
        Ok(Decoded::Fragment(fragment)) => fragments.push(&fragment).unwrap_or(None),
        _ => None,
    };
    while let Some(datagram) = whole.take() {
        if let Ok(Decoded::Fragment(fragment)) = decode_reassembled(&datagram) {
            whole = fragments.push(&fragment).unwrap_or(None);
        }
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    };
    let mut fragments = Fragments::default();
    for (link_type, whole) in corpus() {
        for len in 0..=whole.len() {
            exercise(link_type, &whole[..len], whole.len() as u32, &mut fragments);
            exercise(link_type, &whole[..len], len as u32, &mut fragments);
        }
        for _ in 0..5_000 {
            let mut bytes = whole.clone();
            for _ in 0..=random(4) {
                let at = random(bytes.len());
                bytes[at] = [bytes[at] ^ 1 << random(8), random(256) as u8, 0, 0xff][random(4)];
            }
            bytes.truncate(whole.len() - random(4) * random(whole.len()) / 4);
            exercise(link_type, &bytes, [0, whole.len() as u32, u32::MAX][random(3)], &mut fragments);
        }
    }
}

#[test]
fn the_corpus_is_sound() {
    for (link_type, bytes) in corpus() {
        let decoded = decode(&packet(link_type, &bytes));
        assert!(!matches!(decoded, Err(_) | Ok(Decoded::Other)), "{decoded:?} of {bytes:?}");
    }
}
