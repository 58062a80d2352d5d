//! Chunks of both directions of a connection in plain HTTP: read as they are cut, and octet by octet.

use crate::fuzz::input::{Input, moment};
use crate::http::{Dialogue, Event, Stop};
use crate::packet::Moment;
use crate::side::Side;
use crate::tcp::reassembly::Chunk;

/// A dialogue, and what came out of it.
#[derive(Default)]
struct Run {
    dialogue: Dialogue,
    /// Events, without regard to how octets were cut.
    told: Vec<(String, u64)>,
    octets: u64,
    stopped: Option<String>,
}

impl Run {
    fn push(&mut self, side: Side, chunk: Chunk<'_>, at: Moment) {
        if self.stopped.is_some() {
            return;
        }
        let Self { dialogue, told, octets, .. } = self;
        let result =
            dialogue.push(side, chunk, at, usize::MAX, &mut |event, at| tell(told, octets, event, at));
        self.stopped = result.err().map(|stop| match stop {
            Stop::NotHttp => "not HTTP".to_owned(),
            Stop::Lost(_) => "lost".to_owned(),
            Stop::Upgraded => "upgraded".to_owned(),
            // Where in the chunk it stops is how the chunk was cut.
            Stop::Tunnel(_) => "tunnel".to_owned(),
        });
    }

    fn closed(&mut self, side: Side, at: Moment) {
        if self.stopped.is_none() {
            let Self { dialogue, told, octets, .. } = self;
            dialogue.closed(side, at, &mut |event, at| tell(told, octets, event, at));
        }
    }
}

fn tell(told: &mut Vec<(String, u64)>, octets: &mut u64, event: Event<'_>, at: Moment) {
    let number = at.frame.number();
    match event {
        Event::RequestOctets(more) | Event::ResponseOctets(more) => {
            *octets += more;
            let kind = if matches!(event, Event::RequestOctets(_)) { "request" } else { "response" };
            match told.last_mut() {
                Some((last, sum)) if last == kind => *sum += more,
                _ if more == 0 => {}
                _ => told.push((kind.to_owned(), more)),
            }
        }
        other => told.push((format!("{other:?}"), number)),
    }
}

/// Each chunk is a byte of whose and what, two of its length, and its octets.
pub fn http(data: &[u8]) {
    let mut input = Input(data);
    let (mut whole, mut single) = (Run::default(), Run::default());
    let (mut number, mut sent, mut has_gap) = (0, 0, false);
    while !input.is_empty() {
        number += 1;
        let at = moment(number);
        let (what, length) = (input.u8(), input.u16());
        let side = if what & 1 == 0 { Side::Client } else { Side::Server };
        match what >> 1 & 15 {
            15 => {
                has_gap = true;
                let size = 1 + u64::from(length);
                sent += size;
                whole.push(side, Chunk::Gap(size), at);
                single.push(side, Chunk::Gap(size), at);
            }
            14 => {
                whole.closed(side, at);
                single.closed(side, at);
            }
            _ => {
                let octets = input.up_to(length.into());
                sent += octets.len() as u64;
                if !octets.is_empty() {
                    whole.push(side, Chunk::Data(octets), at);
                }
                octets.chunks(1).for_each(|octet| single.push(side, Chunk::Data(octet), at));
            }
        }
    }
    assert!(whole.octets <= sent && single.octets <= sent, "more octets come out than went in");
    if has_gap {
        return;
    }
    assert_eq!(whole.stopped, single.stopped);
    if whole.stopped.as_deref() == Some("lost") {
        // What might still have been a message was told of octet by octet, and of a whole chunk was not.
        let (last, before) =
            whole.told.split_last().map_or((None, &[][..]), |(last, rest)| (Some(last), rest));
        assert!(single.told.starts_with(before), "{last:?}: {:?}, and {:?}", whole.told, single.told);
    } else {
        assert_eq!(whole.told, single.told);
    }
}
