//! One packet of any link type: what is read of it, whole and cut.

use crate::flow::key::FlowKey;
use crate::fuzz::input::{Input, moment, packet};
use crate::packet::Packet;
use crate::wire::{self, Decoded, Segment};

/// The first bytes say which link type, how much of the packet is missing, and where it is cut once more.
pub fn decode(data: &[u8]) {
    let mut input = Input(data);
    let (link, more, cut) = (input.u8(), input.u8(), usize::from(input.u8()));
    let packet = packet(link, more, moment(1), input.0);
    let decoded = wire::decode(&packet);
    let flow = packet.flow();
    if let Some((source, destination)) = wire::endpoints(&packet) {
        // A worker drops what a glance gives to another one.
        match &decoded {
            Ok(Decoded::Tcp(segment)) => {
                assert_eq!(FlowKey::of(source, destination), (segment.key, segment.from));
            }
            Ok(other) => assert!(matches!(other, Decoded::Tcp(_)), "a glance took {other:?} for TCP"),
            Err(_) => {}
        }
    }
    match decoded {
        Ok(Decoded::Tcp(segment)) => {
            assert_eq!(flow, Some(segment.key));
            segment_holds(&segment);
            // Where the file says less than it has, what it has is all that tells the length.
            let wire_len = packet.wire_len.max(packet.data.len() as u32);
            let cut = Packet { data: packet.data.get(..cut).unwrap_or(packet.data), wire_len, ..packet };
            if let Ok(Decoded::Tcp(less)) = wire::decode(&cut) {
                let told = |it: &Segment<'_>| (it.key, it.from, it.flags.0, it.seq, it.ack, it.payload_len);
                assert_eq!(told(&less), told(&segment), "a cut packet says something else");
                assert!(segment.payload.starts_with(less.payload));
            }
        }
        Ok(Decoded::Udp(datagram)) => assert!(datagram.payload.len() <= datagram.payload_len as usize),
        Ok(Decoded::Fragment(fragment)) => {
            assert!(fragment.payload.len() <= fragment.payload_len as usize && fragment.payload_len > 0);
            assert!(flow.is_none());
        }
        Ok(Decoded::Icmp(error)) => assert!(flow.is_some(), "{error:?}"),
        Ok(Decoded::Other) | Err(_) => assert!(flow.is_none()),
    }
}

fn segment_holds(segment: &Segment<'_>) {
    assert!(segment.payload.len() <= segment.payload_len as usize);
    assert_eq!(segment.hash, segment.key.hash());
    let options = segment.tcp_options();
    assert!(options.count() <= segment.options.len());
    assert!(options.window_scale().is_none_or(|shift| shift <= 14));
    assert_eq!(segment.newest_sack_block(), options.sack_blocks().next());
    let _ = (options.timestamps(), options.maximum_segment_size());
}
