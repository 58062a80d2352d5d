//! The pages of `hookscope explain`: every code has one, and they fit a terminal.

use std::io::Write;
use std::process::Stdio;

use crate::support::{hookscope, run, said};

/// The codes as the list shows them: a sign, the code, what it means.
fn codes() -> Vec<String> {
    let list = said(hookscope(&["explain"]).env("COLUMNS", "80"));
    assert_eq!((list.status, list.err.as_str()), (Some(0), ""));
    let code = |line: &str| {
        let line = line.strip_prefix("  ")?;
        let entry = line
            .strip_prefix("✗ ")
            .or_else(|| line.strip_prefix("! "))
            .or_else(|| line.strip_prefix("✓ "))?;
        entry.split_whitespace().next().map(str::to_owned)
    };
    list.out.lines().filter_map(code).collect()
}

#[test]
fn every_code_has_a_page_that_fits() {
    let codes = codes();
    assert!(codes.len() > 40, "{codes:?}");
    for code in codes {
        let page = said(hookscope(&["explain", &code]).env("COLUMNS", "80"));
        assert_eq!((page.status, page.err.as_str()), (Some(0), ""), "{code}");
        assert_eq!(page.out.lines().next(), Some(code.as_str()));
        assert!(page.out.lines().count() > 10, "{code}:\n{}", page.out);
        for line in page.out.lines() {
            // Code stands further in than text, and is never broken.
            let copied = line.starts_with("    ") || line.contains('`');
            assert!(copied || line.chars().count() <= 80, "{code}: {line}");
        }
    }
}

#[test]
fn the_list_fits() {
    let list = said(hookscope(&["explain"]).env("COLUMNS", "80")).out;
    for line in list.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn an_alert_without_a_page_of_its_own_has_that_of_all_alerts() {
    let page = run(&["explain", "tls-record-overflow"]);
    assert_eq!(page.status, Some(0));
    assert!(page.out.starts_with("tls-alert\n"), "{}", page.out);
    assert_eq!(run(&["explain", "tls-nonsense"]).status, Some(2));
}

const LINE: &str = "Error from server (InternalError): Internal error occurred: failed calling webhook \"x.io\": failed to call webhook: Post \"https://a.b.svc:443/c?timeout=10s\": context deadline exceeded";

#[test]
fn a_message_is_met_with_the_codes_that_give_it() {
    let page = said(hookscope(&["explain", "--error", LINE]).env("COLUMNS", "80"));
    assert_eq!((page.status, page.err.as_str()), (Some(0), ""));
    assert!(page.out.starts_with("context deadline exceeded\n  webhook  x.io\n"), "{}", page.out);
    for code in ["1. deadline-exceeded", "2. syn-unanswered", "3. tls-no-server-hello"] {
        assert!(page.out.contains(&format!("\n  {code}\n")), "{}", page.out);
    }
    assert!(page.out.contains("tcpdump -i any"), "{}", page.out);
    for line in page.out.lines() {
        assert!(line.chars().count() <= 80 || line.contains("tcpdump"), "{line}");
    }
}

#[test]
fn a_message_may_be_piped_in_and_may_look_like_an_option() {
    let mut child = hookscope(&["explain", "--error", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{LINE}").unwrap();
    let page = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert!(page.contains("1. deadline-exceeded"), "{page}");
    assert_eq!(run(&["explain", "--error", "-x EOF"]).status, Some(0));
    assert_eq!(run(&["explain", "--error", "EOF", "ok"]).status, Some(2));
}

#[test]
fn a_rejected_serving_certificate_leads_nobody_to_the_client_s() {
    let page = said(
        hookscope(&["explain", "--error", "x509: certificate signed by unknown authority"])
            .env("COLUMNS", "80"),
    );
    assert_eq!((page.status, page.err.as_str()), (Some(0), ""));
    let (before, other) = page.out.split_once("  3. tls-unknown-ca\n").expect(&page.out);
    assert!(other.trim_start().starts_with("Only if the client is not kube-apiserver"), "{}", page.out);
    assert!(other.contains("or, of such a client: tls-certificate-unknown"), "{}", page.out);
    assert!(!page.out.contains("looks the same from here"), "{}", page.out);
    assert!(before.contains("1. tls-certificate-rejected") && before.contains("2. tls-bad-certificate"));
}

#[test]
fn an_empty_message_is_refused() {
    for message in ["", " \n"] {
        let said = run(&["explain", "--error", message]);
        assert_eq!((said.status, said.out.as_str()), (Some(2), ""), "{message:?}");
        assert!(said.err.starts_with("hookscope: the message to explain is empty"), "{}", said.err);
    }
}

#[test]
fn a_class_is_met_with_its_codes() {
    let class = run(&["explain", "slow-response"]);
    assert_eq!((class.status, class.err.as_str()), (Some(0), ""));
    assert!(class.out.starts_with("slow-response\n"), "{}", class.out);
    assert!(class.out.contains("\n  ✗ deadline-exceeded "), "{}", class.out);
    assert!(!class.out.contains("syn-unanswered"), "{}", class.out);
}

#[test]
fn an_unknown_message_is_said_to_be_unknown() {
    let page = run(&["explain", "--error", "all is well\u{1b}[31m"]);
    assert_eq!((page.status, page.err.as_str()), (Some(0), ""));
    assert!(page.out.contains("! hookscope does not know this message."), "{}", page.out);
    assert!(!page.out.contains('\u{1b}'), "{}", page.out);
}
