//! Usage, good and bad: what is said where, and with which exit status.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{DEADLINE, OK, Said, fixture, hookscope, run, said};

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
fn an_option_of_another_command_is_met_with_that_command() {
    for (args, command) in [
        (&["-w", "x", "f.pcap"][..], "hookscope extract FILE -w OUT"),
        (&["-i", "any"], "hookscope live -i IFACE"),
        (&["--error", "EOF"], "hookscope explain --error MESSAGE"),
    ] {
        let said = run(args);
        assert_eq!((said.status, said.out.as_str()), (Some(2), ""), "{args:?}");
        assert!(said.err.contains(&format!("tip: '{command}'")), "{}", said.err);
        assert!(!said.err.contains("similar") && !said.err.contains("'-- "), "{}", said.err);
    }
    let other = run(&["explain", "-w", "x"]);
    assert!(!other.err.contains("extract"), "{}", other.err);
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

#[test]
fn help_says_whether_capturing_is_built_in() {
    let help = run(&["-h"]).out;
    let live = help.lines().find(|line| line.trim_start().starts_with("live ")).expect(&help);
    assert_eq!(live.contains("(not in this build)"), cfg!(not(feature = "live")), "{live}");
}

#[cfg(not(feature = "live"))]
#[test]
fn without_capturing_built_in_it_says_how_to_do_without() {
    let Said { status, out, err } = run(&["live", "-i", "eth0", "tcp port 443"]);
    assert_eq!((status, out.as_str()), (Some(2), ""));
    assert!(err.contains("--features live"), "{err}");
    assert!(err.ends_with("tcpdump -i eth0 -s 0 -U -w - 'tcp port 443' | hookscope -\n"), "{err}");
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
fn help_is_a_command_as_well() {
    for (args, option) in [
        (&["help"][..], &["--help"][..]),
        (&["help", "live"], &["live", "--help"]),
        (&["help", "extract"], &["extract", "--help"]),
    ] {
        let (by_command, by_option) = (run(args), run(option));
        assert_eq!((by_command.status, by_command.err.as_str()), (Some(0), ""), "{args:?}");
        assert_eq!(by_command.out, by_option.out, "{args:?}");
    }
    let unknown = run(&["help", "nonsense"]);
    assert_eq!((unknown.status, unknown.out.as_str()), (Some(2), ""));
    assert!(unknown.err.contains("there is no command 'nonsense'; there are analyze"), "{}", unknown.err);
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

#[test]
fn every_way_to_print_ends_quietly_when_its_reader_has_gone() {
    let capture = fixture(DEADLINE);
    for (args, status) in [
        (&["completions", "bash"][..], 0),
        (&["man"], 0),
        (&["help", "live"], 0),
        (&["man", "live"], 0),
        (&["explain", "ok"], 0),
        (&["explain", "--error", "EOF"], 0),
        (&["-q", &capture], 1),
        (&["--all", "-v", &capture], 1),
        (&["--format", "json", &capture], 1),
        (&["--format", "ndjson", "--all", &capture], 1),
        (&["extract", &capture, "-w", "-"], 1),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = hookscope(args).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{args:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.is_empty() || args[0] == "extract" && said.contains("packets written"),
            "{args:?}: {said}"
        );
    }
}

#[test]
fn a_capture_may_be_given_as_to_tcpdump() {
    let capture = fixture(DEADLINE);
    let usual = run(&["-q", &capture]);
    for args in [&["-q", "-r", &capture][..], &["-qnr", &capture], &["analyze", "-nn", "-q", "-r", &capture]]
    {
        let said = run(args);
        assert_eq!(
            (said.status, said.out, said.err),
            (Some(1), usual.out.clone(), String::new()),
            "{args:?}"
        );
    }
}

#[test]
fn the_environment_stands_for_options_that_are_not_given() {
    let verdicts = |args: &[&str], vars: &[(&str, &str)]| {
        let capture = fixture(OK);
        let mut command = hookscope(&[args, &["--format", "json", &capture]].concat());
        let said = said(command.envs(vars.iter().copied()));
        let report: serde_json::Value = serde_json::from_str(&said.out).expect(&said.err);
        report["summary"]["verdicts"].clone()
    };
    let (healthy, slow) = (serde_json::json!({"ok": 1}), serde_json::json!({"slow-tls-handshake": 1}));
    assert_eq!(verdicts(&[], &[]), healthy);
    assert_eq!(verdicts(&[], &[("HOOKSCOPE_SLOW", "1ms")]), slow);
    assert_eq!(verdicts(&["--slow", "5s"], &[("HOOKSCOPE_SLOW", "1ms")]), healthy);
    assert_eq!(verdicts(&[], &[("HOOKSCOPE_SLOW", "")]), healthy, "empty is not set");
    assert_eq!(verdicts(&[], &[("HOOKSCOPE_THREADS", "1"), ("HOOKSCOPE_COLOR", "always")]), healthy);

    let said = |args: &[&str]| said(hookscope(args).env("HOOKSCOPE_DEADLINE", "soon"));
    let wrong = said(&[&fixture(OK)]);
    assert_eq!(wrong.status, Some(2));
    assert!(
        wrong.err.contains("invalid value 'soon'") && wrong.err.contains("HOOKSCOPE_DEADLINE"),
        "{}",
        wrong.err
    );
    let typed = said(&["--deadline", "soon", "a.pcap"]);
    assert!(!typed.err.contains("HOOKSCOPE_DEADLINE"), "{}", typed.err);
    let nothing = said(&[]);
    assert!(nothing.status == Some(2) && nothing.err.contains("Examples:"), "{}", nothing.err);
}

#[cfg(unix)]
#[test]
fn bad_usage_beside_a_file_name_that_is_not_utf_8_is_said_as_ever() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let name = OsStr::from_bytes(b"caf\xe9.pcap");
    let typed = said(hookscope(&["--deadline", "soon"]).arg(name));
    assert_eq!((typed.status, typed.out.as_str()), (Some(2), ""), "{}", typed.err);
    assert!(typed.err.contains("invalid value 'soon'"), "{}", typed.err);
    let set = said(hookscope(&[]).arg(name).env("HOOKSCOPE_DEADLINE", "soon"));
    assert!(set.status == Some(2) && set.err.contains("HOOKSCOPE_DEADLINE"), "{}", set.err);
}

#[test]
fn a_code_where_none_is_due_or_mistyped_is_met_with_the_right_words() {
    let said = run(&["deadline-exceeded"]);
    let words =
        "hookscope: deadline-exceeded: no such file; did you mean 'hookscope explain deadline-exceeded'?\n";
    assert_eq!((said.status, said.err.as_str()), (Some(2), words));
    let said = run(&["extract", &fixture(OK), "-w", "no.pcapng", "--code", "deadline-exeeded"]);
    let words = "hookscope: there is no code 'deadline-exeeded'; did you mean deadline-exceeded?\n";
    assert_eq!((said.status, said.err.as_str()), (Some(2), words));
}

#[cfg(unix)]
#[test]
fn as_a_plugin_of_kubectls_it_goes_by_that_name() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin");
    let _ = std::fs::create_dir(&folder);
    let plugin = folder.join("kubectl-hookscope");
    let _ = std::fs::remove_file(&plugin);
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_hookscope"), &plugin).unwrap();
    let plugged = |args: &[&str]| said(Command::new(&plugin).args(args));
    let help = plugged(&["--help"]);
    for part in ["Usage: kubectl hookscope ", "\n  kubectl hookscope live -i any", "\n  HOOKSCOPE_COLOR "] {
        assert!(help.out.contains(part), "{part}\n{}", help.out);
    }
    for args in [&["live", "--help"][..], &["extract", "-h"], &["explain", "-h"]] {
        let help = plugged(args).out;
        assert!(help.contains(&format!("Usage: kubectl hookscope {}", args[0])), "{help}");
        assert!(!help.contains("  hookscope "), "{help}");
    }
    let report = plugged(&[&fixture(DEADLINE)]);
    assert_eq!(report.status, Some(1));
    assert!(
        report.out.contains("  More       kubectl hookscope explain deadline-exceeded"),
        "{}",
        report.out
    );
    let unknown = plugged(&["explain", "nonsense"]).err;
    assert!(unknown.contains("'kubectl hookscope explain' lists all codes"), "{unknown}");
}

#[test]
fn shells_and_man_get_what_is_defined() {
    for shell in ["bash", "zsh", "fish"] {
        let said = run(&["completions", shell]);
        assert_eq!((said.status, said.err.as_str()), (Some(0), ""), "{shell}");
        for word in ["deadline-exceeded", "extract", "cluster"] {
            assert!(said.out.contains(word), "{shell} knows no {word}");
        }
    }
    for args in
        [&["man"][..], &["man", "live"], &["man", "extract"], &["man", "explain"], &["man", "analyze"]]
    {
        let said = run(args);
        let name = args.join("-").replace("man", "hookscope");
        assert!(said.status == Some(0) && said.out.contains(&format!(".TH {name} 1")), "{}", said.out);
    }
    assert_eq!(run(&["man", "nonsense"]).status, Some(2));
}
