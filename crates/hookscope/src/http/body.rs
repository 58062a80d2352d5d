//! Octets after a head -> content, and where the body ends (RFC 9112, sections 6 and 7).
//!
//! Feed with [`Body::next`] until [`Body::is_over`]. It keeps counters, never octets.

/// How a body ends, and how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// After so many more octets.
    Length(u64),
    /// With the last chunk and the trailer section.
    Chunked(Chunked),
    /// When the sender closes.
    UntilClose,
}

/// Where in the chunked coding (RFC 9112, section 7.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Chunked {
    /// Before the first digit of a chunk's size.
    #[default]
    Start,
    /// After some of its digits.
    Size(u64),
    /// In what follows the digits, up to the end of the line.
    Extension(u64),
    /// In a chunk's content, so many octets before its end.
    Content(u64),
    /// In the line break after a chunk's content.
    Break,
    /// In a line of the trailer section that has so many octets yet, line break not counted.
    Trailer(u32),
    /// After the end.
    Over,
}

impl Body {
    /// No body.
    pub(super) const NONE: Self = Self::Length(0);

    /// Whether the end was reached.
    pub(super) fn is_over(self) -> bool {
        matches!(self, Self::NONE | Self::Chunked(Chunked::Over))
    }

    /// Takes a step into `data`, which is not empty: gives the content that it found and what is left of `data`.
    /// `None` where the octets break the framing.
    pub(super) fn next<'d>(&mut self, data: &'d [u8]) -> Option<(&'d [u8], &'d [u8])> {
        match self {
            Self::UntilClose => Some((data, &[])),
            Self::Length(left) => Some(take(left, data)),
            Self::Chunked(chunked) => {
                if let Chunked::Content(left) = chunked {
                    let taken = take(left, data);
                    if *left == 0 {
                        *chunked = Chunked::Break;
                    }
                    return Some(taken);
                }
                let (byte, rest) = data.split_first()?;
                *chunked = chunked.octet(*byte)?;
                Some((&[], rest))
            }
        }
    }

    /// Passes over `size` octets that are not in the capture. `None` where they hide framing.
    pub(super) fn skip(&mut self, size: u64) -> Option<()> {
        match self {
            Self::UntilClose => Some(()),
            Self::Length(left) => {
                *left = left.checked_sub(size)?;
                Some(())
            }
            Self::Chunked(chunked @ Chunked::Content(_)) => {
                let Chunked::Content(left) = *chunked else { return None };
                *chunked = match left.checked_sub(size)? {
                    0 => Chunked::Break,
                    left => Chunked::Content(left),
                };
                Some(())
            }
            Self::Chunked(_) => None,
        }
    }
}

impl Chunked {
    /// Where the next octet of framing leads.
    fn octet(self, byte: u8) -> Option<Self> {
        let digit = char::from(byte).to_digit(16).map(u64::from);
        Some(match (self, byte, digit) {
            (Self::Start, _, digit) => Self::Size(digit?),
            (Self::Size(size), _, Some(digit)) => Self::Size(size.checked_mul(16)?.checked_add(digit)?),
            (Self::Size(0) | Self::Extension(0), b'\n', _) => Self::Trailer(0),
            (Self::Size(size) | Self::Extension(size), b'\n', _) => Self::Content(size),
            (Self::Size(size), b'\r' | b';' | b' ' | b'\t', None) | (Self::Extension(size), ..) => {
                Self::Extension(size)
            }
            (Self::Break, b'\r', _) => Self::Break,
            (Self::Break, b'\n', _) => Self::Start,
            (Self::Trailer(0), b'\n', _) => Self::Over,
            (Self::Trailer(_), b'\n', _) => Self::Trailer(0),
            (Self::Trailer(length), b'\r', _) => Self::Trailer(length),
            (Self::Trailer(length), ..) => Self::Trailer(length.saturating_add(1)),
            (Self::Size(_) | Self::Break | Self::Content(_) | Self::Over, ..) => return None,
        })
    }
}

/// Takes up to `left` octets off the front of `data`.
fn take<'d>(left: &mut u64, data: &'d [u8]) -> (&'d [u8], &'d [u8]) {
    let (taken, rest) = data.split_at(usize::try_from(*left).map_or(data.len(), |left| left.min(data.len())));
    *left -= taken.len() as u64;
    (taken, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `data` in pieces of `size` octets; gives back content and rest, or `None` where the framing is broken.
    fn run(mut body: Body, data: &str, size: usize) -> Option<(String, String)> {
        let (mut content, mut rest) = (Vec::new(), Vec::new());
        for mut piece in data.as_bytes().chunks(size) {
            while !piece.is_empty() && !body.is_over() {
                let (found, after) = body.next(piece)?;
                content.extend_from_slice(found);
                piece = after;
            }
            rest.extend_from_slice(piece);
        }
        Some((String::from_utf8(content).unwrap(), String::from_utf8(rest).unwrap()))
    }

    #[test]
    fn finds_the_end_however_the_octets_are_cut() {
        let chunked = Body::Chunked(Chunked::Start);
        for size in 1..40 {
            let both = |content: &str, rest: &str| Some((content.to_owned(), rest.to_owned()));
            assert_eq!(run(Body::Length(3), "abcd", size), both("abc", "d"));
            assert_eq!(run(Body::UntilClose, "abcd", size), both("abcd", ""));
            assert_eq!(
                run(chunked, "2\r\nab\r\nA;x=\"1\"\r\n0123456789\r\n0\r\n\r\nGET", size),
                both("ab0123456789", "GET")
            );
            assert_eq!(run(chunked, "1 \na\n000\nTrailer: 1\r\nB: 2\n\nrest", size), both("a", "rest"));
            assert_eq!(run(chunked, "x\r\n", size), None);
            assert_eq!(run(chunked, "1\r\nab", size), None);
            assert_eq!(run(chunked, "11112222333344445\r\n", size), None);
        }
    }

    #[test]
    fn a_gap_is_part_of_content_and_of_nothing_else() {
        let mut body = Body::Length(10);
        assert_eq!((body.skip(4), body), (Some(()), Body::Length(6)));
        assert_eq!(body.skip(7), None);
        let mut body = Body::Chunked(Chunked::Content(3));
        assert_eq!((body.skip(3), body), (Some(()), Body::Chunked(Chunked::Break)));
        assert_eq!(body.skip(1), None);
    }
}
