//! Packets -> the connections of one part: decodes all packets of a run, and takes those that are its own.
//!
//! Each worker decodes its own packets, and those of which a glance does not tell whose they are. That takes less time than
//! to decode all once and to hand headers over: what one core has just written is the slowest that another can read, so of
//! a packet that another thread read only the octets that are needed are fetched, a few packets early.

use std::cmp::Ordering;
use std::hint::black_box;

use crate::config::Config;
use crate::flow::key::{Endpoint, FlowKey};
use crate::fragments::Fragments;
use crate::inspect::shard::{Shard, When};
use crate::inspect::traffic::Traffic;
use crate::lookup::Heard;
use crate::packet::{Batch, Packet};
use crate::time::Timestamp;
use crate::wire::{
    Decoded, Fragment, IcmpError, IcmpKind, Malformed, Protocol, Reassembled, Segment, decode,
    decode_reassembled, endpoints,
};

/// Packets that all workers look at.
#[derive(Debug)]
pub(crate) struct Portion {
    pub(crate) batch: Batch,
    /// The places of each worker's packets, with those of which a glance does not tell whose they are; nothing where there
    /// is one worker, who takes all.
    shares: Vec<Vec<u32>>,
    /// Where and when the first packet stands.
    start: When,
    /// The capture's clock at each packet; empty where that is the packet's time.
    clocks: Vec<Timestamp>,
}

impl Default for Portion {
    fn default() -> Self {
        let start = When { position: 0, clock: Timestamp::MIN };
        Self { batch: Batch::default(), shares: Vec::new(), start, clocks: Vec::new() }
    }
}

impl Portion {
    /// Counts the packets, and says whose they are while their headers are at hand, and when they came.
    pub(crate) fn share_out(&mut self, workers: usize, traffic: &mut Traffic) {
        let Self { batch, shares, clocks, start } = self;
        *start = When { position: traffic.packets, clock: traffic.clock() };
        clocks.clear();
        if traffic.packets(batch.packets()) {
            let mut clock = start.clock;
            clocks.extend(batch.packets().map(|packet| {
                clock = clock.max(packet.time);
                clock
            }));
        }
        if workers == 1 {
            return;
        }
        shares.resize_with(workers, Vec::new);
        shares.iter_mut().for_each(Vec::clear);
        for (place, packet) in (0..).zip(batch.packets()) {
            match shares.get_mut(owner(&packet, workers) as usize) {
                Some(share) => share.push(place),
                None => shares.iter_mut().for_each(|share| share.push(place)),
            }
        }
    }

    /// Where and when a packet stands.
    #[inline]
    fn when(&self, place: usize, time: Timestamp) -> When {
        let clock =
            if self.clocks.is_empty() { time } else { self.clocks.get(place).copied().unwrap_or(time) };
        When { position: self.start.position + place as u64, clock }
    }
}

/// The number of a worker.
pub(crate) type Owner = u32;

/// Where a glance does not tell whose a packet is.
const UNKNOWN: Owner = Owner::MAX;

/// Which of so many workers has the connection of a packet, where a glance at the packet shows that: most are decoded
/// once.
#[inline]
fn owner(packet: &Packet<'_>, workers: usize) -> Owner {
    if workers == 1 {
        return UNKNOWN;
    }
    let Some((source, destination)) = endpoints(packet) else { return UNKNOWN };
    match source.port.cmp(&destination.port) {
        Ordering::Greater => share(source, workers),
        Ordering::Less => share(destination, workers),
        Ordering::Equal => UNKNOWN,
    }
}

/// Which of so many workers has a client's connections.
#[inline]
fn share(client: Endpoint, workers: usize) -> Owner {
    ((u128::from(client.hash()) * workers as u128) >> 64) as Owner
}

/// One part of all connections, and what it takes to find its packets.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) shard: Shard,
    fragments: Fragments,
    /// Which of how many it is.
    index: Owner,
    workers: usize,
    /// DNS messages, in datagrams (those are the first worker's) and in streams.
    pub(crate) heard: Vec<Heard>,
}

impl Worker {
    /// How many of its own packets ahead it touches, and which octet: in IPv4 on Ethernet the one before TCP's flags.
    const AHEAD: usize = 8;
    const TOUCHED: usize = 46;

    /// The `index`-th of so many workers.
    pub(crate) fn new(index: Owner, workers: usize, config: &Config) -> Self {
        let fragments = Fragments::new(config.limits.fragments);
        Self { shard: Shard::new(config), fragments, index, workers, heard: Vec::new() }
    }

    /// Takes its own packets of a portion. Of those that cannot be decoded it notes its own, and the first worker those of
    /// which nobody can say whose they are.
    pub(crate) fn observe(&mut self, portion: &Portion, config: &Config, malformed: &mut Vec<Malformed>) {
        let Portion { batch, shares, .. } = portion;
        let at = |place: usize| {
            let packet = batch.get(place)?;
            Some((packet, portion.when(place, packet.time)))
        };
        match shares.get(self.index as usize) {
            None => (0..batch.len()).filter_map(at).for_each(|it| self.take(it, config, malformed)),
            Some(own) => {
                let mut ahead = own.iter().skip(Self::AHEAD);
                for place in own {
                    // Where another thread read the packet, its octets come from that thread's cache: on their way early.
                    let next = ahead.next().and_then(|next| batch.get(*next as usize));
                    black_box(next.and_then(|next| next.data.get(Self::TOUCHED).copied()));
                    if let Some(it) = at(*place as usize) {
                        self.take(it, config, malformed);
                    }
                }
            }
        }
        if let Some(last) = batch.len().checked_sub(1).and_then(at) {
            self.rest(last.1.clock, batch.len(), config);
        }
    }

    /// Does it for packets after `start`.
    pub(crate) fn observe_packets(
        &mut self,
        packets: &[Packet<'_>],
        start: When,
        config: &Config,
        malformed: &mut Vec<Malformed>,
    ) {
        let mut clock = start.clock;
        for (position, packet) in (start.position..).zip(packets) {
            clock = clock.max(packet.time);
            let owner = owner(packet, self.workers);
            if owner == self.index || owner == UNKNOWN {
                self.take((*packet, When { position, clock }), config, malformed);
            }
        }
        self.rest(clock, packets.len(), config);
    }

    /// Takes a packet that is its own, or may be.
    #[inline]
    fn take(&mut self, (packet, when): (Packet<'_>, When), config: &Config, malformed: &mut Vec<Malformed>) {
        // Looked at where it lies: what was just written in small pieces cannot be copied in large ones without a wait for
        // all that was written before.
        let taken = match &decode(&packet) {
            Ok(Decoded::Tcp(segment)) => return self.segment(segment, when, config),
            Ok(Decoded::Other) => return,
            Ok(Decoded::Fragment(fragment)) => self.fragment(fragment, when, config),
            Ok(other) => return self.take_other(other, when, config),
            Err(reason) => Err(*reason),
        };
        if let Err(reason) = taken
            && (self.index == 0 || owner(&packet, self.workers) == self.index)
        {
            malformed.push(reason);
        }
    }

    /// Rests between batches, the last of so many packets: lets go of what is over.
    fn rest(&mut self, clock: Timestamp, packets: usize, config: &Config) {
        self.shard.sweep(clock, packets, config);
        self.heard.append(&mut self.shard.heard);
    }

    #[inline]
    fn segment(&mut self, segment: &Segment<'_>, when: When, config: &Config) {
        if self.is_own(&segment.key) {
            self.shard.segment(segment, when, config);
        }
    }

    /// Whether it has the connection. That is decided by the endpoint with the higher port, most likely the client's:
    /// ICMP errors that quote the address from before translation meet the connection there.
    #[inline]
    fn is_own(&self, key: &FlowKey) -> bool {
        self.workers == 1 || share(key.ephemeral(), self.workers) == self.index
    }

    #[cold]
    fn take_other(&mut self, decoded: &Decoded<'_>, when: When, config: &Config) {
        match decoded {
            Decoded::Tcp(segment) => self.segment(segment, when, config),
            Decoded::Icmp(error) => {
                let (key, _) = FlowKey::of(error.quote.source, error.quote.destination);
                if says_why(error) && self.is_own(&key) {
                    self.shard.unreachable(error, when, config);
                }
            }
            Decoded::Udp(datagram) if self.index == 0 => {
                self.heard.extend(Heard::datagram(datagram, when.position, when.clock));
            }
            Decoded::Udp(_) | Decoded::Fragment(_) | Decoded::Other => {}
        }
    }

    /// Puts a fragment to the others of its datagram, which is taken if it is whole now.
    #[cold]
    fn fragment(&mut self, fragment: &Fragment<'_>, when: When, config: &Config) -> Result<(), Malformed> {
        if let Some(whole) = join(fragment, &mut self.fragments)? {
            self.take_other(&decode_reassembled(&whole)?, when, config);
        }
        Ok(())
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
