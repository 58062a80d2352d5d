//! Hellos and certificates that many connections share, kept once.
//!
//! The certificate of a server and what is said to it in the clear come again with every connection to it. What an
//! attacker makes up does not come again: past a bound, what no connection holds is let go.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{HashSet, HashTable};

use crate::flow::key::Keyed;
use crate::side::Side;
use crate::tls::hello::{ClientHello, ServerHello};
use crate::tls::session::{Chosen, Offered};

/// What connections share.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    offered: HashTable<Arc<Offered>>,
    chosen: HashTable<Arc<Chosen>>,
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

    /// What a ClientHello of this side says, shared with whoever heard it before.
    pub(crate) fn offered(&mut self, from: Side, hello: &ClientHello<'_>) -> Arc<Offered> {
        let hash = Keyed.hash_one(hello);
        let known = self.offered.find(hash, |known| known.from == from && known.hello() == *hello);
        if let Some(known) = known {
            return Arc::clone(known);
        }
        let octets = |text: Option<&[u8]>| text.map_or(0, <[u8]>::len);
        self.make_room(size_of::<Offered>() + octets(hello.server_name) + octets(hello.protocol));
        let new = Arc::new(Offered::of(from, hello));
        self.offered.insert_unique(hash, Arc::clone(&new), |known| Keyed.hash_one(known.hello()));
        new
    }

    /// What a ServerHello says, shared with whoever heard it before.
    pub(crate) fn chosen(&mut self, hello: &ServerHello<'_>) -> Arc<Chosen> {
        let hash = Keyed.hash_one(hello);
        if let Some(known) = self.chosen.find(hash, |known| known.hello() == *hello) {
            return Arc::clone(known);
        }
        self.make_room(size_of::<Chosen>() + hello.protocol.map_or(0, <[u8]>::len));
        let new = Arc::new(Chosen::of(hello));
        self.chosen.insert_unique(hash, Arc::clone(&new), |known| Keyed.hash_one(known.hello()));
        new
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
            self.offered.clear();
            self.chosen.clear();
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
    use crate::tls::codes::{CipherSuite, Version};

    #[test]
    fn what_comes_again_is_shared() {
        let mut pool = Pool::default();
        let hello = |name: &'static str| ClientHello {
            version: Version(0x0304),
            server_name: Some(name.as_bytes()),
            protocol: Some(b"http/1.1"),
            offers_http2: false,
        };
        let one = pool.offered(Side::Client, &hello("hook.default.svc"));
        assert!(Arc::ptr_eq(&one, &pool.offered(Side::Client, &hello("hook.default.svc"))));
        assert_eq!(one.hello(), hello("hook.default.svc"));
        assert!(!Arc::ptr_eq(&one, &pool.offered(Side::Server, &hello("hook.default.svc"))));
        assert!(!Arc::ptr_eq(&one, &pool.offered(Side::Client, &hello("other.default.svc"))));
        let hello = |protocol: Option<&'static [u8]>| ServerHello {
            version: Version(0x0303),
            cipher: CipherSuite(0xc02b),
            protocol,
        };
        let one = pool.chosen(&hello(Some(b"http/1.1")));
        assert!(Arc::ptr_eq(&one, &pool.chosen(&hello(Some(b"http/1.1")))));
        assert_eq!(pool.chosen(&hello(None)).hello(), hello(None));
        assert!(Arc::ptr_eq(&pool.octets(&[1, 2]).unwrap(), &pool.octets(&[1, 2]).unwrap()));
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
