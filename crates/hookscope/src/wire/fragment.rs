//! A part of an IP datagram -> [`Fragment`], and the form in which the whole comes back: [`Reassembled`]
//! (RFC 791, section 3.2; RFC 8200, section 4.5).
//!
//! Nothing is put together here: that takes time and memory, and is the business of
//! [`fragments`](crate::fragments).

use super::ip::{Ip, Piece, Protocol};
use super::malformed::Malformed;
use super::{Seen, Vantage};
use crate::flow::key::Address;
use crate::packet::Frame;
use crate::time::Timestamp;

/// What the fragments of one datagram have in common.
///
/// The interface is no part of it, because fragments may take different paths; the tunnel depth is, because an
/// overlay's inner and outer datagrams may bear the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FragmentKey {
    /// Who sent it.
    pub source: Address,
    /// To whom.
    pub destination: Address,
    /// The datagram's number: 16 bits in IPv4, 32 in IPv6.
    pub identification: u32,
    /// In IPv4 the protocol; `None` in IPv6, where it is no part of a datagram's identity.
    pub protocol: Option<Protocol>,
    /// [`Vantage::depth`].
    pub depth: u8,
}

/// One fragment of an IP datagram.
#[derive(Clone, Copy, Debug)]
pub struct Fragment<'a> {
    /// Which datagram it belongs to.
    pub key: FragmentKey,
    /// What the datagram carries; in IPv6 the first fragment has the last word.
    pub protocol: Protocol,
    /// When it was captured.
    pub time: Timestamp,
    /// Where it stands in the capture.
    pub frame: Frame,
    /// Where it was seen.
    pub vantage: Vantage,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// Identification of the IPv4 header, 0 for IPv6.
    pub ip_id: u16,
    /// Where its payload begins in the datagram's, in octets.
    pub offset: u32,
    /// Whether other fragments follow it.
    pub more: bool,
    /// Payload octets on the wire; at least `payload.len()`.
    pub payload_len: u32,
    /// The captured payload.
    pub payload: &'a [u8],
}

/// An IP datagram whose fragments have all been seen; [`decode_reassembled`](super::decode_reassembled) reads it.
#[derive(Clone, Debug)]
pub struct Reassembled {
    /// Which datagram it is.
    pub key: FragmentKey,
    /// What it carries.
    pub protocol: Protocol,
    /// When the fragment that completed it was captured.
    pub time: Timestamp,
    /// Where that fragment stands in the capture.
    pub frame: Frame,
    /// Where that fragment was seen.
    pub vantage: Vantage,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// Identification of the IPv4 header, 0 for IPv6.
    pub ip_id: u16,
    /// Payload octets on the wire; at least `payload.len()`.
    pub payload_len: u32,
    /// The payload up to the first octet that was not captured.
    pub payload: Vec<u8>,
}

/// The fragment that `piece` makes of `ip`. Only the last one may have a length that is no multiple of eight.
#[cold]
pub(super) fn fragment<'a>(seen: &Seen, ip: &Ip<'a>, piece: Piece) -> Result<Fragment<'a>, Malformed> {
    if ip.body.len == 0 || (piece.more && !ip.body.len.is_multiple_of(8)) {
        return Err(Malformed::BadFragmentLength);
    }
    Ok(Fragment {
        key: FragmentKey {
            source: ip.source,
            destination: ip.destination,
            identification: piece.identification,
            protocol: ip.is_v4().then_some(ip.protocol),
            depth: seen.vantage.depth,
        },
        protocol: ip.protocol,
        time: seen.time,
        frame: seen.frame,
        vantage: seen.vantage,
        ttl: ip.ttl,
        ip_id: ip.ip_id,
        offset: piece.offset,
        more: piece.more,
        payload_len: ip.body.len,
        payload: ip.body.captured,
    })
}
