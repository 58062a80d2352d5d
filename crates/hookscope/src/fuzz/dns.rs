//! DNS messages in datagrams and in streams: what they say, and what becomes of their lookups.

use std::time::Duration;

use crate::config::Limits;
use crate::flow::key::{Address, Endpoint};
use crate::fuzz::input::{Input, moment};
use crate::lookup::framer::Stream;
use crate::lookup::tracker::Tracker;
use crate::lookup::{Heard, Transport};
use crate::packet::Moment;
use crate::side::Side;
use crate::tcp::reassembly::Chunk;
use crate::wire::dns::{Message, Role};
use crate::wire::{Datagram, Vantage};

/// The longest name of 255 octets, each escaped.
const MAX_NAME: usize = 255 * 4;

/// Each message is a byte of whose and how, two of time, two of its length, and its octets.
pub fn dns(data: &[u8]) {
    let mut input = Input(data);
    let limits = Limits { lookups: 4, kept_lookups: 4, dns_message: 300, names: 4, ..Limits::default() };
    let (mut whole, mut single) = (Stream::default(), Stream::default());
    let mut tracker = Tracker::default();
    let mut at = moment(1);
    let (mut position, mut clock, mut queries) = (0, at.time, 0);
    while !input.is_empty() {
        let (what, time, length) = (input.u8(), input.later(at.time), input.u16());
        at = Moment { time, frame: moment(at.frame.number() + 1).frame };
        clock = clock.max(time);
        position += 1;
        let octets = input.up_to(usize::from(length & 0x3ff));
        let client = Endpoint { address: Address::v4([10, 0, 0, what >> 6]), port: 40_000 };
        let server = Endpoint { address: Address::v4([10, 96, 0, 10 + (what >> 5 & 1)]), port: Heard::PORT };
        let side = if what & 1 == 0 { Side::Client } else { Side::Server };
        match what >> 1 & 3 {
            0 | 1 => {
                let message = Message::parse(octets);
                message.iter().for_each(|message| holds(message, octets));
                let (source, destination) =
                    if side == Side::Client { (client, server) } else { (server, client) };
                let datagram = Datagram {
                    source,
                    destination,
                    time: at.time,
                    frame: at.frame,
                    vantage: Vantage { interface: u32::from(what >> 3 & 1), depth: 0 },
                    payload_len: octets.len() as u32,
                    payload: octets,
                };
                if let Some(heard) = Heard::datagram(&datagram, position, clock) {
                    queries += u64::from(heard.message.role == Role::Query);
                    tracker.observe(&heard, &limits);
                }
            }
            2 => {
                whole.chunk(side, Chunk::Data(octets), at, limits.dns_message);
                octets
                    .chunks(1)
                    .for_each(|octet| single.chunk(side, Chunk::Data(octet), at, limits.dns_message));
                let (whole, single) = (whole.take(), single.take());
                assert_eq!(whole, single, "messages of a stream");
                for (message, at) in whole {
                    queries += u64::from(message.role == Role::Query);
                    let (vantage, transport) = (Vantage::default(), Transport::Tcp);
                    let heard = Heard { message, client, server, transport, vantage, at, position, clock };
                    tracker.observe(&heard, &limits);
                }
            }
            _ => {
                let size = 1 + u64::from(length);
                whole.chunk(side, Chunk::Gap(size), at, limits.dns_message);
                single.chunk(side, Chunk::Gap(size), at, limits.dns_message);
                tracker.advance(clock.later(Duration::from_millis(length.into())));
            }
        }
    }
    tracker.finish(clock);
    let asked: u64 = tracker.over.iter().map(|over| over.lookup.count).sum();
    assert!(asked <= queries, "{asked} queries were counted of {queries}");
    for over in &tracker.over {
        let _ = over.lookup.fate(over.now);
    }
}

fn holds(message: &Message, octets: &[u8]) {
    assert!(message.role == Role::Response || message.question.is_some());
    assert!(message.addresses.len() <= octets.len() / 15, "more addresses than octets for them");
    let name = message.question.as_ref().map_or("", |question| &question.name);
    assert!(name.len() <= MAX_NAME && name.chars().all(|it| it.is_ascii_graphic() || it == ' '), "{name:?}");
    assert_eq!(name, name.to_ascii_lowercase());
}
