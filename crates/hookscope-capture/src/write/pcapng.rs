//! Turns packets into the blocks of a pcapng file (draft-ietf-opsawg-pcapng, sections 4.1 to 4.3): one section, an
//! interface for each link type and interface of the packets, times in nanoseconds, comments on packets.

use std::io::{self, Write};

use hookscope::packet::{LinkType, Packet};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// Options: a comment (of any block), the writing application (of a section), the resolution of times (of an interface).
const COMMENT: u16 = 1;
const USER_APPLICATION: u16 = 4;
const TIME_RESOLUTION: u16 = 9;
const NANOSECONDS: u8 = 9;
/// Type, length, and the length once more.
const AROUND: usize = 12;

/// Writes a pcapng file. Each packet is handed to `out` in one piece, so that a file that breaks off does so between
/// two blocks, or in the last.
#[derive(Debug)]
pub struct PcapngWriter<W> {
    out: W,
    interfaces: Vec<(LinkType, u16)>,
    written: u64,
    block: Vec<u8>,
}

impl<W: Write> PcapngWriter<W> {
    /// Begins a file, written by `application`.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn new(out: W, application: &str) -> io::Result<Self> {
        let mut writer = Self { out, interfaces: Vec::new(), written: 0, block: Vec::new() };
        let mut body = Vec::new();
        body.extend(BYTE_ORDER_MAGIC.to_le_bytes());
        body.extend([1, 0, 0, 0]); // Version 1.0.
        body.extend(u64::MAX.to_le_bytes()); // The length of the section is not known.
        option(&mut body, USER_APPLICATION, application.as_bytes());
        end_of_options(&mut body);
        block(&mut writer.block, SECTION_HEADER, &[&body]);
        writer.flush_block()?;
        Ok(writer)
    }

    /// Writes a packet, with a comment where there is one.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn packet(&mut self, packet: &Packet<'_>, comment: Option<&str>) -> io::Result<()> {
        let of_packet = (packet.link_type, packet.interface);
        let known = self.interfaces.iter().position(|interface| *interface == of_packet);
        let number = match known {
            Some(number) => number,
            None => {
                self.interfaces.push(of_packet);
                let mut body = Vec::new();
                body.extend(packet.link_type.0.to_le_bytes());
                body.extend([0; 6]); // Reserved, and no snap length.
                option(&mut body, TIME_RESOLUTION, &[NANOSECONDS]);
                end_of_options(&mut body);
                block(&mut self.block, INTERFACE_DESCRIPTION, &[&body]);
                self.interfaces.len() - 1
            }
        };
        // Times before 1970 do not exist in this format.
        let time = u64::try_from(packet.time.as_nanos()).unwrap_or(0);
        let mut head = [0; 20];
        let fields =
            [number as u32, (time >> 32) as u32, time as u32, packet.data.len() as u32, packet.wire_len];
        for (place, field) in head.chunks_exact_mut(4).zip(fields) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        let mut tail = vec![0; padding(packet.data.len())];
        if let Some(comment) = comment {
            option(&mut tail, COMMENT, cut(comment).as_bytes());
            end_of_options(&mut tail);
        }
        block(&mut self.block, ENHANCED_PACKET, &[&head, packet.data, &tail]);
        self.flush_block()
    }

    /// The most octets that [`Self::packet`] may write for this packet.
    pub fn room_for(packet: &Packet<'_>, comment: Option<&str>) -> u64 {
        const INTERFACE: usize = AROUND + 8 + 8 + 4;
        let comment = comment.map_or(0, |comment| 4 + cut(comment).len().next_multiple_of(4) + 4);
        (INTERFACE + AROUND + 20 + packet.data.len().next_multiple_of(4) + comment) as u64
    }

    /// How many octets were written.
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// Ends the file, and gives back what it was written to.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    /// Gives back what it is written to, as it is.
    pub fn abandon(self) -> W {
        self.out
    }

    /// Hands what has been written so far on.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn flush_block(&mut self) -> io::Result<()> {
        let block = std::mem::take(&mut self.block);
        self.out.write_all(&block)?;
        self.written += block.len() as u64;
        self.block = block;
        self.block.clear();
        Ok(())
    }
}

/// Appends a block with this body, whose parts add up to a multiple of four octets.
fn block(out: &mut Vec<u8>, kind: u32, body: &[&[u8]]) {
    let length = (AROUND + body.iter().map(|part| part.len()).sum::<usize>()) as u32;
    out.extend(kind.to_le_bytes());
    out.extend(length.to_le_bytes());
    body.iter().for_each(|part| out.extend_from_slice(part));
    out.extend(length.to_le_bytes());
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend_from_slice(value);
    body.extend(std::iter::repeat_n(0, padding(value.len())));
}

fn end_of_options(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

const fn padding(length: usize) -> usize {
    length.next_multiple_of(4) - length
}

/// As much of a comment as an option holds.
fn cut(comment: &str) -> &str {
    const MOST: usize = u16::MAX as usize - 3;
    let end = (0..=comment.len().min(MOST)).rev().find(|end| comment.is_char_boundary(*end));
    end.and_then(|end| comment.get(..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use hookscope::packet::Frame;
    use hookscope::time::Timestamp;

    use super::*;
    use crate::format::{Opened, Stop, Walker};

    fn packet(time: i64, link_type: LinkType, interface: u16, data: &[u8]) -> Packet<'_> {
        let frame = Frame::new(0, 1);
        Packet { time: Timestamp::from_nanos(time), frame, link_type, interface, wire_len: 90, data }
    }

    #[test]
    fn our_own_reader_gets_the_packets_back() {
        let sent = [
            packet(1_700_000_000_123_456_789, LinkType::ETHERNET, 0, &[1, 2, 3]),
            packet(1_700_000_000_123_456_790, LinkType::LINUX_SLL2, 0, &[4; 64]),
            packet(1_700_000_000_123_456_791, LinkType::ETHERNET, 1, &[]),
        ];
        let mut writer = PcapngWriter::new(Vec::new(), "hookscope test").unwrap();
        let mut room = writer.written();
        for (packet, comment) in sent.iter().zip([Some("späte Antwort"), None, Some("")]) {
            writer.packet(packet, comment).unwrap();
            room += PcapngWriter::<Vec<u8>>::room_for(packet, comment);
            assert!(writer.written() <= room);
        }
        let file = writer.finish().unwrap();
        assert!(file.len() % 4 == 0 && file.windows(14).any(|bytes| bytes == "späte Antwort".as_bytes()));
        let Ok(Opened::Ready(mut walker, start)) = Walker::open(0, &file) else { panic!() };
        let mut read = Vec::new();
        let walked = walker.walk(&file[start..], &mut |packet| read.push(packet));
        assert!(matches!(walked.stop, Stop::Short(_)) && walked.consumed == file.len() - start);
        let facts = |packet: &Packet<'_>| (packet.time, packet.link_type, packet.data.to_vec());
        assert_eq!(read.iter().map(facts).collect::<Vec<_>>(), sent.iter().map(facts).collect::<Vec<_>>());
        assert!(read.iter().all(|packet| packet.wire_len == 90));
        assert_eq!(read.iter().map(|packet| packet.interface).collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn a_comment_of_any_length_fits_its_option() {
        let long = "ü".repeat(50_000);
        let packet = packet(1, LinkType::RAW, 0, &[0x45]);
        let mut writer = PcapngWriter::new(Vec::new(), "").unwrap();
        writer.packet(&packet, Some(&long)).unwrap();
        assert!(cut(&long).len() <= usize::from(u16::MAX));
        assert!(writer.written() < 66_000);
    }
}
