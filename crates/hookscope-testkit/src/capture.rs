//! A capture in memory: packets with their times, and the link type they share.

/// The link types this crate reads and writes, as numbered in capture files.
pub mod link {
    /// BSD loopback: a four-byte address family in the byte order of the capturing host (here little-endian).
    pub const NULL: u16 = 0;
    /// Ethernet, with or without VLAN tags.
    pub const ETHERNET: u16 = 1;
    /// IPv4 or IPv6 without a link header.
    pub const RAW: u16 = 101;
    /// OpenBSD loopback: a four-byte address family in network byte order.
    pub const LOOP: u16 = 108;
    /// Linux "cooked" capture, version 1.
    pub const LINUX_SLL: u16 = 113;
    /// Linux "cooked" capture, version 2: names the interface.
    pub const LINUX_SLL2: u16 = 276;
}

/// One captured packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// When it was captured, in nanoseconds since the epoch.
    pub time_ns: i64,
    /// How long it was on the wire; more than `data` holds if the capture was cut by a snap length.
    pub wire_len: u32,
    /// What was captured of it, from the link header on.
    pub data: Vec<u8>,
}

impl Record {
    /// A packet captured in full.
    pub fn new(time_ns: i64, data: Vec<u8>) -> Self {
        let wire_len = u32::try_from(data.len()).expect("a packet's length fits 32 bits");
        Self { time_ns, wire_len, data }
    }

    /// Whether the capture holds the whole packet.
    pub fn is_whole(&self) -> bool {
        self.data.len() >= self.wire_len as usize
    }
}

/// Packets in file order, all of one link type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// The link type, one of [`link`] (others are carried along untouched).
    pub link_type: u16,
    /// The packets in file order.
    pub records: Vec<Record>,
}

impl Capture {
    /// A capture without packets.
    pub fn empty(link_type: u16) -> Self {
        Self { link_type, records: Vec::new() }
    }

    /// All packets of several captures by time; packets of one instant keep the order of the captures.
    ///
    /// # Panics
    /// If there is no capture to merge or if their link types differ.
    pub fn merge(captures: &[Self]) -> Self {
        let first = captures.first().expect("merging needs at least one capture");
        let mut merged = Self::empty(first.link_type);
        for capture in captures {
            assert_eq!(
                capture.link_type, first.link_type,
                "captures of different link types cannot be merged"
            );
            merged.records.extend_from_slice(&capture.records);
        }
        merged.sort_by_time();
        merged
    }

    /// Brings the packets into time order; those of one instant keep their order.
    pub(crate) fn sort_by_time(&mut self) {
        self.records.sort_by_key(|record| record.time_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(times: &[i64], mark: u8) -> Capture {
        let records = times.iter().map(|&time| Record::new(time, vec![mark])).collect();
        Capture { link_type: link::RAW, records }
    }

    #[test]
    fn merging_orders_by_time_and_keeps_the_order_of_one_instant() {
        let merged = Capture::merge(&[capture(&[1, 5, 9], b'a'), capture(&[0, 5, 6], b'b')]);
        let order: Vec<_> =
            merged.records.iter().map(|record| (record.time_ns, record.data[0] as char)).collect();
        assert_eq!(order, [(0, 'b'), (1, 'a'), (5, 'a'), (5, 'b'), (6, 'b'), (9, 'a')]);
    }

    #[test]
    #[should_panic(expected = "different link types")]
    fn merging_refuses_mixed_link_types() {
        Capture::merge(&[Capture::empty(link::RAW), Capture::empty(link::NULL)]);
    }
}
