//! The rest of a packet below a stripped header -> its captured bytes, and how many there were on the wire.
//!
//! Every layer of the walk takes a [`Body`] and hands on a smaller one. The two lengths differ where the snap
//! length cut the packet; headers need captured bytes, lengths are those of the wire.

/// What is left of a packet after its outer headers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body<'a> {
    /// The captured bytes, never more than `len`.
    pub(super) captured: &'a [u8],
    /// How many bytes there were on the wire.
    pub(super) len: u32,
}

impl<'a> Body<'a> {
    /// `captured` of `wire_len` bytes. A capture file may claim less than it holds: bytes that are there count.
    #[inline]
    pub(super) fn new(captured: &'a [u8], wire_len: u32) -> Self {
        Self { captured, len: wire_len.max(captured.len() as u32) }
    }

    /// The first `N` bytes and what follows them; `None` where not all of them were captured.
    #[inline]
    pub(super) fn split<const N: usize>(self) -> Option<(&'a [u8; N], Self)> {
        let (header, captured) = self.captured.split_first_chunk::<N>()?;
        Some((header, Self { captured, len: self.len.saturating_sub(N as u32) }))
    }

    /// What follows the first `count` bytes; `None` where not all of them were captured.
    #[inline]
    pub(super) fn skip(self, count: u32) -> Option<Self> {
        let captured = self.captured.get(count as usize..)?;
        Some(Self { captured, len: self.len.saturating_sub(count) })
    }

    /// The first `len` bytes: cuts off link-layer padding and trailers.
    ///
    /// A length beyond the end is believed, because some writers store the cut length as the packet's own.
    #[inline]
    pub(super) fn limit(self, len: u32) -> Self {
        Self { captured: self.captured.get(..len as usize).unwrap_or(self.captured), len }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lengths_shrink_together() {
        let (head, rest) = Body::new(&[1, 2, 3, 4, 5], 9).split::<2>().unwrap();
        assert_eq!((head, rest.captured, rest.len), (&[1, 2], &[3, 4, 5][..], 7));
        let rest = rest.skip(1).unwrap();
        assert_eq!((rest.captured, rest.len), (&[4, 5][..], 6));
        assert!(rest.skip(3).is_none() && rest.split::<3>().is_none());
    }

    #[test]
    fn a_limit_cuts_padding_and_believes_lengths_beyond_the_end() {
        let body = Body::new(&[1, 2, 3], 3);
        assert_eq!((body.limit(2).captured, body.limit(2).len), (&[1, 2][..], 2));
        assert_eq!((body.limit(7).captured, body.limit(7).len), (&[1, 2, 3][..], 7));
    }

    #[test]
    fn bytes_that_are_there_count_whatever_the_file_says() {
        assert_eq!(Body::new(&[0; 8], 0).len, 8);
    }
}
