//! UDP header -> ports and payload (RFC 768).

use super::body::Body;
use super::malformed::Malformed;

/// A UDP header and what it carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Udp<'a> {
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
    pub(super) payload: Body<'a>,
}

/// Strips the header. A length of zero (RFC 2675, section 4) or beyond the IP length means all there is.
#[inline]
pub(super) fn strip(datagram: Body<'_>) -> Result<Udp<'_>, Malformed> {
    let (header, rest) = datagram.split::<8>().ok_or(Malformed::TruncatedUdpHeader)?;
    let payload = match u32::from(u16::from_be_bytes([header[4], header[5]])) {
        0 => rest,
        len => rest.limit(len.checked_sub(8).ok_or(Malformed::BadUdpLength)?.min(rest.len)),
    };
    Ok(Udp {
        source_port: u16::from_be_bytes([header[0], header[1]]),
        destination_port: u16::from_be_bytes([header[2], header[3]]),
        payload,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_limits_the_payload_and_never_extends_it() {
        let payload = |len: u8| {
            let bytes = [0, 53, 1, 0, 0, len, 0, 0, 7, 8, 9];
            let udp = strip(Body::new(&bytes, 0));
            udp.map(|udp| {
                (udp.source_port, udp.destination_port, udp.payload.captured.len(), udp.payload.len)
            })
        };
        assert_eq!(payload(10), Ok((53, 256, 2, 2)));
        assert_eq!(payload(0), Ok((53, 256, 3, 3)));
        assert_eq!(payload(99), Ok((53, 256, 3, 3)));
        assert_eq!(payload(7), Err(Malformed::BadUdpLength));
    }

    #[test]
    fn a_cut_header_is_named() {
        assert_eq!(strip(Body::new(&[0; 7], 40)).unwrap_err(), Malformed::TruncatedUdpHeader);
    }
}
