//! Answers -> names of addresses: for connections whose packets say no name.
//!
//! An address may have several names, and one name after another. Of those that were looked up before a connection
//! the latest is most likely the one that it was opened for.

use std::collections::VecDeque;
use std::net::IpAddr;

use hashbrown::HashMap;

use crate::config::Limits;
use crate::flow::key::Keyed;

/// Names by address.
#[derive(Debug, Default)]
pub(crate) struct Learned(HashMap<IpAddr, VecDeque<Entry>, Keyed>);

#[derive(Debug)]
struct Entry {
    /// Position of the answer in the capture.
    position: u64,
    name: Box<str>,
}

impl Learned {
    /// How many changes of an address's name are remembered: the latest.
    const CHANGES: usize = 8;

    /// The answer at `position` gives these addresses to `name`.
    pub(crate) fn learn(&mut self, addresses: &[IpAddr], name: &str, position: u64, limits: &Limits) {
        for address in addresses {
            if self.0.len() >= limits.names && !self.0.contains_key(address) {
                continue;
            }
            let entries = self.0.entry(*address).or_default();
            if entries.back().is_some_and(|last| &*last.name == name) {
                continue;
            }
            if entries.len() >= Self::CHANGES {
                entries.pop_front();
            }
            entries.push_back(Entry { position, name: name.into() });
        }
    }

    /// The name that was given to `address` last, before `position`.
    pub(crate) fn name(&self, address: IpAddr, position: u64) -> Option<&str> {
        let entries = self.0.get(&address)?;
        entries.iter().rev().find(|entry| entry.position < position).map(|entry| &*entry.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_name_before_a_connection_counts() {
        let (mut learned, limits) = (Learned::default(), Limits::default());
        let address: IpAddr = "10.0.0.1".parse().unwrap();
        for (name, position) in [("a", 10), ("a", 20), ("b", 30)] {
            learned.learn(&[address], name, position, &limits);
        }
        assert_eq!(learned.name(address, 10), None);
        assert_eq!(learned.name(address, 25), Some("a"));
        assert_eq!(learned.name(address, u64::MAX), Some("b"));
    }

    #[test]
    fn memory_is_bounded() {
        let (mut learned, limits) = (Learned::default(), Limits { names: 1, ..Limits::default() });
        let [first, second] = ["10.0.0.1", "10.0.0.2"].map(|address| address.parse::<IpAddr>().unwrap());
        learned.learn(&[first, second], "a", 0, &limits);
        for position in 1..100 {
            learned.learn(&[first], &format!("a{position}"), position, &limits);
        }
        assert_eq!(learned.name(second, u64::MAX), None);
        assert_eq!(learned.name(first, u64::MAX), Some("a99"));
        assert_eq!(learned.0[&first].len(), Learned::CHANGES);
    }
}
