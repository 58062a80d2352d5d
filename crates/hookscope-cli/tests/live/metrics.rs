//! What is counted is served as OpenMetrics.

use std::io::Write;
use std::process::{Command, Stdio};

use hookscope_testkit::{Capture, Conversation, tls};

use crate::network::{Network, fixture};

const AT: &str = "127.0.0.1:9478";

fn get(network: &Network, path: &str) -> String {
    network.run(&["curl", "-sS", "--fail", "--max-time", "5", &format!("http://{AT}{path}")])
}

/// What a public parser says of a page of metrics; nothing where there is none.
fn parsed(page: &str) -> Option<String> {
    const PARSE: &str = "import sys\n\
        from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse\n\
        print(sum(len(family.samples) for family in parse(sys.stdin.read())))";
    let child = Command::new("python3")
        .args(["-c", PARSE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("no python3 here: the page is not parsed");
        return None;
    };
    // It does not read where the module is missing.
    let _ = child.stdin.take().unwrap().write_all(page.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.contains("No module named") {
        eprintln!("no prometheus_client here (pip install prometheus-client): the page is not parsed");
        return None;
    }
    assert!(output.status.success(), "{said}\n{page}");
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

fn value(page: &str, name: &str) -> f64 {
    let line = page.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
    line.unwrap_or_else(|| panic!("{name} is not in\n{page}")).rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn calls_are_counted_and_a_public_parser_reads_them() {
    let Some(network) = Network::new() else { return };
    let live = network.live(&["--metrics", AT]);
    assert_eq!(get(&network, "/healthz"), "ok\n");
    network.replay(&fixture("ok/ok-tls13.pcap"));
    network.replay(&fixture("deadline-exceeded/deadline-10s.pcap"));
    live.wait_for("deadline-exceeded");
    std::thread::sleep(std::time::Duration::from_millis(200));
    let page = get(&network, "/metrics");
    let name = "server_name=\"webhook-service.metallb-system.svc\"";
    let failed = format!("hookscope_calls_total{{{name},code=\"deadline-exceeded\",severity=\"failure\"}}");
    assert_eq!(value(&page, &failed), 1.0);
    assert!(value(&page, &format!("hookscope_call_duration_seconds_count{{{name}}}")) >= 3.0, "{page}");
    assert_eq!(value(&page, "hookscope_packets_total"), 40.0);
    assert_eq!(value(&page, "hookscope_dropped_packets_total{by=\"kernel\"}"), 0.0);
    if let Some(samples) = parsed(&page) {
        assert!(samples.parse::<u32>().unwrap() > 20, "{samples}");
    }
    assert!(
        network
            .command("curl")
            .args(["-sSf", &format!("http://{AT}/else")])
            .status()
            .is_ok_and(|it| !it.success())
    );
    live.stop();
}

#[test]
fn ten_thousand_names_do_not_make_as_many_labels() {
    let Some(network) = Network::new() else { return };
    let captures: Vec<Capture> = (0..10_000_u32)
        .map(|number| {
            let client = format!("10.{}.{}.10:40000", number / 200, number % 200);
            Conversation::new(&client, "10.244.1.1:9443")
                .at_ms(i64::from(number))
                .handshake()
                .tls13_handshake(&format!("hook-{number}.default.svc"))
                .client(&tls::application_data(900))
                .server(&tls::application_data(300))
                .client(&tls::application_data(900))
                .server(&tls::application_data(300))
                .client(&tls::close_notify13())
                .client_fin()
                .capture()
        })
        .collect();
    let path = network.path("names.pcap");
    std::fs::write(&path, Capture::merge(&captures).to_pcap()).unwrap();
    let live = network.live(&["--metrics", AT]);
    network.replay_at_full_speed(path.as_ref());
    std::thread::sleep(std::time::Duration::from_secs(3));
    let page = get(&network, "/metrics");
    let names: std::collections::BTreeSet<&str> = page
        .lines()
        .filter(|line| line.starts_with("hookscope_calls_total"))
        .map(|line| line.split('"').nth(1).unwrap())
        .collect();
    assert!(names.len() <= 501 && names.contains("other"), "{} names", names.len());
    assert!(value(&page, "hookscope_bounds_hit_total{bound=\"names\"}") > 1000.0);
    parsed(&page);
    assert_eq!(live.stop().status, Some(0));
}
