//! Linux netfilter's log -> the packet among its attributes, and the interface it came in on or goes out on
//! (LINKTYPE_NFLOG).
//!
//! Lengths and types of attributes are in the byte order of the host that captured; as no type needs its upper octet,
//! it shows. Their values are in network byte order.

use super::{EtherType, Network, raw_ip};
use crate::wire::body::Body;
use crate::wire::malformed::Malformed;

/// The upper bits of a type are flags of netlink's.
const TYPE: u16 = 0x3fff;
const IN_INTERFACE: u16 = 4;
const OUT_INTERFACE: u16 = 5;
const PAYLOAD: u16 = 9;
const ATTRIBUTE_HEADER: u32 = 4;

/// The interface, 0 if it is not told, and the packet.
pub(in crate::wire) fn strip(packet: Body<'_>) -> Result<(u32, Network<'_>), Malformed> {
    let (header, mut rest) = packet.split::<4>().ok_or(Malformed::BadNflogHeader)?;
    let (mut came_in, mut goes_out) = (None, None);
    loop {
        let (&[a, b, c, d], body) = rest.split::<4>().ok_or(Malformed::BadNflogHeader)?;
        let is_little = c != 0;
        let [len, kind] = [[a, b], [c, d]].map(|field| match is_little {
            true => u16::from_le_bytes(field),
            false => u16::from_be_bytes(field),
        });
        let value_len = u32::from(len).checked_sub(ATTRIBUTE_HEADER).ok_or(Malformed::BadNflogHeader)?;
        let value = body.limit(value_len);
        let index = || value.captured.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        match kind & TYPE {
            IN_INTERFACE => came_in = index(),
            OUT_INTERFACE => goes_out = index(),
            PAYLOAD => {
                let network = match header[0] {
                    // AF_INET, AF_INET6 and what a bridge hands on: the packet tells.
                    2 | 10 | 7 => raw_ip::strip(value)?,
                    _ => Network { ether_type: EtherType::NONE, body: value },
                };
                return Ok((came_in.or(goes_out).unwrap_or_default(), network));
            }
            _ => {}
        }
        rest = body.skip(value_len.next_multiple_of(4)).ok_or(Malformed::BadNflogHeader)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(is_little: bool, kind: u16, value: &[u8]) -> Vec<u8> {
        let len = value.len() as u16 + 4;
        let field = |field: u16| if is_little { field.to_le_bytes() } else { field.to_be_bytes() };
        let padding = &[0; 3][..value.len().next_multiple_of(4) - value.len()];
        [&field(len)[..], &field(kind), value, padding].concat()
    }

    fn packet(is_little: bool, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let header = vec![2, 0, 0, 30];
        let attributes = attributes.iter().map(|(kind, value)| attribute(is_little, *kind, value));
        std::iter::once(header).chain(attributes).collect::<Vec<_>>().concat()
    }

    #[test]
    fn the_packet_is_found_among_the_attributes_in_either_byte_order() {
        for is_little in [true, false] {
            let before: &[(u16, &[u8])] = &[(1, &[8, 0, 1, 0]), (10, &[0]), (5, &[0, 0, 0, 2])];
            let bytes = packet(is_little, &[before, &[(9, &[0x45, 7])]].concat());
            let (interface, network) = strip(Body::new(&bytes, 0)).unwrap();
            assert_eq!((interface, network.ether_type), (2, EtherType::IPV4));
            assert_eq!((network.body.captured, network.body.len), (&[0x45, 7][..], 2));
        }
    }

    #[test]
    fn where_it_came_in_counts_more_than_where_it_goes_out() {
        let bytes = packet(true, &[(4, &[0, 0, 0, 3]), (5, &[0, 0, 0, 2]), (9, &[0x60])]);
        let (interface, network) = strip(Body::new(&bytes, 0)).unwrap();
        assert_eq!((interface, network.ether_type), (3, EtherType::IPV6));
    }

    #[test]
    fn a_cut_packet_keeps_its_length() {
        let bytes = packet(true, &[(9, &[0x45; 60])]);
        let (_, network) = strip(Body::new(&bytes[..20], 68)).unwrap();
        assert_eq!((network.body.captured.len(), network.body.len), (12, 60));
    }

    #[test]
    fn impossible_attributes_are_named() {
        let no_packet = packet(true, &[(1, &[8, 0, 1, 0])]);
        for bytes in [&[2, 0, 0][..], &[2, 0, 0, 30, 4, 0, 9], &[2, 0, 0, 30, 3, 0, 1, 0], &no_packet] {
            assert_eq!(strip(Body::new(bytes, 60)).unwrap_err(), Malformed::BadNflogHeader);
        }
        let other_family = [&[28, 0, 0, 30], &attribute(true, 9, &[0x45])[..]].concat();
        assert_eq!(strip(Body::new(&other_family, 0)).unwrap().1.ether_type, EtherType::NONE);
    }
}
