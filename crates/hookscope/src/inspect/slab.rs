//! Places for connections, given out and taken back, with their times apart: the search for those that are over reads
//! one time after the other and leaves the connections alone.

use crate::time::Timestamp;

/// When something happened to a connection, and how long it may be quiet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// The capture's clock at its last segment.
    pub(super) clock: Timestamp,
    /// When it is over, unless something happens before.
    pub(super) expires: Timestamp,
}

impl Times {
    /// Those of a place that is free: before any time that a packet can bear.
    const FREE: Self = Self { clock: Timestamp::MIN, expires: Timestamp::MIN };
}

/// Places that are numbered from 0 and used again.
#[derive(Debug)]
pub(super) struct Slab<T> {
    times: Vec<Times>,
    items: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { times: Vec::new(), items: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Puts `item` somewhere, whose times are to be set next; `None` where there are 2^31 already. It goes straight into
    /// its place: a connection is too large to be moved about.
    #[inline(always)]
    pub(super) fn insert(&mut self, item: T) -> Option<u32> {
        let at = self.vacant()?;
        *self.items.get_mut(at as usize)? = Some(item);
        Some(at)
    }

    /// A place that is free.
    fn vacant(&mut self) -> Option<u32> {
        if let Some(at) = self.free.pop() {
            return Some(at);
        }
        let at = u32::try_from(self.items.len()).ok().filter(|at| at >> 31 == 0)?;
        self.items.push(None);
        self.times.push(Times::FREE);
        Some(at)
    }

    #[inline]
    pub(super) fn get(&self, at: u32) -> Option<&T> {
        self.items.get(at as usize)?.as_ref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: u32) -> Option<(&mut T, &mut Times)> {
        Some((self.items.get_mut(at as usize)?.as_mut()?, self.times.get_mut(at as usize)?))
    }

    /// Drops the item in a place, where it lies.
    pub(super) fn clear(&mut self, at: u32) {
        if let (Some(item), Some(times)) = (self.items.get_mut(at as usize), self.times.get_mut(at as usize))
            && item.is_some()
        {
            *item = None;
            *times = Times::FREE;
            self.free.push(at);
        }
    }

    /// Takes an item out of its place.
    pub(super) fn remove(&mut self, at: u32) -> Option<T> {
        let item = self.items.get_mut(at as usize)?.take()?;
        *self.times.get_mut(at as usize)? = Times::FREE;
        self.free.push(at);
        Some(item)
    }

    /// How many items there are.
    pub(super) fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }

    /// How many places there are: all items are in those below.
    pub(super) fn places(&self) -> u32 {
        self.items.len() as u32
    }

    /// The times of the item in a place, if one is there.
    #[inline]
    pub(super) fn times(&self, at: u32) -> Option<Times> {
        self.times.get(at as usize).copied().filter(|times| times.expires != Timestamp::MIN)
    }

    /// The time up to which the last segments of the oldest eighth of all items lie.
    pub(super) fn oldest_eighth(&self) -> Timestamp {
        let taken = self.times.iter().filter(|times| times.expires != Timestamp::MIN);
        let mut clocks: Vec<Timestamp> = taken.map(|times| times.clock).collect();
        let rank = clocks.len() / 8;
        if clocks.is_empty() { Timestamp::MIN } else { *clocks.select_nth_unstable(rank).1 }
    }

    /// All places, those that are free as well, with their times.
    pub(super) fn places_mut(&mut self) -> impl Iterator<Item = (&mut Option<T>, Times)> {
        self.items.iter_mut().zip(self.times.iter().copied())
    }

    /// All items with their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(&self.items).filter_map(|(at, item)| Some((at, item.as_ref()?)))
    }
}
