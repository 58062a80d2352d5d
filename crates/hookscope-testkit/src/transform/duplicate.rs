//! Shows packets twice, or in another order, as captures of real hosts do.

use super::relink::{Link, relink};
use crate::view::Ip;
use crate::wire::{put_u32, u32_at};
use crate::{Capture, Record};

/// How a second interface shows the packets of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duplicates {
    /// How much later it shows them.
    pub delay_us: i64,
    /// Whether a router lies between the two: the copy's TTL is one less.
    pub routed: bool,
}

impl Default for Duplicates {
    fn default() -> Self {
        Self { delay_us: 3, routed: false }
    }
}

/// Every packet twice, as two interfaces of one host show it to a capture on `any`: the copy has another interface
/// index. The result is of link type `LINUX_SLL2`, in time order.
pub fn duplicate_all(capture: &Capture, duplicates: Duplicates) -> Capture {
    let mut doubled = relink(capture, Link::LinuxSll2);
    let copies: Vec<Record> = doubled.records.iter().map(|record| copy(record, duplicates)).collect();
    doubled.records.extend(copies);
    doubled.sort_by_time();
    doubled
}

fn copy(record: &Record, duplicates: Duplicates) -> Record {
    let mut copy = record.clone();
    copy.time_ns += duplicates.delay_us * 1_000;
    let interface = u32_at(&copy.data, 4);
    put_u32(&mut copy.data, 4, interface + 1);
    if let Some(ip) = Ip::of(crate::link::LINUX_SLL2, &copy.data).filter(|_| duplicates.routed) {
        let ttl = ip.start + if ip.is_v4() { 8 } else { 7 };
        copy.data[ttl] = copy.data[ttl].saturating_sub(1);
        ip.seal_header(&mut copy.data);
    }
    copy
}

/// Swaps the packets of each pair of neighbours. The times stay where they are, so that file order is time order.
pub fn swap_neighbours(capture: &Capture) -> Capture {
    let mut swapped = capture.clone();
    for pair in swapped.records.chunks_exact_mut(2) {
        pair.swap(0, 1);
        let (first, second) = (pair[1].time_ns, pair[0].time_ns);
        (pair[0].time_ns, pair[1].time_ns) = (first, second);
    }
    swapped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Conversation;
    use crate::transform::reseal;

    fn story() -> Capture {
        Conversation::new("10.0.0.1:1", "10.0.0.2:2").handshake().capture()
    }

    #[test]
    fn the_copy_differs_in_its_interface_only() {
        let doubled = duplicate_all(&story(), Duplicates::default());
        assert_eq!(doubled.records.len(), 6);
        let [first, second] = &doubled.records[..2] else { unreachable!() };
        assert_ne!(first.data[4..8], second.data[4..8]);
        assert_eq!((&first.data[..4], &first.data[8..]), (&second.data[..4], &second.data[8..]));
        assert_eq!(second.time_ns - first.time_ns, 3_000);
    }

    #[test]
    fn a_routed_copy_has_lived_one_hop_longer_and_has_right_checksums() {
        let doubled = duplicate_all(&story(), Duplicates { routed: true, delay_us: 20 });
        assert_eq!((doubled.records[0].data[28], doubled.records[1].data[28]), (64, 63));
        assert_eq!(reseal(&doubled), doubled);
    }

    #[test]
    fn swapping_twice_changes_nothing_and_once_keeps_the_times() {
        let swapped = swap_neighbours(&story());
        assert_eq!(swapped.records[0].data, story().records[1].data);
        assert_eq!(swapped.records[2], story().records[2]);
        assert!(swapped.records.is_sorted_by_key(|record| record.time_ns));
        assert_eq!(swap_neighbours(&swapped), story());
    }
}
