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

    /// Counts packets.
    pub(crate) fn packets(&mut self, packets: &[Packet<'_>]) {
        let times = || packets.iter().map(|packet| packet.time);
        let (Some(first), Some(last)) = (times().min(), times().max()) else { return };
        self.packets += packets.len() as u64;
        self.bytes += packets.iter().map(|packet| u64::from(packet.wire_len)).sum::<u64>();
        self.first = Some(self.first.map_or(first, |before| before.min(first)));
        self.last = self.last.max(Some(last));
        for packet in packets {
            if self.link_types.last() != Some(&packet.link_type) {
                self.link_type(packet.link_type);
            }
        }
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
