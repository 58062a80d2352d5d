//! A run of packets -> decoded segments, sorted by shard; and what was counted on the way.

use crate::fragments::Fragments;
use crate::inspect::shard::{Event, Item};
use crate::lookup::Heard;
use crate::packet::{LinkType, Packet};
use crate::time::Timestamp;
use crate::wire::{
    Decoded, Fragment, IcmpError, IcmpKind, Malformed, Protocol, Reassembled, decode, decode_reassembled,
};

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

    #[inline]
    fn packet(&mut self, packet: &Packet<'_>) {
        self.packets += 1;
        self.bytes += u64::from(packet.wire_len);
        self.first = Some(self.first.map_or(packet.time, |first| first.min(packet.time)));
        self.last = Some(self.last.map_or(packet.time, |last| last.max(packet.time)));
        if self.link_types.last() != Some(&packet.link_type) {
            self.link_type(packet.link_type);
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

    /// Adds the counts of packets that come after.
    pub(crate) fn add(&mut self, later: &Self) {
        self.packets += later.packets;
        self.bytes += later.bytes;
        self.first = [self.first, later.first].into_iter().flatten().min();
        self.last = [self.last, later.last].into_iter().flatten().max();
        for link_type in &later.link_types {
            self.link_type(*link_type);
        }
        for (reason, count) in &later.malformed {
            self.malformed(*reason, *count);
        }
    }
}

/// A run of packets, decoded.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    buckets: Vec<Vec<Item<'a>>>,
    fragments: Vec<(Fragment<'a>, u64, Timestamp)>,
    /// DNS messages in datagrams.
    pub(crate) heard: Vec<Heard>,
    pub(crate) traffic: Traffic,
}

impl<'a> Part<'a> {
    /// Decodes `packets`, the first of which stands at `position`, when the capture's clock is at `clock`.
    pub(crate) fn decode(packets: &[Packet<'a>], position: u64, mut clock: Timestamp, shards: usize) -> Self {
        let mut part = Self {
            buckets: (0..shards)
                .map(|_| Vec::with_capacity(packets.len() / shards + packets.len() / 8))
                .collect(),
            fragments: Vec::new(),
            heard: Vec::new(),
            traffic: Traffic::default(),
        };
        for (position, packet) in (position..).zip(packets) {
            clock = clock.max(packet.time);
            part.traffic.packet(packet);
            match decode(packet) {
                Ok(Decoded::Tcp(segment)) => {
                    part.push(Item { event: Event::Segment(segment), position, clock })
                }
                Ok(Decoded::Icmp(error)) => part.insert_error(error, position, clock),
                Ok(Decoded::Fragment(fragment)) => part.fragments.push((fragment, position, clock)),
                Ok(Decoded::Udp(datagram)) => {
                    part.heard.extend(Heard::datagram(&datagram, position, clock));
                }
                Ok(Decoded::Other) => {}
                Err(reason) => part.traffic.malformed(reason, 1),
            }
        }
        part
    }

    /// Sorts in what a reassembled datagram turned out to be.
    fn insert(&mut self, item: Item<'a>) {
        let shard = item.shard(self.buckets.len());
        if let Some(bucket) = self.buckets.get_mut(shard) {
            let place = bucket.partition_point(|other| other.position < item.position);
            bucket.insert(place, item);
        }
    }

    #[inline]
    fn push(&mut self, item: Item<'a>) {
        let shard = item.shard(self.buckets.len());
        if let Some(bucket) = self.buckets.get_mut(shard) {
            bucket.push(item);
        }
    }

    /// Errors that say why a packet was not delivered go to its connection's shard. That a packet was too long is a
    /// fact of the path, no failure.
    #[cold]
    fn insert_error(&mut self, error: IcmpError, position: u64, clock: Timestamp) {
        let says_why = matches!(
            error.kind,
            IcmpKind::PortUnreachable
                | IcmpKind::HostUnreachable
                | IcmpKind::NetUnreachable
                | IcmpKind::AdminProhibited
        );
        if says_why && error.quote.protocol == Protocol::TCP {
            self.insert(Item { event: Event::Unreachable(error), position, clock });
        }
    }

    /// The segments of one shard, in the order of the capture.
    pub(crate) fn of_shard(&self, shard: usize) -> &[Item<'a>] {
        self.buckets.get(shard).map(Vec::as_slice).unwrap_or_default()
    }
}

/// A datagram that was put together, and the place of the packet that completed it.
#[derive(Debug)]
pub(crate) struct Whole {
    datagram: Reassembled,
    position: u64,
    clock: Timestamp,
    part: usize,
}

/// Puts IP fragments together, in the order of the capture.
pub(crate) fn reassemble(parts: &[Part<'_>], fragments: &mut Fragments, traffic: &mut Traffic) -> Vec<Whole> {
    let mut wholes = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        for (fragment, position, clock) in &part.fragments {
            let mut next = fragments.push(fragment);
            while let Ok(Some(datagram)) = next {
                // Tunnels can be fragmented inside and out.
                if let Ok(Decoded::Fragment(inner)) = decode_reassembled(&datagram) {
                    next = fragments.push(&inner);
                } else {
                    wholes.push(Whole { datagram, position: *position, clock: *clock, part: index });
                    next = Ok(None);
                }
            }
            if let Err(reason) = next {
                traffic.malformed(reason, 1);
            }
        }
    }
    wholes
}

/// Decodes datagrams that were put together and sorts their segments in where their last fragments stood.
pub(crate) fn insert_wholes<'a>(parts: &mut [Part<'a>], wholes: &'a [Whole], traffic: &mut Traffic) {
    for Whole { datagram, position, clock, part } in wholes {
        let Some(part) = parts.get_mut(*part) else { continue };
        match decode_reassembled(datagram) {
            Ok(Decoded::Tcp(segment)) => {
                part.insert(Item { event: Event::Segment(segment), position: *position, clock: *clock });
            }
            Ok(Decoded::Icmp(error)) => part.insert_error(error, *position, *clock),
            Ok(Decoded::Udp(datagram)) => part.heard.extend(Heard::datagram(&datagram, *position, *clock)),
            Ok(_) => {}
            Err(reason) => traffic.malformed(reason, 1),
        }
    }
}
