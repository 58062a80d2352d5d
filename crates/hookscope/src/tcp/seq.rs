//! 32-bit sequence numbers -> 64-bit stream offsets (RFC 9293, section 3.4): the only place where they wrap.

/// The zero of one direction's stream offsets: the sequence number of its first octet after the SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin(u32);

impl Origin {
    /// The origin of a stream whose first data octet has sequence number `seq`.
    pub(crate) const fn at(seq: u32) -> Self {
        Self(seq)
    }

    /// The origin of a stream whose SYN has sequence number `seq`.
    pub(crate) const fn after_syn(seq: u32) -> Self {
        Self(seq.wrapping_add(1))
    }

    /// Whether `seq` is the sequence number of the octet at `offset`.
    pub(crate) const fn is_at(self, seq: u32, offset: i64) -> bool {
        seq == self.0.wrapping_add(offset as u32)
    }

    /// The offset of `seq` that is nearest to `near`: at most 2^31 octets away. Negative before the origin.
    pub(crate) const fn offset(self, seq: u32, near: i64) -> i64 {
        let expected = self.0.wrapping_add(near as u32);
        near.saturating_add(seq.wrapping_sub(expected).cast_signed() as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_go_on_where_sequence_numbers_wrap() {
        let origin = Origin::after_syn(u32::MAX - 1);
        assert_eq!(origin.offset(u32::MAX, 0), 0);
        assert_eq!(origin.offset(0, 0), 1);
        assert_eq!(origin.offset(9, 1), 10);
        assert!(origin.is_at(9, 10) && !origin.is_at(9, 11));
        assert_eq!(origin.offset(u32::MAX - 1, 0), -1);
    }

    #[test]
    fn offsets_pass_four_gibibytes() {
        let origin = Origin::at(7);
        let mut near = 0;
        for step in 1..=6_i64 {
            near = origin.offset(7_u32.wrapping_add((step << 30) as u32), near);
            assert_eq!(near, step << 30);
        }
    }
}
