//! Packets -> the connections of one part: decodes all packets of a run, and takes those that are its own.
//!
//! Each worker looks at every packet, and decodes its own and those that a glance does not tell. That takes less time than
//! to decode all once and to hand them over: what one core has just written is the slowest that another can read, and a
//! packet's bytes are in the cache of both.

use std::cmp::Ordering;

use crate::config::Config;
use crate::flow::key::{Endpoint, FlowKey};
use crate::fragments::Fragments;
use crate::inspect::shard::{Shard, When};
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
    /// Whose each packet is, as far as a glance shows it; empty where there is one worker.
    pub(crate) owners: Vec<Owner>,
    /// Where and when the first packet stands.
    pub(crate) start: When,
}

impl Default for Portion {
    fn default() -> Self {
        let start = When { position: 0, clock: Timestamp::MIN };
        Self { batch: Batch::default(), owners: Vec::new(), start }
    }
}

/// The number of a worker.
pub(crate) type Owner = u32;

/// Where a glance does not tell whose a packet is.
const UNKNOWN: Owner = Owner::MAX;

/// Which of so many workers has the connection of a packet, where a glance at the packet shows that: most are decoded
/// once.
#[inline]
pub(crate) fn owner(packet: &Packet<'_>, workers: usize) -> Owner {
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
    /// The `index`-th of so many workers.
    pub(crate) fn new(index: Owner, workers: usize, config: &Config) -> Self {
        let fragments = Fragments::new(config.limits.fragments);
        Self { shard: Shard::new(config), fragments, index, workers, heard: Vec::new() }
    }

    /// Takes its own packets. Of those that cannot be decoded it notes its own, and the first worker those of which nobody
    /// can say whose they are.
    pub(crate) fn observe(&mut self, portion: &Portion, config: &Config, malformed: &mut Vec<Malformed>) {
        let Portion { batch, owners, start } = portion;
        if owners.is_empty() {
            self.take_own(batch.packets().map(|packet| (packet, UNKNOWN)), *start, config, malformed);
        } else {
            self.take_own(batch.packets().zip(owners.iter().copied()), *start, config, malformed);
        }
    }

    /// Does it for packets with their owners.
    #[inline]
    pub(crate) fn take_own<'p>(
        &mut self,
        packets: impl Iterator<Item = (Packet<'p>, Owner)>,
        start: When,
        config: &Config,
        malformed: &mut Vec<Malformed>,
    ) {
        let mut clock = start.clock;
        for (position, (packet, owner)) in (start.position..).zip(packets) {
            clock = clock.max(packet.time);
            if owner != UNKNOWN && owner != self.index {
                continue;
            }
            let when = When { position, clock };
            let taken = match decode(&packet) {
                Ok(Decoded::Tcp(segment)) => {
                    self.segment(&segment, when, config);
                    Ok(())
                }
                Ok(Decoded::Other) => Ok(()),
                Ok(Decoded::Fragment(fragment)) => self.fragment(&fragment, when, config),
                Ok(other) => {
                    self.take(&other, when, config);
                    Ok(())
                }
                Err(reason) => Err(reason),
            };
            if let Err(reason) = taken
                && (owner == self.index || self.index == 0)
            {
                malformed.push(reason);
            }
        }
        self.shard.sweep(clock, config);
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
    fn take(&mut self, decoded: &Decoded<'_>, when: When, config: &Config) {
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
            self.take(&decode_reassembled(&whole)?, when, config);
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
