//! Names and certificates that many connections share, kept once.
//!
//! The certificate of a server and the name by which it is called come again with every connection to it. What an
//! attacker makes up does not come again: past a bound all is let go, and what connections hold stays theirs.

use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashSet;

/// What connections share.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    texts: HashSet<Arc<str>, FixedState>,
    octets: HashSet<Arc<[u8]>, FixedState>,
    /// Octets of all that is kept.
    size: usize,
}

impl Pool {
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

    /// The octets, shared with whoever asked for them before.
    pub(crate) fn octets(&mut self, octets: &[u8]) -> Arc<[u8]> {
        if let Some(known) = self.octets.get(octets) {
            return Arc::clone(known);
        }
        self.make_room(octets.len());
        let new: Arc<[u8]> = octets.into();
        self.octets.insert(Arc::clone(&new));
        new
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
        assert!(Arc::ptr_eq(&pool.octets(&[1, 2]), &pool.octets(&[1, 2])));
        assert_eq!(&*pool.text("other.default.svc"), "other.default.svc");
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
