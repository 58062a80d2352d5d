//! Bytes of a fuzzer -> numbers and slices, without an end: what is missing is zero.

use crate::packet::{Frame, LinkType, Moment, Packet};
use crate::time::Timestamp;

/// What is left of the bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn u8(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub(super) fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.u8(), self.u8()])
    }

    pub(super) fn u32(&mut self) -> u32 {
        u32::from(self.u16()) << 16 | u32::from(self.u16())
    }

    /// The next `most` bytes, or as many as there are.
    pub(super) fn up_to(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// How much later the next thing happens, from 1 ns to all of time, forwards and backwards; see [`step`].
    pub(super) fn later(&mut self, than: Timestamp) -> Timestamp {
        let code = self.u16();
        let size = i64::from(code & 0x1ff).checked_shl(u32::from(code >> 10)).unwrap_or(0);
        let size = if size >> (code >> 10) == i64::from(code & 0x1ff) { size } else { i64::MAX };
        let nanos = than.as_nanos();
        Timestamp::from_nanos(if code & 0x200 == 0 {
            nanos.saturating_add(size)
        } else {
            nanos.saturating_sub(size)
        })
    }
}

/// The code by which [`Input::later`] goes about so many nanoseconds on: nine bits, shifted.
pub(super) fn step(nanos: i64) -> u16 {
    let size = nanos.unsigned_abs();
    let shift = (u64::BITS - size.leading_zeros()).saturating_sub(9);
    let code = (shift as u16) << 10 | (size >> shift) as u16;
    if nanos < 0 { code | 0x200 } else { code }
}

/// The `number`-th packet, one nanosecond after the one before.
pub(super) fn moment(number: u64) -> Moment {
    Moment { time: Timestamp::from_nanos(number as i64), frame: Frame::new(0, number) }
}

/// Link types, one for each way to decode at least, and one that is not decoded.
pub(super) const LINKS: [LinkType; 16] = [
    LinkType::ETHERNET,
    LinkType::RAW,
    LinkType::LINUX_SLL2,
    LinkType::LINUX_SLL,
    LinkType::NULL,
    LinkType::LOOP,
    LinkType::RAW_BSD,
    LinkType::RAW_OLD,
    LinkType::IPV4,
    LinkType::IPV6,
    LinkType::NFLOG,
    LinkType::PPP,
    LinkType::CISCO_HDLC,
    LinkType::IPOIB,
    LinkType::IEEE802_11_RADIOTAP,
    LinkType(147),
];

/// Where `link_type` stands among them.
pub(super) fn link(link_type: LinkType) -> u8 {
    LINKS.iter().position(|known| *known == link_type).unwrap_or(LINKS.len() - 1) as u8
}

/// A packet whose length on the wire is `more` than its bytes, or, at the most, nothing at all.
pub(super) fn packet<'a>(link: u8, more: u8, at: Moment, data: &'a [u8]) -> Packet<'a> {
    let link_type = LINKS.get(usize::from(link) % LINKS.len()).copied().unwrap_or(LinkType::ETHERNET);
    let wire_len = if more == u8::MAX { 0 } else { data.len() as u32 + u32::from(more) };
    Packet { time: at.time, frame: at.frame, link_type, interface: 0, wire_len, data }
}
