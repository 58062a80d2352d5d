//! Turns the blocks of a pcapng file into packets (draft-ietf-opsawg-pcapng, sections 3 and 4).
//!
//! Read are section headers, interface descriptions and the three kinds of packet block; every other block is stepped
//! over, however long it is, without being held. Options are read as far as time needs them; the secrets of a
//! Decryption Secrets Block are not kept.

use hookscope::packet::{Frame, LinkType, Packet};
use hookscope::time::Timestamp;

use super::bytes::Endian;
use super::clock::Clock;
use super::{HeaderError, MAX_RECORD, Opened, Short, Stop, Walked, Walker};

/// The block type of a section header: a palindrome, so that it reads the same in both byte orders.
pub(super) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Blocks that are no packets and that Wireshark gives a frame number all the same: custom blocks, systemd journal
/// entries, sysdig events. They are counted so that the numbers of the packets after them are Wireshark's.
const NUMBERED: [u32; 9] = [0x0bad, 0x4000_0bad, 9, 0x204, 0x208, 0x216, 0x217, 0x221, 0x222];

/// Type and length before a block's body.
const BLOCK_HEADER: usize = 8;
/// The length once more after it.
const BLOCK_TRAILER: usize = 4;
/// A section header without options.
const MIN_SECTION_HEADER: usize = 28;
/// The fields of an enhanced packet before its data; an obsolete packet's are of the same length.
const PACKET_FIELDS: usize = 20;

/// The most interfaces of a section that are kept: as many as [`Packet::interface`] can tell apart.
const MAX_INTERFACES: usize = 1 << 16;

#[derive(Debug)]
struct Interface {
    link_type: LinkType,
    /// Captured length at which packets are cut; 0 for none.
    snap_len: u32,
    clock: Clock,
    /// Whether it has a packet.
    used: bool,
}

/// A block that is stepped over, and is not yet behind us.
#[derive(Clone, Copy, Debug)]
struct Passing {
    /// The length it states.
    stated: u32,
    /// How many bytes are left of it, its trailer included.
    left: u64,
}

/// Walks the blocks of a pcapng file.
#[derive(Debug)]
pub(crate) struct Pcapng {
    endian: Endian,
    interfaces: Vec<Interface>,
    passing: Option<Passing>,
    /// The time of the last packet, which a packet without one is given.
    last_time: Timestamp,
    link_types: Vec<LinkType>,
    file: u16,
    frames: u64,
}

impl Pcapng {
    /// Checks that `head` begins with a section header that can be read; walking begins with that block.
    pub(super) fn open(file: u16, head: &[u8]) -> Result<Opened, HeaderError> {
        const NAME: &str = "pcapng section header";
        if head.len() < MIN_SECTION_HEADER {
            return Ok(Opened::Short(NAME, MIN_SECTION_HEADER));
        }
        let mut pcapng = Self {
            endian: Endian::Little,
            interfaces: Vec::new(),
            passing: None,
            last_time: Timestamp::default(),
            link_types: Vec::new(),
            file,
            frames: 0,
        };
        match pcapng.begin_section(head).and_then(|()| pcapng.block(head)) {
            Ok(_) => Ok(Opened::Ready(Walker::Pcapng(pcapng), 0)),
            Err(Stop::Broken(why, _)) => Err(HeaderError::Unreadable(why)),
            Err(Stop::Short(short)) => Ok(Opened::Short(NAME, short.wants)),
        }
    }

    pub(super) const fn frames(&self) -> u64 {
        self.frames
    }

    pub(super) fn link_types(&self) -> &[LinkType] {
        &self.link_types
    }

    /// See [`Walker::walk`].
    pub(super) fn walk<'a>(&mut self, bytes: &'a [u8], sink: &mut impl FnMut(Packet<'a>)) -> Walked {
        let mut rest = bytes;
        let stop = loop {
            if let Some(passing) = self.passing {
                match self.pass(passing, &mut rest) {
                    Ok(()) => continue,
                    Err(stop) => break stop,
                }
            }
            match self.next(&mut rest) {
                Ok(packet) => packet.into_iter().for_each(&mut *sink),
                Err(stop) => break stop,
            }
        };
        Walked { consumed: bytes.len() - rest.len(), stop }
    }

    /// Takes the next block off `rest`; its packet, if it is one.
    #[inline]
    fn next<'a>(&mut self, rest: &mut &'a [u8]) -> Result<Option<Packet<'a>>, Stop> {
        if rest.starts_with(&SECTION_HEADER.to_be_bytes()) {
            self.begin_section(rest)?;
        }
        let kind = self.endian.u32(rest, 0).ok_or_else(block_header_cut)?;
        let handled = matches!(
            kind,
            ENHANCED_PACKET | SIMPLE_PACKET | OBSOLETE_PACKET | INTERFACE_DESCRIPTION | SECTION_HEADER
        );
        if !handled {
            let stated = self.stated_length(rest)?;
            self.frames += u64::from(NUMBERED.contains(&kind));
            self.passing = Some(Passing { stated, left: padded(stated) });
            return Ok(None);
        }
        let (body, after) = self.block(rest)?;
        let packet = match kind {
            ENHANCED_PACKET => Some(self.packet(body, self.endian.u32(body, 0))?),
            OBSOLETE_PACKET => Some(self.packet(body, self.endian.u16(body, 0).map(u32::from))?),
            SIMPLE_PACKET => Some(self.simple_packet(body)?),
            INTERFACE_DESCRIPTION => self.interface(body).map(|()| None)?,
            _ => None,
        };
        *rest = after;
        Ok(packet)
    }

    /// Takes as much of a block that is stepped over off `rest` as is there.
    fn pass(&mut self, passing: Passing, rest: &mut &[u8]) -> Result<(), Stop> {
        let Passing { stated, mut left } = passing;
        let trailer = BLOCK_TRAILER as u64;
        let here = usize::try_from(left.saturating_sub(trailer)).unwrap_or(usize::MAX).min(rest.len());
        *rest = rest.get(here..).unwrap_or_default();
        left -= here as u64;
        self.passing = Some(Passing { stated, left });
        let done = padded(stated) - left;
        let short = |wants| Stop::Short(Short { what: "block", whole: padded(stated), done, wants });
        if left > trailer {
            return Err(short(1));
        }
        let repeated = self.endian.u32(rest, 0).ok_or_else(|| short(BLOCK_TRAILER))?;
        check_trailer(stated, repeated).map_err(|why| Stop::Broken(why, done))?;
        *rest = rest.get(BLOCK_TRAILER..).unwrap_or_default();
        self.passing = None;
        Ok(())
    }

    /// The body of the block at the front of `rest`, and what follows the block.
    #[inline]
    fn block<'a>(&self, rest: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Stop> {
        let stated = self.stated_length(rest)?;
        let whole = padded(stated);
        let length = usize::try_from(whole).ok().filter(|length| *length <= MAX_RECORD).ok_or_else(|| {
            broken(format!("the block there claims {stated} bytes, more than the {MAX_RECORD} that are read"))
        })?;
        let (block, after) = rest.split_at_checked(length).ok_or(Stop::Short(Short {
            what: "block",
            whole,
            done: 0,
            wants: length,
        }))?;
        let inside = block.get(BLOCK_HEADER..length - BLOCK_TRAILER);
        let (Some(body), Some(repeated)) = (inside, self.endian.u32(block, length - BLOCK_TRAILER)) else {
            return Err(block_header_cut());
        };
        check_trailer(stated, repeated).map_err(broken)?;
        Ok((body, after))
    }

    /// The length that the block at the front of `rest` states.
    #[inline]
    fn stated_length(&self, rest: &[u8]) -> Result<u32, Stop> {
        let stated = self.endian.u32(rest, 4).ok_or_else(block_header_cut)?;
        if (stated as usize) < BLOCK_HEADER + BLOCK_TRAILER {
            return Err(broken(format!("the block there claims {stated} bytes, fewer than any block has")));
        }
        Ok(stated)
    }

    /// Takes byte order and version from the section header at the front of `rest`, and forgets the interfaces of the
    /// section before.
    #[cold]
    fn begin_section(&mut self, rest: &[u8]) -> Result<(), Stop> {
        let whole = MIN_SECTION_HEADER;
        let cut =
            || Stop::Short(Short { what: "section header", whole: whole as u64, done: 0, wants: whole });
        let fields = rest.get(..whole).ok_or_else(cut)?;
        let endian = match Endian::Little.u32(fields, 8) {
            Some(0x1a2b_3c4d) => Endian::Little,
            Some(0x4d3c_2b1a) => Endian::Big,
            _ => return Err(broken("the section header there has no byte-order magic".to_owned())),
        };
        let (major, minor) = (endian.u16(fields, 12), endian.u16(fields, 14));
        if major != Some(1) {
            let (major, minor) = (major.unwrap_or_default(), minor.unwrap_or_default());
            return Err(broken(format!("pcapng version {major}.{minor} is not read")));
        }
        if endian.u32(fields, 4).is_none_or(|length| (length as usize) < MIN_SECTION_HEADER) {
            return Err(broken("the section header there is shorter than any section header".to_owned()));
        }
        self.endian = endian;
        self.interfaces.clear();
        Ok(())
    }

    /// Notes the interface that an interface description block describes (section 4.2).
    #[cold]
    fn interface(&mut self, body: &[u8]) -> Result<(), Stop> {
        let (Some(link_type), Some(snap_len)) = (self.endian.u16(body, 0), self.endian.u32(body, 4)) else {
            return Err(broken("the interface description there is too short".to_owned()));
        };
        if self.interfaces.len() >= MAX_INTERFACES {
            return Ok(());
        }
        let mut clock = Clock::default();
        let mut options = body.get(8..).unwrap_or_default();
        while let (Some(code), Some(length)) = (self.endian.u16(options, 0), self.endian.u16(options, 2)) {
            let value = options.get(4..).and_then(|rest| rest.get(..usize::from(length))).unwrap_or_default();
            match (code, value) {
                (0, _) => break,
                (9, [resolution, ..]) => clock = clock.with_resolution(*resolution),
                (14, [_, _, _, _, _, _, _, _, ..]) => {
                    let halves = (self.endian.u32(value, 0), self.endian.u32(value, 4));
                    let (first, second) = (halves.0.unwrap_or_default(), halves.1.unwrap_or_default());
                    let (high, low) =
                        if self.endian == Endian::Big { (first, second) } else { (second, first) };
                    clock = clock.with_offset((u64::from(high) << 32 | u64::from(low)).cast_signed());
                }
                _ => {}
            }
            options = options.get(4 + usize::from(length).next_multiple_of(4)..).unwrap_or_default();
        }
        self.interfaces.push(Interface { link_type: LinkType(link_type), snap_len, clock, used: false });
        Ok(())
    }

    /// The packet of an enhanced packet block (section 4.3) or an obsolete packet block (appendix A), which differ in
    /// how wide the `interface` number is.
    #[inline]
    fn packet<'a>(&mut self, body: &'a [u8], interface: Option<u32>) -> Result<Packet<'a>, Stop> {
        let Some((fields, data)) = body.split_at_checked(PACKET_FIELDS) else {
            return Err(broken("the packet block there is shorter than any packet block".to_owned()));
        };
        let field = |at| self.endian.u32(fields, at).unwrap_or_default();
        let (high, low, captured, wire_len) = (field(4), field(8), field(12), field(16));
        let Some(data) = data.get(..captured as usize) else {
            let why = format!(
                "the packet block there claims {captured} captured bytes, but has room for {}",
                data.len()
            );
            return Err(broken(why));
        };
        let number = interface.unwrap_or_default();
        let (link_type, clock) = self.used_interface(number).map(|used| (used.link_type, used.clock))?;
        self.last_time = clock.time(high, low);
        Ok(self.numbered(link_type, number, wire_len, data))
    }

    /// The packet of a simple packet block (section 4.4): always of interface 0, cut to its snap length, without a
    /// time. It is given the time of the packet before it, so that it stays in its place when files are merged.
    #[inline]
    fn simple_packet<'a>(&mut self, body: &'a [u8]) -> Result<Packet<'a>, Stop> {
        let Some(wire_len) = self.endian.u32(body, 0) else {
            return Err(broken("the simple packet block there is shorter than any".to_owned()));
        };
        let (link_type, snap_len) = self.used_interface(0).map(|used| (used.link_type, used.snap_len))?;
        let captured = if snap_len == 0 { wire_len } else { wire_len.min(snap_len) };
        let data = body.get(4..).unwrap_or_default();
        let Some(data) = data.get(..captured as usize) else {
            let why = format!(
                "the packet block there claims {captured} captured bytes, but has room for {}",
                data.len()
            );
            return Err(broken(why));
        };
        Ok(self.numbered(link_type, 0, wire_len, data))
    }

    #[inline]
    fn numbered<'a>(
        &mut self,
        link_type: LinkType,
        interface: u32,
        wire_len: u32,
        data: &'a [u8],
    ) -> Packet<'a> {
        self.frames += 1;
        Packet {
            time: self.last_time,
            frame: Frame::new(self.file, self.frames),
            link_type,
            // No interface beyond this width is kept, so none is cut off.
            interface: interface as u16,
            wire_len,
            data,
        }
    }

    /// The interface of that number, which has a packet now.
    #[inline]
    fn used_interface(&mut self, number: u32) -> Result<&Interface, Stop> {
        let known = self.interfaces.len();
        let Some(interface) = self.interfaces.get_mut(number as usize) else {
            let why = format!(
                "the packet block there is of interface {number}, but its section has {known} interfaces"
            );
            return Err(broken(why));
        };
        if !interface.used {
            interface.used = true;
            if !self.link_types.contains(&interface.link_type) {
                self.link_types.push(interface.link_type);
            }
        }
        Ok(interface)
    }
}

/// How many bytes a block of that stated length takes. It has to be a multiple of 4; writers that left the padding out
/// of the length put it into the file nevertheless, which is how Wireshark reads them, too.
const fn padded(stated: u32) -> u64 {
    (stated as u64).next_multiple_of(4)
}

/// Whether the length after a block is the one before it, with or without the padding.
fn check_trailer(stated: u32, repeated: u32) -> Result<(), String> {
    if repeated == stated || u64::from(repeated) == padded(stated) {
        return Ok(());
    }
    Err(format!("the block there has a length of {stated} bytes at its start, and of {repeated} at its end"))
}

#[cold]
const fn broken(why: String) -> Stop {
    Stop::Broken(why, 0)
}

#[cold]
const fn block_header_cut() -> Stop {
    Stop::Short(Short { what: "block header", whole: BLOCK_HEADER as u64, done: 0, wants: BLOCK_HEADER })
}

#[cfg(test)]
mod tests;
