//! Turns counts, durations and times into what people read at a glance.

use super::layout::GLUE;
use super::zone;

/// A count with separators: `8,412`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun: `1 call`, `2 calls`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{}{GLUE}{noun}{plural}", count(number))
}

/// A duration with three digits and the unit that suits it: `31 µs`, `1.78 ms`, `10.0 s`, `2 min 5 s`.
pub(crate) fn duration(seconds: f64) -> String {
    let magnitude = seconds.abs();
    if magnitude < 0.000_999_5 {
        format!("{:.0}{GLUE}µs", seconds * 1e6)
    } else if magnitude < 0.999_5 {
        format!("{}{GLUE}ms", three_digits(seconds * 1e3))
    } else if magnitude < 99.95 {
        format!("{}{GLUE}s", three_digits(seconds))
    } else {
        minutes(seconds)
    }
}

/// A time on a timeline: as [`duration`], but to the millisecond from one second on.
pub(crate) fn moment(seconds: f64) -> String {
    if (0.999_5..1e6).contains(&seconds) { format!("{seconds:.3}{GLUE}s") } else { duration(seconds) }
}

fn three_digits(number: f64) -> String {
    let magnitude = number.abs();
    let decimals = if magnitude < 9.995 {
        2
    } else if magnitude < 99.95 {
        1
    } else {
        0
    };
    format!("{number:.decimals$}")
}

#[allow(clippy::cast_possible_truncation, reason = "`as` saturates, and no capture is that long")]
fn minutes(seconds: f64) -> String {
    let whole = seconds.round() as i64;
    let (big, big_unit, small, small_unit) = if whole < 3_600 {
        (whole / 60, "min", whole % 60, "s")
    } else if whole < 86_400 {
        (whole / 3_600, "h", whole % 3_600 / 60, "min")
    } else {
        (whole / 86_400, "d", whole % 86_400 / 3_600, "h")
    };
    if small == 0 {
        format!("{big}{GLUE}{big_unit}")
    } else {
        format!("{big}{GLUE}{big_unit}{GLUE}{small}{GLUE}{small_unit}")
    }
}

/// Seconds from one RFC 3339 time to another.
pub(crate) fn seconds_between(first: &str, last: &str) -> Option<f64> {
    let first = humantime::parse_rfc3339(first).ok()?;
    let last = humantime::parse_rfc3339(last).ok()?;
    Some(last.duration_since(first).ok()?.as_secs_f64())
}

/// From when to when: `15:27:41 – 15:28:30 UTC`, with the date where `dated`.
pub(crate) fn range_in_zone(first: &str, last: &str, dated: bool) -> String {
    format!("{} {}", range(first, last, dated), zone::name(first))
}

/// From when to when: `15:27:41 – 15:28:30`, with the date where `dated`.
pub(crate) fn range(first: &str, last: &str, dated: bool) -> String {
    let (first, last) = (&zone::shown(first), &zone::shown(last));
    let (first_date, first_time) = date_and_time(first);
    let (last_date, last_time) = date_and_time(last);
    let start = if dated { format!("{first_date}{GLUE}{first_time}") } else { first_time.to_owned() };
    if first_date != last_date {
        format!("{start}{GLUE}– {last_date}{GLUE}{last_time}")
    } else if first_time == last_time {
        start
    } else {
        format!("{start}{GLUE}–{GLUE}{last_time}")
    }
}

/// Whether two RFC 3339 times fall on one day.
pub(crate) fn same_day(first: &str, last: &str) -> bool {
    date_and_time(&zone::shown(first)).0 == date_and_time(&zone::shown(last)).0
}

/// Time of day to the millisecond, as logs have it: `15:27:41.123`.
pub(crate) fn clock(time: &str) -> String {
    let time = zone::shown(time);
    let (_, time_of_day) = time.split_once('T').unwrap_or(("", &time));
    time_of_day.get(.."15:27:41.123".len()).unwrap_or(time_of_day).to_owned()
}

/// Date and time of day, to the second.
fn date_and_time(time: &str) -> (&str, &str) {
    let (date, time_of_day) = time.split_once('T').unwrap_or((time, ""));
    let end = time_of_day.find(['.', 'Z']).unwrap_or(time_of_day.len());
    (date, time_of_day.get(..end).unwrap_or(time_of_day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spaced(text: String) -> String {
        text.replace(GLUE, " ")
    }

    #[test]
    fn counts_have_separators() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
        assert_eq!(spaced(counted(1, "call")), "1 call");
        assert_eq!(spaced(counted(8_412, "packet")), "8,412 packets");
    }

    #[test]
    fn durations_have_three_digits_and_a_unit_that_suits() {
        for (seconds, text) in [
            (0.0, "0 µs"),
            (0.000_031, "31 µs"),
            (0.000_999_6, "1.00 ms"),
            (0.001_78, "1.78 ms"),
            (0.049, "49.0 ms"),
            (0.197, "197 ms"),
            (0.999_6, "1.00 s"),
            (10.000_7, "10.0 s"),
            (58.8122, "58.8 s"),
            (99.96, "1 min 40 s"),
            (3_600.0, "1 h"),
            (3_790.0, "1 h 3 min"),
            (90_000.0, "1 d 1 h"),
            (-0.5, "-500 ms"),
        ] {
            assert_eq!(spaced(duration(seconds)), text, "{seconds}");
        }
        assert_eq!(spaced(moment(10.000_733)), "10.001 s");
        assert_eq!(spaced(moment(0.000_042)), "42 µs");
    }

    #[test]
    fn times_are_short_and_name_the_date_once() {
        let (a, b) = ("2026-11-22T15:27:41.000000001Z", "2026-11-22T15:28:30.900000000Z");
        assert_eq!(spaced(range(a, b, true)), "2026-11-22 15:27:41 – 15:28:30");
        assert_eq!(spaced(range(a, b, false)), "15:27:41 – 15:28:30");
        assert_eq!(spaced(range(a, a, false)), "15:27:41");
        let next = "2026-11-23T00:00:01.000000000Z";
        assert_eq!(spaced(range(a, next, false)), "15:27:41 – 2026-11-23 00:00:01");
        assert!(same_day(a, b) && !same_day(a, next));
        assert_eq!(seconds_between(a, b).map(f64::round), Some(50.0));
        assert_eq!(seconds_between("not a time", b), None);
        assert_eq!([clock(b), clock("15:27"), clock("")], ["15:28:30.900", "15:27", ""]);
        assert_eq!(spaced(range_in_zone(a, b, false)), "15:27:41 – 15:28:30 UTC");
    }
}
