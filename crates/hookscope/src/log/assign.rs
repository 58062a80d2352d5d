//! Lines and what they may speak of, each pair with a cost -> the pairs that cost least in all.
//!
//! Each line is given at most one event, each event at most one line; a line that is given none costs a fixed price. The
//! answer is the best one: lines are added one by one, and each may push others along a shortest augmenting path.

use hashbrown::HashMap;

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// How many events one line may push aside before it has to do with the best so far.
const PUSHES: usize = 20_000;

/// For each line the event that it is given. `pairs` has for each line the events that it may be given, and what that
/// costs; `alone` is the price of none.
pub(crate) fn assign(pairs: &[Vec<(usize, i64)>], alone: i64) -> Vec<Option<usize>> {
    let mut given: Vec<Option<usize>> = vec![None; pairs.len()];
    let mut taken: Map<usize, usize> = HashMap::default();
    for line in 0..pairs.len() {
        insert(line, pairs, alone, &mut given, &mut taken);
    }
    given
}

/// Where a path ends.
#[derive(Clone, Copy)]
enum End {
    /// At an event that nobody has.
    Free(usize),
    /// At a line that gives up this event and gets none.
    Evicted(usize),
}

/// Gives `line` an event if that makes the whole cheaper, moving others as need be.
fn insert(
    line: usize,
    pairs: &[Vec<(usize, i64)>],
    alone: i64,
    given: &mut [Option<usize>],
    taken: &mut Map<usize, usize>,
) {
    let of = |line: usize| pairs.get(line).map_or(&[][..], Vec::as_slice);
    let cost = |line: usize, event: usize| {
        of(line).iter().find(|(other, _)| *other == event).map_or(alone, |(_, cost)| *cost)
    };
    // What it costs to take each event, and from which line.
    let mut reached: Map<usize, (i64, usize)> = HashMap::default();
    let mut queue: Vec<usize> = Vec::new();
    for &(event, cost) in of(line) {
        reached.insert(event, (cost, line));
        queue.push(event);
    }
    let (mut best, mut end) = (alone, None);
    let mut next = 0;
    while let Some(&event) = queue.get(next) {
        next += 1;
        if next > PUSHES {
            break;
        }
        let Some(&(price, _)) = reached.get(&event) else { continue };
        let Some(&owner) = taken.get(&event) else {
            if price < best {
                (best, end) = (price, Some(End::Free(event)));
            }
            continue;
        };
        let freed = price - cost(owner, event);
        if freed + alone < best {
            (best, end) = (freed + alone, Some(End::Evicted(event)));
        }
        for &(other, cost) in of(owner).iter().filter(|(other, _)| *other != event) {
            let through = freed + cost;
            if through < best && reached.get(&other).is_none_or(|(known, _)| through < *known) {
                reached.insert(other, (through, owner));
                queue.push(other);
            }
        }
    }
    let mut event = match end {
        None => return,
        Some(End::Free(event)) => event,
        Some(End::Evicted(event)) => {
            if let Some(owner) = taken.get(&event).copied()
                && let Some(place) = given.get_mut(owner)
            {
                *place = None;
            }
            event
        }
    };
    // Back along the path: each line takes the event by which it was reached. A line appears once on a shortest path.
    for _ in 0..=pairs.len() {
        let Some(&(_, from)) = reached.get(&event) else { return };
        let before = given.get(from).copied().flatten();
        if let Some(place) = given.get_mut(from) {
            *place = Some(event);
        }
        taken.insert(event, from);
        match before {
            Some(before) if from != line => event = before,
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_counts_and_not_who_comes_first() {
        // The first line would take the event that only the second can have.
        let pairs = [vec![(0, 1), (1, 2)], vec![(0, 3)]];
        assert_eq!(assign(&pairs, 100), [Some(1), Some(0)]);
        // A far line gives way to a near one.
        let pairs = [vec![(0, 90)], vec![(0, 1)]];
        assert_eq!(assign(&pairs, 100), [None, Some(0)]);
        assert_eq!(assign(&[vec![(0, 1)], vec![(0, 90)]], 100), [Some(0), None]);
        assert_eq!(assign(&[vec![(0, 101)], vec![]], 100), [None, None]);
    }

    /// All ways to give events to lines, tried one by one.
    fn least(pairs: &[Vec<(usize, i64)>], alone: i64, line: usize, taken: &mut Vec<usize>) -> i64 {
        if line == pairs.len() {
            return 0;
        }
        let mut best = alone + least(pairs, alone, line + 1, taken);
        for &(event, cost) in &pairs[line] {
            if !taken.contains(&event) {
                taken.push(event);
                best = best.min(cost + least(pairs, alone, line + 1, taken));
                taken.pop();
            }
        }
        best
    }

    #[test]
    fn nothing_is_cheaper_than_what_is_found() {
        let mut state = 7_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..2_000 {
            let (lines, events) = (random(6) + 1, random(6) + 1);
            let mut pairs: Vec<Vec<(usize, i64)>> = vec![Vec::new(); lines as usize];
            for pair in &mut pairs {
                for event in 0..events {
                    if random(3) > 0 {
                        pair.push((event as usize, random(50) as i64));
                    }
                }
            }
            let given = assign(&pairs, 40);
            let mut seen = Vec::new();
            let mut total = 0;
            for (line, event) in given.iter().enumerate() {
                let Some(event) = event else {
                    total += 40;
                    continue;
                };
                assert!(!seen.contains(event), "{pairs:?}: {given:?}");
                seen.push(*event);
                total += pairs[line].iter().find(|(other, _)| other == event).unwrap().1;
            }
            assert_eq!(total, least(&pairs, 40, 0, &mut Vec::new()), "{pairs:?}: {given:?}");
        }
    }
}
