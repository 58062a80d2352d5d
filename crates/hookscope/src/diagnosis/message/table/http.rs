//! What kube-apiserver says of answers: denials, statuses, proxies, and answers that broke off.

use super::{Look, Wording, by};
use crate::diagnosis::message::facts::Facts;

/// In TLS no packet shows what an answer says: such a call looks healthy.
const APART: &str = "In TLS an answer is an answer: the packets look healthy (ok). Only in plain HTTP, or decrypted, \
                     is it http-status.";
const LOGS: Look = Look::Objects("kubectl -n {namespace} logs -l SELECTOR --all-containers --since=10m");

/// Answers that kube-apiserver read and passed on: they may quote any other message.
pub(super) const ANSWERED: &[Wording] = &[Wording {
    texts: &["admission webhook \"{name}\" denied the request{why}", "denied the request: {why}"],
    cause: None,
    meaning: "The webhook answered, and its answer is no: the call itself went well.",
    given_by: &[by("ok").rarely()],
    apart: "",
    look: Look::Objects(
        "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o custom-columns='KIND:.kind,NAME:.metadata.name,SERVICE:.webhooks[*].clientConfig.service.name,WEBHOOK:.webhooks[*].name' | grep -F {webhook}",
    ),
}];

/// Answers that broke off.
pub(super) const BODY: &[Wording] = &[
    Wording {
        texts: &[
            "unexpected error when reading response body. Please retry. Original error: read tcp {client}->{server}: read: connection reset by peer",
            "error when reading response body. {retry} Original error: {error} connection reset by peer",
        ],
        cause: None,
        meaning: "The webhook's answer began, and a RST cut it off.",
        given_by: &[by("rst-in-response")],
        apart: "",
        look: Look::Call,
    },
    Wording {
        texts: &[
            "unexpected error when reading response body. Please retry. Original error: unexpected EOF",
            "error when reading response body. {retry} Original error: {error} EOF",
        ],
        cause: None,
        meaning: "The webhook's answer began, and the webhook closed before it was whole.",
        given_by: &[by("fin-in-response")],
        apart: "",
        look: Look::Call,
    },
    Wording {
        texts: &[
            "unexpected error when reading response body. Please retry. Original error: context deadline exceeded",
            "error when reading response body. {retry} Original error: {why}",
            "Client.Timeout or context cancellation while reading body",
        ],
        cause: None,
        meaning: "The webhook's answer began and was not whole at the deadline.",
        given_by: &[
            by("response-stalled"),
            by("mtu-blackhole").rarely().alike(&[by("stale-connection").rarely()]),
        ],
        apart: "Whether the server's segments arrive: if they are sent again and again, the path loses them.",
        look: Look::Call,
    },
];

const fn is(facts: &Facts, status: u16) -> bool {
    matches!(facts.status, Some(seen) if seen == status)
}

/// Statuses, and answers that are no AdmissionReview, as client-go and kube-apiserver put them.
pub(super) const STATUS: &[Wording] = &[
    Wording {
        texts: &["the server could not find the requested resource"],
        cause: None,
        meaning: "The webhook answered with HTTP status 404: its path is wrong.",
        given_by: &[by("http-status").when(|facts| is(facts, 404)), by("ok").rarely()],
        apart: APART,
        look: Look::Objects(
            "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o yaml | grep -A8 'name: {service}'",
        ),
    },
    Wording {
        texts: &["the server is currently unable to handle the request"],
        cause: None,
        meaning: "The webhook, or a proxy before it, answered with HTTP status 503.",
        given_by: &[by("http-status").when(|facts| is(facts, 503)), by("ok").rarely()],
        apart: APART,
        look: LOGS,
    },
    Wording {
        texts: &[
            "the server was unable to return a response in the time allotted, but may still be processing the request",
        ],
        cause: None,
        meaning: "The webhook, or a proxy before it, answered with HTTP status 504.",
        given_by: &[by("http-status").when(|facts| is(facts, 504)), by("ok").rarely()],
        apart: APART,
        look: LOGS,
    },
    Wording {
        texts: &[
            "an error on the server (\"{body}\") has prevented the request from succeeding",
            "an error on the server {why}",
        ],
        cause: None,
        meaning: "The webhook answered with an HTTP status of 500 or more; what stands in brackets is its body.",
        given_by: &[by("http-status").when(|facts| facts.status >= Some(500)), by("ok").rarely()],
        apart: APART,
        look: LOGS,
    },
    Wording {
        texts: &["the server has asked for the client to provide credentials"],
        cause: None,
        meaning: "The webhook answered with HTTP status 401: it wants kube-apiserver to prove who it is.",
        given_by: &[by("http-status").when(|facts| is(facts, 401)), by("ok").rarely()],
        apart: APART,
        look: LOGS,
    },
    Wording {
        texts: &["the server does not allow this method on the requested resource"],
        cause: None,
        meaning: "The webhook answered with HTTP status 405: its path is wrong.",
        given_by: &[by("http-status").when(|facts| is(facts, 405)), by("ok").rarely()],
        apart: APART,
        look: LOGS,
    },
    Wording {
        texts: &["the server has received too many requests and has asked us to try again later"],
        cause: None,
        meaning: "The webhook answered with HTTP status 429: it has more calls than it takes.",
        given_by: &[by("http-status").when(|facts| is(facts, 429)), by("ok").rarely()],
        apart: APART,
        look: LOGS,
    },
    Wording {
        texts: &[
            "the server rejected our request for an unknown reason",
            "the server rejected our request due to an error in our request",
        ],
        cause: None,
        meaning: "The webhook answered with HTTP status 400 or 422.",
        given_by: &[by("http-status").when(|facts| is(facts, 400)), by("ok").rarely()],
        apart: APART,
        look: LOGS,
    },
    Wording {
        texts: &[
            "received invalid webhook response: {why}",
            "expected webhook response of {kind}, got {other}",
            "Webhook response was absent",
            "webhook returned response.patch but not response.patchType",
            "webhook returned both a patch and an error",
            "converted object must {why}",
            "couldn't get version/kind; json parse error: {why}",
            "received webhook response without a response",
        ],
        cause: None,
        meaning: "The webhook answered with status 200, and its answer is no proper AdmissionReview.",
        given_by: &[
            by("http-status").when(|facts| facts.status.is_some_and(|status| status < 400)),
            by("ok").rarely(),
        ],
        apart: APART,
        look: LOGS,
    },
    Wording {
        texts: &[
            "the server responded with the status code {status} but did not return more information",
            "the server was unable to respond with a content type that the client supports",
            "the body of the request was in an unknown format",
            "the server reported a conflict",
            "malformed HTTP response",
            "malformed HTTP status code",
        ],
        cause: None,
        meaning: "The webhook answered with an HTTP status that is no success, or with no HTTP at all.",
        given_by: &[by("http-status"), by("ok").rarely()],
        apart: APART,
        look: LOGS,
    },
    Wording {
        texts: &[
            "{reason}",
            "^Service Unavailable$",
            "^Service unavailable$",
            "^Forbidden$",
            "^Bad Gateway$",
            "^Bad Request$",
            "^Unknown Host$",
            "^Host Unknown$",
            "^Not Found$",
            "^Method Not Allowed$",
            "^Gateway Timeout$",
            "^Gateway Time-out$",
            "^Internal Server Error$",
            "^Access Denied$",
            "^Proxy Authentication Required$",
            "^unknown status code$",
        ],
        cause: None,
        meaning: "An HTTP proxy did not open the connection: the error is nothing but its reason phrase. kube-apiserver runs with HTTPS_PROXY, and NO_PROXY leaves the webhook out.",
        given_by: &[by("proxy-refused"), by("http-status").rarely().alike(&[by("ok").rarely()])],
        apart: "proxy-refused: CONNECT in plain text to the proxy. Without it, the webhook itself answered so.",
        look: Look::Call,
    },
];
