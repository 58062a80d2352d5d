//! Objects that cannot work as they are, tied to the packets that show it.

mod common;

use common::{object, only, recordings, report, webhook};
use hookscope::report::schema::{Finding, Report};
use serde_json::{Value, json};

fn objects(name: &str) -> Value {
    only(recordings(), |it| it == format!("{name}.lab.io"))
}

fn codes(report: &Report) -> Vec<&'static str> {
    report.cluster.as_ref().unwrap().findings.iter().map(|it| it.code).collect()
}

fn finding<'r>(report: &'r Report, code: &str) -> &'r Finding {
    let findings = &report.cluster.as_ref().unwrap().findings;
    findings.iter().find(|it| it.code == code).unwrap_or_else(|| panic!("no {code} in {findings:?}"))
}

#[test]
fn healthy_webhooks_have_no_finding() {
    for (capture, name) in
        [("ok/ok-tls12.pcap", "ok-tls12"), ("slow/slow-7s.pcap", "slow-7s"), ("ok/ok-deny.pcap", "ok-deny")]
    {
        assert_eq!(codes(&report(capture, &objects(name))), [""; 0], "{name}");
    }
}

#[test]
fn a_service_that_does_not_exist_or_lacks_the_port() {
    let mut objects = objects("deadline-5s");
    webhook(&mut objects, "deadline-5s.lab.io")["clientConfig"]["service"]["name"] = json!("nobody");
    let report_ = report("ok/ok-tls12.pcap", &objects);
    let found = finding(&report_, "service-missing");
    assert_eq!(
        (found.webhook.as_str(), found.connections, found.severity.name()),
        ("deadline-5s.lab.io", 0, "failure")
    );
    assert_eq!(found.service.as_deref(), Some("kyverno/nobody"));
    assert!(found.hints[0].contains("ValidatingWebhookConfiguration deadline-5s"));

    webhook(&mut objects, "deadline-5s.lab.io")["clientConfig"]["service"] =
        json!({"namespace": "kyverno", "name": "kyverno-svc", "port": 4444});
    let report_ = report("ok/ok-tls12.pcap", &objects);
    assert!(finding(&report_, "service-port-missing").summary.contains("no port 4444"));
}

#[test]
fn a_service_without_ready_endpoints_and_the_errors_that_show_it() {
    let mut objects = objects("no-endpoints-lo");
    let slice = object(&mut objects, "EndpointSlice", "webhook-service-abc12");
    slice["endpoints"][0]["conditions"]["ready"] = json!(false);
    let report_ = report("icmp-port-unreachable/no-endpoints-lo.pcap", &objects);
    let found = finding(&report_, "service-without-endpoints");
    assert_eq!((found.connections, found.ids.as_slice()), (1, &[0][..]));
    assert!(found.summary.contains("the pod behind it is not ready"), "{}", found.summary);

    object(&mut objects, "EndpointSlice", "webhook-service-abc12")["endpoints"] = Value::Null;
    let report_ = report("icmp-port-unreachable/no-endpoints-lo.pcap", &objects);
    assert!(
        finding(&report_, "service-without-endpoints")
            .summary
            .contains("has no ready endpoint for its port 443")
    );

    // A connection that was opened says that somebody was there.
    let report_ = report("ok/ok-tls13.pcap", &objects);
    assert_eq!(codes(&report_), [""; 0]);
}

#[test]
fn a_target_port_on_which_nothing_listens() {
    let mut objects = objects("refused-closed-port");
    let pod = object(&mut objects, "Pod", "webhook-service-7d9f");
    pod["spec"]["containers"][0]["ports"] = json!([{"name": "https", "containerPort": 9443}]);
    let report_ = report("connection-refused/refused-closed-port.pcap", &objects);
    let found = finding(&report_, "target-port-not-listening");
    assert!(found.connections >= 1);
    assert!(found.summary.starts_with("Nothing listens on port 9999"), "{}", found.summary);
    assert!(
        found.summary.contains("port 9999 of 10.244.1.1") && found.summary.contains("declare 9443 (https)"),
        "{}",
        found.summary
    );
}

#[test]
fn a_refusal_on_a_port_that_is_declared_may_be_a_firewalls() {
    let mut objects = objects("refused-firewall-rst");
    let capture = "connection-refused/refused-firewall-rst.pcap";
    let soft = "nothing listens there, or a firewall answers for it";
    assert!(finding(&report(capture, &objects), "target-port-not-listening").summary.contains(soft));
    object(&mut objects, "Pod", "kyverno-svc-7d9f")["spec"]["containers"][0]["ports"] =
        json!([{"containerPort": 9443}]);
    assert!(finding(&report(capture, &objects), "target-port-not-listening").summary.contains(soft));
}

#[test]
fn a_deadline_that_is_shorter_than_what_calls_take() {
    let mut objects = objects("slow-7s");
    webhook(&mut objects, "slow-7s.lab.io")["timeoutSeconds"] = 3.into();
    let report_ = report("slow/slow-7s.pcap", &objects);
    let found = finding(&report_, "deadline-below-latency");
    assert_eq!(found.severity, "warning");
    assert!(found.summary.contains("3 s") && found.summary.contains("7.0"), "{}", found.summary);
}

#[test]
fn a_failing_webhook_that_is_called_for_its_own_namespace() {
    let rules = |resources: &[&str]| json!([{"operations": ["*"], "apiGroups": ["", "apps"], "apiVersions": ["*"], "resources": resources, "scope": "*"}]);
    let with = |change: &dyn Fn(&mut Value)| {
        let mut objects = objects("deadline-5s");
        let webhook = webhook(&mut objects, "deadline-5s.lab.io");
        webhook["objectSelector"] = json!({});
        webhook["rules"] = rules(&["pods", "secrets"]);
        change(webhook);
        report("deadline-exceeded/deadline-5s.pcap", &objects)
    };
    let report_ = with(&|_| ());
    let summary = &finding(&report_, "fail-policy-own-namespace").summary;
    assert!(
        summary.contains("namespace kyverno (pods, secrets)") && summary.contains("cannot come back"),
        "{summary}"
    );
    let silent: [&dyn Fn(&mut Value); 5] = [
        &|it| it["failurePolicy"] = json!("Ignore"),
        &|it| it["namespaceSelector"] = json!({"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kyverno"]}]}),
        &|it| it["namespaceSelector"] = json!({"matchLabels": {"team": "a"}}),
        &|it| it["rules"] = rules(&["ingresses"]),
        &|it| it["rules"][0]["scope"] = json!("Cluster"),
    ];
    for (place, change) in silent.iter().enumerate() {
        assert_eq!(codes(&with(change)), [""; 0], "change {place}");
    }
    let labelled = with(&|it| it["objectSelector"] = json!({"matchLabels": {"lab": "x"}}));
    let summary = &finding(&labelled, "fail-policy-own-namespace").summary;
    assert!(summary.contains("objectSelector selects") && !summary.contains("cannot come back"), "{summary}");
    let conditional = with(&|it| it["matchConditions"] = json!([{"name": "a", "expression": "true"}]));
    assert!(
        finding(&conditional, "fail-policy-own-namespace").summary.contains("unless its matchConditions")
    );
}

#[test]
fn a_bundle_that_nobody_can_use() {
    let mut objects = objects("deadline-5s");
    for bundle in ["%%%", "bm8gcGVt"] {
        webhook(&mut objects, "deadline-5s.lab.io")["clientConfig"]["caBundle"] = json!(bundle);
        assert_eq!(codes(&report("ok/ok-tls12.pcap", &objects)), ["ca-bundle-unusable"], "{bundle}");
    }
    webhook(&mut objects, "deadline-5s.lab.io")["clientConfig"]["caBundle"] = json!("");
    assert_eq!(codes(&report("ok/ok-tls12.pcap", &objects)), [""; 0]);
}
