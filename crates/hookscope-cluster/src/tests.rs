use std::time::Duration;

use hookscope::cluster::{CaBundle, FailurePolicy, PortRef, Target, WebhookKind};

use super::*;

fn read(text: &str) -> Reading {
    let mut reader = Reader::default();
    reader.read("objects", text.as_bytes()).unwrap();
    reader.finish()
}

fn refused(text: &[u8]) -> Error {
    Reader::default().read("objects", text).unwrap_err()
}

const SERVICE_JSON: &str = r#"{"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "a", "name": "hook"},
  "spec": {"clusterIP": "10.96.0.20", "clusterIPs": ["10.96.0.20", "fd00::20"], "selector": null,
    "ports": [{"name": "https", "port": 443, "targetPort": "hook"}, {"port": 53, "protocol": "UDP"}]}}"#;

const WEBHOOKS_YAML: &str = "\
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata:
  name: conf
webhooks:
- name: one.example
  clientConfig:
    caBundle: |
      YWJj
      ZGVm
    service: {namespace: a, name: hook, path: /mutate}
  failurePolicy: Ignore
  timeoutSeconds: 0x5
  namespaceSelector:
    matchLabels: {team: \"7\"}
    matchExpressions:
    - {key: env, operator: NotIn, values: [dev]}
  rules:
  - {operations: [CREATE], apiGroups: [\"\"], resources: [pods], scope: '*'}
- name: two.example
  clientConfig:
    url: https://10.0.0.1:9443/x
    caBundle: '%%%'
";

#[test]
fn a_service_is_read_with_its_ports_by_name_and_number() {
    let service = read(SERVICE_JSON).objects.services.pop().unwrap();
    assert_eq!(service.name.to_string(), "a/hook");
    assert_eq!(service.cluster_ips.len(), 2);
    assert_eq!(service.ports[0].target, PortRef::Name("hook".to_owned()));
    assert!(!service.ports[1].is_tcp);
    // A port without a target leads to the same port.
    assert_eq!(service.ports[1].target, PortRef::Number(53));
}

#[test]
fn webhooks_are_read_with_their_defaults() {
    let reading = read(WEBHOOKS_YAML);
    assert_eq!(reading.problems, []);
    let [one, two] = reading.objects.webhooks.as_slice() else { panic!("{reading:?}") };
    assert_eq!((one.kind, one.configuration.as_str()), (WebhookKind::Mutating, "conf"));
    let Target::Service { service, port, path } = &one.target else { panic!() };
    assert_eq!((service.to_string().as_str(), *port, path.as_deref()), ("a/hook", 443, Some("/mutate")));
    assert_eq!(one.ca_bundle, CaBundle::Bytes(b"abcdef".to_vec()));
    assert_eq!((one.failure_policy, one.timeout), (FailurePolicy::Ignore, Some(Duration::from_secs(5))));
    assert!(one.rules[0].matches_create("", "pods"));
    let labels = |team: &str, env: &str| {
        [("team", team), ("env", env)].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    };
    assert!(one.namespace_selector.selects(&labels("7", "prod")));
    assert!(!one.namespace_selector.selects(&labels("7", "dev")));
    assert!(!one.namespace_selector.selects(&labels("8", "prod")));
    assert_eq!((two.failure_policy, two.timeout), (FailurePolicy::Fail, Some(Duration::from_secs(10))));
    assert_eq!(two.ca_bundle, CaBundle::NotBase64);
}

#[test]
fn lists_arrays_and_documents_give_the_same_objects() {
    let other = SERVICE_JSON.replace("hook\"}", "other\"}");
    let untyped = SERVICE_JSON.replace(r#""apiVersion": "v1", "kind": "Service", "#, "");
    let forms = [
        format!("{SERVICE_JSON}\n{other}"),
        format!(r#"{{"kind": "List", "items": [{SERVICE_JSON}, {other}]}}"#),
        format!(r#"[{SERVICE_JSON}, {other}]"#),
        format!(r#"{{"kind": "List", "items": [{{"kind": "List", "items": [{SERVICE_JSON}]}}, {other}]}}"#),
        format!(r#"{{"items": [{untyped}, {other}], "kind": "ServiceList", "apiVersion": "v1"}}"#),
        // JSON is YAML, too.
        format!("# yaml\n---\n{SERVICE_JSON}\n---\n{other}\n"),
        format!("# yaml\nkind: List\nitems:\n- {SERVICE_JSON}\n- {other}\n"),
        format!("# yaml\nitems:\n- {untyped}\n- {other}\nkind: ServiceList\n"),
        format!("- {SERVICE_JSON}\n- {other}\n"),
    ];
    for form in forms {
        let reading = read(&form);
        assert_eq!(reading.problems, [], "{form}");
        let mut names: Vec<_> = reading.objects.services.iter().map(|it| it.name.to_string()).collect();
        names.sort();
        assert_eq!(names, ["a/hook", "a/other"], "{form}");
    }
}

#[test]
fn of_one_name_the_last_object_counts() {
    let later = SERVICE_JSON.replace("10.96.0.20", "10.96.0.99");
    let reading = read(&format!("{SERVICE_JSON}{later}"));
    let [service] = reading.objects.services.as_slice() else { panic!("{reading:?}") };
    assert_eq!(service.cluster_ips[0].to_string(), "10.96.0.99");
}

#[test]
fn other_kinds_are_passed_over_also_those_of_the_same_name() {
    let reading = read(
        "kind: Secret\nmetadata: {name: s}\n---\nkind: Service\napiVersion: serving.knative.dev/v1\nmetadata: {name: k}\n\
         ---\nkind: ConfigMap\nitems: {a: b}\n",
    );
    assert_eq!((reading.objects.len(), reading.ignored), (0, 3));
    assert_eq!(reading.problems, []);
}

#[test]
fn a_broken_object_is_named_with_its_place_and_the_others_are_read() {
    let broken = SERVICE_JSON.replace("443", "70000").replace("\"hook\"}", "\"bad\"}");
    let reading = read(&format!("{{\"kind\": \"List\", \"items\": [\n{SERVICE_JSON},\n\n{broken}\n]}}"));
    assert_eq!(reading.objects.services.len(), 1);
    let problems: Vec<_> = reading.problems.iter().map(ToString::to_string).collect();
    let expected = "objects:6: Service a/bad (document 1) is left out: spec.ports[0].port: invalid value: integer \
                    `70000`, expected u16";
    assert_eq!(problems, [expected]);

    let yaml = WEBHOOKS_YAML.replace("    url: https://10.0.0.1:9443/x\n", "");
    let problems = read(&format!("{SERVICE_JSON_AS_YAML}---\n{yaml}")).problems;
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let expected = "objects:4: MutatingWebhookConfiguration conf (document 2) is left out: webhooks[1].clientConfig: \
                    it has neither a service nor a url";
    assert_eq!(problems, [expected]);
}

const SERVICE_JSON_AS_YAML: &str = "kind: Service\nmetadata: {name: x}\n";

#[test]
fn what_has_no_kind_is_named() {
    for text in ["{\"a\": 1}", "a: 1\n", "just words\n", "[1]", "- 1\n", "\"text\""] {
        assert_eq!(read(text).problems.len(), 1, "{text}");
    }
    assert_eq!(read("").problems, []);
    assert_eq!(read("---\n---\n# nothing\n").problems, []);
}

#[test]
fn endpoints_and_slices_say_who_is_ready() {
    let reading = read(
        "kind: EndpointSlice
metadata: {namespace: a, name: hook-x, labels: {kubernetes.io/service-name: hook}}
addressType: IPv4
ports: [{name: https, port: 9443, protocol: TCP}, {name: dns, port: 53, protocol: UDP}, {name: all}]
endpoints:
- {addresses: [10.0.0.1], conditions: {}, targetRef: {kind: Pod, name: p1}, nodeName: n1}
- {addresses: [10.0.0.2], conditions: {ready: false}}
- {addresses: [hook.example]}
---
kind: EndpointSlice
metadata: {name: of-nobody}
endpoints: null
---
kind: Endpoints
metadata: {namespace: a, name: old}
subsets:
- addresses: [{ip: 10.0.0.3}]
  notReadyAddresses: [{ip: 10.0.0.4, targetRef: {kind: Pod, namespace: a, name: p4}}]
  ports: [{port: 9443}]
- ports: null
",
    );
    assert_eq!(reading.problems, []);
    let ready: Vec<Vec<_>> = reading
        .objects
        .endpoints
        .iter()
        .map(|it| it.addresses.iter().map(|it| (it.ip.to_string(), it.ready)).collect())
        .collect();
    let named = |list: &[(&str, bool)]| list.iter().map(|(ip, ready)| ((*ip).to_owned(), *ready)).collect();
    let expected: [Vec<_>; 3] = [
        named(&[("10.0.0.1", true), ("10.0.0.2", false)]),
        named(&[("10.0.0.3", true), ("10.0.0.4", false)]),
        vec![],
    ];
    assert_eq!(ready, expected);
    let slice = &reading.objects.endpoints[0];
    assert_eq!(slice.ports, [("https".to_owned(), 9443)]);
    assert_eq!(slice.addresses[0].pod.as_ref().unwrap().to_string(), "a/p1");
}

#[test]
fn pods_nodes_and_namespaces_are_read() {
    let reading = read(
        "kind: Pod
metadata: {namespace: a, name: p, labels: {app: hook}}
spec: {nodeName: n1, hostNetwork: true, containers: [{ports: [{name: hook, containerPort: 9443}]}, {name: x}]}
status: {phase: Running, podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}], conditions: [{type: Ready, status: 'False'}]}
---
{kind: Pod, metadata: {name: over}, status: {phase: Succeeded, podIP: 10.0.0.9}}
---
{kind: Node, metadata: {name: n1}, status: {addresses: [{type: Hostname, address: n1}, {type: InternalIP, address: 192.168.1.21}]}}
---
{kind: Namespace, metadata: {name: a, labels: {env: dev}}}
",
    );
    assert_eq!(reading.problems, []);
    let objects = reading.objects;
    let pod = &objects.pods[0];
    assert_eq!((pod.ips.len(), pod.host_network, pod.ready), (2, true, Some(false)));
    assert_eq!(pod.ports_of(&PortRef::Name("hook".to_owned())), [9443]);
    assert!(objects.pods[1].ips.is_empty());
    assert_eq!(objects.nodes[0].ips[0].to_string(), "192.168.1.21");
    assert_eq!(objects.namespaces[0].labels["kubernetes.io/metadata.name"], "a");
}

#[test]
fn conversion_webhooks_and_api_services_count_where_somebody_is_called() {
    let reading = read(
        "---
{kind: CustomResourceDefinition, metadata: {name: c.example}, spec: {conversion: {strategy: Webhook, webhook: {clientConfig: {service: {namespace: a, name: hook, port: 9443}}}}}}
---
{kind: CustomResourceDefinition, metadata: {name: none.example}, spec: {conversion: {strategy: None}}}
---
{kind: APIService, metadata: {name: v1.m.example}, spec: {insecureSkipTLSVerify: true, service: {namespace: a, name: m}}}
---
{kind: APIService, metadata: {name: v1.apps}, spec: {service: null}}
",
    );
    assert_eq!(reading.problems, []);
    let kinds: Vec<_> =
        reading.objects.webhooks.iter().map(|it| (it.kind, it.name.as_str(), it.timeout)).collect();
    assert_eq!(
        kinds,
        [(WebhookKind::Conversion, "c.example", None), (WebhookKind::ApiService, "v1.m.example", None)]
    );
    assert_eq!(reading.objects.webhooks[1].ca_bundle, CaBundle::Unverified);
}

#[test]
fn broken_text_is_refused_with_its_place() {
    let place = |text: &[u8]| refused(text).to_string();
    assert_eq!(place(b"{\"kind\": \"Service\",\n  \"a\": }"), "objects:2:8: not JSON: expected value");
    assert!(place(b"a: b\nc: [d\n").starts_with("objects:"), "{}", place(b"a: b\nc: [d\n"));
    assert!(place(b"a: b\n---\nc: *nobody\n").contains(":3:"), "{}", place(b"a: b\n---\nc: *nobody\n"));
    assert_eq!(
        place(b"kind: Service\n\xff\xfe"),
        "objects:2: not UTF-8 text (at byte 14); expected JSON or YAML as kubectl prints it"
    );
    assert!(place(b"\xff\xfek\0i\0").contains("not UTF-8"));
}

#[test]
fn deep_nesting_is_refused_or_skipped() {
    const DEEP: usize = 300_000;
    let nested = |open: &str, close: &str| format!("{}{}", open.repeat(DEEP), close.repeat(DEEP));
    // JSON: what is not asked for is passed over, however deep.
    let service = SERVICE_JSON.replacen('{', &format!("{{\"deep\": {}, ", nested("[", "]")), 1);
    assert_eq!(read(&service).objects.services.len(), 1);
    let asked = SERVICE_JSON.replace("\"hook\"}", &format!("{}}}", nested("[", "]")));
    assert_eq!(read(&asked).problems.len(), 1);
    assert!(matches!(refused(nested("{\"a\":", "").as_bytes()), Error::Json { .. }));
    for yaml in
        [nested("x: [", ""), format!("a: {}", nested("{b: ", "}")), "- ".repeat(DEEP), "? ".repeat(DEEP)]
    {
        let error = refused(yaml.as_bytes());
        assert!(matches!(error, Error::Yaml { line: 1, document: 1, .. }), "{error}");
    }
}

#[test]
fn aliases_are_understood_within_a_bound() {
    let reading = read(
        "base: &base {namespace: a, name: hook}\nkind: Service\nmetadata: *base\n---\nkind: Service\nmetadata:\n  <<: {namespace: b}\n  name: hook\n",
    );
    let names: Vec<_> = reading.objects.services.iter().map(|it| it.name.to_string()).collect();
    assert_eq!(names, ["a/hook", "b/hook"]);

    let mut bomb = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..20 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    let error = refused(bomb.as_bytes()).to_string();
    assert!(error.contains("aliases add more than"), "{error}");
    assert!(error.starts_with("objects:"), "{error}");

    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 1000].join(", "));
    assert!(refused(long.as_bytes()).to_string().contains("objects:2:"));
}

#[test]
fn long_lines_and_many_problems_are_taken_in_stride() {
    let long = format!("kind: Service\nmetadata: {{name: x, annotations: {{a: {}}}}}\n", "x".repeat(4 << 20));
    assert_eq!(read(&long).objects.services.len(), 1);
    let many = "{\"kind\": \"Service\", \"metadata\": 7}\n".repeat(1000);
    let reading = read(&many);
    assert_eq!((reading.problems.len(), reading.more_problems), (100, 900));
}

#[test]
fn an_object_that_no_cluster_stores_is_refused() {
    let within = |text: &str| {
        let mut collection = Collection::default();
        yaml::read("objects", text, 1 << 20, &mut collection).map(|()| collection.finish().ignored)
    };
    let lists = "[1,1,1,1,1,1,1,1]\n- ".repeat(2_000);
    let error = within(&format!("kind: Service\nmetadata:\n- {lists}x\n")).unwrap_err().to_string();
    assert!(error.contains("takes more than 1 MiB"), "{error}");
    // Of a list, each item counts by itself; without a kind, all of them wait.
    let object = format!("- {{kind: Secret, data: {}}}\n", "x".repeat(1 << 19));
    assert_eq!(within(&format!("kind: List\nitems:\n{}", object.repeat(9))), Ok(9));
    let nameless = object.replace("kind: Secret, ", "");
    assert!(within(&format!("kind: List\nitems:\n{}", nameless.repeat(9))).is_err());
}
