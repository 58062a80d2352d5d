//! Turns a pcapng timestamp into nanoseconds since the Unix epoch (draft-ietf-opsawg-pcapng, section 4.2: the options
//! `if_tsresol` and `if_tsoffset`).
//!
//! Times that nanoseconds in 64 bits cannot express (before 1677, after 2262) become the nearest that can be.

use hookscope::time::Timestamp;

const NANOS: i128 = 1_000_000_000;

/// How an interface counts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    unit: Unit,
    /// Seconds to add.
    offset: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// So many nanoseconds: one microsecond, unless the interface says otherwise, or any power of 10 from 1 ns up.
    Nanos(u64),
    /// The so-manieth part of a nanosecond.
    PartOfNano(u64),
    /// The 2^n-th part of a second.
    PartOfSecond(u32),
}

impl Default for Clock {
    /// Microseconds since the epoch, as where the options are missing.
    fn default() -> Self {
        Self { unit: Unit::Nanos(1_000), offset: 0 }
    }
}

impl Clock {
    /// This clock with the resolution that `if_tsresol` codes: 2^-n of a second with the top bit set, else 10^-n.
    ///
    /// Units too small for any 64-bit count of them to reach a nanosecond (below 10^-28 of a second) count as zero.
    pub(super) fn with_resolution(self, code: u8) -> Self {
        let exponent = u32::from(code & 0x7f);
        let unit = if code & 0x80 != 0 {
            Unit::PartOfSecond(exponent)
        } else if let Some(power) = 9_u32.checked_sub(exponent) {
            Unit::Nanos(10_u64.pow(power))
        } else {
            Unit::PartOfNano(10_u64.checked_pow(exponent - 9).unwrap_or(u64::MAX))
        };
        Self { unit, ..self }
    }

    /// This clock with `seconds` added to every stamp.
    pub(super) const fn with_offset(self, seconds: i64) -> Self {
        Self { offset: seconds, ..self }
    }

    /// The time that the two halves of a timestamp stand for.
    #[inline]
    pub(super) fn time(self, high: u32, low: u32) -> Timestamp {
        let ticks = u64::from(high) << 32 | u64::from(low);
        // Every capture of the last and the next hundred years comes through here.
        if let (Unit::Nanos(unit), 0) = (self.unit, self.offset)
            && let Some(nanos) = ticks.checked_mul(unit)
            && let Ok(nanos) = i64::try_from(nanos)
        {
            return Timestamp::from_nanos(nanos);
        }
        self.any_time(ticks)
    }

    #[cold]
    fn any_time(self, ticks: u64) -> Timestamp {
        let ticks = i128::from(ticks);
        let nanos = match self.unit {
            Unit::Nanos(unit) => ticks * i128::from(unit),
            Unit::PartOfNano(parts) => ticks / i128::from(parts),
            // 2^64 × 10^9 is less than 2^94, so shifts from there on leave nothing.
            Unit::PartOfSecond(exponent) => (ticks * NANOS) >> exponent.min(100),
        };
        let nanos = nanos + i128::from(self.offset) * NANOS;
        Timestamp::from_nanos(nanos.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(clock: Clock, ticks: u64) -> i64 {
        clock.time((ticks >> 32) as u32, ticks as u32).as_nanos()
    }

    #[test]
    fn microseconds_unless_said_otherwise() {
        assert_eq!(nanos(Clock::default(), 1_700_000_000_000_001), 1_700_000_000_000_001_000);
    }

    #[test]
    fn powers_of_ten_scale_both_ways() {
        let clock = |code| Clock::default().with_resolution(code);
        assert_eq!(nanos(clock(0), 3), 3_000_000_000);
        assert_eq!(nanos(clock(3), 1_500), 1_500_000_000);
        assert_eq!(nanos(clock(9), 7), 7);
        assert_eq!(nanos(clock(12), 7_999), 7);
        assert_eq!(nanos(clock(19), 70_000_000_000), 7);
        assert_eq!(nanos(clock(127), u64::MAX), 1.min(u64::MAX as i64 & 1));
    }

    #[test]
    fn powers_of_two_divide_a_second() {
        let clock = |code: u8| Clock::default().with_resolution(0x80 | code);
        assert_eq!(nanos(clock(0), 3), 3_000_000_000);
        assert_eq!(nanos(clock(1), 3), 1_500_000_000);
        assert_eq!(nanos(clock(32), 1 << 31), 500_000_000);
        assert_eq!(nanos(clock(127), u64::MAX), 0);
    }

    #[test]
    fn an_offset_moves_the_epoch() {
        assert_eq!(nanos(Clock::default().with_offset(10), 1), 10_000_001_000);
        assert_eq!(nanos(Clock::default().with_offset(-10), 1), -9_999_999_000);
    }

    #[test]
    fn times_out_of_range_are_the_nearest_in_range() {
        assert_eq!(nanos(Clock::default().with_resolution(0), u64::MAX), i64::MAX);
        assert_eq!(nanos(Clock::default().with_offset(i64::MIN), 0), i64::MIN);
    }
}
