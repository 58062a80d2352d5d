//! Cuts TCP payloads into smaller segments.

use crate::view::Ip;
use crate::wire::{put_u16, put_u32, u16_at, u32_at};
use crate::{Capture, Record};

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const PSH: u8 = 0x08;
const URG: u8 = 0x20;
/// Pieces of one packet are this far apart at most.
const STEP_NS: i64 = 1_000;

/// Every TCP payload in segments of one byte.
pub fn one_byte_segments(capture: &Capture) -> Capture {
    segments_of(capture, 1)
}

/// Every TCP payload in segments of at most `size` bytes. Flags that belong to the end of the data (FIN, PSH) are on
/// the last piece. The pieces follow one another before the time of the next packet.
///
/// # Panics
/// If the size is zero.
pub fn segments_of(capture: &Capture, size: usize) -> Capture {
    let mut records = Vec::new();
    for (index, record) in capture.records.iter().enumerate() {
        let pieces = divide(capture.link_type, &record.data, size);
        if !record.is_whole() || pieces.len() < 2 {
            records.push(record.clone());
            continue;
        }
        let until_next =
            capture.records.get(index + 1).map_or(i64::MAX, |next| next.time_ns - record.time_ns);
        let step = (until_next / pieces.len() as i64).clamp(0, STEP_NS);
        let times = (0..).map(|piece| record.time_ns + piece * step);
        records.extend(times.zip(pieces).map(|(time_ns, data)| Record::new(time_ns, data)));
    }
    Capture { link_type: capture.link_type, records }
}

/// The packet's pieces; none if it is not to be divided.
fn divide(link_type: u16, data: &[u8], size: usize) -> Vec<Vec<u8>> {
    let Some((ip, payload)) = Ip::of(link_type, data).and_then(|ip| {
        let payload = ip.tcp_payload(data)?;
        Some((ip, payload))
    }) else {
        return Vec::new();
    };
    let flags = data[ip.payload + 13];
    // SYN and urgent data tie the payload to the header it came with.
    if !ip.is_whole(data) || ip.fragment || flags & (SYN | URG) != 0 {
        return Vec::new();
    }
    let seq = u32_at(data, ip.payload + 4);
    let count = (ip.end - payload).div_ceil(size);
    let pieces = data[payload..ip.end].chunks(size).enumerate();
    let piece = |(index, bytes): (usize, &[u8])| {
        let mut piece = [&data[..payload], bytes].concat();
        put_u32(&mut piece, ip.payload + 4, seq.wrapping_add((index * size) as u32));
        if index + 1 < count {
            piece[ip.payload + 13] &= !(FIN | PSH);
        }
        if ip.is_v4() {
            // As segmentation offload counts them; copies of a packet get the same numbers.
            let ident = u16_at(data, ip.start + 4).wrapping_add(index as u16);
            put_u16(&mut piece, ip.start + 4, ident);
        }
        ip.set_length(&mut piece);
        ip.seal_header(&mut piece);
        let ip = Ip { end: piece.len(), ..ip.clone() };
        ip.seal_transport(&mut piece);
        piece
    };
    pieces.map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::{reseal, snap};
    use crate::{Conversation, link};

    fn story(client: &str, server: &str) -> Capture {
        Conversation::new(client, server).handshake().client(b"hello").after_us(2).client_fin().capture()
    }

    fn payloads(capture: &Capture) -> Vec<(u32, u8, Vec<u8>)> {
        let read = |record: &Record| {
            let ip = Ip::of(link::ETHERNET, &record.data).unwrap();
            let payload = ip.tcp_payload(&record.data).unwrap();
            let (seq, flags) = (u32_at(&record.data, ip.payload + 4), record.data[ip.payload + 13]);
            (seq, flags, record.data[payload..ip.end].to_vec())
        };
        capture.records.iter().map(read).collect()
    }

    #[test]
    fn pieces_carry_the_same_bytes_at_the_same_sequence_numbers() {
        for (client, server) in [("10.0.0.1:1", "10.0.0.2:2"), ("[fd00::1]:1", "[fd00::2]:2")] {
            let whole = story(client, server);
            let first = payloads(&whole)[3].0;
            let pieces = segments_of(&whole, 2);
            let expected = [
                (first, 0x10, b"he".to_vec()),
                (first + 2, 0x10, b"ll".to_vec()),
                (first + 4, 0x18, b"o".to_vec()),
                (first + 5, 0x11, vec![]),
            ];
            assert_eq!(payloads(&pieces)[3..], expected);
            assert_eq!(reseal(&pieces), pieces);
        }
    }

    #[test]
    fn pieces_stay_before_the_next_packet() {
        let pieces = one_byte_segments(&story("10.0.0.1:1", "10.0.0.2:2"));
        let times: Vec<_> = pieces.records.iter().map(|record| record.time_ns).collect();
        assert_eq!(times.len(), 3 + 5 + 1);
        assert!(times.is_sorted());
    }

    #[test]
    fn packets_cut_by_a_snap_length_are_left_alone() {
        let snapped = snap(&story("10.0.0.1:1", "10.0.0.2:2"), 56);
        assert_eq!(one_byte_segments(&snapped), snapped);
    }
}
