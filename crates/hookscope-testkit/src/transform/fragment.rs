//! Cuts IP packets into fragments.

use crate::view::Ip;
use crate::wire::{put_u16, u16_at};
use crate::{Capture, Record};

const MORE_FRAGMENTS: u16 = 0x2000;
const IPV6_FRAGMENT: u8 = 44;

/// The order in which the fragments of a packet arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FragmentOrder {
    /// The first one first.
    Forward,
    /// The last one first.
    Reverse,
}

/// Every IP packet longer than `size` bytes, header included, in fragments of at most that size. All fragments of a
/// packet bear its time.
///
/// # Panics
/// If the size leaves no room for eight bytes of payload behind a packet's headers.
pub fn fragment_ip(capture: &Capture, size: usize, order: FragmentOrder) -> Capture {
    let mut records = Vec::new();
    let mut next_ident = 0_u32;
    for record in &capture.records {
        let Some(ip) = Ip::of(capture.link_type, &record.data).filter(|ip| {
            record.is_whole() && ip.is_whole(&record.data) && !ip.fragment && ip.end - ip.start > size
        }) else {
            records.push(record.clone());
            continue;
        };
        next_ident += 1;
        let mut fragments = if ip.is_v4() {
            fragment_v4(&record.data, &ip, size, next_ident)
        } else {
            fragment_v6(&record.data, &ip, size, next_ident)
        };
        if order == FragmentOrder::Reverse {
            fragments.reverse();
        }
        records.extend(fragments.into_iter().map(|data| Record::new(record.time_ns, data)));
    }
    Capture { link_type: capture.link_type, records }
}

fn fragment_v4(data: &[u8], ip: &Ip, size: usize, ident: u32) -> Vec<Vec<u8>> {
    let step = step(size, ip.payload - ip.start);
    let header = &data[..ip.payload];
    let fragment = |(offset, bytes, is_last): (usize, &[u8], bool)| {
        let mut fragment = [header, bytes].concat();
        if u16_at(data, ip.start + 4) == 0 {
            // Whoever may not fragment need not number its packets, but fragments have to be told apart.
            put_u16(&mut fragment, ip.start + 4, ident as u16);
        }
        let more = if is_last { 0 } else { MORE_FRAGMENTS };
        put_u16(&mut fragment, ip.start + 6, more | (offset / 8) as u16);
        ip.set_length(&mut fragment);
        ip.seal_header(&mut fragment);
        fragment
    };
    pieces(&data[ip.payload..ip.end], step).map(fragment).collect()
}

fn fragment_v6(data: &[u8], ip: &Ip, size: usize, ident: u32) -> Vec<Vec<u8>> {
    let step = step(size, ip.unfragmentable - ip.start + 8);
    let mut header = data[..ip.unfragmentable].to_vec();
    let next_header = next_header_at(&header, ip);
    header[next_header] = IPV6_FRAGMENT;
    let fragment = |(offset, bytes, is_last): (usize, &[u8], bool)| {
        let mut extension = vec![ip.first_protocol, 0];
        extension.extend((offset as u16 | u16::from(!is_last)).to_be_bytes());
        extension.extend(ident.to_be_bytes());
        let mut fragment = [&header, &extension, bytes].concat();
        ip.set_length(&mut fragment);
        fragment
    };
    pieces(&data[ip.unfragmentable..ip.end], step).map(fragment).collect()
}

/// Where the last header that is repeated in all fragments names the next one.
fn next_header_at(header: &[u8], ip: &Ip) -> usize {
    let (mut at, mut next) = (ip.start + 6, ip.start + 40);
    while next < ip.unfragmentable {
        at = next;
        next += 8 + usize::from(header[next + 1]) * 8;
    }
    at
}

fn step(size: usize, headers: usize) -> usize {
    let step = size.saturating_sub(headers) / 8 * 8;
    assert!(
        step > 0,
        "fragments of {size} bytes leave no room for payload behind {headers} bytes of headers"
    );
    step
}

/// Pieces of a payload, each with its offset and whether it is the last.
fn pieces(payload: &[u8], step: usize) -> impl Iterator<Item = (usize, &[u8], bool)> {
    let pieces = payload.chunks(step).enumerate();
    pieces.map(move |(index, bytes)| (index * step, bytes, index * step + bytes.len() == payload.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::reseal;
    use crate::{Conversation, link};

    fn story(client: &str, server: &str) -> Capture {
        Conversation::new(client, server).handshake().client(&(0..=255).collect::<Vec<u8>>()).capture()
    }

    #[test]
    fn fragments_of_ipv4_put_together_are_the_packet() {
        let whole = story("10.0.0.1:1", "10.0.0.2:2");
        let fragments = fragment_ip(&whole, 120, FragmentOrder::Forward);
        let pieces = &fragments.records[3..];
        assert_eq!(pieces.len(), 3);
        let mut payload: Vec<u8> = Vec::new();
        for (index, piece) in pieces.iter().enumerate() {
            let field = u16_at(&piece.data, 20);
            assert_eq!(usize::from(field & 0x1fff) * 8, payload.len());
            assert_eq!(field & MORE_FRAGMENTS != 0, index < 2);
            assert!(piece.data.len() - 14 <= 120);
            payload.extend(&piece.data[34..]);
        }
        assert_eq!(payload, whole.records[3].data[34..]);
        assert_eq!(reseal(&fragments), fragments);
    }

    #[test]
    fn fragments_of_ipv6_put_together_are_the_packet() {
        let whole = story("[fd00::1]:1", "[fd00::2]:2");
        let fragments = fragment_ip(&whole, 160, FragmentOrder::Forward);
        let mut payload: Vec<u8> = Vec::new();
        for piece in &fragments.records[3..] {
            let ip = Ip::of(link::ETHERNET, &piece.data).unwrap();
            assert!(ip.fragment && ip.end - ip.start <= 160);
            assert_eq!(ip.later_fragment, !payload.is_empty());
            assert_eq!(piece.data[14 + 40], 6);
            payload.extend(&piece.data[14 + 48..]);
        }
        assert_eq!(payload, whole.records[3].data[54..]);
    }

    #[test]
    fn reversed_fragments_are_the_same_ones() {
        let whole = story("10.0.0.1:1", "10.0.0.2:2");
        let mut forward = fragment_ip(&whole, 120, FragmentOrder::Forward).records.split_off(3);
        let reverse = fragment_ip(&whole, 120, FragmentOrder::Reverse).records.split_off(3);
        forward.reverse();
        assert_eq!(forward, reverse);
    }

    #[test]
    fn fragments_are_not_fragmented_again() {
        let fragments = fragment_ip(&story("10.0.0.1:1", "10.0.0.2:2"), 120, FragmentOrder::Forward);
        assert_eq!(fragment_ip(&fragments, 60, FragmentOrder::Forward).records[3..], fragments.records[3..]);
    }
}
