//! Chunks of both directions of a TLS connection: read as they are cut, and octet by octet.

use crate::fuzz::input::{Input, moment};
use crate::packet::Moment;
use crate::side::{PerSide, Side};
use crate::tcp::reassembly::Chunk;
use crate::tls::certificate::Certificate;
use crate::tls::pool::Pool;
use crate::tls::record::{Deframer, RecordEvent};
use crate::tls::session::{Application, Reading, Session};

/// Octets of a handshake message that are read.
const LIMIT: usize = 2_000;

/// A session, and what came out of it.
#[derive(Default)]
struct Run {
    deframers: PerSide<Deframer>,
    session: Session,
    pool: Pool,
    /// Records and bodies, without regard to how bodies were cut.
    records: PerSide<Vec<Told>>,
    application: Vec<(Side, Application, u64)>,
    /// Where framing was lost, a chunk that begins with a header restores it: then it matters how octets are cut.
    has_lost_framing: bool,
}

/// A step of a record stream.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Began(u8, u16, u64),
    Body(Vec<u8>),
    BodyGap(u64),
    Ended,
    NotTls,
    Plain(Vec<u8>),
    Unframed,
}

impl Run {
    fn push(&mut self, side: Side, chunk: Chunk<'_>, at: Moment) {
        let Self { deframers, session, pool, records, application, has_lost_framing } = self;
        deframers[side].push(chunk, at, &mut |event, at| {
            tell(&mut records[side], event, at);
            *has_lost_framing |= matches!(event, RecordEvent::Unframed(_));
            let mut reading = Reading { limit: LIMIT, pool, spare: &mut Vec::new() };
            session.record(side, event, at, &mut reading, &mut |side, what, at| {
                if let (Application::Octets(more), Some((last, Application::Octets(octets), _))) =
                    (what, application.last_mut())
                    && *last == side
                {
                    *octets += more;
                } else {
                    application.push((side, what, at.frame.number()));
                }
            });
        });
    }

    /// What is known of the session, whatever way it came.
    fn facts(&self) -> String {
        let it = &self.session;
        let closed = (it.closed(Side::Client), it.closed(Side::Server));
        let facts = (&it.client_hello, &it.server_hello, it.server_began, it.server_flight, it.complete);
        let rest = (it.alerts(), it.client_certificate(), it.rejected(), closed, it.is_http2());
        format!("{facts:?} {rest:?} {:?} {:?} {:?}", it.server_spoke, it.certificates, self.application)
    }
}

fn tell(told: &mut Vec<Told>, event: RecordEvent<'_>, at: Moment) {
    match event {
        RecordEvent::Whole(header, body) => {
            assert_eq!(usize::from(header.length), body.len());
            tell(told, RecordEvent::Began(header), at);
            if !body.is_empty() {
                tell(told, RecordEvent::Body(body), at);
            }
            tell(told, RecordEvent::Ended(header), at);
        }
        RecordEvent::Began(header) => told.push(Told::Began(header.kind.0, header.length, at.frame.number())),
        RecordEvent::Body(bytes) => match told.last_mut() {
            Some(Told::Body(body)) => body.extend(bytes),
            _ => told.push(Told::Body(bytes.to_vec())),
        },
        RecordEvent::BodyGap(size) => told.push(Told::BodyGap(size)),
        RecordEvent::Ended(header) => {
            let body = told.iter().rev().map_while(|told| match told {
                Told::Body(octets) => Some(octets.len() as u64),
                Told::BodyGap(size) => Some(*size),
                _ => None,
            });
            assert_eq!(body.sum::<u64>(), u64::from(header.length), "the body has another length");
            told.push(Told::Ended);
        }
        RecordEvent::NotTls => told.push(Told::NotTls),
        RecordEvent::Plain(bytes) => match told.last_mut() {
            Some(Told::Plain(all)) => all.extend(bytes),
            _ => told.push(Told::Plain(bytes.to_vec())),
        },
        RecordEvent::Unframed(octets) => {
            assert!(octets > 0, "nothing is unframed");
            told.push(Told::Unframed);
        }
    }
}

/// Each chunk is a byte of whose and what, two of its length, and its octets.
pub fn tls(data: &[u8]) {
    let mut input = Input(data);
    let (mut whole, mut single) = (Run::default(), Run::default());
    let mut number = 0;
    while !input.is_empty() {
        number += 1;
        let at = moment(number);
        let (what, length) = (input.u8(), input.u16());
        let side = if what & 1 == 0 { Side::Client } else { Side::Server };
        match what >> 1 & 15 {
            15 => {
                for run in [&mut whole, &mut single] {
                    run.has_lost_framing = true;
                    run.push(side, Chunk::Gap(1 + u64::from(length)), at);
                }
            }
            14 => {
                for run in [&mut whole, &mut single] {
                    run.has_lost_framing = true;
                    run.deframers[side].join_midstream();
                }
            }
            13 => {
                // Who is who turns out with a hello, between two chunks.
                whole.session.swap_sides();
                single.session.swap_sides();
            }
            _ => {
                let octets = input.up_to(length.into());
                if !octets.is_empty() {
                    whole.push(side, Chunk::Data(octets), at);
                }
                octets.chunks(1).for_each(|octet| single.push(side, Chunk::Data(octet), at));
            }
        }
    }
    let facts = whole.facts();
    whole.session.leaf().and_then(Certificate::read);
    if !whole.has_lost_framing && !single.has_lost_framing {
        for side in [Side::Client, Side::Server] {
            assert_eq!(whole.records[side], single.records[side], "records of the {}", side.name());
            assert_eq!(whole.deframers[side].first_octets(), single.deframers[side].first_octets());
        }
        assert_eq!(facts, single.facts());
    }
}
