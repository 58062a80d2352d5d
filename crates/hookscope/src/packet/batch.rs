//! Packets that own their bytes, all in one place.

use crate::packet::{Frame, LinkType, Packet};
use crate::time::Timestamp;

/// A packet without its bytes, and where those are. As small as it can be: there are as many as packets, and all are gone
/// through several times.
#[derive(Clone, Copy, Debug)]
struct Record {
    time: Timestamp,
    frame: Frame,
    at: usize,
    length: u32,
    wire_len: u32,
    link_type: LinkType,
    interface: u16,
}

/// Packets that own their bytes: what a reader fills, and threads look at. Clearing keeps the memory, so that filling it
/// again allocates nothing.
///
/// Packets that are about to go away are copied into it one by one, by [`push`](Self::push). Whoever reads many at once
/// reads them into its [`buffer`](Self::buffer), and then says where in that they are, by [`split`](Self::split).
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    records: Vec<Record>,
}

/// Takes the packets that are found in the bytes of a [`Batch`].
#[derive(Debug)]
pub struct Found<'a> {
    /// The address of the first byte.
    base: usize,
    records: &'a mut Vec<Record>,
}

impl Found<'_> {
    /// Notes a packet whose data are some of the batch's bytes. Data from elsewhere are lost.
    #[inline]
    pub fn push(&mut self, packet: Packet<'_>) {
        let at = packet.data.as_ptr().addr().wrapping_sub(self.base);
        self.records.push(Record::new(&packet, at));
    }
}

impl Record {
    /// That of a packet whose bytes begin at `at`; of more than four gigabytes only the front is kept.
    #[inline]
    fn new(packet: &Packet<'_>, at: usize) -> Self {
        let Packet { time, frame, link_type, interface, wire_len, data } = *packet;
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        Self { time, frame, at, length, wire_len, link_type, interface }
    }

    /// The packet, with its bytes from those of the batch.
    #[inline]
    fn packet<'a>(&self, bytes: &'a [u8]) -> Packet<'a> {
        let Self { time, frame, at, length, wire_len, link_type, interface } = *self;
        let data = bytes.get(at..).and_then(|rest| rest.get(..length as usize)).unwrap_or_default();
        Packet { time, frame, link_type, interface, wire_len, data }
    }
}

impl Batch {
    /// Copies a packet to its end.
    #[inline]
    pub fn push(&mut self, packet: &Packet<'_>) {
        if self.records.is_empty() {
            self.bytes.clear();
        }
        self.records.push(Record::new(packet, self.bytes.len()));
        self.bytes.extend_from_slice(packet.data);
    }

    /// Its bytes, to be filled in place. The packets that it had are forgotten, their bytes are not.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        self.records.clear();
        &mut self.bytes
    }

    /// Its bytes, and what takes the packets that are found in them.
    pub fn split(&mut self) -> (&[u8], Found<'_>) {
        let Self { bytes, records } = self;
        (bytes, Found { base: bytes.as_ptr().addr(), records })
    }

    /// Its packets, in the order in which they came.
    pub fn packets(&self) -> impl ExactSizeIterator<Item = Packet<'_>> + Clone {
        self.records.iter().map(|record| record.packet(&self.bytes))
    }

    /// The packet in that place, from 0.
    #[inline]
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

    /// Forgets all packets and their bytes.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.records.clear();
    }

    /// Forgets all packets but the first `count`.
    pub fn truncate(&mut self, count: usize) {
        self.records.truncate(count);
    }

    /// Gives back memory that is not used.
    pub fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.records.shrink_to_fit();
    }

    /// The time of the last packet.
    pub fn last_time(&self) -> Option<Timestamp> {
        self.records.last().map(|record| record.time)
    }
}

/// Copies of packets.
impl<'a> Extend<Packet<'a>> for Batch {
    fn extend<I: IntoIterator<Item = Packet<'a>>>(&mut self, packets: I) {
        packets.into_iter().for_each(|packet| self.push(&packet));
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn packets_are_found_in_its_bytes() {
        let mut batch = Batch::default();
        batch.buffer().extend(b"0123456789");
        let (bytes, mut found) = batch.split();
        let packet = |data| Packet::new(1, Timestamp::default(), LinkType::RAW, data);
        found.push(packet(&bytes[3..6]));
        found.push(packet(&bytes[10..]));
        found.push(packet(b"from elsewhere"));
        let data: Vec<&[u8]> = batch.packets().map(|packet| packet.data).collect();
        assert_eq!(data, [&b"345"[..], b"", b""]);
        assert_eq!(batch.buffer().len(), 10);
        assert!(batch.is_empty());
    }
}
