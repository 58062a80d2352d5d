//! What a session remembers of what was said in the clear.

use std::sync::Arc;

use crate::packet::Moment;
use crate::side::Side;
use crate::tls::codes::{AlertDescription, CipherSuite, Version};

/// A ClientHello that was seen.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    /// Its first packet.
    pub(crate) at: Moment,
    /// What it says; `None` where it could not be read whole.
    pub(crate) said: Option<Offered>,
}

/// What a ClientHello says.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    /// Who sent it.
    pub(crate) from: Side,
    /// Whether only its front was captured: what it does not say, it may still have said.
    pub(crate) is_cut: bool,
    pub(crate) version: Version,
    pub(crate) server_name: Option<Arc<str>>,
    /// The protocol of ALPN, if it offers just one.
    pub(crate) protocol: Option<Arc<str>>,
    pub(crate) offers_http2: bool,
}

/// A ServerHello that was seen.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// Its first packet.
    pub(crate) at: Moment,
    /// What it says; `None` where it could not be read whole.
    pub(crate) said: Option<Chosen>,
}

/// What a ServerHello says.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) version: Version,
    pub(crate) cipher: CipherSuite,
    pub(crate) protocol: Option<Arc<str>>,
}

/// An alert in the clear.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alert {
    pub(crate) by: Side,
    pub(crate) at: Moment,
    pub(crate) is_fatal: bool,
    pub(crate) description: AlertDescription,
}
