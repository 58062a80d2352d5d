//! Who plays which story when: the packets of many connections in time order.

use hookscope_testkit::Rng;
use hookscope_testkit::story::{Cast, Step, Story};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// 2025-06-01: the time of the first packet.
const EPOCH_NS: i64 = 1_748_736_000_000_000_000;
/// How long a client thinks between two calls.
const PAUSE_NS: i64 = 5_000_000;
const CLIENTS: u64 = 1_024;
const CLIENT_NET: u32 = 0x0a80_0000;
const SERVER_NET: u32 = 0x0af4_0000;
const FIRST_PORT: u64 = 32_768;
const SERVERS_PER_STORY: usize = 3;

/// What is to be played.
pub(crate) struct Plan {
    pub(crate) healthy: Vec<Story>,
    pub(crate) failing: Vec<Story>,
    pub(crate) failing_percent: usize,
    /// How often each connection's last exchange is played.
    pub(crate) rounds: u32,
}

/// A story that is being played.
struct Player {
    due_ns: i64,
    /// Tells packets of one instant apart.
    number: u64,
    story: usize,
    step: usize,
    round: u32,
    cast: Cast,
}

/// All stories under way.
pub(crate) struct Stage {
    stories: Vec<Story>,
    healthy: usize,
    failing_percent: usize,
    rounds: u32,
    gap_ns: u64,
    rng: Rng,
    players: BinaryHeap<Reverse<Player>>,
    next_start_ns: i64,
    opened: u64,
    planned: u64,
}

impl Plan {
    /// Makes each connection about `packets` long by playing its exchange again and again.
    pub(crate) fn repeat(&mut self, packets: u64) -> Result<(), String> {
        let stories = self.healthy.iter().chain(&self.failing);
        let lengths: Option<Vec<usize>> =
            stories.map(|story| Some(story.exchange.as_ref()?.steps.len())).collect();
        let lengths = lengths.ok_or("a connection without answered request has nothing to repeat")?;
        let length = (lengths.iter().sum::<usize>() / lengths.len().max(1)).max(1) as u64;
        self.rounds = u32::try_from(packets / length).map_err(|_| "too many calls for a connection")?.max(1);
        Ok(())
    }

    /// Leaves only the first packets of each story.
    pub(crate) fn cut_after(&mut self, packets: usize) {
        for story in self.healthy.iter_mut().chain(&mut self.failing) {
            story.steps.truncate(packets);
            story.exchange = None;
        }
    }
}

impl Stage {
    /// Opens `rate` connections a second, on average.
    pub(crate) fn new(plan: Plan, rate: u64, seed: u64) -> Self {
        let healthy = plan.healthy.len();
        Self {
            stories: [plan.healthy, plan.failing].concat(),
            healthy,
            failing_percent: plan.failing_percent,
            rounds: plan.rounds,
            gap_ns: 1_000_000_000 / rate,
            rng: Rng::new(seed),
            players: BinaryHeap::new(),
            next_start_ns: EPOCH_NS,
            opened: 0,
            planned: 0,
        }
    }

    /// How many connections were opened.
    pub(crate) fn opened(&self) -> u64 {
        self.opened
    }

    /// The next packet; nothing once so many packets or connections were begun, and all of these have ended.
    pub(crate) fn next(&mut self, packets: u64, connections: u64) -> Option<(i64, &Step, Cast)> {
        while self.planned < packets
            && self.opened < connections
            && self.players.peek().is_none_or(|Reverse(player)| self.next_start_ns <= player.due_ns)
        {
            self.open();
        }
        let mut first = self.players.peek_mut()?;
        let Reverse(player) = &mut *first;
        let (due_ns, at, cast) = (player.due_ns, player.step, player.cast);
        let story = &self.stories[player.story];
        if !player.advance(story, self.rounds) {
            PeekMut::pop(first);
        }
        Some((due_ns, &story.steps[at], cast))
    }

    fn open(&mut self) {
        let story = if self.rng.below(100) < self.failing_percent {
            self.healthy + self.rng.below(self.stories.len() - self.healthy)
        } else {
            self.rng.below(self.healthy)
        };
        let server = story * SERVERS_PER_STORY + self.rng.below(SERVERS_PER_STORY);
        let number = self.opened;
        let cast = Cast {
            client: CLIENT_NET + (number % CLIENTS) as u32,
            client_port: (FIRST_PORT + number / CLIENTS % (65_536 - FIRST_PORT)) as u16,
            server: SERVER_NET + ((server as u32 / 16) << 8) + server as u32 % 16 + 2,
            client_seq: self.rng.next_u64() as u32,
            server_seq: self.rng.next_u64() as u32,
            clock_ms: self.rng.next_u64() as u32,
            ident: self.rng.next_u64() as u16,
        };
        let due_ns = self.next_start_ns;
        self.players.push(Reverse(Player { due_ns, number, story, step: 0, round: 0, cast }));
        let story = &self.stories[story];
        let repeated = story.exchange.as_ref().map_or(0, |exchange| exchange.steps.len() as u64);
        self.opened += 1;
        self.planned += story.steps.len() as u64 + u64::from(self.rounds - 1) * repeated;
        self.next_start_ns += 1 + (self.rng.next_u64() % (2 * self.gap_ns)) as i64;
    }
}

impl Player {
    /// Goes on to the next packet, if there is one.
    fn advance(&mut self, story: &Story, rounds: u32) -> bool {
        if let Some(exchange) = &story.exchange
            && self.step + 1 == exchange.steps.end
            && self.round + 1 < rounds
        {
            let period_ns = exchange.takes_ns + PAUSE_NS;
            self.due_ns += PAUSE_NS;
            self.step = exchange.steps.start;
            self.round += 1;
            self.cast.client_seq = self.cast.client_seq.wrapping_add(exchange.client_octets);
            self.cast.server_seq = self.cast.server_seq.wrapping_add(exchange.server_octets);
            self.cast.clock_ms = self.cast.clock_ms.wrapping_add((period_ns / 1_000_000) as u32);
            self.cast.ident = self.cast.ident.wrapping_add(exchange.steps.len() as u16);
            return true;
        }
        let Some(next) = story.steps.get(self.step + 1) else { return false };
        self.due_ns += next.offset_ns - story.steps[self.step].offset_ns;
        self.step += 1;
        true
    }
}

impl Ord for Player {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due_ns, self.number).cmp(&(other.due_ns, other.number))
    }
}

impl PartialOrd for Player {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Player {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Player {}
