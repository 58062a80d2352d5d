//! Where a connection of a shard is, as the table of all of them keeps it.

/// Where a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing but its SYNs was seen.
    Opening(u32),
    /// More than that.
    Tracked(u32),
}

/// A connection in the table: one bit of its place and half of its hash in eight octets, for it is read on every packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) hash: u32,
    place: u32,
}

impl Entry {
    const OPENING: u32 = 1 << 31;

    pub(super) fn new(hash: u64, place: Place) -> Self {
        let place = match place {
            Place::Opening(at) => at | Self::OPENING,
            Place::Tracked(at) => at,
        };
        Self { hash: hash as u32, place }
    }

    #[inline]
    pub(super) const fn place(self) -> Place {
        if self.place & Self::OPENING == 0 {
            Place::Tracked(self.place)
        } else {
            Place::Opening(self.place & !Self::OPENING)
        }
    }

    /// The hash by which the table keeps an entry: all bits of its half, in both halves.
    #[inline]
    pub(super) const fn spread(hash: u32) -> u64 {
        (hash as u64) << 32 | hash as u64
    }
}
