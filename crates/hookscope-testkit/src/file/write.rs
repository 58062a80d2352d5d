//! Writes captures as files: pcap in its four flavours, and pcapng with one interface.

use super::{ByteOrder, Resolution};
use crate::Capture;

const SNAP_LEN: u32 = 262_144;

impl Capture {
    /// The capture as a little-endian pcap file with nanoseconds.
    pub fn to_pcap(&self) -> Vec<u8> {
        self.to_pcap_as(ByteOrder::Little, Resolution::Nano)
    }

    /// The capture as a pcap file of the given flavour.
    ///
    /// # Panics
    /// If a packet's time lies outside what pcap can express (1970 to 2106).
    pub fn to_pcap_as(&self, order: ByteOrder, resolution: Resolution) -> Vec<u8> {
        let mut file = Vec::new();
        file.extend(order.u32(resolution.pcap_magic()));
        file.extend(order.u16(2));
        file.extend(order.u16(4));
        file.extend([0; 8]);
        file.extend(order.u32(SNAP_LEN));
        file.extend(order.u32(u32::from(self.link_type)));
        for record in &self.records {
            let seconds = u32::try_from(record.time_ns.div_euclid(1_000_000_000));
            let seconds = seconds.expect("a pcap time lies between 1970 and 2106");
            let fraction = record.time_ns.rem_euclid(1_000_000_000) / resolution.unit_ns();
            file.extend(order.u32(seconds));
            file.extend(order.u32(u32::try_from(fraction).expect("less than a second")));
            file.extend(order.u32(length(record.data.len())));
            file.extend(order.u32(record.wire_len));
            file.extend(&record.data);
        }
        file
    }

    /// The capture as a pcapng file: one section, one interface, one enhanced packet block per packet.
    ///
    /// # Panics
    /// If a packet's time lies before 1970.
    pub fn to_pcapng(&self, order: ByteOrder, resolution: Resolution) -> Vec<u8> {
        let mut file = Vec::new();
        let mut section = Vec::new();
        section.extend(order.u32(0x1a2b_3c4d));
        section.extend(order.u16(1));
        section.extend(order.u16(0));
        section.extend([0xff; 8]); // section length: not given
        block(&mut file, order, 0x0a0d_0d0a, &section);

        let mut interface = Vec::new();
        interface.extend(order.u16(self.link_type));
        interface.extend([0; 2]);
        interface.extend(order.u32(SNAP_LEN));
        if resolution == Resolution::Nano {
            interface.extend(order.u16(9)); // if_tsresol; without it the unit is the microsecond
            interface.extend(order.u16(1));
            interface.extend([9, 0, 0, 0]);
            interface.extend([0; 4]); // opt_endofopt
        }
        block(&mut file, order, 1, &interface);

        for record in &self.records {
            let time =
                u64::try_from(record.time_ns / resolution.unit_ns()).expect("a pcapng time is after 1970");
            let mut packet = Vec::new();
            packet.extend([0; 4]);
            packet.extend(order.u32((time >> 32) as u32));
            packet.extend(order.u32((time & 0xffff_ffff) as u32));
            packet.extend(order.u32(length(record.data.len())));
            packet.extend(order.u32(record.wire_len));
            packet.extend(&record.data);
            packet.resize(packet.len().next_multiple_of(4), 0);
            block(&mut file, order, 6, &packet);
        }
        file
    }
}

fn block(file: &mut Vec<u8>, order: ByteOrder, kind: u32, body: &[u8]) {
    let total = order.u32(length(body.len() + 12));
    file.extend(order.u32(kind));
    file.extend(total);
    file.extend(body);
    file.extend(total);
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("lengths in capture files fit 32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Record;

    fn sample() -> Capture {
        let cut = Record { time_ns: 1_700_000_000_123_456_789, wire_len: 1500, data: vec![7; 61] };
        Capture { link_type: 276, records: vec![Record::new(1_000, vec![1, 2, 3]), cut] }
    }

    #[test]
    fn nanosecond_files_read_back_as_they_were_in_both_byte_orders() {
        for order in [ByteOrder::Little, ByteOrder::Big] {
            assert_eq!(Capture::read(&sample().to_pcap_as(order, Resolution::Nano)), sample());
        }
    }

    #[test]
    fn microsecond_files_lose_only_the_nanoseconds() {
        let mut expected = sample();
        expected.records[1].time_ns = 1_700_000_000_123_456_000;
        for order in [ByteOrder::Little, ByteOrder::Big] {
            assert_eq!(Capture::read(&sample().to_pcap_as(order, Resolution::Micro)), expected);
        }
    }

    #[test]
    fn every_pcapng_block_repeats_its_length_and_is_padded_to_four_bytes() {
        for order in [ByteOrder::Little, ByteOrder::Big] {
            let file = sample().to_pcapng(order, Resolution::Nano);
            let (mut rest, mut kinds) = (&file[..], Vec::new());
            while !rest.is_empty() {
                let total = order.read_u32(&rest[4..]) as usize;
                assert_eq!(total % 4, 0);
                assert_eq!(order.read_u32(&rest[total - 4..]) as usize, total);
                kinds.push(order.read_u32(rest));
                rest = &rest[total..];
            }
            assert_eq!(kinds, [0x0a0d_0d0a, 1, 6, 6]);
        }
    }
}
