//! Connections cut out of captures, to be played again with other endpoints, numbers and times.
//!
//! Where a packet names its connection is found once; playing it is a copy and a few numbers, whose checksums are
//! brought up to date instead of being added up again. That is what makes captures of many millions of packets out of
//! a few small ones.

mod fields;
mod flow;

use crate::view::Ip;
use crate::wire::{PROTOCOL_ICMP, PROTOCOL_ICMPV6};
use crate::{Capture, Record};
use fields::Field;
use flow::Flow;
use std::net::IpAddr;
use std::ops::Range;

/// One connection of a capture.
#[derive(Debug, Clone)]
pub struct Story {
    /// The client's address.
    pub client: IpAddr,
    /// Its packets in order.
    pub steps: Vec<Step>,
    /// The part that can be played over and over: its last request with the response.
    pub exchange: Option<Exchange>,
}

/// One packet of a story.
#[derive(Debug, Clone)]
pub struct Step {
    /// How long after the story's first packet it comes.
    pub offset_ns: i64,
    record: Record,
    fields: Vec<Field>,
    /// Where the IP header of an ICMP error starts: its checksum is added up again.
    error: Option<usize>,
}

/// A request and its response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Its packets.
    pub steps: Range<usize>,
    /// How long it takes.
    pub takes_ns: i64,
    /// How many octets the client sends.
    pub client_octets: u32,
    /// How many octets the server sends.
    pub server_octets: u32,
}

/// Who plays a story, and where numbers start. Addresses and ports replace those of the story; numbers are added.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cast {
    /// The last four octets of the client's address.
    pub client: u32,
    /// The client's port.
    pub client_port: u16,
    /// The last four octets of the server's address.
    pub server: u32,
    /// Moves the client's sequence numbers.
    pub client_seq: u32,
    /// Moves the server's sequence numbers.
    pub server_seq: u32,
    /// Moves TCP timestamps, in milliseconds.
    pub clock_ms: u32,
    /// Moves IPv4 identifications.
    pub ident: u16,
}

impl Story {
    /// The connections of a capture whose SYNs it has, and what was asked over UDP. ICMP errors go with what they quote.
    pub fn all_of(capture: &Capture) -> Vec<Self> {
        let flows = flow::flows_of(capture).into_iter();
        flows.filter(|(flow, _)| flow.has_beginning).map(|(flow, packets)| Self::of(&flow, packets)).collect()
    }

    fn of(flow: &Flow, packets: Vec<(&Record, Ip)>) -> Self {
        let start = packets.first().map_or(0, |(record, _)| record.time_ns);
        let exchange = last_exchange(flow, &packets);
        let steps = packets.into_iter().map(|(record, ip)| Step {
            offset_ns: record.time_ns - start,
            record: record.clone(),
            fields: fields::of(flow, &record.data, &ip),
            error: matches!(ip.protocol, PROTOCOL_ICMP | PROTOCOL_ICMPV6).then_some(ip.start),
        });
        Self { client: flow.client.0, steps: steps.collect(), exchange }
    }
}

/// The last request that was answered, up to what follows the answer.
fn last_exchange(flow: &Flow, packets: &[(&Record, Ip)]) -> Option<Exchange> {
    let sent: Vec<_> = packets.iter().map(|(record, ip)| flow.sent(&record.data, ip)).collect();
    let has_octets = |place: &usize, from_client| {
        sent[*place].is_some_and(|sent| sent.octets > 0 && sent.from_client == from_client)
    };
    let answer = (0..sent.len()).rev().find(|place| has_octets(place, false))?;
    let before = (0..answer).rev().find(|place| has_octets(place, true))?;
    let start = (0..before).rev().find(|place| has_octets(place, false)).map_or(0, |place| place + 1);
    let start = (start..=before).find(|place| has_octets(place, true))?;
    let goes_on = |place: &usize| sent[*place].is_some_and(|sent| sent.octets == 0 && !sent.ends);
    let end = (answer + 1..sent.len()).find(|place| !goes_on(place)).unwrap_or(sent.len());
    let octets = |from_client| {
        let of_side = sent[start..end].iter().flatten().filter(|sent| sent.from_client == from_client);
        of_side.map(|sent| sent.octets).sum()
    };
    Some(Exchange {
        steps: start..end,
        takes_ns: packets[end - 1].0.time_ns - packets[start].0.time_ns,
        client_octets: octets(true),
        server_octets: octets(false),
    })
}

impl Step {
    /// The packet as it was captured.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Appends the packet as `cast` sends it.
    pub fn play(&self, cast: &Cast, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.record.data);
        let data = &mut out[start..];
        self.fields.iter().for_each(|field| field.set(data, cast));
        if let Some(error) = self.error.and_then(|start| Ip::at(data, start)) {
            error.seal_transport(data);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::{Overlay, any_and_vxlan, reseal, shift_sequence_numbers};
    use crate::{Conversation, link};

    fn told(client: &str, server: &str) -> Capture {
        let story = Conversation::new(client, server).timestamps().handshake();
        story.client(b"request").server(b"response").client(b"again").server(b"answer").capture()
    }

    fn play(story: &Story, cast: &Cast, link_type: u16) -> Capture {
        let played = |step: &Step| {
            let mut data = Vec::new();
            step.play(cast, &mut data);
            Record { time_ns: step.offset_ns, wire_len: step.record().wire_len, data }
        };
        Capture { link_type, records: story.steps.iter().map(played).collect() }
    }

    const CAST: Cast = Cast {
        client: 0x0a80_0102,
        client_port: 40_000,
        server: 0x0af4_0304,
        client_seq: 77,
        server_seq: u32::MAX,
        clock_ms: 0,
        ident: 0,
    };

    #[test]
    fn a_story_played_by_others_is_their_conversation() {
        let stories = Story::all_of(&told("10.0.0.1:5000", "10.0.0.2:443"));
        assert_eq!(stories.len(), 1);
        let played = play(&stories[0], &CAST, link::ETHERNET);
        let own = shift_sequence_numbers(&told("10.128.1.2:40000", "10.244.3.4:443"), 77, u32::MAX);
        for (played, own) in played.records.iter().zip(&own.records) {
            let (ip, own_ip) = (Ip::at(&played.data, 14).unwrap(), Ip::at(&own.data, 14).unwrap());
            assert_eq!((ip.from, ip.to), (own_ip.from, own_ip.to));
            assert_eq!(played.data[ip.payload..ip.payload + 16], own.data[ip.payload..ip.payload + 16]);
        }
    }

    #[test]
    fn checksums_stay_right_whatever_changes_and_wherever_it_stands() {
        let cast = Cast { clock_ms: 12_345, ident: 9, ..CAST };
        for (client, server, reporter, kind) in [
            ("10.0.0.1:5000", "10.0.0.2:443", "10.0.0.9", 3),
            ("[fd00::1]:5000", "[fd00::2]:443", "fd00::9", 1),
        ] {
            let refused =
                Conversation::new(client, server).timestamps().syn().icmp_error(reporter, kind, 1, 0);
            for capture in [told(client, server), refused.capture()] {
                for capture in [any_and_vxlan(&capture, Overlay::default()), capture] {
                    for story in Story::all_of(&capture) {
                        assert_eq!(story.steps.len(), capture.records.len());
                        let played = play(&story, &cast, capture.link_type);
                        assert_ne!(played, capture);
                        assert_eq!(reseal(&played), played);
                    }
                }
            }
        }
    }

    #[test]
    fn the_last_answered_request_can_be_repeated() {
        let story = &Story::all_of(&told("10.0.0.1:5000", "10.0.0.2:443"))[0];
        let exchange = story.exchange.as_ref().unwrap();
        assert_eq!((exchange.client_octets, exchange.server_octets), (5, 6));
        assert_eq!(exchange.steps.end, story.steps.len());
    }

    #[test]
    fn connections_without_beginning_are_no_stories() {
        let mut capture = told("10.0.0.1:5000", "10.0.0.2:443");
        capture.records.drain(..2);
        assert!(Story::all_of(&capture).is_empty());
    }
}
