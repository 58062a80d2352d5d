//! Captures that hold lookups, or an ICMP error, and hardly anything else: they are told like any other.

use crate::support::{Said, fixture, hookscope, run, said};
use serde_json::Value;

const LOOKUPS: [(&str, &str); 4] = [
    ("dns-nxdomain/dns-nxdomain.pcap", "dns-nxdomain"),
    ("dns-servfail/dns-servfail.pcap", "dns-servfail"),
    ("dns-refused/story-dns-refused.pcap", "dns-refused"),
    ("dns-timeout/dns-timeout.pcap", "dns-timeout"),
];
const UNREACHABLE: [(&str, &str); 3] = [
    ("icmp-port-unreachable/no-endpoints-lo.pcap", "icmp-port-unreachable"),
    ("icmp-admin-prohibited/icmp-admin-prohibited.pcap", "icmp-admin-prohibited"),
    ("icmp-admin-prohibited/ipv6-admin-prohibited.pcap", "icmp-admin-prohibited"),
];

fn at(columns: usize, capture: &str) -> Said {
    said(hookscope(&[&fixture(capture)]).env("COLUMNS", columns.to_string()))
}

#[test]
fn a_failed_lookup_is_a_failure_in_every_form() {
    for (capture, code) in LOOKUPS {
        for args in [&[][..], &["-q"], &["--format", "json"], &["--format", "ndjson"]] {
            let said = run(&[args, &[&fixture(capture)]].concat());
            assert_eq!((said.status, said.err.as_str()), (Some(1), ""), "{capture} {args:?}");
            assert!(said.out.contains(code), "{capture} {args:?}: {}", said.out);
        }
        let said = run(&["--format", "json", &fixture(capture)]);
        let report: Value = serde_json::from_str(&said.out).unwrap();
        let failed = report["lookups"].as_array().unwrap().iter();
        let failed = failed.filter(|lookup| lookup["verdict"]["severity"] == "failure").count();
        assert_eq!(report["summary"]["failed_lookups"], failed, "{capture}");
        assert!(report["summary"]["lookups"].as_u64() >= report["summary"]["failed_lookups"].as_u64());
    }
}

#[test]
fn the_first_line_counts_lookups_and_nothing_says_that_nothing_was_seen() {
    for (capture, code) in LOOKUPS {
        for columns in [80, 100] {
            let text = at(columns, capture).out;
            let head = text.lines().take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
            assert!(head.contains(" lookup") && head.contains(" failed"), "{head}");
            assert!(!text.contains("No TCP connection") && !head.contains(" 0 connections"), "{text}");
            assert!(text.contains(code) && text.contains("What to do next"), "{text}");
        }
    }
    let text = at(100, LOOKUPS[0].0).out;
    assert!(text.starts_with("dns-nxdomain.pcap  4 packets in 2.81 ms · 2 lookups, 2 failed\n"), "{text}");
    assert!(text.contains("nx.lab.example does not exist: the name server answered"), "{text}");
}

#[test]
fn an_icmp_error_is_the_step_at_which_things_went_wrong_and_comes_from_the_network() {
    for (capture, code) in UNREACHABLE {
        for columns in [80, 100] {
            let said = at(columns, capture);
            assert_eq!(said.status, Some(1));
            let decisive = said.out.lines().find(|line| line.starts_with("  ▶ ")).unwrap();
            assert!(decisive.contains(" ← ICMP ") && decisive.contains(" from "), "{decisive}");
            assert!(said.out.contains(code), "{}", said.out);
        }
    }
}

#[test]
fn lookups_that_were_answered_are_counted_and_no_failure() {
    let mixed = at(100, "ok/ok-tls13.pcap").out;
    assert!(!mixed.contains("lookup"), "{mixed}");
    let json = run(&["--format", "json", "--name", "*.example.org", &fixture(LOOKUPS[0].0)]);
    let report: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((json.status, &report["summary"]["lookups"]), (Some(0), &0.into()));
}
