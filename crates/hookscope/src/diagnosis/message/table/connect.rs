//! What kube-apiserver says where it got no connection, or lost it.

use super::{Giver, Look, Wording, by};
use crate::diagnosis::message::facts::Facts;
use crate::diagnosis::verdict::Phase;

const fn in_connect(facts: &Facts) -> bool {
    matches!(facts.phase, Phase::Connect)
}

fn in_connect_over_v6(facts: &Facts) -> bool {
    in_connect(facts) && facts.is_v6
}

fn resets_at_once(facts: &Facts) -> bool {
    facts.reset_at_once
}

/// Names that were not resolved.
pub(super) const NAMES: &[Wording] = &[
    Wording {
        texts: &[
            "dial tcp: lookup {name} on {resolver}: no such host",
            "lookup {name}: no such host",
            "no such host",
        ],
        cause: None,
        meaning: "The name in the webhook's URL does not exist for the name server of the apiserver's host.",
        given_by: &[by("dns-nxdomain")],
        apart: "",
        look: Look::Names,
    },
    Wording {
        texts: &["dial tcp: lookup {name} on {resolver}: server misbehaving", "server misbehaving"],
        cause: None,
        meaning: "The name server answered with an error other than that the name does not exist.",
        given_by: &[by("dns-servfail"), by("dns-refused")],
        apart: "The answer's response code tells: SERVFAIL or REFUSED.",
        look: Look::Names,
    },
    Wording {
        texts: &[
            "dial tcp: lookup {name} on {resolver}: read udp {client}->{resolver}: i/o timeout",
            "lookup {name}: i/o timeout",
            "lookup {name}: Temporary failure in name resolution",
            "dial tcp: lookup {name} on {resolver}: {why}",
            "read udp {why}",
        ],
        cause: None,
        meaning: "No name server gave an answer for the name in the webhook's URL.",
        given_by: &[by("dns-timeout"), by("dns-servfail").rarely()],
        apart: "dns-timeout: queries and nothing in answer. An answer with an error: dns-servfail.",
        look: Look::Names,
    },
];

/// Connections that were not opened.
pub(super) const DIAL: &[Wording] = &[
    Wording {
        texts: &["proxyconnect tcp: {why}"],
        cause: None,
        meaning: "kube-apiserver goes through an HTTP proxy (HTTPS_PROXY) and did not reach the proxy itself.",
        given_by: &[
            by("connection-refused").rarely(),
            by("syn-unanswered").rarely(),
            by("dns-nxdomain").rarely().alike(&[by("dns-servfail").rarely(), by("dns-timeout").rarely()]),
        ],
        apart: "Look at the connection to the proxy: a RST, silence, or a name that is not resolved.",
        look: Look::Call,
    },
    Wording {
        texts: &[
            "dial tcp {server}: connect: connection refused",
            "connect: connection refused",
            "connection refused",
        ],
        cause: None,
        meaning: "Something answered the SYN with a refusal, at once.",
        given_by: &[
            by("connection-refused"),
            by("icmp-port-unreachable").when(in_connect),
            by("nothing-sent").rarely(),
        ],
        apart: "A RST from the pod's address: nothing listens there. An ICMP port unreachable on lo, and no SYN: the \
                Service has no ready endpoint and kube-proxy rejects the call on this host; where lo is not captured, \
                that is nothing at all.",
        look: Look::Call,
    },
    Wording {
        texts: &["dial tcp {server}: connect: permission denied", "connect: permission denied"],
        cause: None,
        meaning: "A firewall on the way, or on this host, forbids the connection.",
        given_by: &[by("icmp-admin-prohibited").when(in_connect_over_v6), by("nothing-sent").rarely()],
        apart: "An ICMP error names who forbids it; no packet at all: this host itself does.",
        look: Look::Call,
    },
    Wording {
        texts: &["dial tcp {server}: connect: no route to host", "no route to host"],
        cause: None,
        meaning: "An ICMP error came back, or the next hop does not answer; routes may be all right.",
        given_by: &[
            by("icmp-admin-prohibited").when(in_connect),
            by("icmp-host-unreachable").when(in_connect),
            by("nothing-sent").rarely(),
        ],
        apart: "The ICMP code tells: administratively prohibited is a firewall's REJECT, host unreachable a host that \
                is gone. No SYN and no ICMP: this host's own firewall, or a neighbour that does not resolve.",
        look: Look::Call,
    },
    Wording {
        texts: &["dial tcp {server}: connect: network is unreachable", "network is unreachable"],
        cause: None,
        meaning: "There is no route to the webhook's network, here or further on.",
        given_by: &[by("icmp-net-unreachable").when(in_connect), by("nothing-sent").rarely()],
        apart: "An ICMP error names the router without a route; no packet at all: this host has none.",
        look: Look::Call,
    },
    Wording {
        texts: &["dial tcp {server}: connect: connection timed out", "connect: connection timed out"],
        cause: None,
        meaning: "The kernel gave up sending SYNs.",
        given_by: &[by("syn-unanswered").rarely(), by("syn-ack-ignored").rarely()],
        apart: "Whether SYN-ACKs come back: if they do, this host drops them.",
        look: Look::Call,
    },
    Wording {
        texts: &["dial tcp {server}: i/o timeout", "dial tcp {server}: operation was canceled"],
        cause: None,
        meaning: "No connection came about in 30 s, or before the call ended.",
        given_by: &[by("syn-unanswered").rarely(), by("syn-ack-ignored").rarely()],
        apart: "Whether SYN-ACKs come back: if they do, this host drops them.",
        look: Look::Call,
    },
    Wording {
        texts: &["dial tcp {server}: connect: connection reset by peer", "connect: connection reset by peer"],
        cause: None,
        meaning: "The connection was opened and reset at once, before the client had sent anything.",
        given_by: &[by("rst-in-tls-handshake").when(resets_at_once)],
        apart: "",
        look: Look::Call,
    },
];

const RESETS: &[Giver] =
    &[by("rst-before-response"), by("rst-in-tls-handshake"), by("tls-client-rejected").rarely()];

/// Connections that were reset.
pub(super) const RESET: &[Wording] = &[
    Wording {
        texts: &["read tcp {client}->{server}: read: connection reset by peer", "connection reset by peer"],
        cause: None,
        meaning: "A RST ended the connection while kube-apiserver waited for the webhook.",
        given_by: RESETS,
        apart: "Where the RST stands: after the request, before the TLS handshake is complete, or right after the \
                client's last handshake flight, where the server had asked for a client certificate.",
        look: Look::Call,
    },
    Wording {
        texts: &[
            "write tcp {client}->{server}: write: {why}",
            "write: broken pipe",
            "use of closed network connection",
        ],
        cause: None,
        meaning: "The connection was gone when kube-apiserver wrote to it.",
        given_by: &[by("rst-before-response").rarely(), by("fin-before-response").rarely()],
        apart: "How the server ended it: with RST or with FIN.",
        look: Look::Call,
    },
];

/// Connections that were closed.
pub(super) const CLOSED: &[Wording] = &[
    Wording {
        texts: &["http: server closed idle connection", "http2: server sent GOAWAY", "server sent GOAWAY"],
        cause: None,
        meaning: "The webhook closed a connection just as kube-apiserver sent its next request on it.",
        given_by: &[by("fin-before-response").rarely()],
        apart: "",
        look: Look::Call,
    },
    Wording {
        texts: &["http2: client connection lost", "http2: client connection force closed"],
        cause: None,
        meaning: "A connection that had worked before gave no sign of life any more.",
        given_by: &[by("stale-connection").rarely()],
        apart: "",
        look: Look::Call,
    },
    Wording {
        texts: &["unexpected EOF"],
        cause: None,
        meaning: "The webhook closed the connection in the middle of something.",
        given_by: &[
            by("fin-in-response").rarely(),
            by("fin-before-response").rarely(),
            by("fin-in-tls-handshake").rarely(),
        ],
        apart: "Where the FIN stands: in the response, after the request, or before the TLS handshake is complete.",
        look: Look::Call,
    },
    Wording {
        texts: &["EOF"],
        cause: None,
        meaning: "The webhook, or something before it, closed the connection without an answer.",
        given_by: &[by("fin-before-response"), by("fin-in-tls-handshake"), by("nothing-sent").rarely()],
        apart: "Where the FIN stands: after the request, or before the TLS handshake is complete (a mesh that wants \
                mTLS, a TCP proxy without a backend). No connection at all: an egress proxy's tunnel broke.",
        look: Look::Call,
    },
];
