//! How fast packets become verdicts, without reading them from anywhere.
//!
//! ```text
//! cargo bench -p hookscope --bench engine
//! ```
//!
//! The capture is grown in memory: healthy TLS 1.3 calls, from many clients on short connections or from a few on long
//! ones. Work is shared out by connection, so the few say what cannot be shared out.

use std::hint::black_box;
use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use hookscope::packet::{Frame, LinkType};
use hookscope::time::Timestamp;
use hookscope::{Config, Inspection, Inspector, Keep, Packet, wire};
use hookscope_testkit::{Capture, Conversation, tls};

fn main() {
    divan::main();
}

/// 4,000 connections with two calls each.
static MANY: LazyLock<Capture> = LazyLock::new(|| grow(4_000, 2));
/// 3 connections with 5,000 calls each.
static FEW: LazyLock<Capture> = LazyLock::new(|| grow(3, 5_000));

/// Headers to segments, nothing else.
#[divan::bench]
fn decode(bencher: Bencher<'_, '_>) {
    let packets = packets(&MANY);
    counted(bencher, &packets).bench(|| {
        for packet in &packets {
            let _ = black_box(wire::decode(packet));
        }
    });
}

/// The whole engine on one thread, by packets handed over at once.
#[divan::bench(args = [1, 64, 1_024, 8_192, 65_536])]
fn by_batch(bencher: Bencher<'_, '_>, batch: usize) {
    let packets = packets(&MANY);
    let pool = pool(1);
    counted(bencher, &packets).bench(|| pool.install(|| inspect(&packets, batch, 1)));
}

/// The whole engine, by shards with a thread each.
#[divan::bench(args = [1, 2, 4])]
fn by_shards(bencher: Bencher<'_, '_>, shards: usize) {
    let packets = packets(&MANY);
    let pool = pool(shards);
    counted(bencher, &packets).bench(|| pool.install(|| inspect(&packets, 8_192, shards)));
}

/// As `by_shards`, on a few long connections.
#[divan::bench(args = [1, 2, 4])]
fn few_connections(bencher: Bencher<'_, '_>, shards: usize) {
    let packets = packets(&FEW);
    let pool = pool(shards);
    counted(bencher, &packets).bench(|| pool.install(|| inspect(&packets, 8_192, shards)));
}

fn inspect(packets: &[Packet<'_>], batch: usize, shards: usize) -> Inspection {
    let mut inspector = Inspector::new(Config { keep: Keep::Examples, shards, ..Config::default() });
    for batch in packets.chunks(batch) {
        inspector.observe_batch(batch);
    }
    inspector.finish()
}

/// Healthy calls over TLS 1.3, all connections at once: 1,131 octets asked, 300 answered.
fn grow(connections: usize, calls: usize) -> Capture {
    let hello = tls::client_hello(Some("hook.default.svc"), &["http/1.1"], true, 0);
    let conversations: Vec<Capture> = (0..connections)
        .map(|index| {
            let client = format!("10.0.{}.{}:{}", index >> 8 & 0xff, index & 0xff, 32_768 + index % 28_000);
            let server = format!("10.244.{}.7:9443", index % 8);
            let opened = Conversation::new(&client, &server)
                .at_ns(index as i64 * 250_000)
                .handshake()
                .client(&hello)
                .server(&tls::go_tls13_server_flight())
                .client(&tls::go_tls13_client_finished());
            let called = (0..calls).fold(opened, |story, _| {
                let asked = story.client(&tls::application_data(1_126)).server_ack();
                asked.wait_ms(3).server(&tls::application_data(295)).client_ack().wait_ms(20)
            });
            called.client(&tls::close_notify13()).client_fin().server_fin().client_ack().capture()
        })
        .collect();
    Capture::merge(&conversations)
}

fn packets(capture: &Capture) -> Vec<Packet<'_>> {
    (1..)
        .zip(&capture.records)
        .map(|(number, record)| Packet {
            time: Timestamp::from_nanos(record.time_ns),
            frame: Frame::new(0, number),
            link_type: LinkType(capture.link_type),
            interface: 0,
            wire_len: record.wire_len,
            data: &record.data,
        })
        .collect()
}

fn counted<'a, 'b>(bencher: Bencher<'a, 'b>, packets: &[Packet<'_>]) -> Bencher<'a, 'b> {
    let bytes: usize = packets.iter().map(|packet| packet.data.len()).sum();
    bencher.counter(ItemsCount::new(packets.len())).counter(BytesCount::new(bytes))
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started")
}
