//! Bodies of ClientHello and ServerHello -> what a verdict needs of them (RFC 8446, sections 4.1.2 and 4.1.3).
//!
//! The front of one, as a snap length leaves it, is read as far as it goes. They are walked by hand, because every
//! connection has both and a verdict needs six fields of them: no list is built, nothing is allocated, and names, which
//! are text, are left as octets, because nearly all are known already. Unit tests hold the walk against `tls-parser`.

use std::hash::{Hash, Hasher};

use crate::bytes::Reader;
use crate::tls::codes::{CipherSuite, Version};

/// What a ClientHello offers, borrowed from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientHello<'a> {
    /// The highest version offered.
    pub(crate) version: Version,
    /// Server name indication (RFC 6066, section 3).
    pub(crate) server_name: Option<&'a [u8]>,
    /// The protocol of ALPN (RFC 7301), if it offers just one.
    pub(crate) protocol: Option<&'a [u8]>,
    /// Whether ALPN offers HTTP/2.
    pub(crate) offers_http2: bool,
}

/// What a ServerHello chose, borrowed from it. A HelloRetryRequest has the same form and the same choice of version
/// and suite (RFC 8446, section 4.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerHello<'a> {
    /// The version.
    pub(crate) version: Version,
    /// The cipher suite.
    pub(crate) cipher: CipherSuite,
    /// The protocol of ALPN; TLS 1.3 hides it.
    pub(crate) protocol: Option<&'a [u8]>,
}

/// Extension types (RFC 8446, section 4.2).
mod extension {
    pub(super) const SERVER_NAME: u16 = 0;
    pub(super) const ALPN: u16 = 16;
    pub(super) const SUPPORTED_VERSIONS: u16 = 43;
}

impl<'a> ClientHello<'a> {
    /// Reads the body of a ClientHello; `None` where it is none.
    pub(crate) fn read(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let mut hello =
            Self { version: Version(reader.u16()?), server_name: None, protocol: None, offers_http2: false };
        reader.take(32)?; // random
        reader.vector8()?; // session id
        reader.vector16()?; // cipher suites
        reader.vector8()?; // compression methods
        for (kind, data) in extensions(&mut reader) {
            let mut data = Reader(data);
            match kind {
                extension::SERVER_NAME => hello.server_name = hello.server_name.or_else(|| server_name(data)),
                extension::ALPN => {
                    let mut names = Reader(data.vector16().unwrap_or_default());
                    let mut count = 0;
                    while let Some(name) = names.vector8() {
                        count += 1;
                        hello.offers_http2 |= name == b"h2";
                        hello.protocol = Some(name).filter(|name| count == 1 && is_text(name));
                    }
                }
                extension::SUPPORTED_VERSIONS => {
                    let mut versions = Reader(data.vector8().unwrap_or_default());
                    while let Some(version) = versions.u16() {
                        // Values of the form 0x?a?a are GREASE (RFC 8701).
                        if version & 0x0f0f != 0x0a0a {
                            hello.version = hello.version.max(Version(version));
                        }
                    }
                }
                _ => {}
            }
        }
        Some(hello)
    }
}

impl<'a> ServerHello<'a> {
    /// Reads the body of a ServerHello; `None` where it is none.
    pub(crate) fn read(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let version = Version(reader.u16()?);
        reader.take(32)?; // random
        // The drafts of TLS 1.3 before the 22nd say their version here and have no session id.
        if version.0 >> 8 != 0x7f {
            reader.vector8()?;
        }
        let cipher = CipherSuite(reader.u16()?);
        if version.0 >> 8 != 0x7f {
            reader.u8()?; // compression method
        }
        let mut hello = Self { version, cipher, protocol: None };
        for (kind, data) in extensions(&mut reader) {
            let mut data = Reader(data);
            match kind {
                extension::ALPN => {
                    let mut names = Reader(data.vector16().unwrap_or_default());
                    hello.protocol = names.vector8().filter(|name| is_text(name));
                }
                extension::SUPPORTED_VERSIONS => hello.version = data.u16().map_or(hello.version, Version),
                _ => {}
            }
        }
        Some(hello)
    }
}

// By hand, in as few steps as keep different ones apart: each connection has one of both.

impl Hash for ClientHello<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (name, protocol) = (self.server_name.unwrap_or_default(), self.protocol.unwrap_or_default());
        state.write(name);
        state.write(protocol);
        state.write_u64((name.len() as u64) << 32 | u64::from(self.version.0));
    }
}

impl Hash for ServerHello<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if let Some(protocol) = self.protocol {
            state.write(protocol);
        }
        state.write_u64(u64::from(self.version.0) << 32 | u64::from(self.cipher.0));
    }
}

/// The extensions of a hello, as far as they are well-formed and were captured.
fn extensions<'a>(reader: &mut Reader<'a>) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
    let length = reader.u16().unwrap_or(0);
    let mut list = Reader(reader.0.get(..length.into()).unwrap_or(reader.0));
    std::iter::from_fn(move || {
        let [a, b, c, d] = list.array()?;
        Some((u16::from_be_bytes([a, b]), list.take(u16::from_be_bytes([c, d]).into())?))
    })
}

/// Whether a name can be read.
fn is_text(name: &[u8]) -> bool {
    name.is_ascii() || std::str::from_utf8(name).is_ok()
}

/// The first host name of the server_name extension.
fn server_name(mut data: Reader<'_>) -> Option<&[u8]> {
    /// No name of a host is longer (RFC 1035, section 2.3.4).
    const LONGEST: usize = 255;
    let mut list = Reader(data.vector16()?);
    while let (Some(kind), Some(name)) = (list.u8(), list.vector16()) {
        if kind == 0 {
            return Some(name).filter(|name| (1..=LONGEST).contains(&name.len()) && is_text(name));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector16(bytes: &[u8]) -> Vec<u8> {
        [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
    }

    fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
        [&kind.to_be_bytes()[..], &vector16(data)].concat()
    }

    fn client_hello(extensions: &[Vec<u8>]) -> Vec<u8> {
        let fixed = [&[3, 3][..], &[7; 32], &[0], &vector16(&[0x13, 0x01, 0xc0, 0x2f]), &[1, 0]].concat();
        [fixed, vector16(&extensions.concat())].concat()
    }

    fn sni(name: &str) -> Vec<u8> {
        extension(0, &vector16(&[&[0][..], &vector16(name.as_bytes())].concat()))
    }

    #[test]
    fn a_client_hello_says_name_protocol_and_version() {
        let body = client_hello(&[
            sni("webhook.default.svc"),
            extension(16, &vector16(b"\x08http/1.1")),
            extension(43, &[6, 0xfa, 0xfa, 3, 4, 3, 3]),
        ]);
        let hello = ClientHello::read(&body).unwrap();
        assert_eq!(hello.server_name, Some(&b"webhook.default.svc"[..]));
        assert_eq!(hello.protocol, Some(&b"http/1.1"[..]));
        assert_eq!(hello.version, Version::TLS13);
        assert!(!hello.offers_http2);
    }

    #[test]
    fn tls_parser_reads_the_same() {
        let body = client_hello(&[sni("a.b.svc"), extension(16, &vector16(b"\x02h2\x08http/1.1"))]);
        let message = [&[1][..], &(body.len() as u32).to_be_bytes()[1..], &body].concat();
        let (_, parsed) = tls_parser::parse_tls_message_handshake(&message).unwrap();
        let tls_parser::TlsMessage::Handshake(tls_parser::TlsMessageHandshake::ClientHello(theirs)) = parsed
        else {
            panic!("no ClientHello")
        };
        let (_, list) = tls_parser::parse_tls_client_hello_extensions(theirs.ext.unwrap()).unwrap();
        let ours = ClientHello::read(&body).unwrap();
        for item in list {
            match item {
                tls_parser::TlsExtension::SNI(names) => {
                    assert_eq!(names[0].1, ours.server_name.unwrap());
                }
                tls_parser::TlsExtension::ALPN(names) => {
                    assert_eq!(names.len(), 2);
                    assert_eq!(ours.protocol, None, "which of them is the server's choice");
                    assert_eq!(names.contains(&&b"h2"[..]), ours.offers_http2);
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(theirs.version.0, ours.version.0);
    }

    #[test]
    fn hellos_without_extensions_and_cut_ones_are_read_or_refused() {
        let body = client_hello(&[]);
        assert_eq!(ClientHello::read(&body).unwrap().server_name, None);
        for cut in 0..body.len() - 2 {
            assert_eq!(ClientHello::read(&body[..cut]), None, "{cut}");
        }
        let old = [&[3, 1][..], &[7; 32], &[0, 0xc0, 0x2f, 0]].concat();
        assert_eq!(ServerHello::read(&old).unwrap().version, Version(0x0301));
    }

    #[test]
    fn a_server_hello_says_the_chosen_version() {
        let body = [&[3, 3][..], &[7; 32], &[0, 0x13, 0x02, 0], &vector16(&extension(43, &[3, 4]))].concat();
        let hello = ServerHello::read(&body).unwrap();
        assert_eq!((hello.version, hello.cipher), (Version::TLS13, CipherSuite(0x1302)));
    }
}
