//! Which packets to take: those of chosen connections, for as long as these lasted, and the frames that show what
//! happened.

use std::collections::{HashMap, HashSet};

use hookscope::FlowKey;
use hookscope::packet::{Frame, Moment, Packet};
use hookscope::time::Timestamp;

/// A connection whose packets are wanted.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The key of its packets; several, where address translation shows it under several.
    pub keys: Vec<FlowKey>,
    /// Its first packet.
    pub first: Moment,
    /// The time of its last packet; none where it may still have some.
    pub last: Option<Timestamp>,
    /// What to say of which of its packets.
    pub comments: Vec<(Frame, String)>,
}

/// Connections whose packets are wanted.
#[derive(Debug, Default)]
pub struct Selection {
    /// From when to when each key is wanted.
    spans: HashMap<FlowKey, Vec<(Moment, Option<Timestamp>)>>,
    /// Hashes of the keys, for those who know no more of a packet.
    hashes: HashSet<u64>,
    comments: HashMap<Frame, String>,
}

impl Selection {
    /// Adds a connection.
    pub fn add(&mut self, chosen: Chosen) {
        for key in chosen.keys {
            self.hashes.insert(key.hash());
            self.spans.entry(key).or_default().push((chosen.first, chosen.last));
        }
        for (frame, comment) in chosen.comments {
            let known = self.comments.entry(frame).or_default();
            if !known.is_empty() {
                known.push('\n');
            }
            known.push_str(&comment);
        }
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.comments.is_empty()
    }

    /// Whether a packet whose key has this hash may be wanted.
    pub fn may_want(&self, hash: u64, frame: Frame) -> bool {
        self.hashes.contains(&hash) || self.comments.contains_key(&frame)
    }

    /// Whether `packet` is wanted.
    pub fn wants(&self, packet: &Packet<'_>) -> bool {
        if self.comments.contains_key(&packet.frame) {
            return true;
        }
        let Some(spans) = packet.flow().and_then(|key| self.spans.get(&key)) else { return false };
        let at = Moment { time: packet.time, frame: packet.frame };
        let is_within = |(first, last): &(Moment, Option<Timestamp>)| {
            !at.is_before(*first) && last.is_none_or(|last| packet.time <= last)
        };
        spans.iter().any(is_within)
    }

    /// What is to be said of a packet.
    pub fn comment(&self, frame: Frame) -> Option<&str> {
        self.comments.get(&frame).map(String::as_str)
    }

    /// How many comments there are.
    pub fn comments(&self) -> usize {
        self.comments.len()
    }
}
