//! TCP header -> [`Segment`]; its options -> timestamps, SACK blocks and what a SYN negotiates.
//!
//! Options stay unread until somebody asks. No sequence arithmetic and no state: RFC 9293, section 3.1;
//! RFC 7323 for timestamps and window scale; RFC 2018 for SACK.

use super::ip::Ip;
use super::malformed::Malformed;
use super::{Decoded, Flags, Seen, Segment};
use crate::flow::key::{Endpoint, FlowKey};

const HEADER_LEN: u32 = 20;

/// Reads the header. Where the snap length cut its options, the segment is still good.
///
/// Builds what the walk returns in its place: copying a finished segment waits for its own stores.
#[inline(always)]
pub(super) fn segment<'a>(seen: &Seen, ip: &Ip<'a>) -> Result<Decoded<'a>, Malformed> {
    let (header, rest) = ip.body.split::<{ HEADER_LEN as usize }>().ok_or(Malformed::TruncatedTcpHeader)?;
    let header_len = u32::from(header[12] >> 4) * 4;
    let options_len = header_len.checked_sub(HEADER_LEN).ok_or(Malformed::BadTcpDataOffset)?;
    let payload_len = rest.len.checked_sub(options_len).ok_or(Malformed::BadTcpDataOffset)?;
    let (options, payload) =
        rest.captured.split_at_checked(options_len as usize).unwrap_or((rest.captured, &[]));
    let (key, from) = FlowKey::of(
        Endpoint { address: ip.source, port: u16::from_be_bytes([header[0], header[1]]) },
        Endpoint { address: ip.destination, port: u16::from_be_bytes([header[2], header[3]]) },
    );
    Ok(Decoded::Tcp(Segment {
        key,
        hash: key.hash(),
        from,
        flags: Flags(header[13] & Flags::MASK),
        time: seen.time,
        frame: seen.frame,
        seq: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
        ack: u32::from_be_bytes([header[8], header[9], header[10], header[11]]),
        window: u16::from_be_bytes([header[14], header[15]]),
        ip_id: ip.ip_id,
        ttl: ip.ttl,
        vantage: seen.vantage,
        payload_len,
        payload,
        options,
    }))
}

/// One TCP option of those that say something about a connection's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpOption<'a> {
    /// The largest segment its sender can receive (RFC 9293, section 3.7.1); on a SYN.
    MaximumSegmentSize(u16),
    /// How many bits the windows of its sender are to be shifted by (RFC 7323, section 2); on a SYN.
    WindowScale(u8),
    /// Its sender can read SACK blocks (RFC 2018, section 2); on a SYN.
    SackPermitted,
    /// What has arrived beyond the acknowledgment.
    Sack(SackBlocks<'a>),
    /// The sender's clock and its echo.
    Timestamps(Timestamps),
}

/// The timestamps option (RFC 7323, section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamps {
    /// TSval: the sender's clock.
    pub value: u32,
    /// TSecr: the newest clock value it had from its peer; meaningless without an acknowledgment.
    pub echo: u32,
}

/// The options of one segment, read as they are asked for: [`Segment::options`] wrapped.
///
/// Iterating ends at the end-of-options mark, at a broken option, or where the snap length cut.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    const END: u8 = 0;
    const NO_OPERATION: u8 = 1;
    /// How practically every stack lays out a segment's only option: two no-operations, kind and length.
    const ALIGNED_TIMESTAMPS: [u8; 4] = [1, 1, 8, 10];

    /// The options in `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether there is no SACK block, as a glance shows it on most segments: there are timestamps alone, or what Linux
    /// puts on a SYN, or nothing that has room for a block.
    #[inline]
    pub(super) fn have_no_sack(self) -> bool {
        /// One block, its kind and length; padded to 12, but the snap length may cut the padding.
        const SACK: usize = 10;
        match *self.rest {
            [a, b, c, d, _, _, _, _, _, _, _, _] => [a, b, c, d] == Self::ALIGNED_TIMESTAMPS,
            // Maximum segment size, SACK permitted, timestamps, and the window scale behind one octet of padding.
            [2, 4, _, _, 4, 2, 8, 10, _, _, _, _, _, _, _, _, 1, 3, 3, _] => true,
            _ => self.rest.len() < SACK,
        }
    }

    /// The timestamps.
    #[inline]
    pub fn timestamps(mut self) -> Option<Timestamps> {
        if let Some((&Self::ALIGNED_TIMESTAMPS, rest)) = self.rest.split_first_chunk::<4>()
            && let Some(clocks) = rest.first_chunk::<8>()
        {
            return Some(Timestamps::from_bytes(clocks));
        }
        self.find_map(|option| match option {
            TcpOption::Timestamps(timestamps) => Some(timestamps),
            _ => None,
        })
    }

    /// The SACK blocks, in the order of the segment: the newest first; none where there is no such option.
    pub fn sack_blocks(mut self) -> SackBlocks<'a> {
        self.find_map(|option| match option {
            TcpOption::Sack(blocks) => Some(blocks),
            _ => None,
        })
        .unwrap_or(SackBlocks { rest: &[] })
    }

    /// The maximum segment size.
    pub fn maximum_segment_size(mut self) -> Option<u16> {
        self.find_map(|option| match option {
            TcpOption::MaximumSegmentSize(size) => Some(size),
            _ => None,
        })
    }

    /// The window scale, at most 14 (RFC 7323, section 2.3).
    pub fn window_scale(mut self) -> Option<u8> {
        self.find_map(|option| match option {
            TcpOption::WindowScale(shift) => Some(shift.min(14)),
            _ => None,
        })
    }

    /// The next option that is not padding: its kind and its bytes.
    fn take(&mut self) -> Option<(u8, &'a [u8])> {
        loop {
            let (&kind, rest) = self.rest.split_first()?;
            match kind {
                Self::END => return None,
                Self::NO_OPERATION => self.rest = rest,
                _ => {
                    let (&len, rest) = rest.split_first()?;
                    let (value, rest) = rest.split_at_checked(usize::from(len).checked_sub(2)?)?;
                    self.rest = rest;
                    return Some((kind, value));
                }
            }
        }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = TcpOption<'a>;

    fn next(&mut self) -> Option<TcpOption<'a>> {
        loop {
            let Some((kind, value)) = self.take() else {
                self.rest = &[];
                return None;
            };
            match (kind, value) {
                (2, &[a, b]) => return Some(TcpOption::MaximumSegmentSize(u16::from_be_bytes([a, b]))),
                (3, &[shift]) => return Some(TcpOption::WindowScale(shift)),
                (4, &[]) => return Some(TcpOption::SackPermitted),
                (5, blocks) => return Some(TcpOption::Sack(SackBlocks { rest: blocks })),
                (8, clocks) => {
                    if let Ok(clocks) = clocks.try_into() {
                        return Some(TcpOption::Timestamps(Timestamps::from_bytes(clocks)));
                    }
                }
                _ => {}
            }
        }
    }
}

impl Timestamps {
    #[inline]
    const fn from_bytes([a, b, c, d, e, f, g, h]: &[u8; 8]) -> Self {
        Self { value: u32::from_be_bytes([*a, *b, *c, *d]), echo: u32::from_be_bytes([*e, *f, *g, *h]) }
    }
}

/// The SACK blocks of one segment: left and right edge, the right one past the block's last octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SackBlocks<'a> {
    rest: &'a [u8],
}

impl Iterator for SackBlocks<'_> {
    type Item = (u32, u32);

    fn next(&mut self) -> Option<(u32, u32)> {
        let (&[a, b, c, d, e, f, g, h], rest) = self.rest.split_first_chunk::<8>()?;
        self.rest = rest;
        Some((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syn_s_options_are_read() {
        let bytes = [2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 7];
        let options = Options::new(&bytes);
        assert_eq!(
            options.collect::<Vec<_>>(),
            [
                TcpOption::MaximumSegmentSize(1460),
                TcpOption::SackPermitted,
                TcpOption::Timestamps(Timestamps { value: 9, echo: 0 }),
                TcpOption::WindowScale(7),
            ]
        );
        assert_eq!(options.maximum_segment_size(), Some(1460));
        assert_eq!(options.window_scale(), Some(7));
        assert_eq!(options.timestamps(), Some(Timestamps { value: 9, echo: 0 }));
        assert_eq!(options.sack_blocks().next(), None);
    }

    #[test]
    fn sack_blocks_come_in_the_order_of_the_segment() {
        let bytes = [
            1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 5, 18, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 6,
        ];
        let options = Options::new(&bytes);
        assert_eq!(options.timestamps(), Some(Timestamps { value: 1, echo: 2 }));
        assert_eq!(options.sack_blocks().collect::<Vec<_>>(), [(3, 4), (5, 6)]);
    }

    #[test]
    fn broken_and_cut_options_end_the_list() {
        for bytes in [&[3][..], &[3, 0], &[3, 1, 7], &[3, 9, 7], &[0, 3, 3, 7], &[8, 10, 0, 0]] {
            assert_eq!(Options::new(bytes).next(), None, "{bytes:?}");
        }
    }

    #[test]
    fn options_of_a_wrong_length_and_unknown_ones_are_passed_over() {
        let bytes = [8, 3, 0, 254, 4, 0, 0, 2, 3, 0, 3, 3, 15];
        assert_eq!(Options::new(&bytes).collect::<Vec<_>>(), [TcpOption::WindowScale(15)]);
        assert_eq!(Options::new(&bytes).window_scale(), Some(14));
    }
}
