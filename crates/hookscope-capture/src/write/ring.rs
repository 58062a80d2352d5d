//! The packets of the last while, in bounded memory, so that those of a connection can still be had when it has failed.

use std::collections::VecDeque;

use hookscope::packet::Packet;

use super::Selection;
use crate::Batch;

/// Recent packets. The oldest go when there is no more room.
#[derive(Debug)]
pub struct Ring {
    /// Octets of memory that batches may hold.
    room: usize,
    held: usize,
    batches: VecDeque<Held>,
    /// Whether a batch had to go.
    has_forgotten: bool,
}

#[derive(Debug)]
struct Held {
    batch: Batch,
    /// The hash of each packet's key; 0 for one without.
    hashes: Vec<u64>,
}

impl Held {
    const fn memory(&self) -> usize {
        self.batch.memory() + self.hashes.capacity() * size_of::<u64>()
    }
}

impl Ring {
    /// A ring that holds at most `room` octets, and always the last batch.
    pub const fn new(room: usize) -> Self {
        Self { room, held: 0, batches: VecDeque::new(), has_forgotten: false }
    }

    /// Takes a batch, and gives back an empty one: the oldest's memory, where there is no more room.
    pub fn push(&mut self, mut batch: Batch) -> Batch {
        if batch.is_empty() {
            return batch;
        }
        // What grew for a burst is not to be held for a trickle.
        if batch.memory() > 4 * batch.len() * 512 {
            batch.shrink();
        }
        let hashes = batch.packets().map(|packet| packet.flow().map_or(0, |key| key.hash())).collect();
        let held = Held { batch, hashes };
        self.held += held.memory();
        self.batches.push_back(held);
        let mut spare = None;
        while self.held > self.room && self.batches.len() > 1 {
            let Some(oldest) = self.batches.pop_front() else { break };
            self.held -= oldest.memory();
            self.has_forgotten = true;
            spare = Some(oldest.batch);
        }
        let mut spare = spare.unwrap_or_default();
        spare.clear();
        spare
    }

    /// The wanted packets that are still there, in the order in which they came.
    pub fn wanted<'a>(&'a self, selection: &'a Selection) -> impl Iterator<Item = Packet<'a>> {
        let packets = self.batches.iter().flat_map(|held| held.hashes.iter().zip(held.batch.packets()));
        packets
            .filter(|(hash, packet)| selection.may_want(**hash, packet.frame))
            .map(|(_, packet)| packet)
            .filter(|packet| selection.wants(packet))
    }

    /// The first packet that is still there, once an earlier one is not any more.
    pub fn oldest_left(&self) -> Option<Packet<'_>> {
        if self.has_forgotten { self.batches.front().and_then(|held| held.batch.get(0)) } else { None }
    }

    /// How much memory it holds, in octets.
    pub const fn memory(&self) -> usize {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use hookscope::packet::{Frame, LinkType, Moment};
    use hookscope::time::Timestamp;
    use hookscope_testkit::Conversation;

    use super::super::Chosen;
    use super::*;

    /// A batch with the packets of a handshake from each of these ports, numbered from `first` on.
    fn batch(ports: &[u16], first: u64) -> Batch {
        let mut batch = Batch::default();
        let mut number = first;
        for port in ports {
            let client = format!("10.0.0.10:{port}");
            for record in Conversation::new(&client, "10.244.1.1:9443").handshake().capture().records {
                batch.push(&Packet {
                    time: Timestamp::from_nanos(number as i64),
                    frame: Frame::new(0, number),
                    link_type: LinkType::ETHERNET,
                    interface: 0,
                    wire_len: record.wire_len,
                    data: &record.data,
                });
                number += 1;
            }
        }
        batch
    }

    fn chosen(packet: &Packet<'_>, comment: &str) -> Chosen {
        let first = Moment { time: packet.time, frame: packet.frame };
        let comments = vec![(packet.frame, comment.to_owned())];
        Chosen { keys: packet.flow().into_iter().collect(), first, last: None, comments }
    }

    #[test]
    fn packets_of_chosen_connections_come_out_in_order_and_no_others() {
        let mut ring = Ring::new(1 << 20);
        ring.push(batch(&[40_000, 40_001], 1));
        ring.push(batch(&[40_000, 40_002], 7));
        let mut selection = Selection::default();
        let packets = batch(&[40_000, 40_001], 1);
        selection.add(chosen(&packets.get(0).unwrap(), "the first"));
        let wanted: Vec<u64> = ring.wanted(&selection).map(|packet| packet.frame.number()).collect();
        assert_eq!(wanted, [1, 2, 3, 7, 8, 9]);
        assert_eq!(selection.comment(Frame::new(0, 1)), Some("the first"));
        // A later connection of the same addresses does not have the earlier one's packets.
        let mut later = Selection::default();
        later.add(chosen(&batch(&[40_000], 7).get(0).unwrap(), "the second"));
        let wanted: Vec<u64> = ring.wanted(&later).map(|packet| packet.frame.number()).collect();
        assert_eq!(wanted, [7, 8, 9]);
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_packets_go() {
        let mut ring = Ring::new(100 << 10);
        let mut spare = Batch::default();
        for round in 0..1000 {
            assert!(ring.memory() < 120 << 10);
            spare.clear();
            batch(&[40_000, 40_001], 1 + 6 * round).packets().for_each(|packet| spare.push(&packet));
            spare = ring.push(spare);
        }
        assert!(ring.oldest_left().unwrap().frame.number() > 1000);
    }
}
