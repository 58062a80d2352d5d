//! One end of a conversation: what it has sent, and what of its peer's data has reached it.

use super::segment::Segment;
use crate::wire::{digest, octets};
use std::net::SocketAddr;

/// One end of a connection.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub(super) address: SocketAddr,
    /// Sequence number of the next byte to send.
    pub(super) next: u32,
    /// What the next packet acknowledges: the first byte that has not arrived.
    pub(super) received: u32,
    /// What has arrived beyond a hole, by sequence numbers, in the order of arrival.
    pub(super) beyond: Vec<(u32, u32)>,
    /// Whether it has sent a SYN.
    pub(super) opened: bool,
    /// Its segments that occupy sequence numbers, each once.
    pub(super) sent: Vec<Segment>,
    /// The frame of its last packet, for the errors that quote it.
    pub(super) last_frame: Vec<u8>,
    /// The peer's latest timestamp, to be echoed.
    pub(super) peer_timestamp: u32,
    ident: u16,
}

impl Endpoint {
    pub(super) fn new(address: SocketAddr, peer: SocketAddr) -> Self {
        // Two connections of one host do not count from the same identification.
        let name =
            [octets(address.ip()), address.port().to_be_bytes().into(), peer.port().to_be_bytes().into()];
        Self {
            address,
            next: 0,
            received: 0,
            beyond: Vec::new(),
            opened: false,
            sent: Vec::new(),
            last_frame: Vec::new(),
            peer_timestamp: 0,
            ident: (digest(&name.concat()) >> 16) as u16,
        }
    }

    pub(super) fn start_at(&mut self, own: u32, peer: u32) {
        self.next = own;
        self.received = peer;
    }

    /// The identification of the next packet.
    pub(super) fn next_ident(&mut self) -> u16 {
        self.ident = self.ident.wrapping_add(1);
        self.ident
    }

    /// Takes note that the peer's sequence numbers from `from` up to `to` have arrived.
    pub(super) fn arrive(&mut self, from: u32, to: u32) {
        if is_before(self.received, from) {
            self.beyond.push((from, to));
            return;
        }
        if is_before(self.received, to) {
            self.received = to;
        }
        // What lay beyond the hole may now join.
        while let Some(joined) = self.beyond.iter().position(|&(from, _)| !is_before(self.received, from)) {
            let (_, to) = self.beyond.remove(joined);
            if is_before(self.received, to) {
                self.received = to;
            }
        }
    }

    /// Whether everything up to this sequence number has arrived.
    pub(super) fn has_up_to(&self, to: u32) -> bool {
        !is_before(self.received, to)
    }

    /// What lies beyond holes, adjoining pieces joined, as SACK reports it.
    pub(super) fn sack_blocks(&self) -> Vec<(u32, u32)> {
        let mut pieces = self.beyond.clone();
        pieces.sort_by_key(|&(from, _)| from.wrapping_sub(self.received));
        let mut blocks: Vec<(u32, u32)> = Vec::new();
        for (from, to) in pieces {
            match blocks.last_mut() {
                Some(block) if !is_before(block.1, from) => {
                    if is_before(block.1, to) {
                        block.1 = to;
                    }
                }
                _ => blocks.push((from, to)),
            }
        }
        blocks
    }
}

fn is_before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(received: u32) -> Endpoint {
        let address = "10.0.0.1:1".parse().unwrap();
        let mut endpoint = Endpoint::new(address, address);
        endpoint.start_at(0, received);
        endpoint
    }

    #[test]
    fn data_behind_a_hole_is_acknowledged_once_the_hole_is_filled() {
        let mut end = endpoint(100);
        end.arrive(120, 130);
        end.arrive(110, 120);
        assert_eq!((end.received, end.sack_blocks()), (100, vec![(110, 130)]));
        end.arrive(100, 110);
        assert_eq!((end.received, end.sack_blocks()), (130, vec![]));
    }

    #[test]
    fn old_data_changes_nothing() {
        let mut end = endpoint(100);
        end.arrive(50, 60);
        assert_eq!(end.received, 100);
    }

    #[test]
    fn holes_work_across_the_wrap() {
        let mut end = endpoint(u32::MAX - 4);
        end.arrive(5, 10);
        assert_eq!(end.sack_blocks(), [(5, 10)]);
        end.arrive(u32::MAX - 4, 5);
        assert_eq!(end.received, 10);
    }
}
