//! Places for connections, given out and taken back, with the times at which they are over apart: the search for those
//! reads one time after the other and leaves the connections alone.

use crate::time::Timestamp;

/// What the time of a place says that is free: it is never over.
const FREE: Timestamp = Timestamp::MAX;

/// Places that are numbered from 0 and used again.
#[derive(Debug)]
pub(super) struct Slab<T> {
    /// When the item in a place is over, unless something happens before.
    expires: Vec<Timestamp>,
    items: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { expires: Vec::new(), items: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Puts somewhere what `make` makes; `None` where there are 2^31 already. It is made where it is to lie: a connection
    /// is too large to be moved about.
    #[inline(always)]
    pub(super) fn insert(&mut self, expires: Timestamp, make: impl FnOnce() -> T) -> Option<u32> {
        let at = self.vacant()?;
        *self.expires.get_mut(at as usize)? = expires;
        self.items.get_mut(at as usize)?.get_or_insert_with(make);
        Some(at)
    }

    /// A place that is free.
    #[inline]
    fn vacant(&mut self) -> Option<u32> {
        if let Some(at) = self.free.pop() {
            return Some(at);
        }
        let at = u32::try_from(self.items.len()).ok().filter(|at| at >> 31 == 0)?;
        self.items.push(None);
        self.expires.push(FREE);
        Some(at)
    }

    #[inline]
    pub(super) fn get(&self, at: u32) -> Option<&T> {
        self.items.get(at as usize)?.as_ref()
    }

    /// The item in a place, and when it is over.
    #[inline]
    pub(super) fn get_mut(&mut self, at: u32) -> Option<(&mut T, &mut Timestamp)> {
        Some((self.items.get_mut(at as usize)?.as_mut()?, self.expires.get_mut(at as usize)?))
    }

    /// Drops the item in a place, where it lies.
    pub(super) fn clear(&mut self, at: u32) {
        if let (Some(item), Some(expires)) =
            (self.items.get_mut(at as usize), self.expires.get_mut(at as usize))
            && item.is_some()
        {
            *item = None;
            *expires = FREE;
            self.free.push(at);
        }
    }

    /// Takes an item out of its place.
    pub(super) fn remove(&mut self, at: u32) -> Option<T> {
        let item = self.items.get_mut(at as usize)?.take()?;
        *self.expires.get_mut(at as usize)? = FREE;
        self.free.push(at);
        Some(item)
    }

    /// How many items there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }

    /// How many places there are: all items are in those below.
    pub(super) fn places(&self) -> u32 {
        self.items.len() as u32
    }

    /// When the item in a place is over, if one is there.
    #[inline]
    pub(super) fn expires(&self, at: u32) -> Option<Timestamp> {
        self.get(at)?;
        self.expires.get(at as usize).copied()
    }

    /// The first place from `from` on whose item is over at `now`, and when that was.
    #[inline]
    pub(super) fn next_over(&self, from: u32, now: Timestamp) -> Option<(u32, Timestamp)> {
        let mut rest = (from..).zip(self.expires.get(from as usize..)?);
        rest.find(|(_, expires)| **expires <= now).map(|(at, expires)| (at, *expires))
    }

    /// The time up to which the last segments of the oldest eighth of all items lie, by what `clock` says of each and of
    /// when it is over.
    pub(super) fn oldest_eighth(&self, clock: impl Fn(&T, Timestamp) -> Timestamp) -> Timestamp {
        let taken = self.items.iter().zip(&self.expires);
        let clocks = taken.filter_map(|(item, expires)| Some(clock(item.as_ref()?, *expires)));
        let mut clocks: Vec<Timestamp> = clocks.collect();
        let rank = clocks.len() / 8;
        if clocks.is_empty() { Timestamp::MIN } else { *clocks.select_nth_unstable(rank).1 }
    }

    /// All places, those that are free as well, and when what is there is over.
    pub(super) fn places_mut(&mut self) -> impl Iterator<Item = (&mut Option<T>, Timestamp)> {
        self.items.iter_mut().zip(self.expires.iter().copied())
    }

    /// All items with their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(&self.items).filter_map(|(at, item)| Some((at, item.as_ref()?)))
    }
}
