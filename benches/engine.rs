//! How fast packets become verdicts, without reading them from anywhere.
//!
//! ```text
//! cargo bench -p hookscope --bench engine --features internals
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
use hookscope::{Config, Inspection, Inspector, Keep, Packet, internals};
use hookscope_testkit::{Capture, Conversation, tls};

fn main() {
    divan::main();
}

/// 4,000 connections with two calls each.
static MANY: LazyLock<Capture> = LazyLock::new(|| grow(4_000, 2));
/// 3 connections with 5,000 calls each.
static FEW: LazyLock<Capture> = LazyLock::new(|| grow(3, 5_000));

/// 50 streams of 1,000 segments without a meaning.
static OCTETS: LazyLock<Capture> = LazyLock::new(|| streams(50, 1_000));
/// The same, with every third segment behind the next.
static OVERTAKEN: LazyLock<Capture> = LazyLock::new(|| {
    let mut capture = streams(50, 1_000);
    for three in capture.records.chunks_exact_mut(3) {
        if let [_, one, other] = three {
            std::mem::swap(&mut one.data, &mut other.data);
        }
    }
    capture
});
/// 8,000 handshakes.
static HANDSHAKES: LazyLock<Capture> = LazyLock::new(|| grow(8_000, 0));
/// 50,000 clients that knock.
static SYNS: LazyLock<Capture> = LazyLock::new(|| {
    let knock = |index: usize| {
        Conversation::new(&client(index), "10.244.0.7:9443").at_ns(index as i64 * 20_000).syn()
    };
    Capture::merge(&(0..50_000).map(|index| knock(index).capture()).collect::<Vec<_>>())
});

/// Headers to segments, nothing else.
#[divan::bench]
fn decode(bencher: Bencher<'_, '_>) {
    let packets = packets(&MANY);
    counted(bencher, &packets).bench(|| {
        for packet in &packets {
            let _ = black_box(internals::decodes(packet));
        }
    });
}

/// Segments to octets in order, of streams that are no TLS: nobody reads them.
#[divan::bench]
fn reassembly_in_order(bencher: Bencher<'_, '_>) {
    whole(bencher, &OCTETS, 8_192, 1);
}

/// The same with every third segment overtaken by the next.
#[divan::bench]
fn reassembly_out_of_order(bencher: Bencher<'_, '_>) {
    whole(bencher, &OVERTAKEN, 8_192, 1);
}

/// Connections that shake hands and do no more.
#[divan::bench]
fn tls_handshakes(bencher: Bencher<'_, '_>) {
    whole(bencher, &HANDSHAKES, 8_192, 1);
}

/// Calls on connections that are open: records of application data.
#[divan::bench]
fn tls_records(bencher: Bencher<'_, '_>) {
    whole(bencher, &FEW, 8_192, 1);
}

/// SYNs that nobody answers.
#[divan::bench]
fn syns(bencher: Bencher<'_, '_>) {
    whole(bencher, &SYNS, 8_192, 1);
}

/// The whole engine on one thread, by packets handed over at once.
#[divan::bench(args = [1, 64, 1_024, 8_192, 65_536])]
fn by_batch(bencher: Bencher<'_, '_>, batch: usize) {
    whole(bencher, &MANY, batch, 1);
}

/// The whole engine, by shards with a thread each.
#[divan::bench(args = [1, 2, 4])]
fn by_shards(bencher: Bencher<'_, '_>, shards: usize) {
    whole(bencher, &MANY, 8_192, shards);
}

/// As `by_shards`, on a few long connections.
#[divan::bench(args = [1, 2, 4])]
fn few_connections(bencher: Bencher<'_, '_>, shards: usize) {
    whole(bencher, &FEW, 8_192, shards);
}

/// The whole engine, with as many threads as shards.
fn whole(bencher: Bencher<'_, '_>, capture: &Capture, batch: usize, shards: usize) {
    let packets = packets(capture);
    let pool = pool(shards);
    counted(bencher, &packets).bench(|| pool.install(|| inspect(&packets, batch, shards)));
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
            let server = format!("10.244.{}.7:9443", index % 8);
            let opened = Conversation::new(&client(index), &server)
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

/// Streams of segments that are no TLS, one after the other.
fn streams(connections: usize, segments: usize) -> Capture {
    let stream = |index: usize| {
        let opened =
            Conversation::new(&client(index), "10.244.0.7:5432").at_ns(index as i64 * 1_000).handshake();
        (0..segments).fold(opened, |story, _| story.client(&[0; 400])).capture()
    };
    Capture::merge(&(0..connections).map(stream).collect::<Vec<_>>())
}

/// The address of the `index`-th client.
fn client(index: usize) -> String {
    format!("10.{}.{}.{}:{}", index >> 16 & 0xff, index >> 8 & 0xff, index & 0xff, 32_768 + index % 28_000)
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
