//! Samples of output are what the program prints, and commands for the shell are understood.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::options::{known_options, options_in};
use super::{blocks, hold, pages, read, root};
use crate::support::{Said, said};

/// Runs a line as a shell does, from the top of the repository, with `hookscope` being the program under test.
fn shell(line: &str) -> Said {
    let folder = Path::new(env!("CARGO_BIN_EXE_hookscope")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(root()).env("PATH", path);
    let of_others = ["COLUMNS", "CLICOLOR", "CLICOLOR_FORCE", "NO_COLOR"].map(str::to_owned);
    let ours = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("HOOKSCOPE_"));
    for name in ours.chain(of_others) {
        command.env_remove(name);
    }
    said(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))
}

/// A command and what it prints, as they stand on a page.
pub(super) fn sample(command: &str) -> String {
    let Said { status, out, err } = shell(command);
    assert!(matches!(status, Some(0 | 1)), "{command}: {err}");
    let mut sample = format!("$ {command}\n");
    for line in out.lines() {
        sample.push_str(line.trim_end());
        sample.push('\n');
    }
    sample
}

/// An example without what it says of itself at the top.
fn example(name: &str) -> String {
    let text = read(name);
    let after = text.lines().skip_while(|line| line.starts_with("//!") || line.is_empty());
    after.map(|line| format!("{line}\n")).collect()
}

fn has_python() -> bool {
    Command::new("python3")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A page with its samples as the program gives them, and its examples as they are.
fn with_samples(name: &str, text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    let mut above = "";
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let indent = line.len() - line.trim_start().len();
        if line.trim_start() == "```console" && !above.trim_start().starts_with("<!-- not run: ") {
            let first = lines.peek().copied().unwrap_or_default().trim_start();
            assert!(
                first.starts_with("$ hookscope "),
                "{name}: a sample must begin with `$ hookscope`: {first}"
            );
            let mut is_kept = false;
            while let Some(inner) = lines.next_if(|line| line.trim_start() != "```") {
                let Some(command) = inner.trim_start().strip_prefix("$ ") else {
                    if is_kept {
                        writeln!(out, "{inner}").unwrap();
                    }
                    continue;
                };
                is_kept = command.contains("python3") && !has_python();
                if is_kept {
                    eprintln!("no python3 here: not run: {command}");
                    writeln!(out, "{inner}").unwrap();
                    continue;
                }
                for line in sample(command).lines() {
                    writeln!(out, "{}", format!("{:indent$}{line}", "").trim_end()).unwrap();
                }
            }
        }
        let source = above.strip_prefix("<!-- from ").and_then(|rest| rest.strip_suffix(" -->"));
        if let Some(source) = source.filter(|_| line.starts_with("```")) {
            out.push_str(&example(source));
            lines.by_ref().find(|line| *line == "```").expect("the example ends");
            out.push_str("```\n");
        }
        above = line;
    }
    out
}

#[test]
fn samples_are_what_the_program_prints() {
    let mut samples = 0;
    // The pages of verdicts are written whole.
    for name in pages().iter().filter(|name| !name.contains("/verdicts/")) {
        let text = read(name);
        if text.contains("```console") || text.contains("<!-- from ") {
            samples += 1;
            hold(name, |text| with_samples(name, text));
        }
    }
    assert!(samples > 3, "there are samples");
}

#[test]
fn what_is_not_run_has_its_reason() {
    for name in pages() {
        for (number, line) in (1..).zip(read(&name).lines()) {
            let Some(reason) = line.trim().strip_prefix("<!-- not run:") else { continue };
            let words = reason.trim_end_matches("-->").split_whitespace().count();
            assert!(words > 2, "{name}:{number} does not say why");
        }
    }
}

#[test]
fn commands_are_shell_and_name_options_that_exist() {
    let known = known_options();
    let mut commands = 0;
    for name in pages() {
        for block in blocks(&read(&name)).iter().filter(|block| block.language == "sh") {
            let place = format!("{name}:{}", block.line);
            let mut shell = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
            shell.stdin.take().unwrap().write_all(block.text.as_bytes()).unwrap();
            assert!(shell.wait().unwrap().success(), "{place} is no shell:\n{}", block.text);
            for line in block.text.replace("\\\n", " ").lines() {
                commands += 1;
                let Some((_, own)) = line.split_once("hookscope ") else { continue };
                let own = own.split(['|', '#', '>', ';']).next().unwrap_or_default();
                if line.trim_start().starts_with("hookscope ") || line.contains("| hookscope ") {
                    for option in options_in(own) {
                        assert!(known.contains(&option), "{place} names {option}: {line}");
                    }
                }
            }
        }
    }
    assert!(commands > 50, "{commands} commands");
}

#[test]
fn commands_on_fixtures_run() {
    for name in pages() {
        for block in
            blocks(&read(&name)).iter().filter(|block| block.language == "sh" && block.not_run.is_none())
        {
            for line in block.text.replace("\\\n", " ").lines() {
                if line.starts_with("hookscope ") && line.contains("fixtures/") {
                    let Said { status, err, .. } = shell(line);
                    assert!(matches!(status, Some(0 | 1)), "{name}:{}: {line}\n{err}", block.line);
                }
            }
        }
    }
}
