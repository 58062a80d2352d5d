//! Turns what people write into numbers: `100MB` into octets, `10m` into a time.

use std::time::Duration;

/// What a size may end in, in lower case, and how many octets that is: as in 64MiB, 64Mi, 100MB, 1G.
const UNITS: [(&str, u64); 17] = [
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("ki", 1 << 10),
    ("mi", 1 << 20),
    ("gi", 1 << 30),
    ("ti", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("b", 1),
    ("k", 1_000),
    ("m", 1_000_000),
    ("g", 1_000_000_000),
    ("t", 1_000_000_000_000),
];
/// What a duration that is no whole number may end in, and how many seconds that is.
const TIMES: [(&str, f64); 6] =
    [("ms", 0.001), ("us", 0.000_001), ("s", 1.0), ("m", 60.0), ("h", 3_600.0), ("d", 86_400.0)];

/// When a file of evidence is followed by the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotate {
    /// When it has so many octets.
    Size(u64),
    /// When it is so old.
    Time(Duration),
}

/// A number of octets, such as `100MB`, `64MiB` or `1.5G`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let lower = text.to_ascii_lowercase();
    let unit = UNITS.iter().find_map(|(unit, octets)| Some((lower.strip_suffix(unit)?, *octets)));
    let Some((number, octets)) = unit else {
        return Err(if lower.parse::<f64>().is_ok() {
            format!("the unit is missing, as in {text}MB or {text}MiB")
        } else {
            "expected a size such as 100MB, 64MiB or 1G".to_owned()
        });
    };
    let size = fraction(number.trim(), octets).ok_or("expected a number before the unit, as in 100MB")?;
    if size > 0 { Ok(size) } else { Err("it must be more than zero".to_owned()) }
}

/// `number` times `octets`, exactly: a fraction may have as many digits as people type.
fn fraction(number: &str, octets: u64) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    if !is_digits(whole) || !is_digits(part) || part.len() > 9 {
        return None;
    }
    let scale = 10_u128.pow(u32::try_from(part.len()).ok()?);
    let part = part.parse::<u128>().ok()? * u128::from(octets) / scale;
    let whole = whole.parse::<u64>().ok()?.checked_mul(octets)?;
    whole.checked_add(u64::try_from(part).ok()?)
}

/// A size or a duration; `10M` is a size and `10m` a time.
pub(super) fn rotate(text: &str) -> Result<Rotate, String> {
    // A capital is no unit of time here.
    let time = duration(text).ok().filter(|_| !text.ends_with(|c: char| c.is_ascii_uppercase()));
    match (time, size(text)) {
        (Some(time), _) => Ok(Rotate::Time(time)),
        (None, Ok(size)) if size < 64 << 10 => Err("it must be 64KiB or more".to_owned()),
        (None, Ok(size)) => Ok(Rotate::Size(size)),
        (None, Err(_)) => Err("expected a size such as 100MB or a duration such as 10m".to_owned()),
    }
}

/// A duration of more than no time, such as `10s`, `500ms`, `1m30s` or `1.5s`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text).ok().or_else(|| decimal(text)) {
        Some(Duration::ZERO) => Err("it must be more than zero".to_owned()),
        Some(duration) => Ok(duration),
        None if text.parse::<f64>().is_ok_and(|number| number >= 0.0 && number.is_finite()) => {
            Err(format!("the unit is missing, as in {text}s or {text}ms"))
        }
        None => Err("expected a duration such as 10s, 500ms or 1m30s".to_owned()),
    }
}

/// One number with a fraction, and its unit.
fn decimal(text: &str) -> Option<Duration> {
    let (number, seconds) =
        TIMES.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))?;
    let number = number.trim_end();
    if !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_people_write_them() {
        for (text, octets) in [
            ("10MB", 10_000_000),
            ("10mb", 10_000_000),
            ("10M", 10_000_000),
            ("10MiB", 10 << 20),
            ("10Mi", 10 << 20),
            ("1G", 1_000_000_000),
            ("1.5G", 1_500_000_000),
            ("0.5KiB", 512),
            ("512 kB", 512_000),
            ("4096B", 4096),
        ] {
            assert_eq!(size(text), Ok(octets), "{text}");
        }
        assert_eq!(size("100").unwrap_err(), "the unit is missing, as in 100MB or 100MiB");
        for bad in
            ["MB", "-1MB", "0MB", "1.MB", ".5MB", "1e3MB", "1,5MB", "soon", "", "99999999999GB", "0.1B"]
        {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_and_times_are_told_apart_by_their_unit() {
        assert_eq!(rotate("10M"), Ok(Rotate::Size(10_000_000)));
        assert_eq!(rotate("10m"), Ok(Rotate::Time(Duration::from_secs(600))));
        assert_eq!(rotate("64MiB"), Ok(Rotate::Size(64 << 20)));
        assert_eq!(rotate("64Mi"), Ok(Rotate::Size(64 << 20)));
        assert_eq!(rotate("1h"), Ok(Rotate::Time(Duration::from_secs(3600))));
        for bad in ["10", "MB", "-1MB", "0MB", "1KB", "soon", "", "99999999999GB", "0s"] {
            assert!(rotate(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_are_written_as_people_write_them() {
        for (text, millis) in [
            ("10s", 10_000),
            ("500ms", 500),
            ("1m30s", 90_000),
            ("1m 30s", 90_000),
            ("1.5s", 1_500),
            ("0.5h", 1_800_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(duration("10").unwrap_err(), "the unit is missing, as in 10s or 10ms");
        for bad in ["soon", "0ms", "0.0s", "-1s", "nan", "infs", "1e9d", ".s", "", "1.5.2s", "1.5 parsecs"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
