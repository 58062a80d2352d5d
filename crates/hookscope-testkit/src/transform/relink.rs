//! Puts packets behind another link header.

use crate::view::{Ip, network};
use crate::wire::{
    ETHERTYPE_IPV4, ETHERTYPE_IPV6, ethernet_header, loop_header, mac_of, null_header, u16_at, u32_at,
};
use crate::{Capture, Record, link};

/// The link headers to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Ethernet without tags.
    Ethernet,
    /// Ethernet with one VLAN tag (802.1Q) of this number.
    Vlan(u16),
    /// Ethernet with a service tag (802.1ad) and a customer tag of these numbers.
    QinQ(u16, u16),
    /// Linux cooked capture, version 1.
    LinuxSll,
    /// Linux cooked capture, version 2.
    LinuxSll2,
    /// No link header.
    Raw,
    /// BSD loopback.
    Null,
    /// OpenBSD loopback.
    Loop,
}

impl Link {
    /// The link type of captures with this header.
    pub fn link_type(self) -> u16 {
        match self {
            Self::Ethernet | Self::Vlan(_) | Self::QinQ(..) => link::ETHERNET,
            Self::LinuxSll => link::LINUX_SLL,
            Self::LinuxSll2 => link::LINUX_SLL2,
            Self::Raw => link::RAW,
            Self::Null => link::NULL,
            Self::Loop => link::LOOP,
        }
    }

    fn header(self, old: &OldLink) -> Option<Vec<u8>> {
        let ethertype = old.ethertype;
        let ethernet = |ethertype| ethernet_header(old.to, old.from, ethertype);
        let tag = |number: u16, ethertype: u16| [number.to_be_bytes(), ethertype.to_be_bytes()].concat();
        let is_v4 = match ethertype {
            ETHERTYPE_IPV4 => Some(true),
            ETHERTYPE_IPV6 => Some(false),
            _ => None,
        };
        Some(match self {
            Self::Ethernet => ethernet(ethertype),
            Self::Vlan(number) => [ethernet(0x8100), tag(number, ethertype)].concat(),
            Self::QinQ(outer, inner) => {
                [ethernet(0x88a8), tag(outer, 0x8100), tag(inner, ethertype)].concat()
            }
            Self::LinuxSll => {
                let mut header = u16::from(old.direction).to_be_bytes().to_vec();
                header.extend([0, 1, 0, 6]); // Ethernet, six bytes of address
                header.extend(old.from);
                header.extend([0, 0]);
                header.extend(ethertype.to_be_bytes());
                header
            }
            Self::LinuxSll2 => {
                let mut header = ethertype.to_be_bytes().to_vec();
                header.extend([0, 0]);
                header.extend(old.interface.to_be_bytes());
                header.extend([0, 1, old.direction, 6]);
                header.extend(old.from);
                header.extend([0, 0]);
                header
            }
            Self::Raw => is_v4.map(|_| Vec::new())?,
            Self::Null => null_header(is_v4?).to_vec(),
            Self::Loop => loop_header(is_v4?).to_vec(),
        })
    }
}

/// Every packet behind another link header. Its addresses are kept as far as there are any, else they are derived
/// from the IP addresses; VLAN tags are dropped unless asked for.
///
/// A capture has one link type only, so here packets cannot be left as they are: those that the new header cannot
/// carry (ARP on a link for IP) are dropped. The same goes for packets cut inside their old link header.
pub fn relink(capture: &Capture, to: Link) -> Capture {
    let records = capture.records.iter().filter_map(|record| {
        let old = OldLink::of(capture.link_type, &record.data)?;
        let mut data = to.header(&old)?;
        let wire_len = record.wire_len - old.length as u32 + data.len() as u32;
        data.extend(&record.data[old.length..]);
        Some(Record { time_ns: record.time_ns, wire_len, data })
    });
    Capture { link_type: to.link_type(), records: records.collect() }
}

/// What a link header said, with something plausible where it is silent.
struct OldLink {
    length: usize,
    ethertype: u16,
    from: [u8; 6],
    to: [u8; 6],
    interface: u32,
    /// The packet type of cooked captures: 0 for packets to this host, 4 for those it sends.
    direction: u8,
}

impl OldLink {
    fn of(link_type: u16, data: &[u8]) -> Option<Self> {
        let (ethertype, length) = network(link_type, data)?;
        let ip = Ip::of(link_type, data);
        let (from, to) =
            ip.map_or(([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]), |ip| (mac_of(ip.from), mac_of(ip.to)));
        let mut old = Self { length, ethertype, from, to, interface: 2, direction: 0 };
        let mac = |at: usize| data[at..at + 6].try_into().expect("six bytes");
        match link_type {
            link::ETHERNET => (old.to, old.from) = (mac(0), mac(6)),
            link::LINUX_SLL => (old.from, old.direction) = (mac(6), u16_at(data, 0) as u8),
            link::LINUX_SLL2 => {
                (old.from, old.direction) = (mac(12), data[10]);
                old.interface = u32_at(data, 4);
            }
            _ => {}
        }
        Some(old)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Conversation;

    const ALL: [Link; 8] = [
        Link::Ethernet,
        Link::Vlan(7),
        Link::QinQ(100, 7),
        Link::LinuxSll,
        Link::LinuxSll2,
        Link::Raw,
        Link::Null,
        Link::Loop,
    ];

    fn stories() -> [Capture; 2] {
        [("10.0.0.1:1", "10.0.0.2:2"), ("[fd00::1]:1", "[fd00::2]:2")]
            .map(|(client, server)| Conversation::new(client, server).handshake().capture())
    }

    #[test]
    fn from_every_link_to_every_other_and_back_to_ethernet_keeps_the_packets() {
        for story in stories() {
            let direct = relink(&story, Link::Raw);
            for first in ALL {
                for second in ALL {
                    let there = relink(&relink(&story, first), second);
                    assert_eq!(there.link_type, second.link_type());
                    assert_eq!(relink(&there, Link::Raw), direct, "{first:?} then {second:?}");
                }
            }
        }
    }

    #[test]
    fn ethernet_addresses_survive_tags_and_are_derived_again_where_they_were_lost() {
        for story in stories() {
            assert_eq!(relink(&relink(&story, Link::QinQ(1, 2)), Link::Ethernet), story);
            assert_eq!(relink(&relink(&story, Link::Raw), Link::Ethernet), story);
        }
    }

    #[test]
    fn interface_and_direction_of_cooked_captures_are_kept() {
        let [story, _] = stories();
        let mut cooked = relink(&story, Link::LinuxSll2);
        cooked.records[0].data[7] = 9;
        cooked.records[0].data[10] = 4;
        assert_eq!(relink(&cooked, Link::LinuxSll2), cooked);
        assert_eq!(relink(&cooked, Link::LinuxSll).records[0].data[..2], [0, 4]);
    }

    #[test]
    fn packets_that_a_link_cannot_carry_are_dropped() {
        let arp = [&[0xff; 6][..], &[2; 6], &[8, 6], &[0; 28]].concat();
        let capture = Capture { link_type: link::ETHERNET, records: vec![Record::new(0, arp)] };
        assert!(relink(&capture, Link::Raw).records.is_empty());
        assert_eq!(relink(&relink(&capture, Link::Vlan(3)), Link::Ethernet), capture);
    }
}
