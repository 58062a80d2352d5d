//! The JSON that hookscope promises (`"schema": "hookscope/1"`), as types: the only place that derives `Serialize`
//! and `Deserialize`.
//!
//! Times are RFC 3339 UTC, durations seconds, addresses `ip:port`; what is not known is `null`, never left out.
//! Domain types stay free of serialisation, so that changing them cannot change what other tools read.

mod cluster;
#[cfg(feature = "serde")]
mod words;

use std::collections::BTreeMap;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::verdict::{By, Cause, Certainty, Class, Phase, Severity};

pub use cluster::{Against, CertificateIdentity, ClusterReport, Finding, Verification, WebhookReport, Whom};

/// Verdict codes and how often each was given.
pub type Counts = BTreeMap<&'static str, u64>;

/// One of the words that reports are made of. (Under a name, serde's derive does not borrow it from the text.)
type Word = &'static str;

/// The whole answer to one capture.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Report {
    /// Always `hookscope/1`.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "words::word"))]
    pub schema: Word,
    /// What was read.
    pub capture: Capture,
    /// Totals over the capture.
    pub summary: Summary,
    /// What the cluster's objects add; `null` where none were given.
    pub cluster: Option<ClusterReport>,
    /// One entry for each server and name, in order of address.
    pub endpoints: Vec<EndpointReport>,
    /// Connections in order of their first packet; healthy ones only on request.
    pub connections: Vec<Connection>,
    /// Lines of the apiserver's log, tied to their connections.
    pub log: Vec<LogLine>,
    /// DNS lookups in order of their first query; healthy ones only on request.
    pub lookups: Vec<Lookup>,
}

/// What was read.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Capture {
    /// The inputs, in the order given.
    pub files: Vec<String>,
    /// Records of all files.
    pub packets: u64,
    /// Octets of all packets as they were on the wire.
    pub bytes: u64,
    /// Time of the earliest packet.
    pub first: Option<String>,
    /// Time of the latest packet.
    pub last: Option<String>,
    /// Names of the link types, in order of first use.
    pub link_types: Vec<String>,
    /// Whether a file breaks off in the middle of a packet.
    pub truncated: bool,
    /// Copies of packets that were seen before, on another interface or in another layer.
    pub duplicates: u64,
    /// What a reader should know about the capture, a sentence each.
    pub warnings: Vec<String>,
}

/// Totals over the capture.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Summary {
    /// TCP connections, healthy ones included.
    pub connections: u64,
    /// Calls on them.
    pub calls: u64,
    /// Connections whose verdict is a failure.
    pub failed_connections: u64,
    /// Calls whose verdict is a failure.
    pub failed_calls: u64,
    /// DNS lookups of addresses.
    pub lookups: u64,
    /// Lookups whose verdict is a failure, also where there are too many to list.
    pub failed_lookups: u64,
    /// Verdicts of connections by code.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "words::counts"))]
    pub verdicts: Counts,
}

/// One server, under one name.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct EndpointReport {
    /// Its address.
    pub server: String,
    /// Its name, where one is known.
    pub server_name: Option<String>,
    /// Whom the cluster's objects know it as.
    pub cluster: Option<Whom>,
    /// Connections to it.
    pub connections: u64,
    /// Calls on them.
    pub calls: u64,
    /// Connections to it whose verdict is a failure.
    pub failed: u64,
    /// Total time of its answered calls; `null` where none was answered.
    pub latency_s: Option<Latency>,
    /// Verdicts of its connections by code.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "words::counts"))]
    pub verdicts: Counts,
}

/// How long answered calls took, in seconds. Percentiles are exact to three digits.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Latency {
    /// The fastest.
    pub min: f64,
    /// Half took no longer.
    pub p50: f64,
    /// 95 % took no longer.
    pub p95: f64,
    /// 99 % took no longer.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

/// One TCP connection.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Connection {
    /// Position of its first packet in the capture, from 0.
    pub id: u64,
    /// Who opened it.
    pub client: String,
    /// To whom.
    pub server: String,
    /// The server's name.
    pub server_name: Option<String>,
    /// Where the name is from: `sni`, `learned`, `dns` or `cluster`.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "words::maybe"))]
    pub server_name_source: Option<Word>,
    /// Whom it was opened to, as the cluster's objects have it; `null` where none were given or none know the server.
    pub cluster: Option<Whom>,
    /// Community ID version 1 of the captured addresses.
    pub community_id: String,
    /// Time of its first packet.
    pub start: String,
    /// Time of its last packet.
    pub end: String,
    /// Segments by sender.
    pub packets: PerSide,
    /// TCP payload octets by sender, retransmissions included.
    pub bytes: PerSide,
    /// SYN segments without ACK, both ways.
    pub syn: u64,
    /// SYN segments with ACK.
    pub syn_ack: u64,
    /// RST segments by sender.
    pub rst: PerSide,
    /// FIN segments by sender.
    pub fin: PerSide,
    /// Retransmitted segments by sender.
    pub retransmissions: PerSide,
    /// From the first SYN to the client's acknowledgment of the SYN-ACK.
    pub connect_s: Option<f64>,
    /// What TLS showed; `null` where there was none.
    pub tls: Option<Tls>,
    /// How the certificate that the client rejected looks to the webhooks' `caBundle`s; `null` without the cluster's
    /// objects, and where no certificate was rejected.
    pub verification: Option<Verification>,
    /// What happened.
    pub verdict: Verdict,
    /// Its calls in order.
    pub calls: Vec<Call>,
}

/// A count for each side of a connection.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct PerSide {
    /// The client's.
    pub client: u64,
    /// The server's.
    pub server: u64,
}

/// What a connection's TLS showed.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Tls {
    /// The negotiated version; without a ServerHello the highest that the client offered.
    pub version: Option<String>,
    /// Server name indication of the ClientHello.
    pub sni: Option<String>,
    /// The protocol that the server chose, as far as it shows: else the only one that the client offered.
    pub alpn: Option<String>,
    /// The negotiated cipher suite.
    pub cipher: Option<String>,
    /// From the ClientHello to the end of the handshake.
    pub handshake_s: Option<f64>,
    /// Alerts in the clear.
    pub alerts: Vec<Alert>,
    /// The server's certificate, where it was visible.
    pub certificate: Option<Certificate>,
}

/// One TLS alert in the clear.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Alert {
    /// Who sent it: `client` or `server`.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "words::word"))]
    pub by: Word,
    /// `warning` or `fatal`.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "words::word"))]
    pub level: Word,
    /// Its name in RFC 8446.
    pub description: String,
    /// The packet that carried it.
    pub frame: u64,
    /// Its file, where there are several.
    pub file: Option<String>,
}

/// A server's certificate.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Certificate {
    /// Distinguished name of the subject.
    pub subject: String,
    /// Distinguished name of the issuer.
    pub issuer: String,
    /// Subject alternative names.
    pub san: Vec<String>,
    /// Start of its validity.
    pub not_before: String,
    /// End of its validity.
    pub not_after: String,
}

/// One request and its response.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Call {
    /// Its position on the connection, from 0.
    pub index: u64,
    /// When it began.
    pub start: String,
    /// Octets of the request's TLS records.
    pub request_bytes: u64,
    /// Octets of the response's TLS records.
    pub response_bytes: u64,
    /// From its start to the first byte of the response.
    pub first_byte_s: Option<f64>,
    /// From its start to its end; `null` where no packet shows the end.
    pub total_s: Option<f64>,
    /// What happened to it.
    pub verdict: Verdict,
}

/// What happened to a connection, a call or a lookup.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Verdict {
    /// The coarse class.
    pub class: Class,
    /// The exact code.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "words::word"))]
    pub code: Word,
    /// How bad it is.
    pub severity: Severity,
    /// How it is known.
    pub certainty: Certainty,
    /// Who caused it, where that is known.
    pub by: Option<By>,
    /// Where in the life of a call it happened.
    pub phase: Phase,
    /// What the packets prove about a certificate that was rejected.
    pub cause: Option<Cause>,
    /// The deadline that applied.
    pub deadline_s: Option<f64>,
    /// One sentence in plain words.
    pub summary: String,
    /// The packets that show it.
    pub evidence: Vec<Evidence>,
    /// What to do next, a step each.
    pub hints: Vec<String>,
    /// What kube-apiserver says of such a failure, behind `failed to call webhook: Post "…": `, predicted from the
    /// packets: `…` stands for what they do not tell, and addresses are those of the packets, where the message may
    /// have the ClusterIP. `null` where nothing failed.
    pub apiserver_error: Option<String>,
}

/// A packet that shows something.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Evidence {
    /// Its number in its file, from 1.
    pub frame: u64,
    /// Its file, where there are several.
    pub file: Option<String>,
    /// What it shows.
    pub note: String,
}

/// One line of the apiserver's log.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct LogLine {
    /// Its number, from 1; of a line that was written in parts, that of the first.
    pub line: u64,
    /// Its file, where there are several.
    pub file: Option<String>,
    /// When it was written.
    pub time: Option<String>,
    /// The webhook's name.
    pub webhook: String,
    /// The URL that was called.
    pub url: Option<String>,
    /// The tail of the message.
    pub error: String,
    /// Whether the API request went on without the webhook (`failurePolicy: Ignore`); `null` where the line does not
    /// say.
    pub fails_open: Option<bool>,
    /// The earlier line that tells of the same call, where another part of kube-apiserver tells of it again.
    pub repeats: Option<u64>,
    /// The connection that it speaks of; `null` where it speaks of a lookup, or where no packet was seen.
    pub connection: Option<u64>,
    /// The call on that connection.
    pub call: Option<u64>,
    /// Whether the line was written outside of the capture's time.
    pub outside: bool,
    /// Whether the packets account for the error.
    pub agrees: bool,
    /// What happened.
    pub verdict: Verdict,
}

/// One DNS lookup.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Lookup {
    /// Who asked.
    pub client: String,
    /// Which server.
    pub server: String,
    /// For which name.
    pub name: String,
    /// The webhooks that are called by that name, as the cluster's objects have it.
    pub cluster: Option<Whom>,
    /// For which type of record.
    #[cfg_attr(feature = "serde", serde(rename = "type"))]
    pub kind: String,
    /// Queries sent.
    pub attempts: u64,
    /// From the first query to the answer; `null` without one.
    pub seconds: Option<f64>,
    /// What happened.
    pub verdict: Verdict,
}

/// Failures or warnings of one kind at one server: what the text report shows instead of every connection.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Group {
    /// The server, `ip:port`.
    pub server: String,
    /// Its name.
    pub server_name: Option<String>,
    /// Whom the cluster's objects know it as.
    pub cluster: Option<Whom>,
    /// How many connections (or lookups) had this verdict.
    pub count: u64,
    /// How many connections the server has in all.
    pub of: u64,
    /// Time of the first packet of the first of them.
    pub first: String,
    /// Time of the first packet of the last of them.
    pub last: String,
    /// Ids of the first few, in order.
    pub ids: Vec<u64>,
    /// The first of them.
    pub example: Example,
}

impl Group {
    /// Whether its verdict is a failure, and no warning.
    pub fn is_failure(&self) -> bool {
        let verdict = match &self.example {
            Example::Connection { connection, .. } => &connection.verdict,
            Example::Lookup(lookup) => &lookup.verdict,
        };
        verdict.severity == Severity::Failure
    }
}

/// What a group is an example of.
#[derive(Clone, Debug)]
pub enum Example {
    /// A connection, with its story in packets.
    Connection {
        /// The connection.
        connection: Box<Connection>,
        /// What happened on it, in order.
        timeline: Vec<Event>,
    },
    /// A lookup.
    Lookup(Box<Lookup>),
}

/// One step of a connection's story.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Event {
    /// Seconds since the connection's first packet.
    pub after_s: f64,
    /// The packet.
    pub frame: u64,
    /// Its file, where there are several.
    pub file: Option<String>,
    /// Who sent it: `client`, `server` or `network`.
    pub by: &'static str,
    /// What it is.
    pub what: String,
    /// Whether it is the step at which things went wrong.
    pub decisive: bool,
}
