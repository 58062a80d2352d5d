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
mod books;
pub(crate) mod lookups;
pub(crate) mod losses;
pub(crate) mod outcome;
pub(crate) mod shard;
mod slab;
pub(crate) mod tally;
pub(crate) mod tracked;
pub(crate) mod watch;

use rayon::prelude::*;

use crate::config::Config;
use crate::fragments::Fragments;
use crate::inspect::batch::{Part, Straight, Traffic};
use crate::inspect::lookups::Lookups;
use crate::inspect::losses::Losses;
use crate::inspect::outcome::Outcome;
use crate::inspect::shard::{GivenUp, Shard, When};
use crate::inspect::tally::Tally;
use crate::lookup::Heard;
use crate::packet::Packet;
use crate::time::Timestamp;

/// Watches packets and judges the connections among them.
///
/// Feed with [`observe`](Self::observe) or [`observe_batch`](Self::observe_batch), in the order of the capture; end
/// with [`finish`](Self::finish). The result is a function of the packets and the [`Config`] alone.
#[derive(Debug)]
pub struct Inspector {
    pub(crate) config: Config,
    pub(crate) shards: Vec<Shard>,
    fragments: Fragments,
    traffic: Traffic,
    pub(crate) lookups: Lookups,
    /// What is known not to have been captured.
    pub(crate) losses: Losses,
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
    pub(crate) given_up: GivenUp,
    /// Connections that are only counted, as there was no room for more.
    pub(crate) left_out: u64,
    pub(crate) losses: Losses,
}

impl Inspector {
    /// Fewer packets than this are not worth waking another thread for.
    const WORTH_SPLITTING: usize = 256;

    /// An inspector with these settings.
    pub fn new(config: Config) -> Self {
        let shards = (0..config.shards.max(1)).map(|_| Shard::new(&config)).collect();
        let fragments = Fragments::new(config.limits.fragments);
        let (traffic, lookups, losses) = (Traffic::default(), Lookups::default(), Losses::default());
        Self { config, shards, fragments, traffic, lookups, losses }
    }

    /// Takes one packet. Whatever its bytes are, it is counted and the next one may come.
    pub fn observe(&mut self, packet: &Packet<'_>) {
        self.observe_batch(std::slice::from_ref(packet));
    }

    /// Takes packets in the order of the capture; runs on the current rayon pool where that pays.
    pub fn observe_batch(&mut self, packets: &[Packet<'_>]) {
        let start = When { position: self.traffic.packets, clock: self.traffic.clock() };
        let mut heard = match self.shards.as_mut_slice() {
            [shard] => {
                let Self { config, fragments, traffic, .. } = self;
                let mut straight =
                    Straight { shard, fragments, config, heard: Vec::new(), malformed: Vec::new() };
                batch::decode_all(packets, start, traffic, &mut straight);
                let Straight { heard, malformed, .. } = straight;
                malformed.into_iter().for_each(|reason| traffic.malformed(reason, 1));
                shard.look(traffic.clock(), config);
                shard.sweep(traffic.clock(), config);
                heard
            }
            _ => self.share_out(packets, start),
        };
        heard.extend(self.shards.iter_mut().flat_map(|shard| shard.heard.drain(..)));
        if !heard.is_empty() {
            self.lookups.observe(heard, &self.config);
        }
    }

    /// Decodes parts of the packets in parallel, then feeds the shards in parallel. Gives back what datagrams said.
    fn share_out(&mut self, packets: &[Packet<'_>], start: When) -> Vec<Heard> {
        let parts = if packets.len() < Self::WORTH_SPLITTING { 1 } else { rayon::current_num_threads() };
        let size = packets.len().div_ceil(parts).max(1);
        let mut starts = Vec::with_capacity(parts);
        let mut next = start;
        for chunk in packets.chunks(size) {
            starts.push((chunk, next));
            next.position += chunk.len() as u64;
            next.clock = chunk.iter().fold(next.clock, |clock, packet| clock.max(packet.time));
        }
        let shards = self.shards.len();
        let decode = |(chunk, start)| Part::decode(chunk, start, shards);
        let mut parts: Vec<Part<'_>> = if starts.len() == 1 {
            starts.into_iter().map(decode).collect()
        } else {
            starts.into_par_iter().map(decode).collect()
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
            shard.look(next.clock, config);
            shard.sweep(next.clock, config);
        };
        if parts.len() == 1 {
            self.shards.iter_mut().enumerate().for_each(feed);
        } else {
            self.shards.par_iter_mut().enumerate().for_each(feed);
        }
        parts.iter_mut().flat_map(|part| part.heard.drain(..)).collect()
    }

    /// No packet came up to `now`: time passes all the same. For those who capture and see a quiet wire.
    ///
    /// A packet that is older than `now` may still come; what is judged here because nothing came is judged without it.
    pub fn advance(&mut self, now: Timestamp) {
        let clock = self.traffic.clock().max(now);
        for shard in &mut self.shards {
            shard.look(clock, &self.config);
            shard.sweep(clock, &self.config);
        }
        self.lookups.advance(clock, &self.config);
    }

    /// So many packets were dropped before they could be observed, after `from` and up to `to`.
    ///
    /// Verdicts on what was open then say so, where a lost packet could explain them.
    pub fn lost(&mut self, packets: u64, from: Timestamp, to: Timestamp) {
        self.losses.add(packets, from, to);
    }

    /// How many connections are open.
    pub fn open_connections(&self) -> usize {
        self.shards.iter().map(Shard::open_connections).sum()
    }

    /// How many DNS lookups are over.
    pub fn lookups(&self) -> u64 {
        self.lookups.counted
    }

    /// How many connections and lookups were judged before they were over, because there were too many.
    pub fn given_up(&self) -> u64 {
        let connections =
            self.shards.iter().map(|shard| shard.given_up.connections + shard.given_up.openings);
        connections.sum::<u64>() + self.lookups.tracker.given_up
    }

    /// No packet follows: judges what is still open. What this shows can be [taken](Self::take_events) before
    /// [`finish`](Self::finish).
    pub fn close(&mut self) {
        let (config, clock) = (&self.config, self.traffic.clock());
        self.shards.par_iter_mut().for_each(|shard| shard.finish_all(clock, config));
        self.lookups.finish(clock, config);
    }

    /// No packet follows: judges what is still open.
    pub fn finish(mut self) -> Inspection {
        self.close();
        let config = &self.config;
        self.shards.iter_mut().for_each(|shard| shard.books.store_untold(config));
        self.lookups.store_all(config);
        let left_out = self.shards.iter().map(|shard| shard.books.left_out).sum();
        let mut outcomes = Vec::new();
        let mut tally = Tally::default();
        let (mut given_up, mut duplicates) = (GivenUp::default(), 0);
        for shard in self.shards {
            outcomes.extend(shard.books.finished);
            tally.merge(shard.books.tally);
            given_up += shard.given_up;
            duplicates += shard.books.duplicates;
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
            left_out,
            losses: self.losses,
        }
    }

    /// The latest time of all packets so far.
    pub fn clock(&self) -> Option<Timestamp> {
        self.traffic.last
    }
}

#[cfg(test)]
mod tests;
