//! Lines and events -> which line speaks of which event: by the client's port where the line names it, else as an
//! assignment in which each call explains one line, first of those whose error the packets account for, then in time.

use crate::log::assign::assign;
use crate::report::log::events::{Event, Events};
use crate::report::log::line::{Fit, Line};
use crate::time::{Elapsed, Timestamp};

/// How far apart a line and its event may be, where name or address are certain and the error fits.
const CERTAIN: Elapsed = Elapsed::from_millis(3_000);
/// Where only one of them does.
const POSSIBLE: Elapsed = Elapsed::from_millis(1_000);
/// Ports are used again after a minute at the least.
const PORT: Elapsed = Elapsed::from_millis(50_000);
/// What a port costs that differs, where both may be right.
const OTHER_PORT: i64 = 200_000_000;
/// Events that are looked at for one line, the nearest ones.
const CANDIDATES: usize = 32;

/// What has to hold for a line and an event to be tied.
#[derive(Clone, Copy)]
struct Terms {
    fit: Fit,
    agrees: bool,
    window: Elapsed,
}

/// The terms, the strictest first: what is tied on them is not looked at again.
const TERMS: [Terms; 3] = [
    Terms { fit: Fit::Certain, agrees: true, window: CERTAIN },
    Terms { fit: Fit::Possible, agrees: true, window: POSSIBLE },
    Terms { fit: Fit::Certain, agrees: false, window: POSSIBLE },
];

/// For each line the event that it speaks of.
pub(super) fn tie(lines: &[Line<'_>], events: &Events<'_>) -> Vec<Option<usize>> {
    let mut tied: Vec<Option<usize>> = vec![None; lines.len()];
    let mut taken = vec![false; events.all.len()];
    let by_port =
        |place: usize| lines.get(place).map(|line| port_candidates(line, events)).unwrap_or_default();
    round(lines, &mut tied, &mut taken, by_port, PORT);
    for terms in TERMS {
        let pairs = |place: usize, taken: &[bool]| {
            let line = lines.get(place).filter(|line| line.client.is_none());
            line.map(|line| candidates(line, events, terms, taken)).unwrap_or_default()
        };
        let before = taken.clone();
        round(lines, &mut tied, &mut taken, |place| pairs(place, &before), terms.window);
    }
    tied
}

/// Ties the lines that are not tied yet.
fn round(
    lines: &[Line<'_>],
    tied: &mut [Option<usize>],
    taken: &mut [bool],
    candidates: impl Fn(usize) -> Vec<(usize, i64)>,
    window: Elapsed,
) {
    let open: Vec<usize> = (0..lines.len())
        .filter(|place| {
            let is_told_again = lines.get(*place).is_some_and(|line| line.call.repeats.is_some());
            !is_told_again && tied.get(*place).is_some_and(Option::is_none)
        })
        .collect();
    let pairs: Vec<_> = open.iter().map(|place| candidates(*place)).collect();
    for (place, event) in open.iter().zip(assign(&pairs, window.as_nanos() + OTHER_PORT)) {
        if let (Some(event), Some(line)) = (event, tied.get_mut(*place)) {
            *line = Some(event);
            if let Some(taken) = taken.get_mut(event) {
                *taken = true;
            }
        }
    }
}

/// The events of the client's port that the line names.
fn port_candidates(line: &Line<'_>, events: &Events<'_>) -> Vec<(usize, i64)> {
    let (Some(client), Some(time)) = (line.client, line.time) else { return Vec::new() };
    let near = events.of_port(client.port()).filter_map(|place| {
        let event = events.all.get(place)?;
        let apart = apart(line, event, time);
        // An address may be translated, a port hardly ever is.
        let other = i64::from(event.client.socket().ip() != client.ip()) * OTHER_PORT;
        (apart <= PORT).then_some((place, apart.as_nanos() + other))
    });
    near.collect()
}

fn candidates(line: &Line<'_>, events: &Events<'_>, terms: Terms, taken: &[bool]) -> Vec<(usize, i64)> {
    let Some(time) = line.time else { return Vec::new() };
    let ended = events.ended(time, terms.window);
    let waited = line.wait.into_iter().flat_map(|wait| events.began(before(time, wait), terms.window));
    let took = line.call.took.map(Elapsed::from_nanos);
    let traced = took.into_iter().flat_map(|took| events.began(before(time, took), terms.window));
    let mut near: Vec<(usize, i64)> = ended
        .chain(waited)
        .chain(traced)
        .filter(|place| taken.get(*place) == Some(&false))
        .filter_map(|place| {
            let event = events.all.get(place)?;
            let agrees = line.agrees(event);
            let fits = line.fit(event)? >= terms.fit && agrees == terms.agrees;
            let is_of_failure = agrees || event.is_unclear || event.has_failed();
            let port = i64::from(!line.is_on_port(event)) * OTHER_PORT;
            (fits && is_of_failure).then(|| (place, apart(line, event, time).as_nanos().saturating_add(port)))
        })
        .collect();
    near.sort_unstable();
    near.dedup_by_key(|(place, _)| *place);
    near.sort_by_key(|(_, cost)| *cost);
    near.truncate(CANDIDATES);
    near
}

/// How far a line and the end of its call are apart: a call whose end no packet shows ended when its time was over.
pub(super) fn apart(line: &Line<'_>, event: &Event<'_>, time: Timestamp) -> Elapsed {
    let from_start = |lasted: Elapsed| time.since(event.start).minus(lasted);
    let took = line.call.took.map(|took| from_start(Elapsed::from_nanos(took)));
    let nearest = [Some(time.since(event.end)), line.wait.map(from_start), took];
    nearest.into_iter().flatten().map(Elapsed::abs).min().unwrap_or(Elapsed::from_nanos(i64::MAX))
}

fn before(time: Timestamp, by: Elapsed) -> Timestamp {
    Timestamp::from_nanos(time.as_nanos().saturating_sub(by.as_nanos()))
}
