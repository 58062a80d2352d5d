//! The engine: packets in, findings out. Decoding and connections run in parallel; the answer never depends on how.
//!
//! ```text
//!  packets --> decode (any thread) --> by key --> shard 0: connections --> verdicts --+--> report
//!                                             +-> shard 1: connections --> verdicts --+
//! ```
//!
//! All packets of a connection meet in one shard, in the order of the capture. Time is the capture's own.
//! DNS messages, of datagrams as well as of shards' streams, are put in that order again and tracked in one place.

mod batch;
pub(crate) mod lookups;
pub(crate) mod outcome;
mod shard;
pub(crate) mod tally;
mod tracked;

use rayon::prelude::*;

use crate::config::Config;
use crate::diagnosis::verdict::Severity;
use crate::fragments::Fragments;
use crate::inspect::batch::{Part, Traffic};
use crate::inspect::lookups::Lookups;
use crate::inspect::outcome::Outcome;
use crate::inspect::shard::Shard;
use crate::inspect::tally::Tally;
use crate::packet::Packet;
use crate::time::Timestamp;

/// Watches packets and judges the connections among them.
///
/// Feed with [`observe`](Self::observe) or [`observe_batch`](Self::observe_batch), in the order of the capture; end
/// with [`finish`](Self::finish). The result is a function of the packets and the [`Config`] alone.
#[derive(Debug)]
pub struct Inspector {
    config: Config,
    shards: Vec<Shard>,
    fragments: Fragments,
    traffic: Traffic,
    lookups: Lookups,
}

/// All that an [`Inspector`] found.
#[derive(Debug)]
pub struct Inspection {
    pub(crate) config: Config,
    pub(crate) traffic: Traffic,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) tally: Tally,
    pub(crate) lookups: Lookups,
    pub(crate) duplicates: u64,
    pub(crate) given_up: u64,
}

impl Inspection {
    /// Whether a connection that was kept is one of those that are to be reported one by one.
    pub(crate) fn is_listed(&self, outcome: &Outcome) -> bool {
        self.config.keep.wants(outcome.severity() != Severity::Ok)
    }
}

impl Inspector {
    /// Fewer packets than this are not worth waking another thread for.
    const WORTH_SPLITTING: usize = 256;

    /// An inspector with these settings.
    pub fn new(config: Config) -> Self {
        let shards = (0..config.shards.max(1)).map(|_| Shard::default()).collect();
        let fragments = Fragments::new(config.limits.fragments);
        Self { config, shards, fragments, traffic: Traffic::default(), lookups: Lookups::default() }
    }

    /// Takes one packet. Whatever its bytes are, it is counted and the next one may come.
    pub fn observe(&mut self, packet: &Packet<'_>) {
        self.observe_batch(std::slice::from_ref(packet));
    }

    /// Takes packets in the order of the capture; runs on the current rayon pool where that pays.
    pub fn observe_batch(&mut self, packets: &[Packet<'_>]) {
        let parts = if packets.len() < Self::WORTH_SPLITTING { 1 } else { rayon::current_num_threads() };
        let size = packets.len().div_ceil(parts).max(1);
        let mut starts = Vec::with_capacity(parts);
        let (mut position, mut clock) = (self.traffic.packets, self.traffic.clock());
        for chunk in packets.chunks(size) {
            starts.push((chunk, position, clock));
            position += chunk.len() as u64;
            clock = chunk.iter().fold(clock, |clock, packet| clock.max(packet.time));
        }
        let shards = self.shards.len();
        let mut parts: Vec<Part<'_>> = if starts.len() == 1 {
            starts
                .into_iter()
                .map(|(chunk, position, clock)| Part::decode(chunk, position, clock, shards))
                .collect()
        } else {
            starts
                .into_par_iter()
                .map(|(chunk, position, clock)| Part::decode(chunk, position, clock, shards))
                .collect()
        };
        for part in &mut parts {
            self.traffic.add(&part.traffic);
        }
        let wholes = batch::reassemble(&parts, &mut self.fragments, &mut self.traffic);
        batch::insert_wholes(&mut parts, &wholes, &mut self.traffic);
        let config = &self.config;
        let feed = |(index, shard): (usize, &mut Shard)| {
            for part in &parts {
                for item in part.of_shard(index) {
                    shard.observe(item, config);
                }
            }
            shard.sweep(clock, config);
        };
        if parts.len() == 1 {
            self.shards.iter_mut().enumerate().for_each(feed);
        } else {
            self.shards.par_iter_mut().enumerate().for_each(feed);
        }
        let in_streams = self.shards.iter_mut().flat_map(|shard| shard.heard.drain(..));
        let heard = parts.iter_mut().flat_map(|part| part.heard.drain(..)).chain(in_streams).collect();
        self.lookups.observe(heard, config);
    }

    /// No packet follows: judges what is still open.
    pub fn finish(mut self) -> Inspection {
        let (config, clock) = (&self.config, self.traffic.clock());
        self.shards.par_iter_mut().for_each(|shard| shard.finish_all(clock, config));
        self.lookups.finish(clock, config);
        let mut outcomes = Vec::new();
        let mut tally = Tally::default();
        let (mut given_up, mut duplicates) = (0, 0);
        for shard in self.shards {
            outcomes.extend(shard.finished);
            tally.merge(shard.tally);
            given_up += shard.given_up;
            duplicates += shard.duplicates;
        }
        outcomes.sort_by_key(|outcome| outcome.connection.id);
        Inspection {
            config: self.config,
            traffic: self.traffic,
            outcomes,
            tally,
            lookups: self.lookups,
            duplicates,
            given_up,
        }
    }

    /// The latest time of all packets so far.
    pub fn clock(&self) -> Option<Timestamp> {
        self.traffic.last
    }
}

#[cfg(test)]
mod tests;
