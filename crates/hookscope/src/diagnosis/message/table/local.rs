//! What kube-apiserver says where nothing of the call left its host, or went into a tunnel.

use super::{Look, Wording, by};

/// See [`super::all`].
pub(super) const WORDINGS: &[Wording] = &[
    Wording {
        texts: &["service \"{service}\" not found"],
        cause: None,
        meaning: "The Service that the webhook configuration names does not exist; no packet was sent.",
        given_by: &[by("nothing-sent")],
        apart: "",
        look: Look::Objects(
            "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o yaml | grep -B3 -A6 'name: {service}'",
        ),
    },
    Wording {
        texts: &["no endpoints available for service \"{service}\""],
        cause: None,
        meaning: "No pod behind the Service is ready; kube-apiserver asks the endpoints itself and sent no packet.",
        given_by: &[by("nothing-sent")],
        apart: "",
        look: Look::Objects(
            "kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={service} -o wide",
        ),
    },
    Wording {
        texts: &["no service port {port} found for service \"{service}\"", "no such port"],
        cause: None,
        meaning: "The Service has no such port; no packet was sent.",
        given_by: &[by("nothing-sent")],
        apart: "",
        look: Look::Objects("kubectl -n {namespace} get service {service} -o yaml"),
    },
    Wording {
        texts: &["Address is not allowed"],
        cause: None,
        meaning: "The managed control plane (EKS) refuses to dial an address outside of its network, such as a pod of another CNI; no packet was sent.",
        given_by: &[by("nothing-sent")],
        apart: "",
        look: Look::Objects(
            "kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={service} -o wide",
        ),
    },
    Wording {
        texts: &[
            "No agent available",
            "No backend available",
            "error dialing backend",
            "failed to dial via konnectivity",
            "rpc error: {why}",
            "proxy error from {proxy} while dialing {server}, code {status}",
            "failed to find agent",
        ],
        cause: None,
        meaning: "kube-apiserver sends its calls through an egress proxy (konnectivity, or the tunnel of k3s and RKE2), and that failed: the call itself is in no capture of this host.",
        given_by: &[by("nothing-sent"), by("proxy-refused")],
        apart: "proxy-refused where the proxy is asked in plain HTTP and its refusal can be read; else only the tunnel is seen.",
        look: Look::Tunnel,
    },
    Wording {
        texts: &[
            "unable to load root certificates",
            "unable to parse bytes as PEM block",
            "failed to load client CA",
            "unsupported protocol scheme",
            "must specify `service` or `url`",
            "data does not contain any valid RSA or ECDSA certificates",
        ],
        cause: None,
        meaning: "The webhook configuration itself is unusable, most likely its caBundle; no packet was sent.",
        given_by: &[by("nothing-sent")],
        apart: "",
        look: Look::Objects(
            "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o yaml | grep -A12 clientConfig",
        ),
    },
    Wording {
        texts: &[
            "cannot assign requested address",
            "too many open files",
            "operation not permitted",
            "connect: invalid argument",
        ],
        cause: None,
        meaning: "The apiserver's own host refused to send: no port or descriptor left, or a local firewall.",
        given_by: &[by("nothing-sent")],
        apart: "",
        look: Look::Objects(
            "ss -s; ls /proc/$(pgrep -o kube-apiserver)/fd | wc -l; iptables-save -c | grep -iE 'drop|reject'",
        ),
    },
];
