//! Attacks by what a connection carries: records, handshake messages, certificates, heads of HTTP messages.

use std::io;

use super::packets::Sink;
use super::tcp::{PSH, Pair};
use crate::Rng;

/// Octets of a segment.
const SEGMENT: usize = 1_400;

/// A record header.
fn record(kind: u8, length: u16) -> [u8; 5] {
    let [high, low] = length.to_be_bytes();
    [kind, 3, 3, high, low]
}

/// A handshake message of which only the beginning is in the record.
fn message(kind: u8, stated: u32, body: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = stated.to_be_bytes();
    [&[kind, a, b, c][..], body].concat()
}

/// Bytes in handshake records of 16 KB, in segments.
fn handshake(pair: &mut Pair, sink: &mut Sink<'_>, by_client: bool, bytes: &[u8]) -> io::Result<()> {
    let mut records = Vec::with_capacity(bytes.len() + bytes.len() / 1_000 + 5);
    for part in bytes.chunks(16_384) {
        records.extend(record(22, part.len() as u16));
        records.extend(part);
    }
    for part in records.chunks(SEGMENT) {
        match by_client {
            true => pair.client(sink, PSH, part)?,
            false => pair.server(sink, PSH, part)?,
        }
    }
    Ok(())
}

pub(super) fn records(sink: &mut Sink<'_>, rng: &mut Rng) -> io::Result<()> {
    let mut number = 0;
    while sink.wants() {
        let mut pair = Pair::open(number, sink)?;
        for _ in 0..20 {
            let kind = *rng.pick(&[20, 21, 22, 23, 24, 255]);
            let length = *rng.pick(&[0, 1, 16_384, 16_385, u16::MAX]);
            let body = message(*rng.pick(&[1, 2, 11, 20]), *rng.pick(&[0, 1, 0xff_ffff]), &[7; 200]);
            pair.client(sink, PSH, &[&record(kind, length)[..], &body].concat())?;
            pair.server(sink, PSH, &[&record(kind, length)[..], &body].concat())?;
        }
        number += 1;
    }
    Ok(())
}

pub(super) fn hellos(sink: &mut Sink<'_>, _rng: &mut Rng) -> io::Result<()> {
    let mut number = 0;
    let vector = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
    while sink.wants() {
        let mut pair = Pair::open(number, sink)?;
        let name = format!("{number:x}.{}", "a".repeat(60_000));
        let list = vector(&[&[0][..], &vector(name.as_bytes())].concat());
        let extensions = vector(&[&[0, 0][..], &vector(&list)].concat());
        let hello = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0], &extensions].concat();
        handshake(&mut pair, sink, true, &message(1, hello.len() as u32, &hello))?;
        number += 1;
    }
    Ok(())
}

pub(super) fn certificates(sink: &mut Sink<'_>, rng: &mut Rng) -> io::Result<()> {
    let mut number = 0;
    let hello = crate::tls::client_hello(Some("webhook.default.svc"), &["http/1.1"], true, 0);
    while sink.wants() {
        let mut pair = Pair::open(number, sink)?;
        pair.client(sink, PSH, &hello)?;
        // A ServerHello of TLS 1.2, so that the certificate is in the clear.
        let server_hello = [&[3, 3][..], &[7; 32], &[0, 0xc0, 0x2f, 0]].concat();
        let greeting = message(2, server_hello.len() as u32, &server_hello);
        // One that is as long as is kept, one that is longer, one that never ends.
        let (stated, sent) = *rng.pick(&[(120_000, 120_000), (1_500_000, 1_500_000), (120_000, 119_000)]);
        let certificate = [&[0, 1, 0x50, 0][..], &rng.bytes(64), &vec![0x30; sent - 68]].concat();
        let chain = message(11, stated, &certificate);
        handshake(&mut pair, sink, false, &[greeting, chain].concat())?;
        number += 1;
    }
    Ok(())
}

pub(super) fn http_heads(sink: &mut Sink<'_>, _rng: &mut Rng) -> io::Result<()> {
    let mut number = 0;
    while sink.wants() {
        let mut pair = Pair::open(number, sink)?;
        pair.client(sink, PSH, b"POST /validate HTTP/1.1\r\nHost: a\r\n")?;
        for _ in 0..11 {
            pair.client(sink, PSH, &[&b"X: "[..], &[b'a'; SEGMENT - 5], b"\r\n"].concat())?;
        }
        number += 1;
    }
    Ok(())
}
