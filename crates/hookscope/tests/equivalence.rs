//! The report is a function of the packets: not of how they come in batches, nor of shards, nor of threads.

mod common;

use std::panic::AssertUnwindSafe;

use common::{Fixture, Recording, difference, json};
use hookscope::report::schema::{Connection, Report};
use hookscope::{Config, Inspector, Keep};

fn assert_same(fixture: &Fixture, how: &str, expected: &str, actual: &str) {
    assert!(expected == actual, "{fixture}, {how}, differs {}", difference(expected, actual));
}

fn packet_by_packet(recording: &Recording, config: Config) -> String {
    let mut inspector = Inspector::new(config);
    for packet in &recording.packets {
        inspector.observe(&packet.packet());
    }
    json(&inspector.finish().report(&recording.input))
}

fn in_batches(recording: &Recording, batch: usize, config: Config) -> String {
    json(&recording.inspect_in(batch, config).report(&recording.input))
}

/// As [`in_batches`], but batches are fetched while others are looked at.
fn fetched(recording: &Recording, batch: usize, config: Config) -> String {
    let mut inspector = Inspector::new(config);
    let mut rest = recording.packets.iter();
    inspector.observe_batches(|packets| {
        packets.extend(rest.by_ref().take(batch).map(|recorded| recorded.packet()));
    });
    json(&inspector.finish().report(&recording.input))
}

#[test]
fn batches_and_shards_do_not_change_the_report() {
    for fixture in Fixture::small() {
        let recording = fixture.read();
        let expected = packet_by_packet(&recording, fixture.config());
        for shards in [1, 2, 8] {
            for batch in [1, 7, 4096] {
                let actual = in_batches(&recording, batch, Config { shards, ..fixture.config() });
                assert_same(&fixture, &format!("{shards} shards, batches of {batch}"), &expected, &actual);
                let actual = fetched(&recording, batch, Config { shards, ..fixture.config() });
                assert_same(&fixture, &format!("{shards} shards, fetched by {batch}"), &expected, &actual);
            }
        }
    }
}

#[test]
fn threads_do_not_change_the_report() {
    // Work is split among threads in larger batches only: in these captures there are such.
    let large = Fixture::all().into_iter().map(|fixture| (fixture.read(), fixture));
    let large: Vec<_> = large.filter(|(recording, _)| recording.packets.len() >= 300).collect();
    assert!(large.len() >= 2, "too few captures are split");
    let pools = [1, 2].map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap());
    for (recording, fixture) in large {
        let expected = in_batches(&recording, 4096, fixture.config());
        for pool in &pools {
            for (shards, batch) in [(2, 300), (8, 4096)] {
                let config = Config { shards, ..fixture.config() };
                let actual = pool.install(|| in_batches(&recording, batch, config));
                let how =
                    format!("{shards} shards, {} threads, batches of {batch}", pool.current_num_threads());
                assert_same(&fixture, &how, &expected, &actual);
            }
            for (shards, batch) in [(1, 100), (2, 64), (8, 10)] {
                let config = Config { shards, ..fixture.config() };
                let actual = pool.install(|| fetched(&recording, batch, config));
                let how = format!("{shards} shards, {} threads, {batch}", pool.current_num_threads());
                assert_same(&fixture, &how, &expected, &actual);
            }
        }
    }
}

#[test]
fn a_source_that_uses_the_pool_itself_is_waited_for_by_all() {
    let fixture = Fixture::all().into_iter().find(|fixture| fixture.read().packets.len() >= 300).unwrap();
    let recording = fixture.read();
    let expected = in_batches(&recording, 4096, fixture.config());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    for _ in 0..20 {
        let mut inspector = Inspector::new(Config { shards: 3, ..fixture.config() });
        let mut rest = recording.packets.iter();
        pool.install(|| {
            inspector.observe_batches(|packets| {
                let pause = || std::thread::sleep(std::time::Duration::from_micros(50));
                rayon::join(pause, || rayon::join(pause, pause));
                packets.extend(rest.by_ref().take(40).map(|recorded| recorded.packet()));
            });
        });
        let actual = json(&inspector.finish().report(&recording.input));
        assert_same(&fixture, "a source that uses the pool", &expected, &actual);
    }
}

#[test]
fn a_source_that_panics_is_waited_for_by_nobody() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let config = Config { shards: 2, ..Config::default() };
    let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| {
        pool.install(|| Inspector::new(config).observe_batches(|_| panic!("no more packets")))
    }));
    let why = panicked.unwrap_err();
    assert_eq!(why.downcast_ref(), Some(&"no more packets"));
}

#[test]
fn what_is_kept_changes_what_is_shown_and_not_what_is_counted() {
    for fixture in Fixture::small() {
        let recording = fixture.read();
        let all = recording.report(Config { keep: Keep::All, ..fixture.config() });
        for keep in [Keep::Examples, Keep::Failures] {
            let some = recording.report(Config { keep, ..fixture.config() });
            let counts = |report: &Report| serde_json::to_value(report).unwrap();
            let (some, all) = (counts(&some), counts(&all));
            assert_eq!(
                (&some["summary"], &some["endpoints"]),
                (&all["summary"], &all["endpoints"]),
                "{fixture}"
            );
        }
    }
}

fn text(connection: &Connection) -> String {
    serde_json::to_string(connection).unwrap()
}

#[test]
fn failed_connections_are_reported_alike_whether_healthy_ones_are_or_not() {
    for fixture in Fixture::small() {
        let recording = fixture.read();
        let of = |keep| recording.report(Config { keep, ..fixture.config() }).connections;
        let all = of(Keep::All).into_iter().filter(|connection| connection.verdict.severity != "ok");
        let expected: Vec<_> = all.map(|connection| text(&connection)).collect();
        let failed: Vec<_> = of(Keep::Failures).iter().map(text).collect();
        assert_eq!(failed, expected, "{fixture}");
    }
}
