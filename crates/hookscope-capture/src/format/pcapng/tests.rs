use super::*;

/// Writes blocks, each number in the byte order of `big`.
#[derive(Default)]
struct Writer {
    big: bool,
    bytes: Vec<u8>,
}

impl Writer {
    fn new(big: bool) -> Self {
        Self { big, bytes: Vec::new() }.section()
    }

    fn u16(&self, number: u16) -> [u8; 2] {
        if self.big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn u32(&self, number: u32) -> [u8; 4] {
        if self.big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn words(&self, numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| self.u32(*number)).collect()
    }

    fn block(mut self, kind: u32, body: &[u8]) -> Self {
        let length = self.u32((12 + body.len().next_multiple_of(4)) as u32);
        self.bytes.extend(self.u32(kind));
        self.bytes.extend(length);
        self.bytes.extend(body);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.bytes.extend(length);
        self
    }

    fn section(self) -> Self {
        let mut body = self.words(&[0x1a2b_3c4d]);
        body.extend([self.u16(1), self.u16(0)].concat());
        body.extend([0xff; 8]);
        self.block(SECTION_HEADER, &body)
    }

    fn interface(self, link_type: u16, snap_len: u32, options: &[(u16, &[u8])]) -> Self {
        let mut body = [self.u16(link_type), self.u16(0)].concat();
        body.extend(self.u32(snap_len));
        for (code, value) in options {
            body.extend([self.u16(*code), self.u16(value.len() as u16)].concat());
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        self.block(INTERFACE_DESCRIPTION, &body)
    }

    fn packet(self, interface: u32, time: u64, wire_len: u32, data: &[u8]) -> Self {
        let numbers = [interface, (time >> 32) as u32, time as u32, data.len() as u32, wire_len];
        let body = [&self.words(&numbers), data].concat();
        self.block(ENHANCED_PACKET, &body)
    }
}

/// All packets, from a walk over the whole and from one that is given one byte more each time.
fn walk(bytes: &[u8]) -> (Vec<Packet<'_>>, Walked) {
    let Ok(Opened::Ready(Walker::Pcapng(mut pcapng), 0)) = Walker::open(2, bytes) else {
        panic!("no header")
    };
    let mut packets = Vec::new();
    let walked = pcapng.walk(bytes, &mut |packet| packets.push(packet));

    let Ok(Opened::Ready(mut walker, mut at)) = Walker::open(2, bytes) else { panic!("no header") };
    let mut slowly = Vec::new();
    for end in 0..=bytes.len() {
        let step = walker.walk(&bytes[at.min(end)..end], &mut |packet| slowly.push(packet));
        at += step.consumed;
        if end == bytes.len() {
            assert_eq!((at, &step.stop), (walked.consumed, &walked.stop));
        }
        if matches!(step.stop, Stop::Broken(..)) {
            break;
        }
    }
    assert_eq!(format!("{slowly:?}"), format!("{packets:?}"));
    (packets, walked)
}

fn frames(bytes: &[u8]) -> Vec<u64> {
    walk(bytes).0.iter().map(|packet| packet.frame.number()).collect()
}

fn breaks_off(writer: Writer, because: &str) {
    let (packets, walked) = walk(&writer.bytes);
    assert_eq!(packets.len(), 1, "the packet before it is read");
    assert!(matches!(&walked.stop, Stop::Broken(why, 0) if why.contains(because)), "{walked:?}");
}

#[test]
fn an_enhanced_packet_has_its_interface_time_and_lengths() {
    for big in [false, true] {
        let writer = Writer::new(big)
            .interface(1, 0, &[])
            .interface(276, 0, &[(2, b"eth0"), (9, &[9])])
            .packet(0, 1_700_000_000_000_001, 60, b"abcde")
            .packet(1, 1_700_000_000_000_000_001, 3, b"xyz");
        let (packets, walked) = walk(&writer.bytes);
        assert_eq!(walked, Walked { consumed: writer.bytes.len(), stop: block_header_cut() });
        let [first, second] = packets[..] else { panic!("{packets:?}") };
        assert_eq!((first.link_type, first.interface), (LinkType::ETHERNET, 0));
        assert_eq!((first.wire_len, first.data), (60, &b"abcde"[..]));
        assert_eq!(first.time.as_nanos(), 1_700_000_000_000_001_000);
        assert_eq!((second.link_type, second.interface), (LinkType::LINUX_SLL2, 1));
        assert_eq!(second.time.as_nanos(), 1_700_000_000_000_000_001);
        assert_eq!(second.frame, Frame::new(2, 2));
    }
}

#[test]
fn an_offset_is_a_signed_number_of_seconds() {
    for big in [false, true] {
        let offset = if big { (-5_i64).to_be_bytes() } else { (-5_i64).to_le_bytes() };
        let writer = Writer::new(big).interface(1, 0, &[(14, &offset)]).packet(0, 7_000_000, 1, b"a");
        assert_eq!(walk(&writer.bytes).0[0].time.as_nanos(), 2_000_000_000);
    }
}

#[test]
fn every_section_has_its_own_byte_order_and_interfaces() {
    let mut writer = Writer::new(false).interface(1, 0, &[]).packet(0, 1, 1, b"a");
    writer.big = true;
    let writer = writer.section().interface(101, 0, &[]).packet(0, 2, 1, b"b");
    let (packets, _) = walk(&writer.bytes);
    assert_eq!(packets[1].link_type, LinkType::RAW);
    assert_eq!((packets[1].time.as_nanos(), packets[1].frame.number()), (2_000, 2));
    breaks_off(
        Writer::new(false).interface(1, 0, &[]).packet(0, 1, 1, b"a").section().packet(0, 2, 1, b"b"),
        "interface 0, but its section has 0",
    );
}

#[test]
fn a_simple_packet_is_cut_to_the_snap_length_and_has_the_time_before_it() {
    let writer = Writer::new(false).interface(1, 4, &[]).packet(0, 9, 1, b"a");
    let body = [&writer.words(&[60])[..], b"abcd"].concat();
    let writer = writer.block(SIMPLE_PACKET, &body);
    let (packets, _) = walk(&writer.bytes);
    assert_eq!((packets[1].wire_len, packets[1].data), (60, &b"abcd"[..]));
    assert_eq!(packets[1].time, packets[0].time);
}

#[test]
fn the_obsolete_packet_block_is_read() {
    let writer = Writer::new(true).interface(1, 0, &[]);
    let mut body = [writer.u16(0), writer.u16(77)].concat();
    body.extend(writer.words(&[0, 5, 2, 8]));
    body.extend(b"hi");
    let writer = writer.block(OBSOLETE_PACKET, &body);
    let (packets, _) = walk(&writer.bytes);
    assert_eq!((packets[0].time.as_nanos(), packets[0].wire_len, packets[0].data), (5_000, 8, &b"hi"[..]));
}

#[test]
fn other_blocks_are_stepped_over_and_custom_ones_have_a_number() {
    let writer = Writer::new(false).interface(1, 0, &[]).packet(0, 1, 1, b"a");
    let writer = writer.block(0x0a, &[1; 90]).block(4, &[2; 20]).block(0x7777, &[]).packet(0, 2, 1, b"b");
    assert_eq!(frames(&writer.bytes), [1, 2]);
    let writer = writer.block(0x0bad, &[0; 8]).block(0x4000_0bad, &[0; 8]).packet(0, 3, 1, b"c");
    assert_eq!(frames(&writer.bytes), [1, 2, 5]);
}

#[test]
fn a_packet_of_an_unsupported_link_type_is_a_packet() {
    let writer = Writer::new(false).interface(147, 0, &[]).interface(1, 0, &[]);
    let writer = writer.packet(1, 1, 1, b"a").packet(0, 1, 1, b"a");
    let Ok(Opened::Ready(mut walker, _)) = Walker::open(0, &writer.bytes) else { panic!() };
    walker.walk(&writer.bytes, &mut |_| ());
    assert_eq!(walker.link_types(), [LinkType::ETHERNET, LinkType(147)]);
}

#[test]
fn impossible_blocks_break_off() {
    let good = || Writer::new(false).interface(1, 0, &[]).packet(0, 1, 1, b"a");
    let append = |bytes: &[u8]| {
        let mut writer = good();
        writer.bytes.extend(bytes);
        writer
    };
    let words = |numbers: &[u32]| Writer::default().words(numbers);
    breaks_off(append(&words(&[5, 0, 0])), "claims 0 bytes");
    breaks_off(append(&words(&[6, 8, 8])), "claims 8 bytes");
    breaks_off(append(&words(&[6, 0xffff_fffc, 0])), "claims 4294967292 bytes");
    breaks_off(append(&words(&[6, 16, 0, 20])), "of 16 bytes at its start, and of 20");
    breaks_off(append(&words(&[6, 16, 0, 16])), "shorter than any packet block");
    breaks_off(append(&words(&[SECTION_HEADER, 28, 5, 1, 0, 0, 28])), "no byte-order magic");
    breaks_off(append(&words(&[SECTION_HEADER, 28, 0x1a2b_3c4d, 2, 0, 0, 28])), "version 2.0");
    breaks_off(
        append(&words(&[SECTION_HEADER, 12, 0x1a2b_3c4d, 1, 0, 0, 12])),
        "shorter than any section header",
    );
    breaks_off(good().packet(1, 1, 1, b"a"), "interface 1, but its section has 1");
    let body = words(&[0, 0, 0, u32::MAX, 60]);
    breaks_off(good().block(ENHANCED_PACKET, &body), "claims 4294967295 captured bytes, but has room for 0");
}

#[test]
fn a_wrong_trailer_of_a_block_that_is_stepped_over_counts_what_was_consumed() {
    let mut writer = Writer::new(false).interface(1, 0, &[]).packet(0, 1, 1, b"a");
    writer.bytes.extend(writer.words(&[5, 20, 1, 2, 24]));
    let (_, walked) = walk(&writer.bytes);
    assert!(matches!(walked.stop, Stop::Broken(_, 16)), "{walked:?}");
}

#[test]
fn a_length_without_its_padding_is_understood() {
    let mut writer = Writer::new(false).interface(1, 0, &[]);
    for trailer in [35, 36] {
        writer.bytes.extend(writer.words(&[6, 35, 0, 0, 1, 3, 3]));
        writer.bytes.extend(b"abc\0");
        writer.bytes.extend(writer.words(&[trailer]));
    }
    assert_eq!(frames(&writer.bytes), [1, 2]);
}

#[test]
fn a_cut_block_says_what_it_needs() {
    let writer = Writer::new(false).interface(1, 0, &[]).packet(0, 1, 60, &[0; 60]);
    let cut = &writer.bytes[..writer.bytes.len() - 1];
    assert_eq!(walk(cut).1.stop, Stop::Short(Short { what: "block", whole: 92, done: 0, wants: 92 }));
    let writer = Writer::new(false).block(10, &[0; 100]);
    let cut = &writer.bytes[..writer.bytes.len() - 30];
    assert_eq!(walk(cut).1.stop, Stop::Short(Short { what: "block", whole: 112, done: 82, wants: 1 }));
}

#[test]
fn a_cut_section_header_is_named() {
    let writer = Writer::new(true);
    for length in 4..writer.bytes.len() {
        let opened = Walker::open(0, &writer.bytes[..length]);
        assert!(matches!(opened, Ok(Opened::Short(_, 28))), "{length}: {opened:?}");
    }
    let future = [&Writer::default().words(&[SECTION_HEADER, 28, 0x1a2b_3c4d, 2])[..], &[0; 12]].concat();
    assert!(matches!(Walker::open(0, &future), Err(HeaderError::Unreadable(why)) if why.contains("2.0")));
}

#[test]
fn interfaces_beyond_what_a_packet_can_name_are_not_kept() {
    let mut writer = Writer::new(false);
    let one = Writer { big: false, bytes: Vec::new() }.interface(1, 0, &[]);
    writer.bytes.extend(one.bytes.repeat(MAX_INTERFACES + 10));
    let Ok(Opened::Ready(Walker::Pcapng(mut pcapng), _)) = Walker::open(0, &writer.bytes) else { panic!() };
    pcapng.walk(&writer.bytes, &mut |_| ());
    assert_eq!(pcapng.interfaces.len(), MAX_INTERFACES);
}
