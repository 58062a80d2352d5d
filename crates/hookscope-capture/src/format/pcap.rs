//! Turns the bytes of a pcap file into packets (draft-ietf-opsawg-pcap, sections 4 and 5), with the variants that
//! libpcap reads.
//!
//! | magic | what differs |
//! | --- | --- |
//! | `a1b2c3d4` | microseconds |
//! | `a1b23c4d` | nanoseconds |
//! | `a1b2cd34` | microseconds; each record header has 8 more bytes (interface, protocol, packet type): the libpcap that A. Kuznetzov patched for old Linux |
//!
//! `a1b234cd` and `a12b3c4d` are names in libpcap's source for formats it never read, and so are not read here.
//! The time zone and accuracy fields are ignored, as libpcap does: no writer ever set them.

use hookscope::packet::{Frame, LinkType, Packet};
use hookscope::time::Timestamp;

use super::bytes::{Endian, Order};
use super::{HeaderError, Opened, Short, Stop, Walked, Walker};

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const PATCHED_RECORD_HEADER: usize = 24;

/// The most captured bytes of one packet. The snap length of the file header is no limit: writers get it wrong, and
/// a record beyond it is still a record. This is libpcap's and Wireshark's limit for every link type that is
/// supported here; more than that can only be garbage, which it finds before garbage is taken for a packet.
const MAX_CAPTURED: u32 = 262_144;

/// Where a record header has its captured length, which has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    /// First captured, then original: since version 2.3.
    Modern,
    /// First original, then captured: before version 2.3, and in DG/UX's version 543.0.
    Swapped,
    /// Version 2.3 was written either way: the smaller is the captured one.
    Either,
}

/// Walks the records of a pcap file.
#[derive(Debug)]
pub(crate) struct Pcap {
    endian: Endian,
    record_header: usize,
    lengths: Lengths,
    /// Nanoseconds in one unit of a record's fraction of a second.
    unit: i64,
    link_type: [LinkType; 1],
    file: u16,
    frames: u64,
}

impl Pcap {
    /// Reads the file header, which begins with `magic`.
    pub(super) fn open(file: u16, magic: [u8; 4], head: &[u8]) -> Result<Opened, HeaderError> {
        let (endian, magic) = match (u32::from_le_bytes(magic), u32::from_be_bytes(magic)) {
            (magic @ (0xa1b2_c3d4 | 0xa1b2_3c4d | 0xa1b2_cd34), _) => (Endian::Little, magic),
            (_, magic @ (0xa1b2_c3d4 | 0xa1b2_3c4d | 0xa1b2_cd34)) => (Endian::Big, magic),
            _ => return Err(HeaderError::NotACapture),
        };
        let fields = || {
            let head = head.get(..FILE_HEADER)?;
            Some((endian.u16(head, 4)?, endian.u16(head, 6)?, endian.u32(head, 20)?))
        };
        let Some((major, minor, link)) = fields() else {
            return Ok(Opened::Short("pcap file header", FILE_HEADER));
        };
        let lengths = match (major, minor) {
            (2, 0..=2) | (543, 0) => Lengths::Swapped,
            (2, 3) => Lengths::Either,
            // 2.4 has been the last since 1998; a later minor version would have to be readable as 2.4.
            (2, _) => Lengths::Modern,
            _ => return Err(HeaderError::Unreadable(format!("pcap version {major}.{minor} is not read"))),
        };
        // The upper half says how long a frame check sequence is, which changes nothing in how a packet begins.
        let link_type = LinkType((link & 0xffff) as u16);
        if !link_type.is_supported() {
            return Err(HeaderError::LinkType(link_type));
        }
        let pcap = Self {
            endian,
            record_header: if magic == 0xa1b2_cd34 { PATCHED_RECORD_HEADER } else { RECORD_HEADER },
            lengths,
            unit: if magic == 0xa1b2_3c4d { 1 } else { 1_000 },
            link_type: [link_type],
            file,
            frames: 0,
        };
        Ok(Opened::Ready(Walker::Pcap(pcap), FILE_HEADER))
    }

    pub(super) const fn frames(&self) -> u64 {
        self.frames
    }

    pub(super) const fn link_types(&self) -> &[LinkType] {
        &self.link_type
    }

    /// See [`Walker::walk`].
    #[inline]
    pub(super) fn walk<'a>(&mut self, bytes: &'a [u8], sink: &mut impl FnMut(Packet<'a>)) -> Walked {
        match self.endian {
            Endian::Little => self.walk_in::<false>(bytes, sink),
            Endian::Big => self.walk_in::<true>(bytes, sink),
        }
    }

    /// The loop that every packet of a pcap file passes: one record header read, one packet handed on.
    fn walk_in<'a, const BIG: bool>(&mut self, bytes: &'a [u8], sink: &mut impl FnMut(Packet<'a>)) -> Walked {
        let [link_type] = self.link_type;
        let mut rest = bytes;
        let stop = loop {
            let header = rest.split_at_checked(self.record_header);
            let Some((Some(&header), body)) = header.map(|(header, body)| (header.first_chunk(), body))
            else {
                break Stop::Short(short("packet record header", self.record_header));
            };
            let [seconds, fraction, first, second] = words::<BIG>(header);
            let (captured, wire_len) = match self.lengths {
                Lengths::Modern => (first, second),
                Lengths::Either if first <= second => (first, second),
                Lengths::Either | Lengths::Swapped => (second, first),
            };
            if captured > MAX_CAPTURED {
                let why = format!(
                    "the packet record there claims {captured} captured bytes, more than the {MAX_CAPTURED} of any packet"
                );
                break Stop::Broken(why, 0);
            }
            let Some((data, tail)) = body.split_at_checked(captured as usize) else {
                break Stop::Short(short("packet record", self.record_header + captured as usize));
            };
            rest = tail;
            self.frames += 1;
            sink(Packet {
                time: Timestamp::from_nanos(
                    i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * self.unit,
                ),
                frame: Frame::new(self.file, self.frames),
                link_type,
                interface: 0,
                wire_len,
                data,
            });
        };
        Walked { consumed: bytes.len() - rest.len(), stop }
    }
}

/// The four numbers that every record header begins with.
#[inline(always)]
fn words<const BIG: bool>(header: [u8; RECORD_HEADER]) -> [u32; 4] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = header;
    [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]].map(Order::<BIG>::u32)
}

/// A record of `whole` bytes of which nothing is consumed yet.
const fn short(what: &'static str, whole: usize) -> Short {
    Short { what, whole: whole as u64, done: 0, wants: whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a pcap file; each number in the byte order of `big`.
    struct Writer {
        big: bool,
        bytes: Vec<u8>,
    }

    impl Writer {
        fn new(big: bool, magic: u32, version: (u16, u16), link_type: u32) -> Self {
            let mut writer = Self { big, bytes: Vec::new() };
            writer.u32(magic).u16(version.0).u16(version.1).u32(0).u32(0).u32(64).u32(link_type);
            writer
        }

        fn u32(&mut self, number: u32) -> &mut Self {
            self.bytes.extend(if self.big { number.to_be_bytes() } else { number.to_le_bytes() });
            self
        }

        fn u16(&mut self, number: u16) -> &mut Self {
            self.bytes.extend(if self.big { number.to_be_bytes() } else { number.to_le_bytes() });
            self
        }

        fn record(&mut self, head: [u32; 4], data: &[u8]) -> &mut Self {
            for number in head {
                self.u32(number);
            }
            self.bytes.extend(data);
            self
        }
    }

    fn walk(bytes: &[u8]) -> (Vec<Packet<'_>>, Stop) {
        let Ok(Opened::Ready(mut walker, start)) = Walker::open(3, bytes) else { panic!("no header") };
        let mut packets = Vec::new();
        let walked = walker.walk(&bytes[start..], &mut |packet| packets.push(packet));
        assert_eq!(walker.frames(), packets.len() as u64);
        (packets, walked.stop)
    }

    const MICROS: u32 = 0xa1b2_c3d4;

    #[test]
    fn both_byte_orders_and_both_resolutions_give_nanoseconds() {
        for big in [false, true] {
            for (magic, nanos) in [(MICROS, 2_000_000_005_000), (0xa1b2_3c4d, 2_000_000_000_005)] {
                let mut writer = Writer::new(big, magic, (2, 4), 1);
                writer.record([2_000, 5, 3, 9], b"abc");
                let (packets, stop) = walk(&writer.bytes);
                assert_eq!(stop, Stop::Short(short("packet record header", 16)));
                let [packet] = packets[..] else { panic!("{packets:?}") };
                assert_eq!(packet.time.as_nanos(), nanos);
                assert_eq!(packet.frame, Frame::new(3, 1));
                assert_eq!(
                    (packet.link_type, packet.wire_len, packet.data),
                    (LinkType::ETHERNET, 9, &b"abc"[..])
                );
            }
        }
    }

    #[test]
    fn the_patched_record_header_is_skipped_over() {
        for big in [false, true] {
            let mut writer = Writer::new(big, 0xa1b2_cd34, (2, 4), 1);
            for _ in 0..2 {
                writer.record([1, 0, 2, 2], &[9, 9, 9, 9, 8, 8, 7, 0]);
                writer.bytes.extend(b"ab");
            }
            let (packets, _) = walk(&writer.bytes);
            assert_eq!(packets.iter().map(|packet| packet.data).collect::<Vec<_>>(), [b"ab", b"ab"]);
        }
    }

    #[test]
    fn old_versions_have_their_lengths_the_other_way_round() {
        for (version, lengths) in [((2, 2), [9, 3]), ((2, 3), [9, 3]), ((2, 3), [3, 9]), ((543, 0), [9, 3])] {
            let mut writer = Writer::new(false, MICROS, version, 1);
            writer.record([1, 0, lengths[0], lengths[1]], b"abc");
            let (packets, _) = walk(&writer.bytes);
            assert_eq!((packets[0].wire_len, packets[0].data), (9, &b"abc"[..]), "{version:?}");
        }
    }

    #[test]
    fn a_packet_beyond_the_snap_length_is_a_packet() {
        let mut writer = Writer::new(false, MICROS, (2, 4), 1);
        writer.record([1, 0, 100, 100], &[7; 100]);
        assert_eq!(walk(&writer.bytes).0[0].data.len(), 100);
    }

    #[test]
    fn a_length_that_no_packet_has_breaks_off() {
        for captured in [MAX_CAPTURED + 1, u32::MAX] {
            let mut writer = Writer::new(false, MICROS, (2, 4), 1);
            writer.record([1, 0, captured, 60], &[0; 60]);
            assert!(
                matches!(walk(&writer.bytes).1, Stop::Broken(why, 0) if why.contains(&captured.to_string()))
            );
        }
    }

    #[test]
    fn a_cut_record_says_what_it_needs() {
        let mut writer = Writer::new(false, MICROS, (2, 4), 1);
        writer.record([1, 0, 60, 60], &[0; 59]);
        assert_eq!(walk(&writer.bytes).1, Stop::Short(short("packet record", 76)));
    }

    #[test]
    fn walking_goes_on_where_it_came_to() {
        let mut writer = Writer::new(false, MICROS, (2, 4), 1);
        for _ in 0..5 {
            writer.record([1, 0, 1, 1], b"a");
        }
        let Ok(Opened::Ready(mut walker, start)) = Walker::open(0, &writer.bytes) else { panic!() };
        let (mut rest, mut numbers) = (&writer.bytes[start..], Vec::new());
        for _ in 0..3 {
            let mut packets = Vec::new();
            let walked = walker.walk(&rest[..rest.len().min(40)], &mut |packet| packets.push(packet));
            numbers.push(packets.iter().map(|packet| packet.frame.number()).collect::<Vec<_>>());
            rest = &rest[walked.consumed..];
        }
        assert_eq!(numbers, [vec![1, 2], vec![3, 4], vec![5]]);
    }

    #[test]
    fn the_upper_half_of_the_link_type_is_something_else() {
        let writer = Writer::new(false, MICROS, (2, 4), 0x2400_0001);
        assert!(matches!(Walker::open(0, &writer.bytes), Ok(Opened::Ready(..))));
    }

    #[test]
    fn an_unknown_link_type_or_version_is_an_error() {
        let writer = Writer::new(true, MICROS, (2, 4), 147);
        assert_eq!(Walker::open(0, &writer.bytes).unwrap_err(), HeaderError::LinkType(LinkType(147)));
        let writer = Writer::new(true, MICROS, (1, 2), 1);
        assert!(matches!(Walker::open(0, &writer.bytes), Err(HeaderError::Unreadable(_))));
    }

    #[test]
    fn a_cut_file_header_is_named() {
        let writer = Writer::new(true, MICROS, (2, 4), 1);
        assert!(matches!(
            Walker::open(0, &writer.bytes[..23]),
            Ok(Opened::Short("pcap file header", FILE_HEADER))
        ));
    }
}
