//! The record layer, and the records that are no handshake messages in the clear.

use crate::Rng;

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

/// What a record in the clear may hold.
const MAX_PLAIN_BODY: usize = 16_384;
/// A record's content may grow by this much when encrypted under TLS 1.2, the more generous of the two versions.
const MAX_BODY: usize = 16_384 + 2_048;

pub(super) const TLS10: u16 = 0x0301;
pub(super) const TLS12: u16 = 0x0303;

fn record(kind: u8, version: u16, body: &[u8]) -> Vec<u8> {
    assert!(body.len() <= MAX_BODY, "a TLS record holds {MAX_BODY} bytes, not {}", body.len());
    let length = u16::try_from(body.len()).expect("less than 64 KiB");
    [&[kind][..], &version.to_be_bytes(), &length.to_be_bytes(), body].concat()
}

/// A handshake message, in one record if it fits.
pub(super) fn handshake(version: u16, kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a message's length fits 24 bits").to_be_bytes();
    let message = [&[kind][..], &length[1..], body].concat();
    message.chunks(MAX_PLAIN_BODY).flat_map(|body| record(HANDSHAKE, version, body)).collect()
}

/// A ChangeCipherSpec record.
pub fn change_cipher_spec() -> Vec<u8> {
    record(CHANGE_CIPHER_SPEC, TLS12, &[1])
}

/// A handshake record as it looks after ChangeCipherSpec in TLS 1.2: `len` unreadable bytes, of which the first eight
/// are zero as Go's explicit nonce for the first record is. A Finished under AES-GCM has 40.
pub fn encrypted_handshake(len: usize) -> Vec<u8> {
    let mut body = pattern(len);
    body.iter_mut().take(8).for_each(|byte| *byte = 0);
    record(HANDSHAKE, TLS12, &body)
}

/// An application data record with a body of that many bytes of a fixed pattern.
pub fn application_data(body_len: usize) -> Vec<u8> {
    record(APPLICATION_DATA, TLS12, &pattern(body_len))
}

/// An alert in the clear, such as level 2 (fatal), description 40 (handshake failure).
pub fn alert(level: u8, description: u8) -> Vec<u8> {
    record(ALERT, TLS12, &[level, description])
}

/// The content of records that are all of one type and version, in records of at most `body_len` bytes each: one
/// handshake message may be spread over many records.
///
/// # Panics
/// If the bytes are not complete records of one type.
pub fn in_records_of(body_len: usize, mut records: &[u8]) -> Vec<u8> {
    let kind = *records.first().expect("there is a record to divide");
    let version = u16::from_be_bytes([records[1], records[2]]);
    let mut content = Vec::new();
    while !records.is_empty() {
        assert_eq!(records[0], kind, "records of different types cannot share their content");
        let (header, rest) = records.split_at(5);
        let (body, rest) = rest.split_at(usize::from(u16::from_be_bytes([header[3], header[4]])));
        content.extend(body);
        records = rest;
    }
    content.chunks(body_len).flat_map(|body| record(kind, version, body)).collect()
}

/// Bytes that look like nothing in particular.
pub(super) fn pattern(len: usize) -> Vec<u8> {
    Rng::new(len as u64).bytes(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_how_long_its_body_is() {
        let data = application_data(622);
        assert_eq!(data[..5], [23, 3, 3, 2, 110]);
        assert_eq!(data.len(), 5 + 622);
    }

    #[test]
    fn the_same_call_yields_the_same_bytes() {
        assert_eq!(application_data(95), application_data(95));
    }

    #[test]
    fn dividing_records_keeps_their_content() {
        let whole = handshake(TLS12, 1, &[9; 100]);
        let divided = in_records_of(30, &whole);
        assert_eq!(divided.len(), whole.len() + 3 * 5);
        assert_eq!(in_records_of(16_384, &divided), whole);
    }
}
