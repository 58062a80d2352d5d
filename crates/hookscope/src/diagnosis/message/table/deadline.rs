//! What kube-apiserver says where time was over.

use super::{Look, Wording, by};
use crate::diagnosis::message::TLS_HANDSHAKE;
use crate::diagnosis::message::facts::Facts;
use crate::diagnosis::verdict::Phase;
use crate::time::Elapsed;

/// kube-apiserver's HTTP client gives every request this long, whatever the webhook's deadline.
const CLIENT: Elapsed = Elapsed::from_millis(30_000);

fn outlasts_handshake(facts: &Facts) -> bool {
    facts.phase == Phase::Tls && facts.deadline > TLS_HANDSHAKE
}

fn outlasts_client(facts: &Facts) -> bool {
    facts.deadline >= CLIENT
}

/// See [`super::all`].
pub(super) const WORDINGS: &[Wording] = &[
    Wording {
        texts: &["net/http: TLS handshake timeout", "TLS handshake timeout"],
        cause: None,
        meaning: "The TCP connection was opened, and its TLS handshake was not complete after 10 s.",
        given_by: &[
            by("tls-no-server-hello").when(outlasts_handshake),
            by("mtu-blackhole")
                .when(outlasts_handshake)
                .alike(&[by("data-unacknowledged").when(outlasts_handshake)]),
            by("tls-handshake-incomplete")
                .when(outlasts_handshake)
                .alike(&[by("slow-tls-handshake").rarely()]),
        ],
        apart: "Whether the ClientHello is acknowledged: if not, the path loses it (large segments only: the MTU); if \
                so, whether any TLS byte of the server's came.",
        look: Look::Call,
    },
    Wording {
        texts: &[
            "net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
            "net/http: request canceled while waiting for connection",
        ],
        cause: None,
        meaning: "Time was over, and there was no connection yet.",
        given_by: &[
            by("syn-unanswered").when(outlasts_client),
            by("syn-ack-ignored").when(outlasts_client),
            by("tls-no-server-hello").rarely().alike(&[by("dns-timeout").rarely()]),
        ],
        apart: "How far the connection got: SYNs alone, SYN-ACKs that this host drops, a TLS handshake without an \
                answer, or not even a name.",
        look: Look::Call,
    },
    Wording {
        texts: &[
            "request did not complete within requested timeout",
            "request did not complete within the allotted timeout",
        ],
        cause: None,
        meaning: "The whole API request took longer than it may (34 s), most likely in several webhooks one after the \
                  other: the log of kube-apiserver names each.",
        given_by: &[
            by("deadline-exceeded").rarely().alike(&[by("slow").rarely(), by("stale-connection").rarely()]),
            by("syn-unanswered").rarely().alike(&[by("syn-ack-ignored").rarely()]),
            by("client-aborted").rarely(),
        ],
        apart: "How far each call got: answered late or at its deadline, no connection at all, or cut off at a time \
                that is no deadline because the request was over.",
        look: Look::Call,
    },
    Wording {
        texts: &[
            "context deadline exceeded",
            "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
            "Client.Timeout exceeded",
            "Client.Timeout or context cancellation",
            "net/http: timeout awaiting response headers",
            "i/o timeout",
            "deadline exceeded",
        ],
        cause: None,
        meaning: "The call took longer than its deadline; the message does not say what it waited for.",
        given_by: &[
            by("deadline-exceeded").alike(&[
                by("stale-connection"),
                by("data-unacknowledged"),
                by("mtu-blackhole"),
                by("icmp-host-unreachable"),
                by("icmp-net-unreachable"),
                by("icmp-admin-prohibited"),
                by("icmp-port-unreachable"),
            ]),
            by("syn-unanswered").alike(&[
                by("syn-ack-ignored"),
                by("syn-retransmitted").rarely(),
                by("dns-timeout").rarely(),
                by("nothing-sent").rarely(),
            ]),
            by("tls-no-server-hello").alike(&[by("tls-handshake-incomplete")]),
        ],
        apart: "How far the call got: the request sent and acknowledged (the webhook is slow), sent and not \
                acknowledged (the path lost it), no connection (the SYN is dropped), or no TLS handshake.",
        look: Look::Call,
    },
    Wording {
        texts: &["context canceled", "request canceled", "client went away", "client disconnected"],
        cause: None,
        meaning: "Whoever had asked kube-apiserver went away, or another webhook had denied the request; the call was dropped.",
        given_by: &[by("client-aborted")],
        apart: "",
        look: Look::Call,
    },
];
