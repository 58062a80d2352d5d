//! Numbers as our sentences have them: quantities, durations, ranges, dates and times. All else with digits in it may be a
//! name or an address: `m1`, `10-0-0-5`, `10.0.0.1-10.0.0.9`.

/// Units directly behind a number.
const UNITS: [&str; 12] = ["s", "ms", "µs", "ns", "m", "h", "d", "KiB", "MiB", "GiB", "bytes", "th"];

/// Whether a word can be nothing but a number, as far as its shape tells.
pub(super) fn is_number(word: &str) -> bool {
    let is_range = || word.split_once('-').is_some_and(|(from, to)| is_decimal(from) && is_quantity(to));
    is_quantity(word) || is_duration(word) || is_range() || is_time(word)
}

/// `443`: digits alone.
pub(super) fn is_digits(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// `1.25`
fn is_decimal(word: &str) -> bool {
    word.split_once('.').map_or_else(|| is_digits(word), |(whole, part)| is_digits(whole) && is_digits(part))
}

/// `1.25s`
fn is_quantity(word: &str) -> bool {
    is_decimal(word) || UNITS.iter().any(|unit| word.strip_suffix(unit).is_some_and(is_decimal))
}

/// `1h30m0.5s`, as Go writes it.
fn is_duration(word: &str) -> bool {
    let mut rest = word;
    for unit in ['h', 'm'] {
        if let Some((number, behind)) = rest.split_once(unit)
            && is_digits(number)
        {
            rest = behind;
        }
    }
    rest.len() < word.len() && (rest.is_empty() || rest.strip_suffix('s').is_some_and(is_decimal))
}

/// `2026-11-12`, `15:14:40.25`, or both with a `T` between and the zone behind (RFC 3339).
fn is_time(word: &str) -> bool {
    match word.split_once('T') {
        Some((date, clock)) => is_date(date) && is_clock(clock),
        None => is_date(word) || is_clock(word),
    }
}

fn is_date(word: &str) -> bool {
    parts_are(word, '-', &[4, 2, 2])
}

fn is_clock(word: &str) -> bool {
    let clock = match word.rsplit_once('-') {
        Some((clock, zone)) if parts_are(zone, ':', &[2, 2]) => clock,
        _ => word.strip_suffix('Z').unwrap_or(word),
    };
    match clock.split_once('.') {
        Some((clock, part)) => parts_are(clock, ':', &[2, 2, 2]) && is_digits(part),
        None => parts_are(clock, ':', &[2, 2, 2]) || parts_are(clock, ':', &[2, 2]),
    }
}

/// Whether the parts are digits, as many in each as `lengths` says.
fn parts_are(word: &str, between: char, lengths: &[usize]) -> bool {
    let parts = word.split(between).map(|part| if is_digits(part) { part.len() } else { 0 });
    parts.eq(lengths.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_our_sentences_count_and_measure_is_a_number() {
        for word in
            ["443", "1.25", "10s", "1.5s", "300ms", "99th", "64KiB", "7d", "1-5", "0.5-1.5s", "1m0s", "1h30m"]
        {
            assert!(is_number(word), "{word}");
        }
        for word in
            ["15:14", "15:14:40.25", "2026-11-12", "2026-11-12T15:14:40Z", "2026-11-12T15:14:40-05:00"]
        {
            assert!(is_number(word), "{word}");
        }
    }

    #[test]
    fn what_a_name_or_an_address_may_be_is_none() {
        for word in [
            "",
            "s",
            "m1",
            "m-1",
            "s3",
            "d1",
            "1-m",
            "1s-1",
            "1d1",
            "10-0-0-5",
            "10.0.0.1-10.0.0.9",
            "10.0.0.1",
            "10.0.0",
            "10.0.0.0-24",
            "1.",
            ".1",
            "1T",
            "1Z",
            "00:11:22:33:44:55",
            "s3:443",
        ] {
            assert!(!is_number(word), "{word}");
        }
    }
}
