//! Reads plain pcap files, so that tests can transform captures taken from real hosts.

use super::{ByteOrder, Resolution};
use crate::{Capture, Record};

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

impl Capture {
    /// Reads a pcap file of either byte order and either resolution.
    ///
    /// # Panics
    /// If the bytes are not a complete pcap file: a test's input is expected to be sound.
    pub fn read(bytes: &[u8]) -> Self {
        assert!(bytes.len() >= FILE_HEADER, "not a pcap file: {} bytes hold no file header", bytes.len());
        let (order, resolution) = format_of(bytes);
        let link_type = order.read_u32(&bytes[20..]) & 0xffff;
        let mut capture = Self::empty(u16::try_from(link_type).expect("masked to 16 bits"));
        let mut rest = &bytes[FILE_HEADER..];
        while !rest.is_empty() {
            let number = capture.records.len() + 1;
            assert!(rest.len() >= RECORD_HEADER, "pcap file ends inside the header of packet {number}");
            let field = |index: usize| order.read_u32(&rest[4 * index..]);
            let time_ns = i64::from(field(0)) * 1_000_000_000 + i64::from(field(1)) * resolution.unit_ns();
            let (captured, wire_len) = (field(2) as usize, field(3));
            rest = &rest[RECORD_HEADER..];
            assert!(rest.len() >= captured, "pcap file ends inside packet {number}");
            let (data, after) = rest.split_at(captured);
            capture.records.push(Record { time_ns, wire_len, data: data.to_vec() });
            rest = after;
        }
        capture
    }
}

fn format_of(bytes: &[u8]) -> (ByteOrder, Resolution) {
    for order in [ByteOrder::Little, ByteOrder::Big] {
        for resolution in [Resolution::Micro, Resolution::Nano] {
            if order.read_u32(bytes) == resolution.pcap_magic() {
                return (order, resolution);
            }
        }
    }
    panic!("not a pcap file: magic {:02x?}", &bytes[..4]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "not a pcap file: magic")]
    fn a_file_of_another_format_is_named_as_such() {
        Capture::read(&[0x0a; 40]);
    }

    #[test]
    #[should_panic(expected = "ends inside packet 1")]
    fn a_file_cut_inside_a_packet_is_refused() {
        let capture = Capture { link_type: 1, records: vec![Record::new(0, vec![1, 2, 3])] };
        let bytes = capture.to_pcap();
        Capture::read(&bytes[..bytes.len() - 1]);
    }
}
