//! The words of a verdict: class, code, severity, certainty, who, where, and why a certificate was rejected.
//!
//! Each word has a stable name, that of the JSON: it displays as it, compares with it, and (feature `serde`) serialises
//! as it and is read back from it.
//!
//! ```
//! use hookscope::verdict::{Class, Severity};
//!
//! assert_eq!(Severity::Failure, "failure");
//! assert_eq!(Class::SynDrop.to_string(), "syn-drop");
//! assert!(Severity::Failure > Severity::Warning);
//! ```

use std::fmt;

use crate::side::Side;

/// The coarse class of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Class {
    /// Nothing is wrong.
    Ok,
    /// SYNs were lost.
    SynDrop,
    /// A RST ended it.
    Rst,
    /// An ICMP error ended it.
    IcmpUnreachable,
    /// A TLS alert ended it.
    TlsAlert,
    /// The TLS handshake stopped.
    TlsStall,
    /// The server does not speak TLS.
    ProtocolMismatch,
    /// A side closed before its time.
    ClosedEarly,
    /// The answer came late or not at all.
    SlowResponse,
    /// Packets vanish on the way.
    PathBlackhole,
    /// A name was not resolved.
    DnsFailure,
    /// HTTP says that it failed.
    HttpError,
    /// Nothing left the host.
    NotSent,
    /// The capture cannot tell.
    Unknown,
    /// A [rule](crate::rule::Rule) of an embedder's own says so, and names no other class.
    Custom,
}

impl Class {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::SynDrop => "syn-drop",
            Self::Rst => "rst",
            Self::IcmpUnreachable => "icmp-unreachable",
            Self::TlsAlert => "tls-alert",
            Self::TlsStall => "tls-stall",
            Self::ProtocolMismatch => "protocol-mismatch",
            Self::ClosedEarly => "closed-early",
            Self::SlowResponse => "slow-response",
            Self::PathBlackhole => "path-blackhole",
            Self::DnsFailure => "dns-failure",
            Self::HttpError => "http-error",
            Self::NotSent => "not-sent",
            Self::Unknown => "unknown",
            Self::Custom => "custom",
        }
    }
}

/// A verdict's exact, stable code and its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// The class.
    pub class: Class,
    /// Kebab-case, as in reports.
    pub name: &'static str,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is wrong, or nothing can be said.
    Ok,
    /// It went well, but not as it should.
    Warning,
    /// It failed.
    Failure,
}

impl Severity {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

/// How it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// A packet says so.
    Observed,
    /// The pattern of packets says so.
    Inferred,
}

impl Certainty {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Inferred => "inferred",
        }
    }
}

/// Who caused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum By {
    /// One of the two sides.
    Side(Side),
    /// Something between them, as an ICMP error says.
    Network,
}

impl By {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Side(side) => side.name(),
            Self::Network => "network",
        }
    }

    /// The side, if it is one.
    pub const fn side(self) -> Option<Side> {
        match self {
            Self::Side(side) => Some(side),
            Self::Network => None,
        }
    }
}

/// Where in the life of a call it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Resolving the name.
    Dns,
    /// The TCP handshake.
    Connect,
    /// The TLS handshake.
    Tls,
    /// From the request to the response.
    Request,
    /// The response.
    Response,
    /// No call was under way.
    Idle,
}

impl Phase {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Request => "request",
            Self::Response => "response",
            Self::Idle => "idle",
        }
    }
}

/// What is wrong with a rejected certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Its validity is over.
    Expired,
    /// Its validity has not begun.
    NotYetValid,
    /// It has no subject alternative name.
    NoSan,
    /// No subject alternative name matches the name that was called.
    NameMismatch,
    /// Nothing is wrong with it by itself: the client does not trust its issuer.
    UnknownCa,
    /// It, or a CA above it, is not for servers.
    KeyUsage,
}

impl Cause {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::NoSan => "no-san",
            Self::NameMismatch => "name-mismatch",
            Self::UnknownCa => "unknown-ca",
            Self::KeyUsage => "key-usage",
        }
    }
}

/// What all words have in common: they are said, compared and serialised by their names.
macro_rules! named {
    ($($word:ident: $($all:expr),*;)*) => {$(
        impl fmt::Display for $word {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl AsRef<str> for $word {
            fn as_ref(&self) -> &str {
                self.name()
            }
        }

        impl PartialEq<str> for $word {
            fn eq(&self, name: &str) -> bool {
                self.name() == name
            }
        }

        impl PartialEq<&str> for $word {
            fn eq(&self, name: &&str) -> bool {
                self.name() == *name
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $word {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $word {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = <String as serde::Deserialize>::deserialize(deserializer)?;
                let unknown = || {
                    let what = stringify!($word).to_ascii_lowercase();
                    serde::de::Error::custom(format_args!("no {what} of a verdict: {name}"))
                };
                [$($all),*].into_iter().find(|word| word.name() == name).ok_or_else(unknown)
            }
        }
    )*};
}

named! {
    Class: Self::Ok, Self::SynDrop, Self::Rst, Self::IcmpUnreachable, Self::TlsAlert, Self::TlsStall,
        Self::ProtocolMismatch, Self::ClosedEarly, Self::SlowResponse, Self::PathBlackhole, Self::DnsFailure,
        Self::HttpError, Self::NotSent, Self::Unknown, Self::Custom;
    Severity: Self::Ok, Self::Warning, Self::Failure;
    Certainty: Self::Observed, Self::Inferred;
    By: Self::Side(Side::Client), Self::Side(Side::Server), Self::Network;
    Phase: Self::Dns, Self::Connect, Self::Tls, Self::Request, Self::Response, Self::Idle;
    Cause: Self::Expired, Self::NotYetValid, Self::NoSan, Self::NameMismatch, Self::UnknownCa, Self::KeyUsage;
}
