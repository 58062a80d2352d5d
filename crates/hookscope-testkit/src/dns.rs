//! Scripted DNS: messages with one question, as resolvers and name servers exchange them (RFC 1035, section 4).

use std::net::IpAddr;

/// The type of an IPv4 address.
pub const A: u16 = 1;
/// The type of an IPv6 address.
pub const AAAA: u16 = 28;

/// Response codes as they stand in the header.
pub mod code {
    /// The name exists.
    pub const NO_ERROR: u8 = 0;
    /// The server failed.
    pub const SERVFAIL: u8 = 2;
    /// The name does not exist.
    pub const NXDOMAIN: u8 = 3;
    /// The server does not want to answer.
    pub const REFUSED: u8 = 5;
}

const RESPONSE: u16 = 0x8080; // from a server that does recursion
const TRUNCATED: u16 = 0x0200;
const RECURSION: u16 = 0x0100;

/// A query for the records of this type of a name such as `hook.example.org`.
pub fn query(id: u16, name: &str, record_type: u16) -> Vec<u8> {
    message(id, RECURSION, name, record_type, &[])
}

/// The answer to it: a code from [`code`], and addresses.
pub fn response(id: u16, name: &str, record_type: u16, code: u8, addresses: &[&str]) -> Vec<u8> {
    message(id, RESPONSE | RECURSION | u16::from(code), name, record_type, addresses)
}

/// The answer that does not fit a datagram: the client is to ask again over TCP.
pub fn truncated(id: u16, name: &str, record_type: u16) -> Vec<u8> {
    message(id, RESPONSE | TRUNCATED | RECURSION, name, record_type, &[])
}

/// The message as it stands in a TCP stream: behind its length.
pub fn framed(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).expect("a DNS message is shorter than 64 KiB");
    [&length.to_be_bytes(), message].concat()
}

fn message(id: u16, flags: u16, name: &str, record_type: u16, addresses: &[&str]) -> Vec<u8> {
    let answers = u16::try_from(addresses.len()).expect("a message holds fewer than 65,536 records");
    let mut bytes: Vec<u8> =
        [id, flags, 1, answers, 0, 0].iter().flat_map(|field| field.to_be_bytes()).collect();
    for label in name.split('.') {
        assert!((1..64).contains(&label.len()), "{label:?} is not a label");
        bytes.push(label.len() as u8);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend([record_type, 1].iter().flat_map(|field| field.to_be_bytes()));
    for address in addresses {
        let (record_type, data) = match address.parse() {
            Ok(IpAddr::V4(address)) => (A, address.octets().to_vec()),
            Ok(IpAddr::V6(address)) => (AAAA, address.octets().to_vec()),
            Err(_) => panic!("{address:?} is not an IP address"),
        };
        // The name by a pointer to the question, class IN, 30 s to live.
        bytes.extend([0xc0, 12]);
        bytes.extend([record_type, 1, 0, 30, data.len() as u16].iter().flat_map(|field| field.to_be_bytes()));
        bytes.extend(data);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_what_dig_sends() {
        let expected = b"\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02nx\x03lab\x00\x00\x01\x00\x01";
        assert_eq!(query(7, "nx.lab", A), expected);
    }

    #[test]
    fn a_response_repeats_the_question_and_carries_addresses() {
        let response = response(7, "nx.lab", AAAA, code::NXDOMAIN, &["10.0.0.1", "fd00::1"]);
        assert_eq!(response[2..8], [0x81, 0x83, 0, 1, 0, 2]);
        assert_eq!(response.len(), query(7, "nx.lab", AAAA).len() + 12 + 4 + 12 + 16);
        assert_eq!(framed(&response)[..2], [0, 68]);
    }
}
