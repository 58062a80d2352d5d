//! Usage, good and bad: what is said where, and with which exit status.

use std::fs::File;
use std::process::Stdio;

use crate::support::{Said, hookscope, run};

#[test]
fn bad_usage_ends_with_2_and_says_so_on_standard_error() {
    for args in [
        &[][..],
        &["--frobnicate", "a.pcap"],
        &["--deadline", "10", "a.pcap"],
        &["--format", "xml", "a.pcap"],
        &["-q", "-v", "a.pcap"],
        &["explain", "ok", "idle"],
        &["extract", "a.pcap"],
        &["extract", "-w", "out.pcapng"],
        &["live", "--rotate", "100MB"],
        &["live", "--write", "e.pcapng", "--rotate", "10"],
        &["live", "--write", "e.pcapng", "--keep", "3"],
        &["live", "--metrics", "9478x"],
        &["live", "--count", "0"],
    ] {
        let Said { status, out: stdout, err: stderr } = run(args);
        assert_eq!((status, stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(!stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn a_mistyped_option_is_met_with_the_right_one() {
    let Said { err: stderr, .. } = run(&["--dedline", "5s", "a.pcap"]);
    assert!(stderr.contains("'--deadline'"), "{stderr}");
}

#[test]
fn a_mistyped_subcommand_is_met_with_the_right_one() {
    let Said { status, out: stdout, err: stderr } = run(&["explian", "ok"]);
    assert_eq!((status, stdout.as_str()), (Some(2), ""));
    assert_eq!(
        stderr,
        "hookscope: explian: no such file; did you mean the subcommand, as in 'hookscope explain …'?\n"
    );
}

#[test]
fn an_unknown_code_is_one_line_and_2() {
    let Said { status, out: stdout, err: stderr } = run(&["explain", "no\u{1b}[2Jnsense"]);
    assert_eq!((status, stdout.as_str()), (Some(2), ""));
    assert_eq!(
        stderr,
        "hookscope: there is no code 'no\\u{1b}[2Jnsense'; 'hookscope explain' lists all codes\n"
    );
}

#[cfg(not(feature = "live"))]
#[test]
fn without_capturing_built_in_it_says_how_to_do_without() {
    let Said { status, out, err } = run(&["live", "-i", "eth0", "tcp port 443"]);
    assert_eq!((status, out.as_str()), (Some(2), ""));
    assert!(err.contains("--features live"), "{err}");
    assert!(err.ends_with("tcpdump -i eth0 -U -w - 'tcp port 443' | hookscope -\n"), "{err}");
}

#[test]
fn help_and_version_are_no_failure() {
    for args in [&["--help"][..], &["-h"], &["analyze", "--help"], &["explain", "-h"], &["--version"]] {
        let Said { status, out: stdout, err: stderr } = run(args);
        assert_eq!((status, stderr.as_str()), (Some(0), ""), "{args:?}");
        assert!(stdout.contains("hookscope") && !stdout.contains('\u{1b}'), "{args:?}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    for args in [&["explain"][..], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = hookscope(args).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = hookscope(&["explain"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("hookscope: standard output: "));
}
