//! Operations on the fragments of a few datagrams, held against the datagrams that they were cut from.

use std::time::Duration;

use crate::config::FragmentLimits;
use crate::flow::key::Address;
use crate::fragments::Fragments;
use crate::fuzz::input::{Input, moment};
use crate::packet::Moment;
use crate::time::Timestamp;
use crate::wire::{self, Fragment, FragmentKey, Protocol, Vantage};

/// Octets of the longest datagram.
const LENGTH: usize = 256;
/// Datagrams.
const DATAGRAMS: usize = 4;

/// What is known of a datagram whose fragments all agree.
#[derive(Clone, Copy)]
struct Model {
    sent: [bool; LENGTH],
    total: Option<usize>,
    pieces: usize,
    /// Whether something came that contradicts the rest, or too much, or too late: then anything goes, but a panic.
    is_spoilt: bool,
    /// Whether each fragment was captured whole.
    is_whole: bool,
    began: Option<Timestamp>,
}

impl Model {
    const NEW: Self =
        Self { sent: [false; LENGTH], total: None, pieces: 0, is_spoilt: false, is_whole: true, began: None };

    fn is_complete(&self) -> bool {
        self.total.is_some_and(|total| self.sent.iter().take(total).all(|sent| *sent))
    }
}

/// Each operation is a byte of what to do, and bytes of place, length and time.
pub fn fragments(data: &[u8]) {
    let mut input = Input(data);
    let bytes = input.up_to(LENGTH);
    let limits = FragmentLimits {
        datagrams: 3,
        datagram_octets: LENGTH as u32,
        datagram_fragments: 12,
        octets: 400,
        timeout: Duration::from_secs(30),
        _more: (),
    };
    let mut fragments = Fragments::new(limits);
    let mut models = [Model::NEW; DATAGRAMS];
    let mut at = moment(1);
    while !input.is_empty() {
        let (what, place, length) = (input.u8(), usize::from(input.u8() & 31) * 8, usize::from(input.u8()));
        if what & 0x40 != 0 {
            at.time = input.later(at.time);
        }
        at = Moment { time: at.time, frame: moment(at.frame.number() + 1).frame };
        let id = usize::from(what & 3);
        let Some(model) = models.get_mut(id) else { return };
        let to = (place + length).min(bytes.len());
        let more = what & 4 != 0;
        let length = if more { to.saturating_sub(place) & !7 } else { to.saturating_sub(place) };
        if length == 0 {
            continue;
        }
        let mut octets = bytes.get(place..place + length).unwrap_or_default().to_vec();
        let (mut lies, captured) = (what & 0x18 == 0x18, if what & 0x20 == 0 { length } else { length / 2 });
        if lies && let Some(first) = octets.first_mut() {
            *first ^= 0x55;
        }
        octets.truncate(captured);
        let end = place + length;
        lies |= match (more, model.total) {
            (true, total) => total.is_some_and(|total| end > total),
            (false, Some(total)) => end != total,
            (false, None) => model.sent.iter().skip(end).any(|sent| *sent),
        };
        model.pieces += 1;
        let waited = model.began.map(|began| at.time.since(began).as_nanos());
        model.is_spoilt |=
            lies || model.pieces > 12 || waited.is_some_and(|it| !(0..=30_000_000_000).contains(&it));
        model.is_whole &= captured == length;
        model.began.get_or_insert(at.time);
        model.total = if more { model.total } else { Some(end) };
        model.sent.iter_mut().take(end).skip(place).for_each(|sent| *sent = true);
        let pushed = fragments.push(&fragment(id, at, place, more, length, &octets));
        fragments.assert_holds();
        let model = *model;
        // Datagrams push one another out.
        let is_alone = models.iter().filter(|model| model.began.is_some()).count() == 1;
        if is_alone && !model.is_spoilt {
            assert_eq!(matches!(pushed, Ok(Some(_))), model.is_complete(), "{pushed:?}");
        }
        let Ok(Some(whole)) = pushed else { continue };
        if !model.is_spoilt {
            let expected = bytes.get(..whole.payload.len()).unwrap_or_default();
            assert_eq!(whole.payload, expected, "the datagram is another one");
            assert!(!model.is_whole || whole.payload.len() == whole.payload_len as usize);
        }
        assert!(whole.payload.len() <= whole.payload_len as usize);
        let _ = wire::decode_reassembled(&whole);
        if let Some(model) = models.get_mut(id) {
            *model = Model::NEW;
        }
    }
}

fn fragment(id: usize, at: Moment, place: usize, more: bool, length: usize, octets: &[u8]) -> Fragment<'_> {
    let (source, destination) = (Address::v4([10, 0, 0, 1]), Address::v4([10, 0, 0, 2]));
    let protocol = [Protocol::TCP, Protocol::UDP, Protocol::GRE, Protocol::ICMP][id % 4];
    Fragment {
        key: FragmentKey {
            source,
            destination,
            identification: id as u32,
            protocol: Some(protocol),
            depth: 0,
        },
        protocol,
        time: at.time,
        frame: at.frame,
        vantage: Vantage::default(),
        ttl: 64,
        ip_id: id as u16,
        offset: place as u32,
        more,
        payload_len: length as u32,
        payload: octets,
    }
}
