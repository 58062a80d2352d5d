//! Turns times of a report, which are in UTC, into those of the zone in which people are to read them.
//!
//! The zone is one for the whole process, chosen before anything is written: UTC, as clusters log, unless the local one
//! is asked for. What programs read stays in UTC.

use std::borrow::Cow;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;

static LOCAL: OnceLock<TimeZone> = OnceLock::new();

/// Shows times in this host's zone from now on.
///
/// # Errors
///
/// Where nobody knows which that is: times stay in UTC.
pub(crate) fn use_local() -> Result<(), String> {
    let zone = TimeZone::try_system().map_err(|error| error.to_string())?;
    let _ = LOCAL.set(zone);
    Ok(())
}

/// An RFC 3339 time as it is to be shown, in the same form.
pub(super) fn shown(time: &str) -> Cow<'_, str> {
    LOCAL
        .get()
        .and_then(|zone| within(zone, time, "%Y-%m-%dT%H:%M:%S.%9f"))
        .map_or_else(|| time.into(), Cow::Owned)
}

/// What to call the zone at that time.
pub(super) fn name(time: &str) -> String {
    LOCAL.get().and_then(|zone| within(zone, time, "%Z")).unwrap_or_else(|| "UTC".to_owned())
}

fn within(zone: &TimeZone, time: &str, format: &str) -> Option<String> {
    let time: Timestamp = time.parse().ok()?;
    Some(time.to_zoned(zone.clone()).strftime(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc_unless_the_local_zone_is_asked_for() {
        let time = "2026-11-22T23:34:27.528649000Z";
        assert_eq!((&*shown(time), &*name(time)), (time, "UTC"));
        assert_eq!(shown("not a time"), "not a time");
    }

    #[test]
    fn the_local_zone_changes_hour_and_day_and_is_named() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let shown = |time| (within(&zone, time, "%Y-%m-%d %H:%M:%S.%9f"), within(&zone, time, "%Z"));
        let winter = (Some("2026-11-23 00:34:27.528649000".to_owned()), Some("CET".to_owned()));
        assert_eq!(shown("2026-11-22T23:34:27.528649000Z"), winter);
        let summer = (Some("2026-07-01 02:00:00.000000000".to_owned()), Some("CEST".to_owned()));
        assert_eq!(shown("2026-07-01T00:00:00.000000000Z"), summer);
        assert_eq!(shown("not a time"), (None, None));
    }
}
