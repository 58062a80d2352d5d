//! A capture on `any` on a node of an overlay network: every packet is seen inside and outside of the overlay.

use super::relink::{Link, relink};
use super::tunnel::{Outer, Tunnel, wrap};
use crate::view::Ip;
use crate::wire::put_u32;
use crate::{Capture, Record, link};
use std::net::IpAddr;

const INTERFACE: usize = 4;
const DIRECTION: usize = 10;
const INCOMING: u8 = 0;
const OUTGOING: u8 = 4;

/// The node on which [`any_and_vxlan`] captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlay {
    /// Interface index of the overlay device, which shows packets plain.
    pub overlay_interface: u32,
    /// Interface index of the uplink, which shows them encapsulated.
    pub uplink_interface: u32,
    /// The UDP port of the encapsulation.
    pub port: u16,
    /// How much later the second of the two shows a packet.
    pub delay_us: i64,
    /// The node's own address within the overlay: packets to it are seen encapsulated first. Without, all packets
    /// are taken for outgoing ones, which are seen plain first.
    pub host: Option<IpAddr>,
}

impl Default for Overlay {
    fn default() -> Self {
        Self { overlay_interface: 5, uplink_interface: 2, port: 8472, delay_us: 4, host: None }
    }
}

/// Every IP packet once plain on the overlay device and once more encapsulated on the uplink, in time order; other
/// packets on the uplink only. The result is of link type `LINUX_SLL2`.
pub fn any_and_vxlan(capture: &Capture, overlay: Overlay) -> Capture {
    let mut seen = Capture::empty(link::LINUX_SLL2);
    let tunnel = Tunnel::Vxlan { port: overlay.port, vni: 1 };
    for record in relink(capture, Link::LinuxSll2).records {
        let ip = Ip::of(link::LINUX_SLL2, &record.data);
        let outside = wrap(link::LINUX_SLL2, &record, &tunnel, Outer::V4);
        let (Some(ip), Some(outside)) = (ip, outside) else {
            seen.records.push(on_interface(record, overlay.uplink_interface, INCOMING));
            continue;
        };
        let incoming = overlay.host == Some(ip.to);
        let direction = if incoming { INCOMING } else { OUTGOING };
        let inside = on_interface(record, overlay.overlay_interface, direction);
        let outside = on_interface(outside, overlay.uplink_interface, direction);
        let (first, mut second) = if incoming { (outside, inside) } else { (inside, outside) };
        second.time_ns += overlay.delay_us * 1_000;
        seen.records.extend([first, second]);
    }
    seen.sort_by_time();
    seen
}

fn on_interface(mut record: Record, interface: u32, direction: u8) -> Record {
    put_u32(&mut record.data, INTERFACE, interface);
    record.data[DIRECTION] = direction;
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Conversation;

    fn interfaces(overlay: Overlay) -> Vec<(u8, u8, usize)> {
        let story = Conversation::new("10.0.0.1:1", "10.0.0.2:2").syn().syn_ack().capture();
        let seen = any_and_vxlan(&story, overlay);
        assert!(seen.records.is_sorted_by_key(|record| record.time_ns));
        seen.records.iter().map(|record| (record.data[7], record.data[10], record.data.len())).collect()
    }

    #[test]
    fn without_host_every_packet_leaves_plain_first() {
        let plain = 20 + 20 + 32;
        let expected = [(5, 4, plain), (2, 4, plain + 50), (5, 4, plain), (2, 4, plain + 50)];
        assert_eq!(interfaces(Overlay::default()), expected);
    }

    #[test]
    fn packets_to_the_host_arrive_encapsulated_first() {
        let plain = 20 + 20 + 32;
        let overlay = Overlay { host: Some("10.0.0.1".parse().unwrap()), ..Overlay::default() };
        let expected = [(5, 4, plain), (2, 4, plain + 50), (2, 0, plain + 50), (5, 0, plain)];
        assert_eq!(interfaces(overlay), expected);
    }
}
