//! Turns packets that are about to go away into a batch that owns their bytes, all in one place.

use hookscope::packet::Packet;
use hookscope::time::Timestamp;

use crate::source::Record;

/// Packets that own their bytes. Clearing keeps the memory, so that filling it again allocates nothing.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    records: Vec<Record>,
}

impl Batch {
    /// Copies a packet to its end.
    #[inline]
    pub fn push(&mut self, packet: &Packet<'_>) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(packet.data);
        self.records.push(Record::new(packet, at));
    }

    /// Its packets, in the order in which they came.
    pub fn packets(&self) -> impl ExactSizeIterator<Item = Packet<'_>> {
        self.records.iter().map(|record| record.packet(&self.bytes))
    }

    /// The packet in that place, from 0.
    pub fn get(&self, place: usize) -> Option<Packet<'_>> {
        Some(self.records.get(place)?.packet(&self.bytes))
    }

    /// How many packets there are.
    pub const fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is no packet.
    pub const fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How much memory it holds, in octets.
    pub const fn memory(&self) -> usize {
        self.bytes.capacity() + self.records.capacity() * size_of::<Record>()
    }

    /// Forgets all packets.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.records.clear();
    }

    /// Gives back memory that is not used.
    pub fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.records.shrink_to_fit();
    }

    /// The time of the last packet.
    pub fn last_time(&self) -> Option<Timestamp> {
        self.records.last().map(Record::time)
    }
}

#[cfg(test)]
mod tests {
    use hookscope::packet::{Frame, LinkType};

    use super::*;

    #[test]
    fn packets_come_back_as_they_went_in() {
        let mut batch = Batch::default();
        for number in 1..=3_u8 {
            batch.push(&Packet {
                time: Timestamp::from_nanos(number.into()),
                frame: Frame::new(0, number.into()),
                link_type: LinkType::ETHERNET,
                interface: 7,
                wire_len: 1500,
                data: &vec![number; number.into()],
            });
        }
        let data: Vec<Vec<u8>> = batch.packets().map(|packet| packet.data.to_vec()).collect();
        assert_eq!(data, [vec![1], vec![2, 2], vec![3, 3, 3]]);
        let last = batch.get(2).unwrap();
        assert_eq!((last.frame.number(), last.interface, last.wire_len), (3, 7, 1500));
        assert_eq!(batch.last_time(), Some(Timestamp::from_nanos(3)));
        batch.clear();
        assert!(batch.is_empty() && batch.memory() > 0);
    }
}
