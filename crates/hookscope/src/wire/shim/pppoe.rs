//! PPPoE session -> what its PPP frame carries (RFC 2516, section 4).

use super::{Body, EtherType, Malformed, Network, ppp};

/// Strips the session header and PPP's protocol.
pub(super) fn strip(body: Body<'_>) -> Result<Network<'_>, Malformed> {
    let (header, frame) = body.split::<6>().ok_or(Malformed::TruncatedPppoeHeader)?;
    match header[..2] {
        // Version 1, type 1, code of session data.
        [0x11, 0] => ppp::strip(frame),
        _ => Ok(Network { ether_type: EtherType::NONE, body }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_data_is_read() {
        let bytes = [0x11, 0, 0, 9, 0, 3, 0x00, 0x57, 0x60];
        let network = strip(Body::new(&bytes, 0)).unwrap();
        assert_eq!((network.ether_type, network.body.captured), (EtherType::IPV6, &[0x60][..]));
    }

    #[test]
    fn discovery_and_cut_headers_are_not() {
        assert_eq!(strip(Body::new(&[0x11, 9, 0, 0, 0, 0], 0)).unwrap().ether_type, EtherType::NONE);
        assert_eq!(strip(Body::new(&[0x11, 0, 0, 9, 0], 60)).unwrap_err(), Malformed::TruncatedPppoeHeader);
    }
}
