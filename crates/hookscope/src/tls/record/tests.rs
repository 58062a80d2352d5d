use super::*;
use crate::packet::Frame;
use crate::time::Timestamp;

fn moment(number: u64) -> Moment {
    Moment { time: Timestamp::from_nanos(number as i64), frame: Frame::new(0, number) }
}

/// Pushes chunks (numbers are gaps) and writes down what comes out.
fn run(deframer: &mut Deframer, chunks: &[Chunk<'_>]) -> String {
    let mut out = Vec::new();
    for (number, &chunk) in (1..).zip(chunks) {
        deframer.push(chunk, moment(number), &mut |event, at| {
            out.push(match event {
                RecordEvent::Whole(header, body) => {
                    assert_eq!(body.len(), usize::from(header.length));
                    format!("{}:{}@{}", header.kind.0, header.length, at.frame.number())
                }
                RecordEvent::Began(header) => {
                    format!("began {}:{}@{}", header.kind.0, header.length, at.frame.number())
                }
                RecordEvent::Body(bytes) => format!("body {}", bytes.len()),
                RecordEvent::BodyGap(size) => format!("body-gap {size}"),
                RecordEvent::Ended(_) => format!("ended@{}", at.frame.number()),
                RecordEvent::Unframed(size) => format!("unframed {size}"),
                RecordEvent::NotTls => "not-tls".to_owned(),
                RecordEvent::Plain(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            });
        });
    }
    out.join(", ")
}

const HELLO: &[u8] = &[22, 3, 1, 0, 3, b'a', b'b', b'c'];

#[test]
fn records_are_found_wherever_segments_are_cut() {
    assert_eq!(run(&mut Deframer::default(), &[Chunk::Data(HELLO)]), "22:3@1");
    let (head, tail) = HELLO.split_at(2);
    let split = run(&mut Deframer::default(), &[Chunk::Data(head), Chunk::Data(tail)]);
    assert_eq!(split, "began 22:3@1, body 3, ended@2");
    let both = [HELLO, HELLO].concat();
    let joined = run(&mut Deframer::default(), &[Chunk::Data(&both)]);
    assert_eq!(joined, "22:3@1, 22:3@1");
}

#[test]
fn one_octet_at_a_time_gives_the_same_records() {
    let chunks: Vec<_> = HELLO.chunks(1).map(Chunk::Data).collect();
    assert_eq!(run(&mut Deframer::default(), &chunks), "began 22:3@1, body 1, body 1, body 1, ended@8");
}

#[test]
fn a_gap_inside_a_body_keeps_the_framing() {
    let chunks = [Chunk::Data(&HELLO[..6]), Chunk::Gap(2), Chunk::Data(HELLO)];
    assert_eq!(run(&mut Deframer::default(), &chunks), "began 22:3@1, body 1, body-gap 2, ended@2, 22:3@3");
}

#[test]
fn a_gap_over_a_header_loses_the_framing_until_a_chunk_begins_with_one() {
    let chunks = [Chunk::Data(&HELLO[..6]), Chunk::Gap(4), Chunk::Data(b"garbage"), Chunk::Data(HELLO)];
    assert_eq!(
        run(&mut Deframer::default(), &chunks),
        "began 22:3@1, body 1, body-gap 2, ended@2, unframed 2, unframed 7, 22:3@4"
    );
}

#[test]
fn plain_text_is_passed_on_whole_however_it_is_cut() {
    for size in 1..6 {
        let chunks: Vec<_> = b"HTTP/1.1 400".chunks(size).map(Chunk::Data).collect();
        let out = run(&mut Deframer::default(), &chunks);
        assert_eq!(out.replace("not-tls, ", "").replace(", ", ""), "HTTP/1.1 400");
    }
    // The first two octets still could be a record's.
    let out = run(&mut Deframer::default(), &[Chunk::Data(&[22]), Chunk::Data(b"x")]);
    assert_eq!(out, "not-tls, \u{16}, x");
    let out = run(&mut Deframer::default(), &[Chunk::Data(&[22]), Chunk::Data(b"and more")]);
    assert_eq!(out, "not-tls, \u{16}, and more");
}

#[test]
fn the_first_octets_of_plain_text_are_known_however_it_is_cut() {
    for size in 1..8 {
        let mut deframer = Deframer::default();
        let chunks: Vec<_> = b"HTTP/1.1 400".chunks(size).map(Chunk::Data).collect();
        run(&mut deframer, &chunks);
        assert_eq!(deframer.first_octets(), b"HTTP/");
    }
}

#[test]
fn a_stream_joined_in_the_middle_waits_for_a_header() {
    let mut deframer = Deframer::default();
    deframer.join_midstream();
    let chunks = [Chunk::Data(&[1, 2, 3, 4, 5, 6]), Chunk::Data(HELLO)];
    assert_eq!(run(&mut deframer, &chunks), "unframed 6, 22:3@2");
}

#[test]
fn an_empty_record_begins_and_ends() {
    assert_eq!(run(&mut Deframer::default(), &[Chunk::Data(&[23, 3, 3, 0, 0])]), "23:0@1");
}
