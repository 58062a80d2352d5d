//! DNS message -> what was asked and how it was answered (RFC 1035, section 4; RFC 3596 for AAAA).
//!
//! One question and the answered addresses are all that a lookup's verdict needs: authority and additional
//! sections, EDNS among them, stay unread. Answers that are cut or broken end the list; anything before them
//! that is not DNS makes the whole message none.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a message asks or answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// QR is 0.
    Query,
    /// QR is 1.
    Response,
}

/// What kind of query it is: 0 is the standard one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Opcode(pub u8);

impl Opcode {
    /// A standard query.
    pub const QUERY: Self = Self(0);
}

/// How a query was answered (RFC 6895, section 2.3; without the upper bits of EDNS).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResponseCode(pub u8);

impl ResponseCode {
    /// No error.
    pub const NO_ERROR: Self = Self(0);
    /// The server could not read the query.
    pub const FORMAT_ERROR: Self = Self(1);
    /// The server failed.
    pub const SERVER_FAILURE: Self = Self(2);
    /// The name does not exist.
    pub const NAME_ERROR: Self = Self(3);
    /// The server does not support this kind of query.
    pub const NOT_IMPLEMENTED: Self = Self(4);
    /// The server will not answer.
    pub const REFUSED: Self = Self(5);
}

/// The mnemonic as `dig` prints it, or `RCODEn`.
impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::NO_ERROR => "NOERROR",
            Self::FORMAT_ERROR => "FORMERR",
            Self::SERVER_FAILURE => "SERVFAIL",
            Self::NAME_ERROR => "NXDOMAIN",
            Self::NOT_IMPLEMENTED => "NOTIMP",
            Self::REFUSED => "REFUSED",
            Self(other) => return write!(f, "RCODE{other}"),
        })
    }
}

/// The type of a resource record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordType(pub u16);

impl RecordType {
    /// An IPv4 address.
    pub const A: Self = Self(1);
    /// A name server.
    pub const NS: Self = Self(2);
    /// The name that this one stands for.
    pub const CNAME: Self = Self(5);
    /// The start of a zone.
    pub const SOA: Self = Self(6);
    /// The name of an address.
    pub const PTR: Self = Self(12);
    /// A mail exchanger.
    pub const MX: Self = Self(15);
    /// Text.
    pub const TXT: Self = Self(16);
    /// An IPv6 address (RFC 3596).
    pub const AAAA: Self = Self(28);
    /// Where a service is to be found (RFC 2782).
    pub const SRV: Self = Self(33);
    /// Where and how a service is to be found (RFC 9460).
    pub const SVCB: Self = Self(64);
    /// The same for HTTP (RFC 9460).
    pub const HTTPS: Self = Self(65);
    /// Any type.
    pub const ANY: Self = Self(255);
}

/// The mnemonic, or `TYPEn` (RFC 3597, section 5).
impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::A => "A",
            Self::NS => "NS",
            Self::CNAME => "CNAME",
            Self::SOA => "SOA",
            Self::PTR => "PTR",
            Self::MX => "MX",
            Self::TXT => "TXT",
            Self::AAAA => "AAAA",
            Self::SRV => "SRV",
            Self::SVCB => "SVCB",
            Self::HTTPS => "HTTPS",
            Self::ANY => "ANY",
            Self(other) => return write!(f, "TYPE{other}"),
        })
    }
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// The name in lower case, without the final dot; the root is `.`. What a label holds beyond printable ASCII is
    /// escaped (RFC 4343, section 2.1).
    pub name: String,
    /// The type asked for.
    pub record_type: RecordType,
}

/// One DNS message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What ties a response to its query.
    pub id: u16,
    /// Whether it asks or answers.
    pub role: Role,
    /// What kind of query it is.
    pub opcode: Opcode,
    /// TC: the answer did not fit, and is to be had over TCP.
    pub truncated: bool,
    /// How it was answered; meaningless in a query.
    pub response_code: ResponseCode,
    /// The first question; `None` where a response repeats none.
    pub question: Option<Question>,
    /// The addresses among the answers, in their order.
    pub addresses: Vec<IpAddr>,
}

impl Message {
    /// Reads a message as far as it was captured; `None` where it is not DNS, or its question is not whole.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (header, _) = bytes.split_first_chunk::<12>()?;
        let count = |at: [u8; 2]| u16::from_be_bytes(at);
        let questions = count([header[4], header[5]]);
        let answers = count([header[6], header[7]]);
        let role = if header[2] & 0x80 == 0 { Role::Query } else { Role::Response };
        if role == Role::Query && questions == 0 {
            return None;
        }
        let (mut question, mut cursor) = (None, Cursor { bytes, at: 12 });
        for _ in 0..questions {
            let name = cursor.at;
            cursor.skip_name()?;
            let record_type = RecordType(cursor.u16()?);
            cursor.take(2)?;
            question.get_or_insert((name, record_type));
        }
        Some(Self {
            id: count([header[0], header[1]]),
            role,
            opcode: Opcode(header[2] >> 3 & 0x0f),
            truncated: header[2] & 0x02 != 0,
            response_code: ResponseCode(header[3] & 0x0f),
            question: question.map(|(at, record_type)| Question { name: text(bytes, at), record_type }),
            addresses: (0..answers).map_while(|_| cursor.answer()).flatten().collect(),
        })
    }
}

/// Reads on from a place in a message.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..)?.get(..count)?;
        self.at += count;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn skip_name(&mut self) -> Option<()> {
        self.at = walk_name(self.bytes, self.at, |_| {})?;
        Some(())
    }

    /// The next record; inside, its address if it is an Internet one.
    fn answer(&mut self) -> Option<Option<IpAddr>> {
        const INTERNET: u16 = 1;
        self.skip_name()?;
        let (record_type, class) = (RecordType(self.u16()?), self.u16()?);
        self.take(4)?;
        let len = self.u16()?;
        let data = self.take(len.into())?;
        Some(match (class, record_type) {
            (INTERNET, RecordType::A) => <[u8; 4]>::try_from(data).ok().map(|ip| Ipv4Addr::from(ip).into()),
            (INTERNET, RecordType::AAAA) => {
                <[u8; 16]>::try_from(data).ok().map(|ip| Ipv6Addr::from(ip).into())
            }
            _ => None,
        })
    }
}

/// Hands each label of the name at `at` to `label`; the place behind the name, or `None` where it is no name.
///
/// A pointer must lead to before the part of the name that it ends (RFC 1035, section 4.1.4: "a prior occurrence"),
/// so a walk always ends. Names are no longer than 255 octets (section 2.3.4).
fn walk_name<'a>(bytes: &'a [u8], at: usize, mut label: impl FnMut(&'a [u8])) -> Option<usize> {
    let (mut cursor, mut part, mut end, mut len) = (Cursor { bytes, at }, at, None, 1);
    loop {
        let &[first] = cursor.take(1)?.first_chunk()?;
        match first >> 6 {
            0b00 if first == 0 => return Some(end.unwrap_or(cursor.at)),
            0b00 => {
                len += 1 + usize::from(first);
                if len > 255 {
                    return None;
                }
                label(cursor.take(first.into())?);
            }
            0b11 => {
                let &[second] = cursor.take(1)?.first_chunk()?;
                let target = usize::from(u16::from_be_bytes([first & 0x3f, second]));
                if target >= part {
                    return None;
                }
                end.get_or_insert(cursor.at);
                (cursor.at, part) = (target, target);
            }
            _ => return None,
        }
    }
}

/// The name at `at`, which has been walked before, as text.
fn text(bytes: &[u8], at: usize) -> String {
    let digit = |value| char::from(b'0' + value);
    let mut name = String::new();
    walk_name(bytes, at, |label| {
        if !name.is_empty() {
            name.push('.');
        }
        for byte in label {
            match byte {
                b'.' | b'\\' => name.extend(['\\', char::from(*byte)]),
                b'!'..=b'~' => name.push(char::from(byte.to_ascii_lowercase())),
                _ => name.extend(['\\', digit(byte / 100), digit(byte / 10 % 10), digit(byte % 10)]),
            }
        }
    });
    if name.is_empty() { ".".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message with one question for `name`, given in wire form.
    fn message(flags: u16, answers: u16, name: &[u8], record_type: u16, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xab, 0xcd];
        for field in [flags, 1, answers, 0, 0] {
            bytes.extend(field.to_be_bytes());
        }
        bytes.extend(name);
        bytes.extend(record_type.to_be_bytes());
        bytes.extend([0, 1]);
        bytes.extend(rest);
        bytes
    }

    const NAME: &[u8] = b"\x02Nx\x03lab\x07example\x00";

    #[test]
    fn a_query_says_what_is_asked() {
        let query = Message::parse(&message(0x0100, 0, NAME, 28, &[])).unwrap();
        assert_eq!((query.id, query.role, query.opcode), (0xabcd, Role::Query, Opcode::QUERY));
        let question = query.question.unwrap();
        assert_eq!((question.name.as_str(), question.record_type), ("nx.lab.example", RecordType::AAAA));
    }

    #[test]
    fn a_response_says_how_it_was_answered() {
        for (flags, text) in
            [(0x8183, "NXDOMAIN"), (0x8182, "SERVFAIL"), (0x8185, "REFUSED"), (0x8189, "RCODE9")]
        {
            let response = Message::parse(&message(flags, 0, NAME, 1, &[])).unwrap();
            assert_eq!(
                (response.role, response.response_code.to_string()),
                (Role::Response, text.to_owned())
            );
            assert!(!response.truncated);
        }
        assert!(Message::parse(&message(0x8380, 0, NAME, 1, &[])).unwrap().truncated);
    }

    #[test]
    fn addresses_are_found_among_the_answers() {
        let alias = [0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 4, 1, b'b', 0xc0, 15];
        let v4 = [1, b'b', 0xc0, 15, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 1];
        let v6 = [&[0xc0, 12, 0, 28, 0, 1, 0, 0, 0, 9, 0, 16, 0xfd], &[0; 14][..], &[1]].concat();
        let answers = [&alias[..], &v4, &v6].concat();
        let response = Message::parse(&message(0x8180, 3, NAME, 1, &answers)).unwrap();
        assert_eq!(response.addresses, ["10.0.0.1".parse::<IpAddr>().unwrap(), "fd00::1".parse().unwrap()]);

        let cut = &message(0x8180, 3, NAME, 1, &answers)[..12 + NAME.len() + 4 + 16 + 18 + 20];
        assert_eq!(Message::parse(cut).unwrap().addresses.len(), 1);
    }

    #[test]
    fn labels_are_escaped() {
        let name = b"\x05A.\\\x00\xff\x01b\x00";
        let question = Message::parse(&message(0, 0, name, 33, &[])).unwrap().question.unwrap();
        assert_eq!(question.name, r"a\.\\\000\255.b");
        let root = Message::parse(&message(0, 0, &[0], 2, &[])).unwrap().question.unwrap();
        assert_eq!(root.name, ".");
    }

    #[test]
    fn pointers_never_lead_in_circles() {
        for name in [&[0xc0, 12][..], &[0xc0, 14], &[1, b'a', 0xc0, 12], &[1, b'a', 0xc0, 14]] {
            assert_eq!(Message::parse(&message(0, 0, name, 1, &[])), None, "{name:?}");
        }
    }

    #[test]
    fn what_is_no_dns_is_none() {
        let whole = message(0, 0, NAME, 1, &[]);
        for len in 0..whole.len() {
            assert_eq!(Message::parse(&whole[..len]), None, "{len}");
        }
        assert_eq!(Message::parse(&message(0, 0, &[0x40, 0], 1, &[])), None);
        assert_eq!(Message::parse(&[0; 12]), None, "a query without a question");
        let long = [&[63; 64].repeat(4)[..], &[0]].concat();
        assert_eq!(Message::parse(&message(0, 0, &long, 1, &[])), None);
    }

    #[test]
    fn types_print_their_mnemonic_or_number() {
        assert_eq!(RecordType::HTTPS.to_string(), "HTTPS");
        assert_eq!(RecordType(99).to_string(), "TYPE99");
    }
}
