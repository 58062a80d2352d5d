//! Settings: deadlines, what to keep, and the bounds that no input can exceed.

use std::sync::Arc;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::filter::Filter;
use crate::rule::Rules;

/// How an [`Inspector`](crate::Inspector) judges and how much it may hold.
#[derive(Clone, Debug)]
pub struct Config {
    /// The webhook's `timeoutSeconds`, where [`cluster`](Self::cluster) does not say it: how long a call may take. 10 s,
    /// as in Kubernetes.
    pub deadline: Duration,
    /// From when an answered call is called slow; half of the deadline where `None`.
    pub slow: Option<Duration>,
    /// Which finished connections to hand out whole.
    pub keep: Keep,
    /// Which finished connections to keep besides, to be tied to what a log says.
    pub retain: Retain,
    /// Which connections to look at.
    pub filter: Filter,
    /// What is known of the cluster: whose address is whose, and each webhook's own deadline.
    pub cluster: Option<Arc<Cluster>>,
    /// Rules of the embedder's own, beside those that are built in.
    pub rules: Rules,
    /// Whether to say what is known while packets still come, through
    /// [`Inspector::take_events`](crate::Inspector::take_events).
    pub watch: bool,
    /// Into how many parts connections are divided for parallel work. Changes speed, never the answer.
    pub shards: usize,
    /// Bounds on memory.
    pub limits: Limits,
    /// Settings are added over time: end a literal with `..Config::default()`.
    #[doc(hidden)]
    pub _more: (),
}

impl Default for Config {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            slow: None,
            keep: Keep::Failures,
            retain: Retain::Reported,
            filter: Filter::default(),
            cluster: None,
            rules: Rules::default(),
            watch: false,
            shards: 1,
            limits: Limits::default(),
            _more: (),
        }
    }
}

/// Which finished connections an [`Inspector`](crate::Inspector) hands out whole.
///
/// Every connection is counted; what is not kept leaves only its counts behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// None but the first of each [group](crate::report::schema::Group).
    Examples,
    /// Those with a failure or a warning.
    Failures,
    /// All.
    All,
}

impl Keep {
    /// Whether it asks for a connection with a finding, or for one without.
    pub(crate) const fn wants(self, has_finding: bool) -> bool {
        match self {
            Self::Examples => false,
            Self::Failures => has_finding,
            Self::All => true,
        }
    }
}

/// Which finished connections an [`Inspector`](crate::Inspector) keeps in memory without listing them, so that lines of
/// kube-apiserver's log can be tied to them. [`Log::retain`](crate::log::Log::retain) says what a log takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retain {
    /// None but those that are to be reported.
    #[default]
    Reported,
    /// Those with a failure or a warning, and those of which the capture cannot tell.
    Failures,
    /// All, because the log tells of calls that were answered.
    All,
}

impl Retain {
    /// Whether it asks for a connection with a finding or an open question, or for one without.
    pub(crate) const fn wants(self, is_in_question: bool) -> bool {
        match self {
            Self::Reported => false,
            Self::Failures => is_in_question,
            Self::All => true,
        }
    }
}

/// Bounds on memory, each with what happens at it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections tracked at once. At the bound the ones that were quiet longest are judged as they stand.
    pub connections: usize,
    /// Connections tracked at once of which nothing but SYNs was seen. They are smaller and not counted among the others;
    /// at the bound, too, the ones that were quiet longest are judged as they stand.
    pub openings: usize,
    /// Octets of one direction that wait for an earlier segment. Past it, the missing octets are given up as lost
    /// to the capture.
    pub reassembly: usize,
    /// Octets of all connections together that wait: for an earlier segment, or for the rest of a TLS handshake message, of
    /// the head of an HTTP message or of a DNS message. Past it what comes is given up as if its own bound were met.
    /// Divided among the [shards](Config::shards).
    pub held: usize,
    /// Octets of servers' certificates that connections keep, tracked ones and those that are handed out; alike ones
    /// once. Past it, no more are until some are let go. Divided among the [shards](Config::shards).
    pub certificates: usize,
    /// Octets of one TLS handshake message that are kept. A longer message is skipped, not read.
    pub handshake: usize,
    /// Servers, by address and name, that are counted one by one. Past it, connections to further ones are counted
    /// together.
    pub servers: usize,
    /// Connections that are handed out whole. Past it, those that began first are; the others are only counted.
    pub kept: usize,
    /// DNS lookups followed at once. At the bound the oldest are judged as they stand.
    pub lookups: usize,
    /// DNS lookups that are handed out one by one, failed and healthy ones each. Past it, failures are only counted.
    pub kept_lookups: usize,
    /// Octets of one DNS message over TCP that are kept. Of a longer one the front is read.
    pub dns_message: usize,
    /// Addresses whose names are learned from DNS. Past it, no other addresses are learned.
    pub names: usize,
    /// Healthy calls of one connection that are kept one by one, and as many again that went wrong. Past it, calls are
    /// only counted.
    pub calls: usize,
    /// Healthy calls of all connections together that are kept one by one, and as many again that went wrong. Past it,
    /// calls are only counted. Divided among the [shards](Config::shards).
    pub calls_in_all: usize,
    /// After how long without a packet an open connection is judged as it stands; a later packet begins a new one.
    pub idle: Duration,
    /// After how long without a packet a connection that never got an answer is judged. Must exceed the longest
    /// wait between two SYNs: 64 s with Linux's defaults.
    pub unanswered: Duration,
    /// IP fragments that wait for others of their datagram, for each of the [shards](Config::shards).
    pub fragments: FragmentLimits,
    /// How long a closed connection may still receive packets (TIME-WAIT; RFC 9293, section 3.6.1).
    pub closed: Duration,
    /// Settings are added over time: end a literal with `..Limits::default()`.
    #[doc(hidden)]
    pub _more: (),
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1 << 20,
            openings: 1 << 22,
            servers: 1 << 13,
            kept: 1 << 17,
            reassembly: 256 << 10,
            held: 256 << 20,
            certificates: 128 << 20,
            handshake: 128 << 10,
            lookups: 128 << 10,
            kept_lookups: 64 << 10,
            dns_message: 4 << 10,
            names: 64 << 10,
            calls: 10_000,
            calls_in_all: 1 << 20,
            idle: Duration::from_secs(3600),
            unanswered: Duration::from_secs(130),
            fragments: FragmentLimits::default(),
            closed: Duration::from_secs(60),
            _more: (),
        }
    }
}

impl Limits {
    /// Bounds for a run without an end, in half a gigabyte: what is reported is bounded as well, and what is closed is let
    /// go of sooner, since thousands of connections a second may be. What comes later than 15 s after a closing says
    /// nothing new of a connection.
    pub fn unattended() -> Self {
        Self {
            connections: 1 << 18,
            openings: 1 << 20,
            servers: 1_024,
            kept: 10_000,
            held: 64 << 20,
            certificates: 16 << 20,
            calls_in_all: 1 << 17,
            closed: Duration::from_secs(15),
            ..Self::default()
        }
    }
}

/// How many IP fragments may wait. What exceeds it pushes out the oldest datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentLimits {
    /// Incomplete datagrams at a time: 1,024 unless set.
    pub datagrams: usize,
    /// Payload octets of one datagram: 65,536 unless set, which is more than IP can express.
    pub datagram_octets: u32,
    /// Fragments of one datagram: 256 unless set, enough for the longest over links of 576 octets.
    pub datagram_fragments: usize,
    /// Captured payload octets of all incomplete datagrams: 16 MiB unless set.
    pub octets: usize,
    /// How long a datagram waits for its last fragment: 30 s unless set, as in Linux.
    pub timeout: Duration,
    /// Settings are added over time: end a literal with `..FragmentLimits::default()`.
    #[doc(hidden)]
    pub _more: (),
}

impl Default for FragmentLimits {
    fn default() -> Self {
        Self {
            datagrams: 1024,
            datagram_octets: 1 << 16,
            datagram_fragments: 256,
            octets: 16 << 20,
            timeout: Duration::from_secs(30),
            _more: (),
        }
    }
}
