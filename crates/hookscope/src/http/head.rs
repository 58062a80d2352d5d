//! The head of a message -> method or status, and how long the body is (RFC 9112, sections 3 to 6).
//!
//! `httparse` reads the fields; what it does not say is decided here: where a head ends, whether octets can be HTTP
//! at all, and how the body is framed. Broken fields of servers are passed over, as clients do.

use std::num::NonZeroU16;

use crate::http::body::{Body, Chunked};
use crate::packet::Moment;

/// Octets of a head until it is whole.
#[derive(Debug, Default)]
pub(super) struct HeadBuffer {
    octets: Vec<u8>,
    /// Where its first octet was seen.
    pub(super) began: Option<Moment>,
}

/// A head is longer than the bound: what was not taken of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooLong<'d>(pub(super) &'d [u8]);

impl HeadBuffer {
    /// Longer heads are given up: net/http sends and takes far less from kube-apiserver.
    const BOUND: usize = 16 << 10;

    /// Takes octets off the front of `data`: gives what is left, and whether the head is whole. Of one that is not,
    /// `room` more octets may wait for its rest.
    pub(super) fn push<'d>(
        &mut self,
        data: &'d [u8],
        at: Moment,
        room: usize,
    ) -> Result<(&'d [u8], bool), TooLong<'d>> {
        let mut data = data;
        let most = self.octets.len().saturating_add(room);
        if self.octets.is_empty() {
            // Empty lines before a message count for nothing (RFC 9112, section 2.2).
            data = data.trim_ascii_start();
            if data.is_empty() {
                return Ok((data, false));
            }
            self.began = Some(at);
        }
        while let Some((byte, rest)) = data.split_first() {
            if self.octets.len() >= Self::BOUND {
                return Err(TooLong(data));
            }
            self.octets.push(*byte);
            data = rest;
            if *byte == b'\n' && (self.octets.ends_with(b"\n\n") || self.octets.ends_with(b"\n\r\n")) {
                return Ok((data, true));
            }
        }
        if self.octets.len() > most { Err(TooLong(data)) } else { Ok((data, false)) }
    }

    /// What was collected.
    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }
}

/// What the beginning of a stream can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looks {
    /// Not enough was seen.
    Open,
    /// HTTP/1.x.
    Right,
    /// Something else.
    Wrong,
}

/// Whether `octets` are a request line of HTTP/1.x, or its beginning.
pub(super) fn looks_like_request(octets: &[u8]) -> Looks {
    const LONGEST_METHOD: usize = 32;
    let is_method = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_');
    let method = octets.iter().take_while(|byte| is_method(byte)).count();
    match octets.get(method) {
        None if method <= LONGEST_METHOD => return Looks::Open,
        Some(b' ') if (1..=LONGEST_METHOD).contains(&method) => {}
        _ => return Looks::Wrong,
    }
    let Some(end) = octets.iter().position(|byte| *byte == b'\n') else { return Looks::Open };
    let line = octets.get(..end).unwrap_or_default().trim_ascii_end();
    let version = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    match version {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'..=b'9'] => Looks::Right,
        _ => Looks::Wrong,
    }
}

/// Whether `octets` are a status line of HTTP/1.x, or its beginning.
pub(super) fn looks_like_response(octets: &[u8]) -> Looks {
    const VERSION: &[u8] = b"HTTP/1.";
    if octets.len() >= VERSION.len() {
        if octets.starts_with(VERSION) { Looks::Right } else { Looks::Wrong }
    } else if VERSION.starts_with(octets) {
        Looks::Open
    } else {
        Looks::Wrong
    }
}

/// Methods that change what a response is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Connect,
    Head,
    Other,
}

/// A whole head of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestHead<'h> {
    pub(super) method: Method,
    pub(super) target: &'h str,
    pub(super) body: Body,
}

/// A whole head of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ResponseHead<'h> {
    pub(super) status: NonZeroU16,
    pub(super) reason: &'h str,
    /// The body, unless status and request say that there is none.
    pub(super) body: Body,
    /// Whether the content is compressed or otherwise coded.
    pub(super) is_coded: bool,
}

/// More fields than any real message has.
const MOST_FIELDS: usize = 128;

impl<'h> RequestHead<'h> {
    /// Reads a head.
    pub(super) fn read(octets: &'h [u8]) -> Option<Self> {
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut request = httparse::Request::new(&mut fields);
        let config = {
            let mut config = httparse::ParserConfig::default();
            config.ignore_invalid_headers_in_requests(true);
            config
        };
        config.parse_request(&mut request, octets).ok()?;
        let method = match request.method? {
            "CONNECT" => Method::Connect,
            "HEAD" => Method::Head,
            _ => Method::Other,
        };
        let body = match (method, framing(request.headers)?) {
            // What follows a CONNECT is the tunnel's (RFC 9110, section 9.3.6).
            (Method::Connect, _) | (_, Framing::Unsaid) => Body::NONE,
            (_, Framing::Known(body)) => body,
            (_, Framing::OtherCoding) => return None,
        };
        Some(Self { method, target: request.path?, body })
    }
}

impl<'h> ResponseHead<'h> {
    /// Reads a head.
    pub(super) fn read(octets: &'h [u8]) -> Option<Self> {
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut response = httparse::Response::new(&mut fields);
        let config = {
            let mut config = httparse::ParserConfig::default();
            config
                .ignore_invalid_headers_in_responses(true)
                .allow_spaces_after_header_name_in_responses(true)
                .allow_obsolete_multiline_headers_in_responses(true);
            config
        };
        config.parse_response(&mut response, octets).ok()?;
        let body = match framing(response.headers)? {
            Framing::Known(body) => body,
            Framing::Unsaid | Framing::OtherCoding => Body::UntilClose,
        };
        Some(Self {
            status: NonZeroU16::new(response.code?)?,
            reason: response.reason?,
            body,
            is_coded: values(response.headers, "content-encoding")
                .any(|coding| !coding.eq_ignore_ascii_case(b"identity")),
        })
    }
}

/// What the fields say of the body's length.
enum Framing {
    Known(Body),
    Unsaid,
    /// A transfer coding whose end is not chunked.
    OtherCoding,
}

/// RFC 9112, section 6.3: the transfer coding counts before the length; `None` where the fields contradict themselves.
fn framing(fields: &[httparse::Header<'_>]) -> Option<Framing> {
    if let Some(last) = values(fields, "transfer-encoding").last() {
        let is_chunked = last.eq_ignore_ascii_case(b"chunked");
        return Some(if is_chunked {
            Framing::Known(Body::Chunked(Chunked::Start))
        } else {
            Framing::OtherCoding
        });
    }
    let mut length = None;
    for value in values(fields, "content-length") {
        let value = std::str::from_utf8(value).ok()?;
        let value = value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse::<u64>().ok())??;
        if length.replace(value).is_some_and(|before| before != value) {
            return None;
        }
    }
    Some(length.map_or(Framing::Unsaid, |length| Framing::Known(Body::Length(length))))
}

/// The members of the lists in all fields of this name.
fn values<'f>(fields: &'f [httparse::Header<'f>], name: &'f str) -> impl Iterator<Item = &'f [u8]> {
    let named = fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name));
    named.flat_map(|field| field.value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_line_is_known_by_its_method_and_version() {
        for (text, looks) in [
            ("", Looks::Open),
            ("POS", Looks::Open),
            ("POST /validate?timeout=10s HTTP/1.", Looks::Open),
            ("POST /validate?timeout=10s HTTP/1.1\r\n", Looks::Right),
            ("GET / HTTP/1.0\n", Looks::Right),
            ("PRI * HTTP/2.0\r\n", Looks::Wrong),
            ("EHLO mail.example\r\n", Looks::Wrong),
            ("get / HTTP/1.1\r\n", Looks::Wrong),
            (" / HTTP/1.1\r\n", Looks::Wrong),
            ("\u{0}\u{1}", Looks::Wrong),
        ] {
            assert_eq!(looks_like_request(text.as_bytes()), looks, "{text:?}");
        }
        assert_eq!(looks_like_request(&[b'A'; 33]), Looks::Wrong);
        assert_eq!(looks_like_response(b"HTT"), Looks::Open);
        assert_eq!(looks_like_response(b"HTTP/1.1 200"), Looks::Right);
        assert_eq!(looks_like_response(b"ICY 200"), Looks::Wrong);
    }

    #[test]
    fn a_head_ends_with_an_empty_line_and_has_a_bound() {
        let at = Moment::END;
        let mut head = HeadBuffer::default();
        assert!(matches!(head.push(b"\r\n", at, usize::MAX), Ok((b"", false))));
        assert_eq!(head.began, None);
        assert!(matches!(head.push(b"GET / HTTP/1.1\r\n\r", at, usize::MAX), Ok((b"", false))));
        assert!(matches!(head.push(b"\nbody", at, usize::MAX), Ok((b"body", true))));
        assert_eq!(head.octets(), b"GET / HTTP/1.1\r\n\r\n");
        let mut head = HeadBuffer::default();
        assert!(head.push(&[b'A'; HeadBuffer::BOUND], at, usize::MAX).is_ok());
        assert!(head.push(b"A", at, usize::MAX).is_err());
    }

    #[test]
    fn fields_say_how_long_the_body_is() {
        let body = |fields: &str| {
            let octets = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
            ResponseHead::read(octets.as_bytes()).map(|head| head.body)
        };
        let chunked = Some(Body::Chunked(Chunked::Start));
        assert_eq!(body(""), Some(Body::UntilClose));
        assert_eq!(body("Content-Length: 12\r\n"), Some(Body::Length(12)));
        assert_eq!(body("Content-Length: 12, 12\r\nContent-Length:12\r\n"), Some(Body::Length(12)));
        assert_eq!(body("Content-Length: 12\r\nContent-Length: 13\r\n"), None);
        assert_eq!(body("Content-Length: +12\r\n"), None);
        assert_eq!(body("transfer-encoding: Chunked\r\nContent-Length: 12\r\n"), chunked);
        assert_eq!(body("Transfer-Encoding: gzip, chunked\r\n"), chunked);
        assert_eq!(body("Transfer-Encoding: gzip\r\n"), Some(Body::UntilClose));
    }

    #[test]
    fn a_request_without_a_length_has_no_body() {
        let read = |text: &'static str| RequestHead::read(text.as_bytes());
        let head = read("CONNECT a.b.svc:443 HTTP/1.1\r\nContent-Length: 3\r\n\r\n").unwrap();
        assert_eq!((head.method, head.target, head.body), (Method::Connect, "a.b.svc:443", Body::NONE));
        assert_eq!(read("POST / HTTP/1.1\r\n\r\n").unwrap().body, Body::NONE);
        assert_eq!(read("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n"), None);
    }
}
