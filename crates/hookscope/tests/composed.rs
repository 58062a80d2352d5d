//! Several changes to a capture at once, and those that leave its packets alone, do not change what is concluded.
//!
//! `metamorphic.rs` and `encapsulation.rs` bend captures in one way at a time, through all of it. Here ways are drawn and
//! combined: what fragments, copies and tunnels do to one another is what a capture on a node of an overlay is made of.
//! A failing case names its seed and what was done.

mod common;

use common::conclusions::{assert_invariant, conclusions, hold, samples};
use common::{Recording, stories};
use hookscope_testkit::transform::{
    Duplicates, FragmentOrder, Link, Outer, Tunnel, duplicate_all, fragment_ip, nest, relink, reseal,
    segments_of, shift_sequence_numbers,
};
use hookscope_testkit::{Capture, Record, Rng, link};

/// Combinations that are drawn for each sample.
const DRAWN: u64 = 3;

/// An MTU black hole shows by the sizes of segments, which segmentation makes one; see `metamorphic.rs`.
const BY_SIZE: &str = "mtu-blackhole";

/// One way to bend a capture, and its name.
type Bend = (String, Box<dyn Fn(&Capture) -> Capture>);

/// Ways that can follow one another in this order.
fn draw(rng: &mut Rng, is_by_size: bool) -> Vec<Bend> {
    let mut bends: Vec<Bend> = Vec::new();
    if rng.chance(50) && !is_by_size {
        let size = 400 + rng.below(1_000);
        bends.push((format!("segments of {size}"), Box::new(move |it| segments_of(it, size))));
    }
    if rng.chance(50) {
        let [client, server] = [(); 2].map(|()| rng.next_u64() as u32);
        let bend = move |it: &Capture| shift_sequence_numbers(it, client, server);
        bends.push((format!("numbers {client:#x} {server:#x} on"), Box::new(bend)));
    }
    if rng.chance(40) {
        let (size, order) =
            (100 + rng.below(900), *rng.pick(&[FragmentOrder::Forward, FragmentOrder::Reverse]));
        bends.push((
            format!("fragments of {size} {order:?}"),
            Box::new(move |it| fragment_ip(it, size, order)),
        ));
    }
    if rng.chance(50) {
        let link = *rng.pick(&[Link::Ethernet, Link::Vlan(7), Link::LinuxSll, Link::LinuxSll2, Link::Raw]);
        bends.push((format!("{link:?}"), Box::new(move |it| relink(it, link))));
    }
    if rng.chance(50) {
        let kinds = [
            Tunnel::Vxlan { port: 8472, vni: 1 },
            Tunnel::Geneve { vni: 1, options: vec![0; 8], ethernet: true },
            Tunnel::Gre { key: Some(5), checksum: false, ethernet: false },
            Tunnel::IpInIp,
        ];
        let tunnel = [(rng.pick(&kinds).clone(), *rng.pick(&[Outer::V4, Outer::V6]))];
        bends.push((format!("{tunnel:?}"), Box::new(move |it| nest(it, &tunnel))));
    }
    if rng.chance(40) {
        let copies = Duplicates { delay_us: rng.below(40) as i64, routed: rng.chance(50) };
        bends.push((format!("{copies:?}"), Box::new(move |it| duplicate_all(it, copies))));
    }
    bends
}

#[test]
fn any_combination() {
    for seed in 0..DRAWN {
        hold(samples().iter(), &[], |sample| {
            let mut rng = Rng::new(seed << 32 ^ sample.size() as u64);
            let bends = draw(&mut rng, sample.name.contains(BY_SIZE));
            let bent = bends.iter().fold(sample.capture.clone(), |bent, (_, bend)| bend(&bent));
            let after = Recording::of(&bent).report_all();
            let (before, after) = (conclusions(&sample.report), conclusions(&after));
            let names: Vec<_> = bends.iter().map(|(name, _)| name).collect();
            (before != after).then(|| format!("seed {seed}, {names:?}\n  - {before:?}\n  + {after:?}"))
        });
    }
}

#[test]
fn checksums() {
    assert_invariant(&[], reseal);
}

/// The same capture, at another time.
fn at_another_time(capture: &Capture, later: i64) -> Capture {
    let mut moved = capture.clone();
    moved.records.iter_mut().for_each(|record| record.time_ns += later);
    moved
}

#[test]
fn when_it_was() {
    const YEAR: i64 = 31_557_600_000_000_000;
    for later in [-1, 1, YEAR / 7, 40 * YEAR, -57 * YEAR, -200 * YEAR, 200 * YEAR] {
        assert_invariant(&[], |capture| at_another_time(capture, later));
    }
}

#[test]
fn what_else_was_on_the_wire() {
    let mut rng = Rng::new(23);
    let noise: Vec<_> = (0..200).map(|_| noise(&mut rng)).collect();
    assert_invariant(&[], |capture| {
        let mut noisy = Capture::empty(capture.link_type);
        for (record, noise) in capture.records.iter().zip(noise.iter().cycle()) {
            let of_link =
                (capture.link_type == link::ETHERNET).then(|| Record::new(record.time_ns, noise.clone()));
            noisy.records.extend(of_link.into_iter().chain([record.clone()]));
        }
        noisy
    });
}

/// A packet of Ethernet that is of no interest, or broken.
fn noise(rng: &mut Rng) -> Vec<u8> {
    let length = 4 + rng.below(60);
    let body = rng.bytes(length);
    let head = match rng.below(4) {
        0 => vec![8, 6],                    // ARP
        1 => vec![0x88, 0xcc],              // LLDP
        2 => vec![8, 0, 0x45, 0, 255, 255], // IPv4, cut or lying
        _ => vec![8, 0, 0x41],              // no IPv4
    };
    [vec![2; 12], head, body].concat()
}

/// On the same ports, hours apart: each story is a connection of its own, whatever the one before left behind.
#[test]
fn one_story_after_another() {
    const HOURS: i64 = 2 * 3_600_000_000_000;
    let ended = |code: &str| code != "capture-incomplete";
    let stories = stories::all().into_iter().filter(|story| ended(story.code));
    let mut together: Option<Capture> = None;
    let mut expected = Vec::new();
    let mut last = 0;
    for story in stories {
        let capture = story.capture();
        let alone = conclusions(&Recording::of(&capture).report_all());
        let of_link = together.get_or_insert_with(|| Capture::empty(capture.link_type)).link_type;
        if of_link != capture.link_type || !alone.iter().all(|(_, _, code, _)| ended(code)) {
            continue;
        }
        let first = capture.records.first().map_or(0, |record| record.time_ns);
        let moved = at_another_time(&capture, last + HOURS - first);
        last = moved.records.iter().map(|record| record.time_ns).max().unwrap_or(last);
        together.iter_mut().for_each(|all| all.records.extend(moved.records.clone()));
        expected.extend(alone);
    }
    assert!(expected.len() > 30, "too few stories can follow one another");
    expected.sort();
    let found = conclusions(&Recording::of(&together.unwrap()).report_all());
    let lacking: Vec<_> = expected.iter().filter(|one| !found.contains(one)).collect();
    assert_eq!(found.len(), expected.len(), "lacking: {lacking:#?}");
    assert_eq!(found, expected);
}
