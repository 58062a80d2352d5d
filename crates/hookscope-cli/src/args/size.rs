//! Turns `100MB` into octets, and `10m` into minutes.

use std::time::Duration;

/// What a size may end in, and how many octets that is. Upper case, so that `10M` is a size and `10m` a time.
const UNITS: [(&str, u64); 11] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
    ("K", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
];

/// When a file of evidence is followed by the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotate {
    /// When it has so many octets.
    Size(u64),
    /// When it is so old.
    Time(Duration),
}

/// A number of octets, such as `100MB` or `64MiB`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let unit = UNITS.iter().find_map(|(unit, octets)| Some((text.strip_suffix(unit)?, *octets)));
    let (number, octets) = unit.ok_or("expected a size such as 100MB or 64MiB")?;
    let number: u64 =
        number.trim().parse().map_err(|_| "expected a whole number before the unit, as in 100MB")?;
    number.checked_mul(octets).filter(|size| *size > 0).ok_or_else(|| "it must be more than zero".to_owned())
}

/// A size or a duration.
pub(super) fn rotate(text: &str) -> Result<Rotate, String> {
    if text.ends_with(|c: char| c.is_ascii_uppercase()) {
        let size = size(text)?;
        return if size < 64 << 10 {
            Err("it must be 64KiB or more".to_owned())
        } else {
            Ok(Rotate::Size(size))
        };
    }
    super::duration(text)
        .map(Rotate::Time)
        .map_err(|_| "expected a size such as 100MB or a duration such as 10m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_told_apart_by_their_unit() {
        assert_eq!(rotate("10M"), Ok(Rotate::Size(10_000_000)));
        assert_eq!(rotate("10m"), Ok(Rotate::Time(Duration::from_secs(600))));
        assert_eq!(rotate("64MiB"), Ok(Rotate::Size(64 << 20)));
        assert_eq!(rotate("1h"), Ok(Rotate::Time(Duration::from_secs(3600))));
        for bad in ["10", "MB", "-1MB", "0MB", "1.5MB", "1KB", "soon", "", "99999999999GB"] {
            assert!(rotate(bad).is_err(), "{bad}");
        }
        assert_eq!(size("512 kB"), Ok(512_000));
    }
}
