//! The TCP headers that ICMP errors quote: their sequence numbers move along with those of the connection.

use super::shift::Shift;
use crate::view::Ip;
use crate::wire::{PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP};

/// Moves the numbers in the header that an ICMP error quotes, as far as it quotes them. The message's own checksum is
/// left to the caller.
pub(super) fn shift_quote(shift: &Shift, data: &mut [u8], ip: &Ip) {
    let Some(&kind) = data.get(ip.payload) else { return };
    let is_error = match ip.protocol {
        PROTOCOL_ICMP => matches!(kind, 3 | 4 | 5 | 11 | 12),
        PROTOCOL_ICMPV6 => kind < 128,
        _ => false,
    };
    if !is_error {
        return;
    }
    let end = ip.end.min(data.len());
    let quote = ip.payload + 8;
    let Some(quoted) = Ip::at(&data[..end], quote).filter(|quoted| !quoted.later_fragment) else { return };
    if quoted.protocol == PROTOCOL_TCP {
        shift.apply(&mut data[quoted.payload..end], quoted.from, quoted.to);
    }
}

#[cfg(test)]
mod tests {
    use crate::transform::shift_sequence_numbers;
    use crate::{Capture, Conversation};

    fn refused(client: &str, server: &str, reporter: &str, kind: u8, seq: u32) -> Capture {
        let story = Conversation::new(client, server).sequence_numbers(seq, 9).syn();
        story.icmp_error(reporter, kind, 1, 0).capture()
    }

    #[test]
    fn quoted_numbers_move_under_both_ip_versions() {
        let v4 = |seq| refused("10.0.0.1:5000", "10.0.0.2:443", "10.0.0.2", 3, seq);
        let v6 = |seq| refused("[fd00::1]:5000", "[fd00::2]:443", "fd00::2", 1, seq);
        assert_eq!(shift_sequence_numbers(&v4(5), 100, 7), v4(105));
        assert_eq!(shift_sequence_numbers(&v6(5), 100, 7), v6(105));
    }

    #[test]
    fn a_quote_of_eight_bytes_is_enough() {
        let cut = |seq| {
            let mut capture = refused("10.0.0.1:5000", "10.0.0.2:443", "10.0.0.2", 3, seq);
            let error = &mut capture.records[1];
            error.data.truncate(14 + 20 + 8 + 20 + 8);
            error.wire_len = error.data.len() as u32;
            error.data[16..18].copy_from_slice(&56_u16.to_be_bytes());
            crate::transform::reseal(&capture)
        };
        assert_eq!(shift_sequence_numbers(&cut(5), 100, 7), cut(105));
    }
}
