//! Inputs that are no captures, or not whole: one line that says what and what to do, or a report with a warning.
//!
//! A file without read permission is not tried: the tests may run as root, who may read everything.

use crate::support::{DEADLINE, OK, SYN_DROP, Scratch, fixture, hookscope, run, said};

/// Nothing on standard output, one line on standard error that begins with the path and contains `parts`.
fn refused(args: &[&str], path: &str, parts: &[&str]) {
    let said = run(args);
    assert_eq!((said.status, said.out.as_str()), (Some(2), ""), "{args:?}");
    assert_eq!(said.err.lines().count(), 1, "{}", said.err);
    assert!(said.err.starts_with(&format!("hookscope: {path}")), "{}", said.err);
    for part in parts {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
}

#[test]
fn a_missing_file_and_a_directory_are_refused() {
    refused(&["nowhere.pcap"], "nowhere.pcap: ", &["no such file", "check the name"]);
    let directory = fixture("ok");
    refused(&[&directory], &directory, &["is a directory", "*.pcap"]);
}

#[test]
fn what_is_no_capture_is_refused() {
    let empty = Scratch::new("empty.pcap", b"");
    refused(&[empty.path()], empty.path(), &["is empty", "tcpdump with -U"]);

    let text = Scratch::new("text.pcap", b"12:00:01 IP 10.0.0.1 > 10.0.0.2\n");
    refused(&[text.path()], text.path(), &["not a packet capture", "pcap and pcapng are read"]);

    let mut header = std::fs::read(fixture(OK)).unwrap();
    header.truncate(24);
    header[20] = 147;
    let link = Scratch::new("link.pcap", &header);
    refused(&[link.path()], link.path(), &["link type 147", "not supported", "capture on an Ethernet"]);

    let section = [0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a];
    let section = Scratch::new("section.pcapng", &section);
    refused(&[section.path()], section.path(), &["section header", "again"]);
}

#[test]
fn one_unreadable_file_among_several_is_refused() {
    refused(&[&fixture(OK), "nowhere.pcap"], "nowhere.pcap: ", &["no such file"]);
}

#[test]
fn a_path_cannot_steer_the_terminal() {
    refused(&["no\u{1b}[2J.pcap"], "no\\u{1b}[2J.pcap: ", &["no such file"]);
}

#[test]
fn a_capture_that_breaks_off_is_reported_up_to_there() {
    let mut packets = std::fs::read(fixture(DEADLINE)).unwrap();
    packets.truncate(packets.len() - 20);
    let cut = Scratch::new("cut.pcap", &packets);

    let text = run(&[cut.path()]);
    assert_eq!((text.status, text.err.as_str()), (Some(1), ""));
    assert!(text.out.contains("! ") && text.out.contains("breaks off after packet 16"), "{}", text.out);

    let json = run(&["--format", "json", cut.path()]);
    assert_eq!(json.status, Some(1));
    assert!(json.err.contains("breaks off") && json.err.lines().count() == 1, "{}", json.err);
    let report: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(report["capture"]["truncated"], true);
    for args in [&["-q"][..], &["-q", "--format", "json"]] {
        let quiet = run(&[args, &[cut.path()]].concat());
        assert!(quiet.err.contains("breaks off") && quiet.err.lines().count() == 1, "{}", quiet.err);
    }
}

#[test]
fn standard_input_is_a_file_like_any_other() {
    let open = || std::fs::File::open(fixture(SYN_DROP)).unwrap();
    let piped = said(hookscope(&["-"]).stdin(open()));
    assert_eq!(piped.status, Some(1));
    assert!(piped.out.starts_with("standard input  "), "{}", piped.out);
    let named = run(&[&fixture(SYN_DROP)]);
    assert_eq!(piped.out.replace("standard input", "syn-drop.pcap"), named.out);

    let nothing = said(&mut hookscope(&["-"]));
    assert_eq!((nothing.status, nothing.out.as_str()), (Some(2), ""));
    assert_eq!(nothing.err.lines().count(), 1, "{}", nothing.err);
}
