//! The engine: packets in, findings out. Connections are shared out among workers; the answer never depends on how.
//!
//! ```text
//!  packets --+--> worker 0: its own -> decode -> connections -> verdicts --+--> report
//!            +--> worker 1: its own -> decode -> connections -> verdicts --+
//! ```
//!
//! All packets of a connection meet at one worker, in the order of the capture. Time is the capture's own.
//! DNS messages, of datagrams as well as of streams, are put in that order again and tracked in one place.

mod books;
mod feed;
pub(crate) mod lookups;
pub(crate) mod losses;
pub(crate) mod outcome;
mod place;
pub(crate) mod shard;
mod slab;
pub(crate) mod tally;
pub(crate) mod tracked;
pub(crate) mod traffic;
pub(crate) mod watch;
pub(crate) mod worker;

use rayon::prelude::*;

use crate::config::Config;
use crate::inspect::books::keep_first;
use crate::inspect::lookups::Lookups;
use crate::inspect::losses::Losses;
use crate::inspect::outcome::Outcome;
use crate::inspect::shard::{GivenUp, When};
use crate::inspect::tally::Tally;
use crate::inspect::traffic::Traffic;
use crate::inspect::worker::Worker;
use crate::lookup::Heard;
use crate::packet::{Batch, Packet};
use crate::time::Timestamp;
use crate::wire::Malformed;

/// Watches packets and judges the connections among them.
///
/// Feed with [`observe`](Self::observe) or [`observe_batch`](Self::observe_batch), in the order of the capture; end
/// with [`finish`](Self::finish). The result is a function of the packets and the [`Config`] alone.
#[derive(Debug)]
pub struct Inspector {
    pub(crate) config: Config,
    pub(crate) workers: Vec<Worker>,
    pub(crate) traffic: Traffic,
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
    const WORTH_SHARING: usize = 256;

    /// How many batches are under way at once in [`observe_batches`](Self::observe_batches).
    const AHEAD: usize = 4;

    /// How many packets of an iterator are taken at once.
    const BATCH: usize = 4_096;

    /// An inspector with these settings.
    pub fn new(config: Config) -> Self {
        let count = config.shards.max(1);
        let workers = (0..).take(count).map(|index| Worker::new(index, count, &config)).collect();
        let (traffic, lookups, losses) = (Traffic::default(), Lookups::default(), Losses::default());
        Self { config, workers, traffic, lookups, losses }
    }

    /// Takes one packet. Whatever its bytes are, it is counted and the next one may come.
    pub fn observe(&mut self, packet: &Packet<'_>) {
        self.observe_batch(std::slice::from_ref(packet));
    }

    /// Takes packets in the order of the capture; runs on the current rayon pool where that pays.
    pub fn observe_batch(&mut self, packets: &[Packet<'_>]) {
        let Self { config, workers, traffic, lookups, .. } = self;
        let start = When { position: traffic.packets, clock: traffic.clock() };
        let observe = |worker: &mut Worker| {
            let mut malformed = Vec::new();
            worker.observe_packets(packets, start, config, &mut malformed);
            malformed
        };
        let malformed: Vec<Vec<Malformed>> = if workers.len() == 1 || packets.len() < Self::WORTH_SHARING {
            workers.iter_mut().map(observe).collect()
        } else {
            workers.par_iter_mut().map(observe).collect()
        };
        traffic.packets(packets.iter().copied());
        malformed.into_iter().flatten().for_each(|reason| traffic.malformed(reason, 1));
        let heard: Vec<Heard> = workers.iter_mut().flat_map(|worker| worker.heard.drain(..)).collect();
        if !heard.is_empty() {
            lookups.observe(heard, config);
        }
    }

    /// Takes all packets that `next` puts into the batch it is given, in the order of the capture, batch by batch, until it
    /// leaves one empty. The fastest way: the next batch is had while those before are looked at, on the threads of the
    /// current rayon pool.
    ///
    /// `next` is called by one thread at a time, which may be any of the pool's. The batch has no packets, but the memory
    /// of an earlier one. Half a megabyte is a good batch: more than what a thread spends on getting it, and within the
    /// cache of a core.
    pub fn observe_batches(&mut self, next: impl FnMut(&mut Batch) + Send) {
        feed::run(self, next);
    }

    /// No packet came up to `now`: time passes all the same. For those who capture and see a quiet wire.
    ///
    /// A packet that is older than `now` may still come; what is judged here because nothing came is judged without it.
    pub fn advance(&mut self, now: Timestamp) {
        let clock = self.traffic.clock().max(now);
        for Worker { shard, .. } in &mut self.workers {
            shard.look(clock, &self.config);
            shard.sweep(clock, usize::MAX, &self.config);
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
        self.workers.iter().map(|worker| worker.shard.open_connections()).sum()
    }

    /// How many DNS lookups are over.
    pub fn lookups(&self) -> u64 {
        self.lookups.counted
    }

    /// How many connections and lookups were judged before they were over, because there were too many.
    pub fn given_up(&self) -> u64 {
        let of = |worker: &Worker| worker.shard.given_up.connections + worker.shard.given_up.openings;
        self.workers.iter().map(of).sum::<u64>() + self.lookups.tracker.given_up
    }

    /// No packet follows: judges what is still open. What this shows can be [taken](Self::take_events) before
    /// [`finish`](Self::finish).
    pub fn close(&mut self) {
        let (config, clock) = (&self.config, self.traffic.clock());
        self.workers.par_iter_mut().for_each(|worker| worker.shard.finish_all(clock, config));
        self.lookups.finish(clock, config);
    }

    /// No packet follows: judges what is still open.
    pub fn finish(mut self) -> Inspection {
        self.close();
        let config = &self.config;
        self.workers.iter_mut().for_each(|worker| worker.shard.books.store_untold(config));
        self.lookups.store_all(config);
        let mut outcomes = Vec::new();
        let mut tally = Tally::bounded(config.limits.servers);
        let (mut given_up, mut duplicates, mut left_out) = (GivenUp::default(), 0, 0);
        for Worker { shard, .. } in self.workers {
            given_up += shard.given_up;
            given_up += shard.books.not_kept();
            outcomes.extend(shard.books.finished);
            tally.merge(shard.books.tally);
            duplicates += shard.books.duplicates;
            left_out += shard.books.left_out;
        }
        left_out += keep_first(&mut outcomes, self.config.limits.kept);
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

/// Takes packets in the order of the capture, from anything that iterates over them.
impl<'a> Extend<Packet<'a>> for Inspector {
    fn extend<T: IntoIterator<Item = Packet<'a>>>(&mut self, packets: T) {
        let mut packets = packets.into_iter();
        let mut batch = Vec::with_capacity(Self::BATCH);
        loop {
            batch.clear();
            batch.extend(packets.by_ref().take(Self::BATCH));
            if batch.is_empty() {
                return;
            }
            self.observe_batch(&batch);
        }
    }
}

#[cfg(test)]
mod tests;
