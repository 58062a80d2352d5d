//! Counts over all packets.

use crate::packet::{LinkType, Packet};
use crate::time::Timestamp;
use crate::wire::Malformed;

/// Counts over all packets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) packets: u64,
    /// Octets on the wire.
    pub(crate) bytes: u64,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
    /// In order of first use.
    pub(crate) link_types: Vec<LinkType>,
    /// Packets that could not be decoded, by reason.
    pub(crate) malformed: Vec<(Malformed, u64)>,
}

impl Traffic {
    /// The latest time so far.
    pub(crate) fn clock(&self) -> Timestamp {
        self.last.unwrap_or(Timestamp::MIN)
    }

    /// Counts packets, and says whether one is older than another before it.
    #[inline]
    pub(crate) fn packets<'p>(&mut self, packets: impl Iterator<Item = Packet<'p>>) -> bool {
        let (mut count, mut bytes, mut ran_backwards) = (0, 0, false);
        let (mut first, mut last) = (Timestamp::MAX, self.clock());
        let mut link_type = self.link_types.last().copied();
        for packet in packets {
            count += 1;
            bytes += u64::from(packet.wire_len);
            ran_backwards |= packet.time < last;
            (first, last) = (first.min(packet.time), last.max(packet.time));
            if link_type != Some(packet.link_type) {
                link_type = Some(packet.link_type);
                self.link_type(packet.link_type);
            }
        }
        if count > 0 {
            self.packets += count;
            self.bytes += bytes;
            self.first = Some(self.first.map_or(first, |before| before.min(first)));
            self.last = Some(last);
        }
        ran_backwards
    }

    fn link_type(&mut self, link_type: LinkType) {
        if !self.link_types.contains(&link_type) {
            self.link_types.push(link_type);
        }
    }

    #[cold]
    pub(crate) fn malformed(&mut self, reason: Malformed, count: u64) {
        match self.malformed.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, total)) => *total += count,
            None => self.malformed.push((reason, count)),
        }
    }
}
