//! Names and certificates that many connections share, kept once.
//!
//! The certificate of a server and the name by which it is called come again with every connection to it. What an
//! attacker makes up does not come again: past a bound all is let go, and what connections hold stays theirs.

use std::sync::Arc;

use hashbrown::HashSet;

use crate::flow::key::Keyed;

/// What connections share.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    texts: HashSet<Arc<str>, Keyed>,
    octets: HashSet<Arc<[u8]>, Keyed>,
    /// Octets of all that is kept.
    size: usize,
    /// Octets that were ever kept, and how many they may be.
    ever: usize,
    most: Option<usize>,
    /// How often octets were not kept.
    pub(crate) refused: u64,
}

impl Pool {
    /// One that keeps so many octets in all its life: what it let go of may still be held by connections.
    pub(crate) fn bounded(most: usize) -> Self {
        Self { most: Some(most), ..Self::default() }
    }

    /// Octets that are kept for others to share.
    const LIMIT: usize = 1 << 20;

    /// The text, shared with whoever asked for it before.
    pub(crate) fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        self.make_room(text.len());
        let new: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&new));
        new
    }

    /// The octets, shared with whoever asked for them before; nothing where there were too many.
    pub(crate) fn octets(&mut self, octets: &[u8]) -> Option<Arc<[u8]>> {
        if let Some(known) = self.octets.get(octets) {
            return Some(Arc::clone(known));
        }
        self.ever += octets.len();
        if self.most.is_some_and(|most| self.ever > most) {
            self.refused += 1;
            self.ever -= octets.len();
            return None;
        }
        self.make_room(octets.len());
        let new: Arc<[u8]> = octets.into();
        self.octets.insert(Arc::clone(&new));
        Some(new)
    }

    fn make_room(&mut self, size: usize) {
        /// About what an entry costs beside its octets.
        const ENTRY: usize = 48;
        self.size += size + ENTRY;
        if self.size > Self::LIMIT {
            self.size = size + ENTRY;
            self.texts.clear();
            self.octets.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_is_shared() {
        let mut pool = Pool::default();
        assert!(Arc::ptr_eq(&pool.text("hook.default.svc"), &pool.text("hook.default.svc")));
        assert!(Arc::ptr_eq(&pool.octets(&[1, 2]).unwrap(), &pool.octets(&[1, 2]).unwrap()));
        assert_eq!(&*pool.text("other.default.svc"), "other.default.svc");
    }

    #[test]
    fn past_its_bound_nothing_new_is_kept() {
        let mut pool = Pool::bounded(10);
        assert!(pool.octets(&[1; 6]).is_some());
        assert!(pool.octets(&[2; 6]).is_none());
        assert!(pool.octets(&[1; 6]).is_some(), "it is there");
        assert!(pool.octets(&[3; 4]).is_some());
        assert_eq!(pool.refused, 1);
    }

    #[test]
    fn what_never_comes_again_is_let_go() {
        let mut pool = Pool::default();
        for number in 0_u32..100_000 {
            pool.octets(&[&number.to_be_bytes()[..], &[0; 1_000]].concat());
            assert!(pool.size <= Pool::LIMIT && pool.octets.len() < 1_100);
        }
    }
}
