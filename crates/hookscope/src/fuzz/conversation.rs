//! What two sides do, told as operations -> packets, and what the engine makes of them.
//!
//! Bytes that a fuzzer changes in packets mostly break their headers. Here headers are right, and what changes is who
//! does what when: so it comes to what calls, alerts and closings mean.

use crate::fuzz::engine::check;
use crate::fuzz::input::{Input, LINKS, moment, packet, step};
use crate::packet::{Frame, Moment, Packet};

/// Operations of one run.
const OPERATIONS: usize = 64;

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

/// A packet of the capture that is being made.
#[derive(Clone)]
struct Made {
    at: Moment,
    interface: u16,
    more: u8,
    octets: Vec<u8>,
}

/// A connection: what each side, the client first, sent so far.
#[derive(Clone, Copy)]
struct Connection {
    next: [u32; 2],
    ack: [u32; 2],
    window: [u16; 2],
    /// The server's address, before and behind translation.
    server: u8,
    client_port: u16,
}

struct Story {
    connections: [Connection; 4],
    made: Vec<Made>,
    now: Moment,
}

impl Story {
    fn new() -> Self {
        let connection = |number: u16| Connection {
            next: [0xffff_ff00 + u32::from(number), 1_000],
            ack: [0, 0],
            window: [1_000, 1_000],
            server: number as u8 & 1,
            client_port: 40_000 + number,
        };
        Self { connections: [0, 1, 2, 3].map(connection), made: Vec::new(), now: moment(1) }
    }

    /// A segment of a side; what it occupies is sent.
    fn send(&mut self, number: usize, side: usize, flags: u8, payload: &[u8]) {
        let Some(it) = self.connections.get_mut(number) else { return };
        let other = 1 - side;
        let occupies = payload.len() as u32 + u32::from(flags & SYN > 0) + u32::from(flags & FIN > 0);
        let (seq, ack) = (it.next[side], if flags & ACK > 0 { it.ack[side] } else { 0 });
        it.next[side] = seq.wrapping_add(occupies);
        it.ack[other] = it.next[side];
        let it = *it;
        self.segment(&it, side, flags, [seq, ack], payload);
    }

    fn segment(&mut self, it: &Connection, side: usize, flags: u8, [seq, ack]: [u32; 2], payload: &[u8]) {
        let ends = [([10, 0, 0, 10], it.client_port), ([10, 96, 0, it.server], 443)];
        let [(source, from), (destination, to)] = [ends[side], ends[1 - side]];
        let tcp = [
            &from.to_be_bytes()[..],
            &to.to_be_bytes(),
            &seq.to_be_bytes(),
            &ack.to_be_bytes(),
            &[0x50, flags],
            &it.window[side].to_be_bytes(),
            &[0; 4],
            payload,
        ];
        self.ip(6, source, destination, &tcp.concat());
    }

    fn ip(&mut self, protocol: u8, source: [u8; 4], destination: [u8; 4], body: &[u8]) {
        let length = (20 + body.len() as u16).to_be_bytes();
        let id = (self.made.len() as u16 + 1).to_be_bytes();
        let ip = [
            &[0x45, 0, length[0], length[1], id[0], id[1], 0, 0, 64, protocol, 0, 0][..],
            &source,
            &destination,
        ];
        let link = [&[0; 12][..], &[8, 0]];
        let octets = [&link.concat(), &ip.concat(), body].concat();
        self.made.push(Made { at: self.now, interface: 0, more: 0, octets });
    }

    /// An ICMP error that quotes the last packet.
    fn unreachable(&mut self, kind: u8, code: u8) {
        let Some(quoted) = self.made.last().and_then(|last| last.octets.get(14..42)) else { return };
        let body = [&[kind, code, 0, 0, 0, 0, 5, 0][..], quoted].concat();
        self.ip(1, [10, 244, 0, 1], [10, 0, 0, 10], &body);
    }

    fn packets(&self) -> Vec<Packet<'_>> {
        let made = (1..).zip(&self.made).map(|(number, made)| {
            let at = Moment { frame: Frame::new(0, number), ..made.at };
            Packet { interface: made.interface, ..packet(0, made.more, at, &made.octets) }
        });
        made.collect()
    }
}

/// The first byte says how packets are shared out; each operation is a byte of what, whose and on which connection, and
/// what that takes.
pub fn conversation(data: &[u8]) {
    let mut input = Input(data);
    let how = input.u8();
    let mut story = Story::new();
    for _ in 0..OPERATIONS {
        if input.is_empty() {
            break;
        }
        tell(&mut story, &mut input);
    }
    assert!(!LINKS.is_empty());
    check(&story.packets(), how);
}

fn tell(story: &mut Story, input: &mut Input<'_>) {
    let what = input.u8();
    let (side, number) = (usize::from(what >> 5 & 1), usize::from(what >> 6));
    let last = story.made.len().wrapping_sub(1);
    match what & 31 {
        0 => story.send(number, side, SYN, &[]),
        1 => story.send(number, side, SYN | ACK, &[]),
        2 => story.send(number, side, ACK, &[]),
        3 => {
            // A record of any type; all of it, or as much as fits a segment.
            let (kind, length) = (input.u8(), input.u16());
            let body = vec![7; usize::from(length).min(700)];
            story.send(number, side, ACK, &[&record(20 + kind % 6, length)[..], &body].concat());
        }
        4 => story.send(number, side, ACK, &client_hello(input.u8())),
        5 => story.send(number, side, ACK, &server_hello(input.u8())),
        6 => story.send(number, side, ACK, &[&record(21, 2)[..], &[input.u8() & 3, input.u8()]].concat()),
        7 => {
            let length = input.u8().into();
            story.send(number, side, ACK, input.up_to(length));
        }
        8 => story.send(number, side, ACK, request(input.u8()).as_bytes()),
        9 => story.send(number, side, ACK, response(input.u8()).as_bytes()),
        10 => story.send(number, side, ACK, &record(20, 1)),
        11 => story.send(number, side, FIN | ACK, &[]),
        12 => story.send(number, side, RST, &[]),
        13 => story.send(number, side, RST | ACK, &[]),
        14 => story.now.time = input.later(story.now.time),
        // Sent again, at another time and under another number; on another interface; in another order; not captured.
        15 => {
            if let Some(made) = story.made.get(last.wrapping_sub(usize::from(input.u8()))).cloned() {
                let mut octets = made.octets;
                octets.get_mut(19).into_iter().for_each(|id| *id = id.wrapping_add(77));
                story.made.push(Made { at: story.now, octets, ..made });
            }
        }
        16 => {
            if let Some(made) = story.made.last().cloned() {
                story.made.push(Made { interface: input.u8().into(), ..made });
            }
        }
        17 => {
            if last != usize::MAX && last > 0 {
                story.made.swap(last, last - 1);
            }
        }
        18 => drop(story.made.pop()),
        19 => story.unreachable(input.u8() % 14, input.u8() & 15),
        20 => {
            // A keep-alive probe: the octet before the next once more.
            let Some(it) = story.connections.get(number).copied() else { return };
            let probe = [it.next[side].wrapping_sub(1), it.ack[side]];
            story.segment(&it, side, ACK, probe, if input.u8() & 1 == 0 { &[] } else { &[0] });
        }
        21 => set(story, number, |it, value| it.window[side] = value, input.u16()),
        22 => set(
            story,
            number,
            |it, by| it.next[side] = it.next[side].wrapping_add_signed(i32::from(by as i16)),
            input.u16(),
        ),
        23 => set(
            story,
            number,
            |it, by| it.ack[side] = it.ack[side].wrapping_add_signed(i32::from(by as i16)),
            input.u16(),
        ),
        24 => set(story, number, |it, value| it.server = value as u8, input.u8().into()),
        25 => {
            let cut = usize::from(input.u8());
            if let Some(made) = story.made.last_mut() {
                made.more = made.octets.len().saturating_sub(cut).min(254) as u8;
                made.octets.truncate(made.octets.len() - usize::from(made.more));
            }
        }
        26 => lookup(story, side, number, input),
        27 => story.send(number, side, SYN | RST, &[]),
        28 => story.send(number, side, FIN | ACK, b"the last of it"),
        29 => {
            // A new connection on the same ports.
            let by = input.u16();
            set(
                story,
                number,
                |it, by| it.next = it.next.map(|next| next.wrapping_add(u32::from(by) << 8)),
                by,
            );
        }
        30 => set(story, number, |it, port| it.client_port = port, input.u16()),
        _ => story.now.time = input.later(moment(0).time),
    }
}

fn set(story: &mut Story, number: usize, change: impl Fn(&mut Connection, u16), value: u16) {
    story.connections.get_mut(number).into_iter().for_each(|it| change(it, value));
}

/// A query for a name, or an answer to it.
fn lookup(story: &mut Story, side: usize, number: usize, input: &mut Input<'_>) {
    let (code, name) = (input.u8(), b'a' + (input.u8() & 3));
    let (client, server) = ([10, 0, 0, 10], [10, 96, 0, 10 + (code >> 7)]);
    let ports = [[0x9c, 0x40 + number as u8], [0, 53]];
    let flags = if side == 0 { [1, 0] } else { [0x81, code & 15] };
    let question = [2, b'n', name, 3, b's', b'v', b'c', 0, 0, if code & 0x40 == 0 { 1 } else { 28 }, 0, 1];
    let header = [0, number as u8, flags[0], flags[1], 0, 1, 0, 0, 0, 0, 0, 0];
    let body = [&ports[side][..], &ports[1 - side], &[0, 32, 0, 0], &header, &question].concat();
    let (source, destination) = if side == 0 { (client, server) } else { (server, client) };
    story.ip(17, source, destination, &body);
}

fn record(kind: u8, length: u16) -> [u8; 5] {
    let [high, low] = length.to_be_bytes();
    [kind, 3, 3, high, low]
}

/// A handshake message in a record of its own.
fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len() as u16;
    let [high, low] = length.to_be_bytes();
    [&record(22, length + 4)[..], &[kind, 0, high, low], body].concat()
}

fn client_hello(choice: u8) -> Vec<u8> {
    let extension = |kind: u8, body: &[u8]| {
        let length = (body.len() as u16).to_be_bytes();
        [&[0, kind, length[0], length[1]][..], body].concat()
    };
    let mut extensions = Vec::new();
    if choice & 1 == 0 {
        extensions.extend(extension(0, b"\0\x0e\0\0\x0bhook.ns.svc"));
    }
    if choice & 2 == 0 {
        extensions
            .extend(extension(16, if choice & 4 == 0 { b"\0\x09\x08http/1.1" } else { b"\0\x03\x02h2" }));
    }
    if choice & 8 == 0 {
        extensions.extend(extension(43, &[4, 3, 4, 3, 3]));
    }
    let length = (extensions.len() as u16).to_be_bytes();
    handshake(1, &[&[3, 3][..], &[5; 32], &[0, 0, 2, 0x13, 1, 1, 0], &length, &extensions].concat())
}

fn server_hello(choice: u8) -> Vec<u8> {
    let suite: [u8; 2] = [[0x13, 1], [0x13, 2], [0xc0, 0x2f], [0xcc, 0xa8]][usize::from(choice >> 1 & 3)];
    let extensions: &[u8] = if choice & 1 == 0 { &[0, 6, 0, 43, 0, 2, 3, 4] } else { &[0, 0] };
    handshake(2, &[&[3, 3][..], &[6; 32], &[0], &suite, &[0], extensions].concat())
}

fn request(choice: u8) -> &'static str {
    const REQUESTS: [&str; 4] = [
        "POST /validate?timeout=10s HTTP/1.1\r\nHost: hook.ns.svc:443\r\nContent-Length: 26\r\n\r\n{\"kind\":\"AdmissionReview\"}",
        "CONNECT hook.ns.svc:443 HTTP/1.1\r\nHost: hook.ns.svc:443\r\n\r\n",
        "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    ];
    REQUESTS[usize::from(choice & 3)]
}

fn response(choice: u8) -> &'static str {
    const RESPONSES: [&str; 8] = [
        "HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n{\"kind\":\"AdmissionReview\"}",
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\n\r\nno",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
    ];
    RESPONSES[usize::from(choice & 7)]
}

/// Stories to begin with: the usual ways in which calls go well and wrong.
pub(super) fn stories() -> impl Iterator<Item = Vec<u8>> {
    const SERVER: u8 = 32;
    let wait = |nanos: i64| {
        let [high, low] = step(nanos).to_be_bytes();
        vec![14, high, low]
    };
    let data = |side: u8, length: u16| {
        let [high, low] = length.to_be_bytes();
        vec![side | 3, 3, high, low]
    };
    let opened = [0, SERVER | 1, 2].to_vec();
    let ready_13 =
        [&opened[..], &[4, 0, SERVER | 5, 0, SERVER | 10, 10], &data(SERVER, 600), &data(0, 53)].concat();
    let ready_12 = [
        &opened[..],
        &[4, 8, SERVER | 5, 5, SERVER | 3, 2, 0, 4, 10, 3, 2, 0, 40, SERVER | 10, SERVER | 3, 2, 0, 40],
    ]
    .concat();
    let asked = [&ready_13[..], &data(0, 400)].concat();
    let answered = [&asked[..], &wait(3_000_000), &data(SERVER, 300)].concat();
    let ends: [Vec<u8>; 12] = [
        opened.clone(),
        [&opened[..], &wait(10_000_000_000), &[11, SERVER | 11, 2]].concat(),
        [&answered[..], &data(0, 19), &[11, SERVER | 11, 2]].concat(),
        [&asked[..], &[SERVER | 2], &wait(10_001_000_000), &data(0, 19), &[11]].concat(),
        [&asked[..], &[SERVER | 12]].concat(),
        [&asked[..], &data(SERVER, 19), &[SERVER | 11]].concat(),
        [&ready_12[..], &data(0, 400), &wait(2_000_000), &data(SERVER, 300), &[11]].concat(),
        [&opened[..], &[4, 0, SERVER | 5, 0], &data(SERVER, 600), &data(0, 19), &[12]].concat(),
        [&opened[..], &[4, 0, SERVER | 6, 2, 40, SERVER | 11]].concat(),
        [&[0][..], &wait(1_000_000_000), &[15, 0], &wait(2_000_000_000), &[15, 0, 19, 3, 1]].concat(),
        [&opened[..], &[8, 0, SERVER | 9, 2, 8, 1, SERVER | 9, 1, 4, 0]].concat(),
        [&[26, 3, 0][..], &wait(1_000_000), &[SERVER | 26, 3, 0], &answered, &[15, 2, 16, 1, 17, 18]]
            .concat(),
    ];
    (0_u8..).zip(ends).map(|(how, end)| [&[how.wrapping_mul(7)][..], &end].concat())
}
