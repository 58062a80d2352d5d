//! A cursor over big-endian bytes that never reads past their end.

/// Reads fields off the front of a slice; `None` where it is too short, and then nothing is consumed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `N` octets.
    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    /// The next octet.
    #[inline]
    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// The next two octets as a number.
    #[inline]
    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// The next three octets as a number.
    #[inline]
    pub(crate) fn u24(&mut self) -> Option<u32> {
        self.array().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    /// The next `length` octets.
    #[inline]
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// A vector with one octet of length before it.
    #[inline]
    pub(crate) fn vector8(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = ahead.u8()?;
        let taken = ahead.take(length.into())?;
        *self = ahead;
        Some(taken)
    }

    /// A vector with two octets of length before it.
    #[inline]
    pub(crate) fn vector16(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = ahead.u16()?;
        let taken = ahead.take(length.into())?;
        *self = ahead;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fields_in_order_and_stops_at_the_end() {
        let mut reader = Reader(&[1, 0, 2, 0, 0, 3, 2, b'a', b'b', 9]);
        assert_eq!((reader.u8(), reader.u16(), reader.u24()), (Some(1), Some(2), Some(3)));
        assert_eq!(reader.vector8(), Some(&b"ab"[..]));
        assert_eq!(reader.u16(), None);
        assert_eq!(reader.0, &[9]);
    }

    #[test]
    fn a_vector_that_lies_about_its_length_consumes_nothing() {
        let mut reader = Reader(&[5, 1, 2]);
        assert_eq!(reader.vector8(), None);
        assert_eq!(reader.vector16(), None);
        assert_eq!(reader.0, &[5, 1, 2]);
    }
}
