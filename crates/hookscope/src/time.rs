//! Capture time: nanoseconds since the Unix epoch, as the capture's writer stamped them.
//!
//! Nothing here reads a clock. Differences are signed, because captures merge sources whose clocks disagree and
//! a later packet may bear an earlier stamp.

use std::fmt;
use std::time::Duration;

/// Nanoseconds in one second.
const NANOS: i64 = 1_000_000_000;

/// When a packet was captured: nanoseconds since 1970-01-01T00:00:00 UTC, from 1677 to 2262.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest time that can be expressed.
    pub const MIN: Self = Self(i64::MIN);

    /// The latest time that can be expressed.
    pub const MAX: Self = Self(i64::MAX);

    /// The time that is `nanos` nanoseconds after the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; negative where it is before.
    pub const fn since(self, earlier: Self) -> Elapsed {
        Elapsed(self.0.saturating_sub(earlier.0))
    }

    /// This time, `by` later.
    pub fn later(self, by: Duration) -> Self {
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(seconds.saturating_mul(NANOS)).saturating_add(by.subsec_nanos().into()))
    }

    /// This time, `by` earlier.
    pub(crate) fn earlier(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(Elapsed::from(by).0))
    }
}

/// RFC 3339 in UTC with nine digits of a second: `2026-10-23T05:06:07.000000089Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(NANOS);
        let nanos = self.0.rem_euclid(NANOS);
        match jiff::Timestamp::from_second(seconds) {
            Ok(at) => write!(f, "{}.{nanos:09}Z", at.strftime("%Y-%m-%dT%H:%M:%S")),
            Err(_) => write!(f, "{seconds}.{nanos:09}"),
        }
    }
}

/// The difference of two [`Timestamp`]s in nanoseconds; negative where the capture's clock ran backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Elapsed(i64);

impl Elapsed {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A difference of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// A difference of `millis` milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// The difference in nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// How much longer than `other` it is; at the ends of what can be expressed, the end.
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The difference without its sign.
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// The difference in seconds.
    #[allow(clippy::cast_precision_loss, reason = "2^53 ns are 104 days: no call is that long")]
    pub const fn as_secs(self) -> f64 {
        self.0 as f64 / NANOS as f64
    }
}

impl From<Duration> for Elapsed {
    fn from(duration: Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_rfc_3339_with_nanoseconds() {
        assert_eq!(Timestamp::from_nanos(89).to_string(), "1970-01-01T00:00:00.000000089Z");
        assert_eq!(
            Timestamp::from_nanos(1_792_731_967_000_000_001).to_string(),
            "2026-10-23T05:06:07.000000001Z"
        );
        assert_eq!(Timestamp::from_nanos(-1).to_string(), "1969-12-31T23:59:59.999999999Z");
    }

    #[test]
    fn differences_are_signed_and_saturate() {
        let (a, b) = (Timestamp::from_nanos(5), Timestamp::from_nanos(1_000_000_005));
        assert_eq!(b.since(a).as_secs(), 1.0);
        assert_eq!(a.since(b).as_secs(), -1.0);
        assert_eq!(Timestamp::from_nanos(i64::MAX).since(Timestamp::MIN).as_nanos(), i64::MAX);
        let least = Timestamp::MIN.since(Timestamp::MAX);
        assert_eq!(least.minus(Elapsed::from_millis(1)).abs().as_nanos(), i64::MAX);
        assert_eq!(Timestamp::from_nanos(i64::MAX).later(Duration::MAX).as_nanos(), i64::MAX);
    }
}
