//! Names and certificates that many connections share, kept once.
//!
//! The certificate of a server and the name by which it is called come again with every connection to it. What an
//! attacker makes up does not come again: past a bound, what no connection holds is let go.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use hashbrown::{HashSet, HashTable};

use crate::flow::key::Keyed;

/// What connections share.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    texts: HashTable<Arc<str>>,
    /// All octets that a connection holds are here, and some that none does any more.
    octets: HashSet<Arc<[u8]>, Keyed>,
    /// How many octets that is, and how many it may be.
    kept: usize,
    most: Option<usize>,
    /// Octets of all that came since what nobody holds was let go of, and how many may come until that is due.
    come: usize,
    due: usize,
    /// How many more octets are refused before it is looked again whether there are some to let go.
    patience: usize,
    /// How often octets were not kept.
    pub(crate) refused: u64,
}

impl Pool {
    /// One that keeps so many octets: those that a connection holds, too, wherever it is.
    pub(crate) fn bounded(most: usize) -> Self {
        Self { most: Some(most), ..Self::default() }
    }

    /// Octets that are kept for others to share, though nobody may hold them.
    const LIMIT: usize = 1 << 20;
    /// About what an entry costs beside its octets.
    const ENTRY: usize = 48;

    /// The text, shared with whoever asked for it before; nothing where the octets are none.
    pub(crate) fn text(&mut self, text: &[u8]) -> Option<Arc<str>> {
        fn hash(text: &[u8]) -> u64 {
            let mut hasher = Keyed.build_hasher();
            hasher.write(text);
            hasher.finish()
        }
        let hash_of = |text: &Arc<str>| hash(text.as_bytes());
        if let Some(known) = self.texts.find(hash(text), |known| known.as_bytes() == text) {
            return Some(Arc::clone(known));
        }
        let new: Arc<str> = std::str::from_utf8(text).ok()?.into();
        self.make_room(text.len());
        self.texts.insert_unique(hash(text), Arc::clone(&new), hash_of);
        Some(new)
    }

    /// The octets, shared with whoever asked for them before; nothing where there were too many.
    pub(crate) fn octets(&mut self, octets: &[u8]) -> Option<Arc<[u8]>> {
        if let Some(known) = self.octets.get(octets) {
            return Some(Arc::clone(known));
        }
        if !self.has_room(octets.len()) {
            self.refused += 1;
            return None;
        }
        self.make_room(octets.len());
        self.kept += octets.len();
        let new: Arc<[u8]> = octets.into();
        self.octets.insert(Arc::clone(&new));
        Some(new)
    }

    /// Whether so many octets may be kept; if that is what it takes, without some that nobody holds.
    fn has_room(&mut self, size: usize) -> bool {
        let Some(most) = self.most else { return true };
        if self.kept + size > most {
            // Who sends certificates without end is not to have all of them looked at each time.
            if self.patience > 0 {
                self.patience -= 1;
                return false;
            }
            let before = self.octets.len();
            self.let_go();
            let after = self.octets.len();
            self.patience = (after / 16).saturating_sub(before - after);
        }
        self.kept + size <= most
    }

    fn make_room(&mut self, size: usize) {
        self.come += size + Self::ENTRY;
        if self.come > Self::LIMIT.max(self.due) {
            self.texts.clear();
            self.let_go();
            self.come = size + Self::ENTRY;
            // The more has to be looked at, the less often.
            self.due = self.kept + self.octets.len() * Self::ENTRY;
        }
    }

    /// Lets go of octets that nobody holds.
    fn let_go(&mut self) {
        self.octets.retain(|octets| Arc::strong_count(octets) > 1);
        self.kept = self.octets.iter().map(|octets| octets.len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_is_shared() {
        let mut pool = Pool::default();
        let name = pool.text(b"hook.default.svc").unwrap();
        assert!(Arc::ptr_eq(&name, &pool.text(b"hook.default.svc").unwrap()));
        assert_eq!(pool.text(b"\xff"), None);
        assert!(Arc::ptr_eq(&pool.octets(&[1, 2]).unwrap(), &pool.octets(&[1, 2]).unwrap()));
        assert_eq!(pool.text(b"other.default.svc").as_deref(), Some("other.default.svc"));
    }

    #[test]
    fn past_its_bound_nothing_new_is_kept_until_something_is_let_go() {
        let mut pool = Pool::bounded(10);
        let first = pool.octets(&[1; 6]);
        assert!(first.is_some());
        assert!(pool.octets(&[2; 6]).is_none());
        assert!(pool.octets(&[1; 6]).is_some(), "it is there");
        let last = pool.octets(&[3; 4]);
        assert!(last.is_some());
        assert_eq!(pool.refused, 1);
        drop(first);
        assert!(pool.octets(&[2; 6]).is_some(), "there is room again");
        assert!(Arc::ptr_eq(&last.unwrap(), &pool.octets(&[3; 4]).unwrap()), "what is held stays");
        assert_eq!((pool.refused, pool.kept), (1, 10));
    }

    #[test]
    fn a_run_without_an_end_reads_certificates_to_its_end() {
        // Never more than 100 are held, which is half of what may be; far more come than there is ever room for.
        let mut pool = Pool::bounded(200 * 1_004);
        let mut held = std::collections::VecDeque::new();
        for number in 0_u32..20_000 {
            let octets = pool.octets(&[&number.to_be_bytes()[..], &[0; 1_000]].concat());
            held.push_back(octets.unwrap());
            if held.len() > 100 {
                held.pop_front();
            }
            assert!(pool.kept <= 200 * 1_004);
        }
        assert_eq!(pool.refused, 0);
    }

    #[test]
    fn what_is_held_counts_however_much_else_came() {
        let mut pool = Pool::bounded(3 << 20);
        let one = |number: u32| [&number.to_be_bytes()[..], &[0; 1_020]].concat();
        let held: Vec<_> = (0..10_000).filter_map(|number| pool.octets(&one(number))).collect();
        assert_eq!(held.len(), 3 << 10);
        assert!(Arc::ptr_eq(&held[0], &pool.octets(&one(0)).unwrap()), "it is shared still");
        drop(held);
        let again = (0..10_000).filter_map(|number| pool.octets(&one(number))).count();
        assert!(again > 9_000, "{again}");
    }

    #[test]
    fn what_never_comes_again_is_let_go() {
        let mut pool = Pool::default();
        for number in 0_u32..100_000 {
            pool.octets(&[&number.to_be_bytes()[..], &[0; 1_000]].concat());
            assert!(pool.come <= Pool::LIMIT && pool.octets.len() < 1_100);
        }
    }
}
