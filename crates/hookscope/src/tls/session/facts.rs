//! What a session remembers of what was said in the clear.

use std::sync::Arc;

use crate::packet::Moment;
use crate::side::Side;
use crate::tls::codes::{AlertDescription, CipherSuite, Version};
use crate::tls::hello::{ClientHello, ServerHello};

/// A ClientHello that was seen.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    /// Its first packet.
    pub(crate) at: Moment,
    /// What it says, shared with those that say the same; `None` where it could not be read whole.
    pub(crate) said: Option<Arc<Offered>>,
}

/// What a ClientHello says.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    /// Who sent it.
    pub(crate) from: Side,
    /// Whether only its front was captured: what it does not say, it may still have said.
    pub(crate) is_cut: bool,
    pub(crate) version: Version,
    pub(crate) server_name: Option<Box<str>>,
    /// The protocol of ALPN, if it offers just one.
    pub(crate) protocol: Option<Box<str>>,
    pub(crate) offers_http2: bool,
}

impl Offered {
    /// What `hello` says, captured whole.
    pub(crate) fn of(from: Side, hello: &ClientHello<'_>) -> Self {
        let ClientHello { version, server_name, protocol, offers_http2 } = *hello;
        let (server_name, protocol) = (server_name.and_then(text), protocol.and_then(text));
        Self { from, is_cut: false, version, server_name, protocol, offers_http2 }
    }

    /// A ClientHello that says it.
    pub(crate) fn hello(&self) -> ClientHello<'_> {
        let Self { version, offers_http2, .. } = *self;
        let server_name = self.server_name.as_deref().map(str::as_bytes);
        let protocol = self.protocol.as_deref().map(str::as_bytes);
        ClientHello { version, server_name, protocol, offers_http2 }
    }
}

/// A name of a hello, which is text or would not be there.
fn text(name: &[u8]) -> Option<Box<str>> {
    std::str::from_utf8(name).ok().map(Into::into)
}

/// A ServerHello that was seen.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// Its first packet.
    pub(crate) at: Moment,
    /// What it says, shared with those that say the same; `None` where it could not be read whole.
    pub(crate) said: Option<Arc<Chosen>>,
}

/// What a ServerHello says.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) version: Version,
    pub(crate) cipher: CipherSuite,
    pub(crate) protocol: Option<Box<str>>,
}

impl Chosen {
    /// What `hello` says.
    pub(crate) fn of(hello: &ServerHello<'_>) -> Self {
        let ServerHello { version, cipher, protocol } = *hello;
        Self { version, cipher, protocol: protocol.and_then(text) }
    }

    /// A ServerHello that says it.
    pub(crate) fn hello(&self) -> ServerHello<'_> {
        ServerHello {
            version: self.version,
            cipher: self.cipher,
            protocol: self.protocol.as_deref().map(str::as_bytes),
        }
    }
}

/// An alert in the clear.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alert {
    pub(crate) by: Side,
    pub(crate) at: Moment,
    pub(crate) is_fatal: bool,
    pub(crate) description: AlertDescription,
}
