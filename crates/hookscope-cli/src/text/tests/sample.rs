//! Reports as the engine writes them, modelled on captures of a real kube-apiserver.

mod logged;

use std::collections::BTreeMap;

use hookscope::Side;
use hookscope::diagnosis::page_of;
use hookscope::report::schema::{
    Call, Capture, Connection, EndpointReport, Event, Evidence, Example, Group, Latency, Lookup, PerSide,
    Report, Summary, Verdict,
};
use hookscope::verdict::{By, Cause, Certainty, Phase, Severity};

pub(crate) use logged::logged;

use crate::text::Code;

/// A report with what the text report needs beside it.
pub(crate) struct Sample {
    pub(crate) report: Report,
    pub(crate) groups: Vec<Group>,
}

fn at(seconds: f64) -> String {
    let whole = 15.0 * 3600.0 + 27.0 * 60.0 + 36.0 + seconds;
    let (hours, minutes) = ((whole / 3600.0) as u64, (whole / 60.0) as u64 % 60);
    format!("2026-11-22T{hours:02}:{minutes:02}:{:012.9}Z", whole % 60.0)
}

fn capture(packets: u64, seconds: f64) -> Capture {
    Capture {
        files: vec!["captures/incident.pcap".into()],
        packets,
        bytes: packets * 300,
        first: Some(at(0.0)),
        last: Some(at(seconds)),
        link_types: vec!["LINUX_SLL2".into()],
        ..Capture::default()
    }
}

fn endpoint(
    server: &str,
    name: Option<&str>,
    counts: [u64; 3],
    verdicts: &[(&'static str, u64)],
) -> EndpointReport {
    EndpointReport {
        server: server.into(),
        server_name: name.map(Into::into),
        cluster: None,
        connections: counts[0],
        calls: counts[1],
        failed: counts[2],
        latency_s: None,
        verdicts: verdicts.iter().copied().collect(),
    }
}

fn answered(endpoint: EndpointReport, times: [f64; 4]) -> EndpointReport {
    let latency = Latency { min: times[0] / 4.0, p50: times[0], p95: times[1], p99: times[2], max: times[3] };
    EndpointReport { latency_s: Some(latency), ..endpoint }
}

fn verdict(class: &'static str, code: &'static str, summary: &str, evidence: &[(u64, &str)]) -> Verdict {
    let evidence =
        evidence.iter().map(|(frame, note)| Evidence { frame: *frame, file: None, note: (*note).into() });
    let page = page_of(code).expect("codes have pages");
    assert_eq!(page.code.class, class, "{code}");
    Verdict {
        class: page.code.class,
        code,
        severity: Severity::Failure,
        certainty: Certainty::Observed,
        by: None,
        phase: Phase::Connect,
        cause: None,
        deadline_s: Some(10.0),
        summary: summary.into(),
        evidence: evidence.collect(),
        hints: Vec::new(),
        apiserver_error: error(code).map(str::to_owned),
    }
}

/// What kube-apiserver says of a code.
fn error(code: &str) -> Option<&'static str> {
    match code {
        "deadline-exceeded" | "syn-unanswered" => Some("context deadline exceeded"),
        "connection-refused" => Some("dial tcp 10.244.1.4:8443: connect: connection refused"),
        "tls-certificate-rejected" => Some("tls: failed to verify certificate: x509: …"),
        _ => None,
    }
}

fn hinted(verdict: Verdict, hints: &[&str]) -> Verdict {
    Verdict { hints: hints.iter().map(|hint| (*hint).into()).collect(), ..verdict }
}

fn connection(id: u64, client: &str, server: &str, name: &str, verdict: Verdict) -> Connection {
    Connection {
        id,
        client: client.into(),
        server: server.into(),
        server_name: Some(name.into()),
        server_name_source: Some("sni"),
        cluster: None,
        community_id: "1:LQU9qZlK+B5F3KDmev6m5PMibrg=".into(),
        start: at(1.0),
        end: at(11.0),
        packets: PerSide { client: 9, server: 8 },
        bytes: PerSide::default(),
        syn: 1,
        syn_ack: 1,
        rst: PerSide::default(),
        fin: PerSide::default(),
        retransmissions: PerSide::default(),
        connect_s: Some(0.000_042),
        tls: None,
        verification: None,
        verdict,
        calls: Vec::<Call>::new(),
    }
}

/// Steps as `(seconds, frame, sender, what)`; what begins with `!` is decisive.
fn timeline(steps: &[(f64, u64, &'static str, &str)]) -> Vec<Event> {
    let event = |&(after_s, frame, by, what): &(f64, u64, &'static str, &str)| Event {
        after_s,
        frame,
        file: None,
        by,
        what: what.trim_start_matches('!').into(),
        decisive: what.starts_with('!'),
    };
    steps.iter().map(event).collect()
}

fn group(
    counts: [u64; 2],
    times: [f64; 2],
    ids: &[u64],
    connection: Connection,
    timeline: Vec<Event>,
) -> Group {
    Group {
        server: connection.server.clone(),
        server_name: connection.server_name.clone(),
        cluster: None,
        count: counts[0],
        of: counts[1],
        first: at(times[0]),
        last: at(times[1]),
        ids: ids.to_vec(),
        example: Example::Connection { connection: Box::new(connection), timeline },
    }
}

fn sample(capture: Capture, endpoints: Vec<EndpointReport>, groups: Vec<Group>) -> Sample {
    let mut verdicts = BTreeMap::new();
    for (code, number) in endpoints.iter().flat_map(|endpoint| &endpoint.verdicts) {
        *verdicts.entry(*code).or_insert(0) += number;
    }
    let connections: u64 = endpoints.iter().map(|endpoint| endpoint.connections).sum();
    let failed = endpoints.iter().map(|endpoint| endpoint.failed).sum();
    let summary = Summary {
        connections,
        calls: endpoints.iter().map(|endpoint| endpoint.calls).sum(),
        failed_connections: failed,
        verdicts,
        ..Summary::default()
    };
    let report = Report {
        schema: "hookscope/1",
        capture,
        summary,
        endpoints,
        connections: Vec::new(),
        cluster: None,
        log: Vec::new(),
        lookups: Vec::new(),
    };
    Sample { report, groups }
}

const METALLB: &str = "webhook-service.metallb-system.svc";
const KYVERNO: &str = "kyverno-svc.kyverno.svc";
const ISTIO: &str = "istiod.istio-system.svc";
const KNATIVE: &str = "webhook.knative-serving.svc";
const GATEKEEPER: &str = "gatekeeper-webhook-service.gatekeeper-system.svc";
const CERT_MANAGER: &str = "cert-manager-webhook.cert-manager.svc";

fn dropped() -> Group {
    let summary = "7 SYNs in 11.0 s and nothing came back: something between this host and 10.244.1.1 drops them, or \
                   the pod behind that address is gone.";
    let evidence = [(277, "SYN"), (759, "SYN again"), (3344, "SYN again, nothing came back")];
    let verdict = hinted(
        verdict("syn-drop", "syn-unanswered", summary, &evidence),
        &[
            "See whether the webhook's pod is ready and still has this address: `kubectl -n metallb-system get endpointslices -l kubernetes.io/service-name=webhook-service -o wide`",
            "Look for a NetworkPolicy that does not allow the apiserver: `kubectl -n metallb-system get networkpolicy`",
            "Capture on the pod's node as well: `tcpdump -nni any 'tcp port 10250 and tcp[tcpflags] & tcp-syn != 0'`. No SYN there: a firewall on the way (cloud firewall, security group) or the overlay drops it.",
        ],
    );
    let steps = timeline(&[
        (0.0, 277, "client", "SYN"),
        (1.004_878, 759, "client", "SYN again"),
        (2.028_871, 1194, "client", "SYN again"),
        (3.052_935, 1644, "client", "SYN again"),
        (4.076_9, 2001, "client", "SYN again"),
        (5.1, 2466, "client", "SYN again"),
        (7.148, 3344, "client", "!SYN again; nothing ever came back"),
    ]);
    let connection = connection(39, "10.0.0.10:54160", "10.244.1.1:10250", METALLB, verdict);
    group([53, 53], [1.0, 54.0], &[39, 71, 140, 141, 198, 230, 244, 260], connection, steps)
}

fn refused() -> Group {
    let verdict = hinted(
        verdict(
            "rst",
            "connection-refused",
            "The server answered the SYN with RST: nothing listens on 10.244.1.1:9999.",
            &[(869, "SYN"), (870, "RST in answer to the SYN")],
        ),
        &[
            "Compare the Service's `targetPort` with the port on which the webhook listens: `kubectl -n kyverno get service kyverno-svc -o jsonpath='{.spec.ports}'`",
            "See whether its pods are ready or restarting: `kubectl -n kyverno get pods -o wide`",
        ],
    );
    let steps = timeline(&[(0.0, 869, "client", "SYN"), (0.000_023, 870, "server", "!RST: refused")]);
    let connection = connection(87, "10.0.0.10:36064", "10.244.1.1:9999", KYVERNO, verdict);
    group([46, 46], [2.4, 57.1], &[87, 103, 160, 161, 222, 240], connection, steps)
}

fn bad_certificate() -> Group {
    let summary = "The apiserver rejected the server's certificate with a bad_certificate alert: the certificate is \
                   not signed by the CA in the webhook's caBundle.";
    let verdict = hinted(
        verdict(
            "tls-alert",
            "tls-bad-certificate",
            summary,
            &[(489, "certificate of istiod.istio-system.svc"), (491, "alert bad_certificate")],
        ),
        &[
            "Compare the caBundle with the issuer of the certificate: `kubectl get validatingwebhookconfiguration NAME -o jsonpath='{.webhooks[0].clientConfig.caBundle}' | base64 -d | openssl x509 -noout -subject -dates`",
            "Let the injector write the `caBundle` again, then restart the webhook's pods.",
        ],
    );
    let verdict = Verdict {
        cause: Some(Cause::UnknownCa),
        by: Some(By::Side(Side::Client)),
        phase: Phase::Tls,
        ..verdict
    };
    let steps = timeline(&[
        (0.0, 476, "client", "SYN"),
        (0.000_030, 477, "server", "SYN-ACK"),
        (0.004_841, 485, "client", "ClientHello for istiod.istio-system.svc, TLS 1.3 to 1.2"),
        (
            0.005_230,
            489,
            "server",
            "ServerHello TLS 1.2, Certificate of istiod.istio-system.svc issued by lab-ca-2, ServerHelloDone",
        ),
        (0.005_413, 491, "client", "!fatal alert bad_certificate"),
        (0.005_519, 492, "client", "FIN"),
    ]);
    let connection = connection(52, "10.0.0.10:44726", "10.244.1.1:9445", ISTIO, verdict);
    group([45, 45], [1.6, 56.0], &[52, 90, 131, 133], connection, steps)
}

fn deadline_group() -> Group {
    let summary = "No answer within the deadline of 10 s: the request was sent and acknowledged, the webhook stayed \
                   silent, and the apiserver gave up.";
    let verdict = hinted(
        verdict(
            "slow-response",
            "deadline-exceeded",
            summary,
            &[
                (173, "request, 1,147 bytes"),
                (174, "acknowledged"),
                (5041, "the client closes 10.000 s after its SYN"),
            ],
        ),
        &[
            "See what the webhook did at 15:27:36 UTC: `kubectl -n knative-serving logs deploy/webhook --since-time=2026-11-22T15:27:36Z`",
            "Look for throttled CPU: `kubectl -n knative-serving top pods`, and for calls of its own to the apiserver within the 10 s.",
            "Narrow its rules, or raise `timeoutSeconds` (30 at most).",
        ],
    );
    let steps = timeline(&[
        (0.0, 162, "client", "SYN"),
        (0.000_030, 163, "server", "SYN-ACK"),
        (0.000_516, 167, "client", "ClientHello for webhook.knative-serving.svc"),
        (0.002_272, 170, "server", "ServerHello TLS 1.3, encrypted certificate"),
        (0.002_915, 172, "client", "Finished"),
        (0.003_220, 173, "client", "request, 1,147 bytes"),
        (0.003_278, 174, "server", "request acknowledged"),
        (9.999_687, 5041, "client", "!gives up: close_notify at the deadline of 10 s"),
        (9.999_798, 5042, "server", "97 bytes, too late"),
        (9.999_841, 5045, "server", "FIN"),
    ]);
    let connection = connection(21, "10.0.0.10:35674", "10.244.1.1:9457", KNATIVE, verdict);
    group([21, 160], [0.7, 48.2], &[21, 60, 118], connection, steps)
}

fn rejected() -> Group {
    let summary = "The apiserver did not accept the server's certificate: after the server's flight it sent one \
                   alert-sized record and closed.";
    let verdict = Verdict {
        certainty: Certainty::Inferred,
        ..hinted(
            verdict("tls-alert", "tls-certificate-rejected", summary, &[(1010, "alert-sized record")]),
            &[
                "In TLS 1.3 the reason is encrypted; the apiserver's log has it: `journalctl -u kubelet | grep 'failed calling webhook'`",
            ],
        )
    };
    let connection = connection(77, "10.0.0.10:59530", "10.244.1.1:9444", KYVERNO, verdict);
    let steps = timeline(&[
        (0.0, 1001, "client", "SYN"),
        (0.000_036, 1002, "server", "SYN-ACK"),
        (0.000_609, 1005, "client", "ClientHello for kyverno-svc.kyverno.svc"),
        (0.001_872, 1008, "server", "ServerHello TLS 1.3, encrypted certificate"),
        (0.002_256, 1010, "client", "!alert-sized record (24 bytes) instead of Finished"),
        (0.002_346, 1011, "client", "FIN"),
    ]);
    group([38, 38], [3.0, 55.0], &[77], connection, steps)
}

fn slow() -> Group {
    let verdict = Verdict {
        severity: Severity::Warning,
        ..verdict(
            "slow-response",
            "slow",
            "Answered after 7.03 s, more than half of the deadline of 10 s.",
            &[(2201, "first byte of the response after 7.03 s")],
        )
    };
    let steps = timeline(&[
        (0.0, 1800, "client", "SYN"),
        (0.003, 1812, "client", "request, 1,147 bytes"),
        (7.03, 2201, "server", "!first byte of the response"),
    ]);
    let connection = connection(112, "10.0.0.10:53018", "10.244.1.1:9443", GATEKEEPER, verdict);
    group([2, 3], [4.0, 9.0], &[112, 260], connection, steps)
}

/// Eight webhooks, two of them well, beside the apiserver's own connections.
pub(crate) fn incident() -> Sample {
    let gatekeeper = endpoint("10.244.1.1:9443", Some(GATEKEEPER), [3, 237, 0], &[("ok", 1), ("slow", 2)]);
    let cert_manager = endpoint("10.244.1.1:8443", Some(CERT_MANAGER), [4, 171, 0], &[("ok", 4)]);
    let knative = [("deadline-exceeded", 21), ("ok", 139)];
    let endpoints = vec![
        endpoint("127.0.0.1:2379", None, [18, 0, 0], &[("capture-incomplete", 12), ("idle", 6)]),
        endpoint("127.0.0.1:6443", None, [291, 0, 0], &[("idle", 291)]),
        endpoint("10.244.1.1:10250", Some(METALLB), [53, 0, 53], &[("syn-unanswered", 53)]),
        endpoint("10.244.1.1:9999", Some(KYVERNO), [46, 0, 46], &[("connection-refused", 46)]),
        endpoint("10.244.1.1:9444", Some(KYVERNO), [38, 0, 38], &[("tls-certificate-rejected", 38)]),
        endpoint("10.244.1.1:9445", Some(ISTIO), [45, 0, 45], &[("tls-bad-certificate", 45)]),
        answered(
            endpoint("10.244.1.1:9457", Some(KNATIVE), [160, 160, 21], &knative),
            [0.049, 4.1, 4.3, 4.4],
        ),
        answered(gatekeeper, [0.049_1, 0.089, 0.128, 7.03]),
        answered(cert_manager, [0.045, 0.083, 0.091_4, 0.105]),
    ];
    let groups = vec![deadline_group(), refused(), bad_certificate(), rejected(), dropped(), slow()];
    let mut sample = sample(capture(23_412, 58.8122), endpoints, groups);
    sample.report.summary.failed_calls = 21;
    sample.report.capture.duplicates = 6_204;
    sample
}

/// One call that reached its deadline.
pub(crate) fn deadline() -> Sample {
    let mut group = deadline_group();
    (group.count, group.of, group.ids) = (1, 1, vec![0]);
    (group.first, group.last) = (at(0.0), at(0.0));
    let endpoints = vec![endpoint("10.244.1.1:9457", Some(KNATIVE), [1, 1, 1], &[("deadline-exceeded", 1)])];
    let mut sample = sample(capture(17, 10.0015), endpoints, vec![group]);
    sample.report.capture.truncated = true;
    let warning = "incident.pcap: breaks off in the middle of packet 18; it was read up to there";
    sample.report.capture.warnings = vec![warning.into()];
    sample.report.summary.failed_calls = 1;
    sample
}

/// A name that does not exist, asked for by a webhook with a URL.
pub(crate) fn lookup() -> Sample {
    let summary = "The name does not exist: the DNS server answered NXDOMAIN for nx.lab.example.";
    let lookup = Lookup {
        client: "10.0.0.10".into(),
        server: "10.244.1.1:53".into(),
        name: "nx.lab.example".into(),
        cluster: None,
        kind: "A".into(),
        attempts: 1,
        seconds: Some(0.002_434),
        verdict: hinted(
            verdict(
                "dns-failure",
                "dns-nxdomain",
                summary,
                &[(1, "query for A"), (3, "answer: no such name")],
            ),
            &["Use `service` instead of `url` in the webhook's `clientConfig`, or correct the name."],
        ),
    };
    let group = Group {
        server: "10.244.1.1:53".into(),
        server_name: None,
        cluster: None,
        count: 2,
        of: 2,
        first: at(0.0),
        last: at(0.0),
        ids: Vec::new(),
        example: Example::Lookup(Box::new(lookup.clone())),
    };
    let mut sample = sample(capture(4, 0.0028), Vec::new(), vec![group]);
    (sample.report.summary.lookups, sample.report.summary.failed_lookups) = (2, 2);
    sample.report.lookups = vec![lookup.clone(), Lookup { kind: "AAAA".into(), ..lookup }];
    sample
}

/// `number` servers that refuse.
pub(crate) fn scan(number: u64) -> Sample {
    let one = |index: u64| {
        let mut group = refused();
        (group.count, group.server) = (index + 1, format!("10.244.{}.{}:9999", index / 250, index % 250));
        group
    };
    let endpoints =
        vec![endpoint("10.244.1.1:9999", None, [number, 0, number], &[("connection-refused", number)])];
    sample(capture(2 * number, 3.0), endpoints, (0..number).map(one).collect())
}

/// `number` webhooks that are well.
pub(crate) fn healthy(number: u64) -> Sample {
    let one = |index: u64| {
        let (server, name) =
            (format!("10.244.1.{index}:9443"), format!("policy-{index:02}.team-{index}.svc"));
        let calls = 1_900 / (index + 1);
        let times = [0.001_2, 0.014, 0.06, 0.9].map(|seconds| seconds * (index + 1) as f64);
        answered(endpoint(&server, Some(&name), [2, calls, 0], &[("ok", 2)]), times)
    };
    sample(capture(1_048_576, 3_790.0), (0..number).map(one).collect(), Vec::new())
}

/// No TCP at all.
pub(crate) fn empty() -> Sample {
    sample(capture(12, 3.0), Vec::new(), Vec::new())
}

/// Only etcd.
pub(crate) fn no_calls() -> Sample {
    let endpoints = vec![endpoint("127.0.0.1:2379", None, [18, 0, 0], &[("idle", 18)])];
    sample(capture(3_330, 55.1), endpoints, Vec::new())
}

/// A few codes of the catalogue.
pub(crate) fn codes() -> Vec<Code> {
    let page = "# syn-unanswered\n\nSYNs left the host and nothing came back.\n\n## What the packets show\nOne or more \
                SYNs from the apiserver's host, and no SYN-ACK, no RST and no ICMP error in\nreply.\n\n## What \
                kube-apiserver says\n```text\ncontext deadline exceeded\nnet/http: request canceled while waiting for \
                connection (Client.Timeout exceeded while awaiting headers)\n```\n\n## What causes it\n- **A cloud \
                firewall or security group.** GKE private clusters and EKS node groups often let\n  the control plane \
                reach only 443 and 10250:\n\n  ```sh\n  kubectl -n NAMESPACE get endpointslices -o yaml\n  ```\n- **The \
                pod is gone.** `kubectl get pod -A -o wide | grep ADDRESS`.\n\n## What to do\n1. Allow the control \
                plane to the pod's port (the targetPort, not 443), or move the webhook to a port that is open.\n2. \
                Allow the apiserver in the NetworkPolicy.\n";
    let code = |class, code, severity, summary: &str| Code {
        code,
        class,
        severity,
        summary: summary.to_owned(),
        page,
    };
    vec![
        code("ok", "ok", "ok", "Every call on the connection was answered in time."),
        code("syn-drop", "syn-unanswered", "failure", "SYNs left the host and nothing came back."),
        code(
            "syn-drop",
            "syn-ack-ignored",
            "failure",
            "SYN-ACKs arrived and were repeated, the client never acknowledged one: a firewall on this host, rp_filter \
             or an asymmetric path.",
        ),
        code("syn-drop", "syn-retransmitted", "warning", "Connected, but only after a SYN was repeated."),
        code("tls-alert", "tls-no-application-protocol", "failure", "No common protocol in ALPN."),
    ]
}
