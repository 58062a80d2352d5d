//! Turns bytes into numbers in the byte order of the machine that wrote them.
//!
//! Does not look at what the numbers mean.

/// Reads numbers in one byte order; `BIG` is known where the code is compiled, so that reading costs one load.
pub(super) struct Order<const BIG: bool>;

impl<const BIG: bool> Order<BIG> {
    /// The 32-bit number in these bytes.
    #[inline(always)]
    pub(super) const fn u32(bytes: [u8; 4]) -> u32 {
        if BIG { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    /// The 16-bit number in these bytes.
    #[inline(always)]
    pub(super) const fn u16(bytes: [u8; 2]) -> u16 {
        if BIG { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }
}

/// The byte order of a file or section, where it is not known to the compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endian {
    Little,
    Big,
}

impl Endian {
    /// The 32-bit number `at` that many bytes into `bytes`; nothing where they end before.
    #[inline]
    pub(super) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => Order::<false>::u32(bytes),
            Self::Big => Order::<true>::u32(bytes),
        })
    }

    /// The 16-bit number `at` that many bytes into `bytes`; nothing where they end before.
    #[inline]
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => Order::<false>::u16(bytes),
            Self::Big => Order::<true>::u16(bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_their_byte_order() {
        let bytes = [9, 1, 2, 3, 4];
        assert_eq!(Endian::Little.u32(&bytes, 1), Some(0x0403_0201));
        assert_eq!(Endian::Big.u32(&bytes, 1), Some(0x0102_0304));
        assert_eq!(Endian::Little.u16(&bytes, 1), Some(0x0201));
        assert_eq!(Endian::Big.u16(&bytes, 3), Some(0x0304));
    }

    #[test]
    fn a_number_that_is_cut_is_none() {
        assert_eq!(Endian::Big.u32(&[1, 2, 3], 0), None);
        assert_eq!(Endian::Big.u16(&[1, 2, 3], 2), None);
        assert_eq!(Endian::Big.u16(&[1, 2, 3], 9), None);
    }
}
