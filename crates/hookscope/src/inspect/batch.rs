//! A run of packets -> decoded segments, sorted by shard; and what was counted on the way.

use crate::config::Config;
use crate::fragments::Fragments;
use crate::inspect::shard::{Event, Item, Shard, When};
use crate::lookup::Heard;
use crate::packet::{LinkType, Packet};
use crate::time::Timestamp;
use crate::wire::{
    Decoded, Fragment, IcmpError, IcmpKind, Malformed, Protocol, Reassembled, Segment, decode,
    decode_reassembled,
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

    /// Counts packets, of which `latest` is the clock's time after the last.
    fn packets(&mut self, packets: &[Packet<'_>], latest: Timestamp) {
        let Some(first) = packets.iter().map(|packet| packet.time).min() else { return };
        self.packets += packets.len() as u64;
        self.bytes += packets.iter().map(|packet| u64::from(packet.wire_len)).sum::<u64>();
        self.first = Some(self.first.map_or(first, |before| before.min(first)));
        self.last = self.last.max(Some(latest));
        packets.iter().for_each(|packet| self.packet(packet));
    }

    #[inline]
    fn packet(&mut self, packet: &Packet<'_>) {
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

/// Who takes what packets turn out to be.
pub(crate) trait Sink<'a> {
    fn segment(&mut self, segment: Segment<'a>, when: When);

    /// An ICMP error that says why a segment was not delivered.
    fn unreachable(&mut self, error: IcmpError, when: When);

    fn fragment(&mut self, fragment: Fragment<'a>, when: When);

    /// A DNS message in a datagram.
    fn heard(&mut self, heard: Heard);

    /// Takes a packet that was decoded.
    #[inline]
    fn take(&mut self, decoded: Decoded<'a>, when: When) {
        match decoded {
            Decoded::Tcp(segment) => self.segment(segment, when),
            Decoded::Icmp(error) if says_why(&error) => self.unreachable(error, when),
            Decoded::Fragment(fragment) => self.fragment(fragment, when),
            Decoded::Udp(datagram) => {
                if let Some(heard) = Heard::datagram(&datagram, when.position, when.clock) {
                    self.heard(heard);
                }
            }
            Decoded::Icmp(_) | Decoded::Other => {}
        }
    }
}

/// Whether an error says why a segment was not delivered. That a packet was too long is a fact of the path, no failure.
fn says_why(error: &IcmpError) -> bool {
    let kind = matches!(
        error.kind,
        IcmpKind::PortUnreachable
            | IcmpKind::HostUnreachable
            | IcmpKind::NetUnreachable
            | IcmpKind::AdminProhibited
    );
    kind && error.quote.protocol == Protocol::TCP
}

/// Decodes and counts `packets`, the first of which stands at `start`.
#[inline]
pub(crate) fn decode_all<'a>(
    packets: &[Packet<'a>],
    start: When,
    traffic: &mut Traffic,
    sink: &mut impl Sink<'a>,
) {
    let mut clock = start.clock;
    for (position, packet) in (start.position..).zip(packets) {
        clock = clock.max(packet.time);
        match decode(packet) {
            Ok(decoded) => sink.take(decoded, When { position, clock }),
            Err(reason) => traffic.malformed(reason, 1),
        }
    }
    traffic.packets(packets, clock);
}

/// A run of packets, decoded and sorted by shard.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    buckets: Vec<Vec<Item<'a>>>,
    fragments: Vec<(Fragment<'a>, When)>,
    /// DNS messages in datagrams.
    pub(crate) heard: Vec<Heard>,
    pub(crate) traffic: Traffic,
}

impl<'a> Part<'a> {
    /// Decodes `packets`, the first of which stands at `start`.
    pub(crate) fn decode(packets: &[Packet<'a>], start: When, shards: usize) -> Self {
        let room = packets.len() / shards + packets.len() / 8;
        let mut part = Self {
            buckets: (0..shards).map(|_| Vec::with_capacity(room)).collect(),
            fragments: Vec::new(),
            heard: Vec::new(),
            traffic: Traffic::default(),
        };
        let mut traffic = Traffic::default();
        decode_all(packets, start, &mut traffic, &mut part);
        part.traffic = traffic;
        part
    }

    /// Sorts in what a reassembled datagram turned out to be.
    fn insert(&mut self, item: Item<'a>) {
        let shard = item.shard(self.buckets.len());
        if let Some(bucket) = self.buckets.get_mut(shard) {
            let place = bucket.partition_point(|other| other.when.position < item.when.position);
            bucket.insert(place, item);
        }
    }

    /// The segments of one shard, in the order of the capture.
    pub(crate) fn of_shard(&self, shard: usize) -> &[Item<'a>] {
        self.buckets.get(shard).map(Vec::as_slice).unwrap_or_default()
    }
}

impl<'a> Sink<'a> for Part<'a> {
    #[inline]
    fn segment(&mut self, segment: Segment<'a>, when: When) {
        let item = Item { event: Event::Segment(segment), when };
        let shard = item.shard(self.buckets.len());
        if let Some(bucket) = self.buckets.get_mut(shard) {
            bucket.push(item);
        }
    }

    #[cold]
    fn unreachable(&mut self, error: IcmpError, when: When) {
        self.insert(Item { event: Event::Unreachable(error), when });
    }

    #[cold]
    fn fragment(&mut self, fragment: Fragment<'a>, when: When) {
        self.fragments.push((fragment, when));
    }

    fn heard(&mut self, heard: Heard) {
        self.heard.push(heard);
    }
}

/// A shard that has all connections, so that every packet goes straight to its own.
#[derive(Debug)]
pub(crate) struct Straight<'s> {
    pub(crate) shard: &'s mut Shard,
    pub(crate) fragments: &'s mut Fragments,
    pub(crate) config: &'s Config,
    pub(crate) heard: Vec<Heard>,
    /// Datagrams that were put together in vain.
    pub(crate) malformed: Vec<Malformed>,
}

impl<'a> Sink<'a> for Straight<'_> {
    #[inline]
    fn segment(&mut self, segment: Segment<'a>, when: When) {
        self.shard.segment(&segment, when, self.config);
    }

    #[cold]
    fn unreachable(&mut self, error: IcmpError, when: When) {
        self.shard.unreachable(&error, when, self.config);
    }

    #[cold]
    fn fragment(&mut self, fragment: Fragment<'a>, when: When) {
        match join(&fragment, self.fragments) {
            Ok(None) => {}
            Ok(Some(whole)) => match decode_reassembled(&whole) {
                Ok(decoded) => Sink::take(self, decoded, when),
                Err(reason) => self.malformed.push(reason),
            },
            Err(reason) => self.malformed.push(reason),
        }
    }

    fn heard(&mut self, heard: Heard) {
        self.heard.push(heard);
    }
}

/// Puts a fragment to the others of its datagram. Gives back the datagram if that is whole now.
fn join(fragment: &Fragment<'_>, fragments: &mut Fragments) -> Result<Option<Reassembled>, Malformed> {
    let mut whole = fragments.push(fragment)?;
    // Tunnels can be fragmented inside and out.
    while let Some(datagram) = &whole
        && let Ok(Decoded::Fragment(inner)) = decode_reassembled(datagram)
    {
        whole = fragments.push(&inner)?;
    }
    Ok(whole)
}

/// A datagram that was put together, and the place of the packet that completed it.
#[derive(Debug)]
pub(crate) struct Whole {
    datagram: Reassembled,
    when: When,
    part: usize,
}

/// Puts IP fragments together, in the order of the capture.
pub(crate) fn reassemble(parts: &[Part<'_>], fragments: &mut Fragments, traffic: &mut Traffic) -> Vec<Whole> {
    let mut wholes = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        for (fragment, when) in &part.fragments {
            match join(fragment, fragments) {
                Ok(None) => {}
                Ok(Some(datagram)) => wholes.push(Whole { datagram, when: *when, part: index }),
                Err(reason) => traffic.malformed(reason, 1),
            }
        }
    }
    wholes
}

/// Decodes datagrams that were put together and sorts their segments in where their last fragments stood.
pub(crate) fn insert_wholes<'a>(parts: &mut [Part<'a>], wholes: &'a [Whole], traffic: &mut Traffic) {
    for Whole { datagram, when, part } in wholes {
        let Some(part) = parts.get_mut(*part) else { continue };
        match decode_reassembled(datagram) {
            Ok(Decoded::Tcp(segment)) => {
                part.insert(Item { event: Event::Segment(segment), when: *when });
            }
            Ok(decoded) => part.take(decoded, *when),
            Err(reason) => traffic.malformed(reason, 1),
        }
    }
}
