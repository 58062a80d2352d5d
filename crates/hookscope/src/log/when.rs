//! Times as logs write them -> times, as far as they say: some lack the year, some the time zone.

use jiff::civil::DateTime;

use crate::time::{Elapsed, Timestamp};

/// When a line was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// By a clock whose zone is known: that of a container runtime's or a journal's prefix, or of a JSON field.
    pub(crate) absolute: Option<Timestamp>,
    /// By klog's header: in the zone of the program, without a year.
    pub(crate) header: Option<Header>,
}

/// What klog's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) month: i8,
    pub(crate) day: i8,
    /// Nanoseconds since midnight.
    pub(crate) nanos: i64,
}

/// Nanoseconds in a second.
pub(crate) const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Zones differ from UTC by multiples of this.
const ZONES: i64 = 900 * SECOND;
/// From the west of the world to its east.
const FARTHEST: (i64, i64) = (-12 * 3600 * SECOND, 14 * 3600 * SECOND);
/// How far apart the two times of one line may be.
const DELAY: i64 = 60 * SECOND;

impl Header {
    /// Reads `1122 15:29:04.952216`.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let [m1, m2, d1, d2, b' ', h1, h2, b':', i1, i2, b':', s1, s2, b'.', fraction @ ..] = text else {
            return None;
        };
        let two = |high: &u8, low: &u8| {
            (high.is_ascii_digit() && low.is_ascii_digit())
                .then(|| i64::from((high - b'0') * 10 + (low - b'0')))
        };
        let (month, day) = (two(m1, m2)?, two(d1, d2)?);
        let (hour, minute, second) = (two(h1, h2)?, two(i1, i2)?, two(s1, s2)?);
        let digits = fraction.iter().take(9).take_while(|byte| byte.is_ascii_digit());
        let mut unit = SECOND;
        let fraction = digits.fold(0, |sum, digit| {
            unit /= 10;
            sum + i64::from(digit - b'0') * unit
        });
        let in_range = (1..=12).contains(&month) && (1..=31).contains(&day);
        let in_range = in_range && hour < 24 && minute < 60 && second < 61;
        in_range.then_some(Self {
            month: i8::try_from(month).ok()?,
            day: i8::try_from(day).ok()?,
            nanos: (hour * 3600 + minute * 60 + second) * SECOND + fraction,
        })
    }

    /// The time if the header is of that year and `offset` ahead of UTC.
    fn in_year(self, year: i16, offset: Elapsed) -> Option<Timestamp> {
        let midnight = DateTime::new(year, self.month, self.day, 0, 0, 0, 0).ok()?;
        let midnight = midnight.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
        let nanos = midnight.checked_mul(SECOND)?.checked_add(self.nanos)?;
        Some(Timestamp::from_nanos(nanos.checked_sub(offset.as_nanos())?))
    }

    /// The time, in the year in which it is nearest to `near`.
    pub(crate) fn nearest(self, near: Timestamp, offset: Elapsed) -> Option<Timestamp> {
        let year = jiff::Timestamp::from_second(near.as_nanos().div_euclid(SECOND)).ok()?;
        let year = year.to_zoned(jiff::tz::TimeZone::UTC).year();
        let years = [year - 1, year, year + 1].into_iter();
        let times = years.filter_map(|year| self.in_year(year, offset));
        times.min_by_key(|time| time.since(near).as_nanos().unsigned_abs())
    }

    /// How far ahead of UTC its zone is, given when it was written, within a minute or so.
    pub(crate) fn offset(self, written: Timestamp) -> Option<Elapsed> {
        let as_utc = self.nearest(written, Elapsed::ZERO)?;
        zone(as_utc.since(written), DELAY)
    }
}

/// The zone that makes up for a difference, give or take `tolerance`.
pub(crate) fn zone(difference: Elapsed, tolerance: i64) -> Option<Elapsed> {
    let steps = difference.as_nanos().saturating_add(ZONES / 2).div_euclid(ZONES);
    let whole = Elapsed::from_nanos(steps.saturating_mul(ZONES));
    let is_near = difference.minus(whole).abs() <= Elapsed::from_nanos(tolerance);
    (is_near && (FARTHEST.0..=FARTHEST.1).contains(&whole.as_nanos())).then_some(whole)
}

/// All zones, UTC first, then those nearest to it.
pub(crate) fn zones() -> impl Iterator<Item = Elapsed> {
    let steps = (0..=FARTHEST.1 / ZONES).flat_map(|step| [step * ZONES, -step * ZONES]);
    let known = steps.filter(|nanos| (FARTHEST.0..=FARTHEST.1).contains(nanos));
    known.skip(1).map(Elapsed::from_nanos) // zero comes twice
}

/// How far ahead of UTC, as people write it: `UTC+05:30`.
pub(crate) fn zone_name(offset: Elapsed) -> String {
    let minutes = offset.as_nanos() / (60 * SECOND);
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("UTC{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// A time that says its zone, at the front of `text`: RFC 3339, or with a space for the `T`, or with a zone without
/// its colon. With what follows it.
pub(crate) fn absolute(text: &str) -> Option<(Timestamp, &str)> {
    let (head, rest) = text.split_at_checked(19)?;
    let date_time: DateTime = head.parse().ok()?;
    let digits = rest.strip_prefix(['.', ',']).unwrap_or("");
    let digits = digits
        .find(|char: char| !char.is_ascii_digit())
        .map_or(digits, |end| digits.get(..end).unwrap_or(""));
    let rest = if digits.is_empty() { rest } else { rest.get(1 + digits.len()..)? };
    let mut unit = SECOND;
    let fraction = digits.bytes().take(9).fold(0, |sum, digit| {
        unit /= 10;
        sum + i64::from(digit - b'0') * unit
    });
    let (offset, rest) = match rest.strip_prefix('Z').or_else(|| rest.strip_prefix(" UTC")) {
        Some(rest) => (0, rest),
        None => numeric_zone(rest)?,
    };
    let seconds = date_time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    let nanos = seconds.checked_sub(offset)?.checked_mul(SECOND)?.checked_add(fraction)?;
    Some((Timestamp::from_nanos(nanos), rest))
}

/// `+01:00`, `+0100`, `-05:30`: in seconds, and what follows.
fn numeric_zone(text: &str) -> Option<(i64, &str)> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = text.get(1..)?.split_at_checked(2)?;
    let (minutes, rest) = rest.strip_prefix(':').unwrap_or(rest).split_at_checked(2)?;
    let offset = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
    Some((sign * offset, rest))
}

/// Milliseconds since the epoch, as klog's JSON has them, with a fraction.
pub(crate) fn from_millis(millis: f64) -> Option<Timestamp> {
    let nanos = millis * 1e6;
    #[allow(clippy::cast_possible_truncation, reason = "it is in range")]
    (0.0..DAY as f64 * 90_000.0).contains(&nanos).then(|| Timestamp::from_nanos(nanos as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        absolute(text).unwrap().0
    }

    #[test]
    fn headers_are_read_and_placed_in_the_nearest_year() {
        let header = Header::read(b"1231 23:59:59.500000   25545 a.go:1] x").unwrap();
        let new_year = at("2027-01-01T00:00:01Z");
        assert_eq!(header.nearest(new_year, Elapsed::ZERO), Some(at("2026-12-31T23:59:59.5Z")));
        assert_eq!(
            header.nearest(at("2026-12-01T00:00:00Z"), Elapsed::ZERO),
            Some(at("2026-12-31T23:59:59.5Z"))
        );
        let leap = Header::read(b"0229 00:00:00.000000 ").unwrap();
        assert_eq!(leap.nearest(at("2027-03-01T00:00:00Z"), Elapsed::ZERO), Some(at("2028-02-29T00:00:00Z")));
        for broken in ["", "1322 15:29:04.9", "1122 25:29:04.9", "1122 15:29:0x.9", "1122T15:29:04.9", "112"]
        {
            assert_eq!(Header::read(broken.as_bytes()), None, "{broken}");
        }
    }

    #[test]
    fn zones_are_told_by_differences() {
        let header = Header::read(b"1122 20:59:04.952216").unwrap();
        let written = at("2026-11-22T15:29:05.1Z");
        let offset = header.offset(written).unwrap();
        assert_eq!(zone_name(offset), "UTC+05:30");
        assert_eq!(header.nearest(written, offset), Some(at("2026-11-22T15:29:04.952216Z")));
        assert_eq!(header.offset(at("2026-11-22T15:20:00Z")), None);
        assert_eq!(
            zone_name(Header::read(b"1122 07:29:04.9").unwrap().offset(written).unwrap()),
            "UTC-08:00"
        );
        assert_eq!(zones().next(), Some(Elapsed::ZERO));
        assert_eq!(zones().count(), 105);
    }

    #[test]
    fn times_with_a_zone_are_read_in_all_spellings() {
        let expected = at("2026-11-22T15:29:04.952Z");
        for text in [
            "2026-11-22T15:29:04.952000000Z stderr F x",
            "2026-11-22T16:29:04.952+01:00 stderr F x",
            "2026-11-22T20:59:04.952+0530 host x",
            "2026-11-22 15:29:04.952 UTC host x",
            "2026-11-22T15:29:04,952Z x",
        ] {
            assert_eq!(absolute(text).map(|(time, _)| time), Some(expected), "{text}");
        }
        for text in [
            "",
            "2026-11-22T15:29:04",
            "2026-11-22T15:29:04.9 host",
            "2026-13-22T15:29:04Z",
            "ä".repeat(20).as_str(),
        ] {
            assert_eq!(absolute(text), None, "{text}");
        }
        assert_eq!(from_millis(1_795_361_344_952.0), Some(Timestamp::from_nanos(1_795_361_344_952_000_000)));
        assert_eq!(from_millis(f64::NAN), None);
        assert_eq!(from_millis(-1.0), None);
    }
}
