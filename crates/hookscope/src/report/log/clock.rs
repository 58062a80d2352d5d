//! When lines were written, where they do not say it: in which year, and in which zone.
//!
//! The year is the one in which the line is nearest to the capture. The zone is, in this order: that by which a line's
//! header and a time with a zone on the same line agree; that by which a header and the time in the error on its line
//! do (`current time 2026-11-22T15:32:15Z is after …`); that in which lines fit packets by the client's port, or, where
//! none fits in UTC, that in which by far the most fit by server, error and time; else UTC.

use crate::log::LoggedCall;
use crate::log::when::{absolute, zone, zone_name, zones};
use crate::report::log::events::Events;
use crate::report::log::line::Line;
use crate::report::log::tie::apart;
use crate::time::{Elapsed, Timestamp};

/// How many lines are looked at to find the zone.
const SAMPLE: usize = 2_000;
/// How near a line has to be to its event to tell a zone.
const NEAR: Elapsed = Elapsed::from_millis(500);
/// How near where it names the client's port.
const NEAR_BY_PORT: i64 = 3_000_000_000;

/// Settles when the lines of one file were written. Says so where the zone is not UTC and not on the lines.
pub(super) fn settle(lines: &mut [Line<'_>], events: &Events<'_>, middle: Timestamp) -> Option<String> {
    let told = lines.iter().find_map(|line| told_zone(line.call));
    let (offset, note) = match told {
        Some(offset) => (offset, None),
        None => match guessed_zone(lines, events, middle) {
            Some((offset, count)) if offset != Elapsed::ZERO => (offset, Some((offset, count))),
            _ => (Elapsed::ZERO, None),
        },
    };
    for line in lines.iter_mut() {
        line.time = written(line.call, offset, middle);
    }
    note.map(|(offset, count)| {
        let fit = if count == 1 { "1 failed call fits" } else { "failed calls fit" };
        format!("its times are read as {}: so {fit} the packets ({count})", zone_name(offset))
    })
}

/// When a line was written, if its header is so far ahead of UTC.
fn written(call: &LoggedCall, offset: Elapsed, middle: Timestamp) -> Option<Timestamp> {
    let stamp = &call.stamp;
    match (stamp.header, stamp.absolute) {
        (Some(header), Some(absolute)) => {
            // The header is the program's own, and nearer to the call than what a runtime wrote.
            let own = header.offset(absolute).and_then(|offset| header.nearest(absolute, offset));
            Some(own.unwrap_or(absolute))
        }
        (Some(header), None) => header.nearest(middle, offset),
        (None, absolute) => absolute,
    }
}

/// The zone that a line itself tells.
fn told_zone(call: &LoggedCall) -> Option<Elapsed> {
    let header = call.stamp.header?;
    if let Some(absolute) = call.stamp.absolute {
        return header.offset(absolute);
    }
    let (_, now) = call.quote.error.split_once("current time ")?;
    header.offset(absolute(now)?.0)
}

/// The zone in which lines fit packets, and how many do.
fn guessed_zone(lines: &[Line<'_>], events: &Events<'_>, middle: Timestamp) -> Option<(Elapsed, usize)> {
    let sample =
        || lines.iter().filter(|line| line.call.repeats.is_none() && line.call.stamp.header.is_some());
    let by_port = sample().take(SAMPLE).filter_map(|line| {
        let time = written(line.call, Elapsed::ZERO, middle)?;
        let port = line.client?.port();
        let zones = events.of_port(port).filter_map(|place| {
            let event = events.all.get(place).filter(|event| line.agrees(event))?;
            zone(time.since(event.end), NEAR_BY_PORT)
        });
        zones.min_by_key(|zone| zone.as_nanos().abs())
    });
    let mut counts: Vec<(Elapsed, usize)> = Vec::new();
    for zone in by_port {
        match counts.iter_mut().find(|(other, _)| *other == zone) {
            Some((_, count)) => *count += 1,
            None => counts.push((zone, 1)),
        }
    }
    if let Some(most) = counts.into_iter().max_by_key(|(zone, count)| (*count, -zone.as_nanos().abs())) {
        return Some(most);
    }
    let fitting = |offset: Elapsed| {
        let fits = |line: &&Line<'_>| {
            let time = written(line.call, offset, middle);
            time.is_some_and(|time| fits(line, events, time))
        };
        sample().take(SAMPLE).filter(fits).count()
    };
    let in_utc = fitting(Elapsed::ZERO);
    if in_utc > 0 || events.all.is_empty() {
        return Some((Elapsed::ZERO, in_utc));
    }
    let mut best: Vec<_> = zones().map(|zone| (zone, fitting(zone))).collect();
    best.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    match best.as_slice() {
        [(zone, most), (_, second), ..] if *most > second * 2 => Some((*zone, *most)),
        _ => None,
    }
}

/// Whether any event is what a line speaks of, had it been written at `time`.
fn fits(line: &Line<'_>, events: &Events<'_>, time: Timestamp) -> bool {
    let waited = line.wait.map(|wait| Timestamp::from_nanos(time.as_nanos().saturating_sub(wait.as_nanos())));
    let mut near =
        events.ended(time, NEAR).chain(waited.into_iter().flat_map(|time| events.began(time, NEAR)));
    near.any(|place| {
        events.all.get(place).is_some_and(|event| {
            line.agrees(event) && line.fit(event).is_some() && apart(line, event, time) <= NEAR
        })
    })
}
