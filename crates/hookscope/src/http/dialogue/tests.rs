use super::*;
use crate::packet::Frame;
use crate::time::Timestamp;

fn moment(number: u64) -> Moment {
    Moment { time: Timestamp::from_nanos(number as i64), frame: Frame::new(0, number) }
}

/// Plays `script`, each line a side (`>` client, `<` server, `]` server closes) and octets with `\r\n` as `~`, cut into
/// pieces of `size`; octets of one kind that follow each other are added up.
fn play(script: &[&str], size: usize) -> Vec<String> {
    let mut dialogue = Dialogue::default();
    let mut told: Vec<(String, u64)> = Vec::new();
    for (number, line) in (1..).zip(script) {
        let (who, text) = line.split_at(1);
        let text = text.replace('~', "\r\n");
        let mut tell = |event: Event<'_>, at: Moment| {
            let (what, octets) = match event {
                Event::RequestOctets(octets) => ("request".to_owned(), octets),
                Event::ResponseOctets(octets) => ("response".to_owned(), octets),
                Event::RequestBegan => (format!("request at {}", at.frame.number()), 0),
                Event::ResponseBegan => (format!("response at {}", at.frame.number()), 0),
                other => (format!("{other:?}"), 0),
            };
            match told.last_mut() {
                Some((last, sum)) if *last == what && octets > 0 => *sum += octets,
                _ => told.push((what, octets)),
            }
        };
        let side = if who == ">" { Side::Client } else { Side::Server };
        if who == "]" {
            dialogue.closed(side, moment(number), &mut tell);
        }
        for piece in text.as_bytes().chunks(size) {
            let result = dialogue.push(side, Chunk::Data(piece), moment(number), usize::MAX, &mut tell);
            if let Err(stop) = result {
                let stop = if let Stop::Lost(_) = stop { "Lost".to_owned() } else { format!("{stop:?}") };
                told.push((stop, 0));
                break;
            }
        }
    }
    told.into_iter()
        .map(|(what, octets)| if octets > 0 { format!("{what} {octets}") } else { what })
        .collect()
}

const ENDED: &str = "ResponseEnded { lacks_review: false }";

/// What [`play`] gives for whole lines and, but for where a tunnel's octets are, for any other cut.
fn tells(script: &[&str], expected: &[&str]) {
    for size in [usize::MAX, 1, 2, 7] {
        assert_eq!(play(script, size), expected, "in pieces of {size}");
    }
}

#[test]
fn a_response_answers_a_request() {
    tells(
        &[
            ">POST / HTTP/1.1~Content-Length: 3~~abc",
            "<HTTP/1.1 200 OK~Content-Length: 2~~ok",
            ">GET / HTTP/1.1~~",
            "<HTTP/1.1 404 Not Found~Transfer-Encoding: chunked~~1~x~0~~",
        ],
        &[
            "request at 1",
            "request 41",
            "response at 2",
            "response 38",
            "Status(200)",
            "response 2",
            ENDED,
            "request at 3",
            "request 18",
            "response at 4",
            "response 54",
            "Status(404)",
            "response 11",
            ENDED,
        ],
    );
}

#[test]
fn interim_responses_are_passed_over() {
    tells(
        &[
            ">POST / HTTP/1.1~Content-Length: 1~~",
            "<HTTP/1.1 100 Continue~~",
            ">x",
            "<HTTP/1.1 204 No Content~~",
        ],
        &[
            "request at 1",
            "request 38",
            "response at 2",
            "response 25",
            "Interim",
            "request 1",
            "response at 4",
            "response 27",
            "Status(204)",
            ENDED,
        ],
    );
}

#[test]
fn a_response_to_head_has_no_body() {
    tells(
        &[">HEAD / HTTP/1.1~~", "<HTTP/1.1 200 OK~Content-Length: 9~~", ">GET / HTTP/1.1~~"],
        &[
            "request at 1",
            "request 19",
            "response at 2",
            "response 38",
            "Status(200)",
            ENDED,
            "request at 3",
            "request 18",
        ],
    );
}

#[test]
fn a_body_without_a_length_ends_with_the_connection() {
    tells(
        &[">GET / HTTP/1.0~~", "<HTTP/1.0 200 OK~~abc", "]"],
        &["request at 1", "request 18", "response at 2", "response 19", "Status(200)", "response 3", ENDED],
    );
    tells(
        &[">GET / HTTP/1.0~~", "<HTTP/1.0 200 OK~Content-Length: 4~~abc", "]"],
        &["request at 1", "request 18", "response at 2", "response 38", "Status(200)", "response 3"],
    );
}

#[test]
fn requests_ahead_of_their_responses_are_told_one_after_the_other() {
    tells(
        &[
            ">GET /1 HTTP/1.1~~",
            ">GET /2 HTTP/1.1~~",
            ">GET /33 HTTP/1.1~~",
            "<HTTP/1.1 304 N~~HTTP/1.1 304 N~~",
            "<HTTP/1.1 304 N~~",
        ],
        &[
            "request at 1",
            "request 19",
            "response at 4",
            "response 18",
            "Status(304)",
            ENDED,
            "request at 2",
            "request 19",
            "response at 4",
            "response 18",
            "Status(304)",
            ENDED,
            "request at 3",
            "request 20",
            "response at 5",
            "response 18",
            "Status(304)",
            ENDED,
        ],
    );
}

#[test]
fn a_tunnel_begins_right_behind_the_answer() {
    let script = [">CONNECT a.b.svc:443 HTTP/1.1~Host: ~~", "<HTTP/1.1 200 OK~~\u{1}\u{2}"];
    let whole = play(&script, usize::MAX);
    assert!(whole.iter().any(|told| told == "Connect(\"a.b.svc:443\")"));
    assert_eq!(whole.last().unwrap(), "Tunnel([1, 2])");
    assert_eq!(play(&script, 1).last().unwrap(), "Tunnel([])");
}

#[test]
fn a_proxy_that_refuses_says_why() {
    tells(
        &[">CONNECT a.b.svc:443 HTTP/1.1~~", "<HTTP/1.1 503 Unknown Host~Content-Length: 1~~x"],
        &[
            "request at 1",
            "request 32",
            "Connect(\"a.b.svc:443\")",
            "response at 2",
            "response 48",
            "Refused(503, \"Unknown Host\")",
            "response 1",
            ENDED,
        ],
    );
}

#[test]
fn another_protocol_ends_it() {
    tells(&[">PRI * HTTP/2.0~~SM~~"], &["NotHttp"]);
    tells(&[">EHLO mail.example~~"], &["NotHttp"]);
    tells(
        &[">GET / HTTP/1.1~~", ">quit~", "<HTTP/1.1 304 N~~", "<bye"],
        &["request at 1", "request 18", "response at 3", "response 18", "Status(304)", ENDED, "NotHttp"],
    );
    tells(
        &[">GET / HTTP/1.1~Upgrade: x~~", "<HTTP/1.1 101 S~~"],
        &["request at 1", "request 30", "response at 2", "response 18", "Status(101)", ENDED, "Upgraded"],
    );
    tells(&[">GET / HTTP/1.1~~", "<ICY 200 OK~~"], &["request at 1", "request 18", "Lost"]);
}

#[test]
fn only_a_review_must_be_answered_by_one() {
    let answer = |request: &str, response: &str| {
        let request = format!(">POST / HTTP/1.1~Content-Length: {}~~{request}", request.len());
        let response = format!("<HTTP/1.1 200 OK~Content-Length: {}~~{response}", response.len());
        let told = play(&[&request, &response], 1);
        assert_eq!(told, play(&[&request, &response], usize::MAX));
        told.last().unwrap().contains("true")
    };
    let review = "{\"kind\":\"AdmissionReview\"}";
    assert!(answer(review, "{}"));
    assert!(!answer(review, review));
    assert!(!answer("{}", "{}"));
}

#[test]
fn a_gap_is_part_of_a_body_and_hides_a_head() {
    let mut dialogue = Dialogue::default();
    let none = &mut |_: Event<'_>, _: Moment| {};
    let data = |text: &'static str| Chunk::Data(text.as_bytes());
    let at = moment(1);
    dialogue
        .push(Side::Client, data("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\na"), at, usize::MAX, none)
        .unwrap();
    dialogue.push(Side::Client, Chunk::Gap(4), at, usize::MAX, none).unwrap();
    dialogue
        .push(Side::Server, data("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), at, usize::MAX, none)
        .unwrap();
    let mut told = Vec::new();
    dialogue
        .push(Side::Server, Chunk::Gap(5), at, usize::MAX, &mut |event, _| told.push(format!("{event:?}")))
        .unwrap();
    assert_eq!(told, ["ResponseOctets(5)", ENDED]);
    assert_eq!(dialogue.push(Side::Client, Chunk::Gap(5), at, usize::MAX, none), Err(Stop::Lost(5)));
    let mut fresh = Dialogue::default();
    assert_eq!(fresh.push(Side::Client, Chunk::Gap(5), at, usize::MAX, none), Err(Stop::NotHttp));
}
