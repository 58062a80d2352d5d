//! Bends captures without changing what their packets mean.
//!
//! Whatever a reader concludes from a capture, it has to conclude from the transformed one as well. A transformation
//! leaves a packet as it is where it does not apply: because the packet is not of the right kind, is cut short by a
//! snap length, or would become too large for IP. Those that work on TCP or IP look behind the link header and VLAN
//! tags only; of a tunnelled packet they see the outer headers. Sequence numbers alone are moved inside tunnels too:
//! a packet seen plain and encapsulated has to stay the same packet.

mod cut;
mod duplicate;
mod fragment;
mod overlay;
mod relink;
mod segment;
mod shift;
mod shift_icmp;
mod tunnel;

pub use cut::{cut, reseal, snap};
pub use duplicate::{Duplicates, duplicate_all, swap_neighbours};
pub use fragment::{FragmentOrder, fragment_ip};
pub use overlay::{Overlay, any_and_vxlan};
pub use relink::{Link, relink};
pub use segment::{one_byte_segments, segments_of};
pub use shift::shift_sequence_numbers;
pub use tunnel::{Outer, Tunnel, nest, tunnel};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Capture, Conversation, Rng};

    fn story() -> Capture {
        let v4 = Conversation::new("10.0.0.1:5000", "10.0.0.2:443").timestamps().handshake();
        let v4 = v4
            .unacknowledged()
            .client(&[1; 300])
            .client(b"x")
            .server_ack()
            .icmp_error("10.0.0.9", 3, 4, 1400);
        let v6 = Conversation::new("[fd00::1]:5000", "[fd00::2]:443").handshake().client(&[2; 300]);
        Capture::merge(&[v4.capture(), v6.icmp_error("fd00::9", 2, 0, 1280).capture()])
    }

    fn all(capture: &Capture) -> Vec<Capture> {
        let vxlan = Tunnel::Vxlan { port: 4789, vni: 1 };
        let geneve = Tunnel::Geneve { vni: 1, options: vec![0; 4], ethernet: false };
        let gre = Tunnel::Gre { key: Some(1), checksum: true, ethernet: true };
        vec![
            segments_of(capture, 7),
            duplicate_all(capture, Duplicates { routed: true, ..Duplicates::default() }),
            swap_neighbours(capture),
            shift_sequence_numbers(capture, 5, u32::MAX),
            nest(
                capture,
                &[(vxlan, Outer::V6), (geneve, Outer::V4), (gre, Outer::V4), (Tunnel::IpInIp, Outer::V6)],
            ),
            any_and_vxlan(capture, Overlay::default()),
            fragment_ip(capture, 160, FragmentOrder::Reverse),
            snap(capture, 60),
            reseal(capture),
        ]
    }

    const LINKS: [Link; 7] =
        [Link::Vlan(1), Link::QinQ(1, 2), Link::LinuxSll, Link::LinuxSll2, Link::Raw, Link::Null, Link::Loop];

    #[test]
    fn no_transformation_stumbles_over_damaged_packets() {
        let mut rng = Rng::new(1);
        for round in 0..35 {
            let mut damaged = relink(&story(), LINKS[round % LINKS.len()]);
            for record in &mut damaged.records {
                rng.flip_bytes(&mut record.data, 3);
                if rng.chance(30) {
                    let len = rng.below(record.data.len());
                    record.data.truncate(len);
                }
            }
            for once in all(&damaged) {
                all(&once);
                LINKS.iter().for_each(|link| drop(relink(&once, *link)));
            }
        }
    }

    #[test]
    fn transformations_commute_with_the_link_header() {
        for link in LINKS {
            let segments = |capture: &Capture| shift_sequence_numbers(&segments_of(capture, 9), 7, 9);
            let fragments = |capture: &Capture| fragment_ip(capture, 160, FragmentOrder::Forward);
            assert_eq!(relink(&segments(&story()), link), segments(&relink(&story(), link)));
            assert_eq!(relink(&fragments(&story()), link), fragments(&relink(&story(), link)));
        }
    }

    #[test]
    fn transformed_packets_have_right_checksums() {
        for transformed in all(&story()) {
            assert_eq!(reseal(&transformed), transformed);
        }
    }
}
