//! Cuts captures: short packets, several files; and makes checksums right that offloading left to the hardware.

use crate::view::Ip;
use crate::{Capture, Record};

/// Keeps at most `len` bytes of each packet, as a snap length does; the lengths on the wire stay.
pub fn snap(capture: &Capture, len: usize) -> Capture {
    let mut cut = capture.clone();
    for record in &mut cut.records {
        record.data.truncate(len);
    }
    cut
}

/// Divides a capture into consecutive ones, each beginning with the packet at one of the indexes, as the files of a
/// ring do: `k` indexes make `k + 1` captures.
///
/// # Panics
/// If the indexes are not in order or lie beyond the end.
pub fn cut(capture: &Capture, at: &[usize]) -> Vec<Capture> {
    let mut starts = vec![0];
    starts.extend(at);
    let mut ends = at.to_vec();
    ends.push(capture.records.len());
    starts
        .into_iter()
        .zip(ends)
        .map(|(start, end)| Capture {
            link_type: capture.link_type,
            records: capture.records.get(start..end).expect("cuts are in order, within the capture").to_vec(),
        })
        .collect()
}

/// Makes the checksums of all packets right that were captured whole.
///
/// On the host that sends them, packets are captured before the network card has filled in their checksums.
pub fn reseal(capture: &Capture) -> Capture {
    let seal = |record: &Record| {
        let mut record = record.clone();
        if let Some(ip) = Ip::of(capture.link_type, &record.data) {
            ip.seal_header(&mut record.data);
            ip.seal_transport(&mut record.data);
        }
        record
    };
    Capture { link_type: capture.link_type, records: capture.records.iter().map(seal).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Conversation;

    fn story() -> Capture {
        Conversation::new("10.0.0.1:1", "10.0.0.2:2").handshake().client(b"hello").capture()
    }

    #[test]
    fn snapping_keeps_the_length_on_the_wire() {
        let snapped = snap(&story(), 56);
        assert!(snapped.records.iter().all(|record| record.data.len() <= 56));
        assert_eq!(snapped.records[3].wire_len, story().records[3].wire_len);
    }

    #[test]
    fn cuts_put_every_packet_into_exactly_one_capture() {
        let parts = cut(&story(), &[1, 1, 3]);
        assert_eq!(parts.iter().map(|part| part.records.len()).collect::<Vec<_>>(), [1, 0, 2, 1]);
        assert_eq!(parts.iter().flat_map(|part| part.records.clone()).collect::<Vec<_>>(), story().records);
    }

    #[test]
    fn resealing_repairs_checksums() {
        let mut offloaded = story();
        for record in &mut offloaded.records {
            record.data[24] ^= 0xff;
            record.data[14 + 20 + 16] ^= 0x55;
        }
        assert_eq!(reseal(&offloaded), story());
    }
}
