//! Samples of output are what the program prints, and commands for the shell are understood.

use std::io::Write;
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
    for name in ["COLUMNS", "CLICOLOR_FORCE", "NO_COLOR"] {
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

/// A page with its samples as the program gives them.
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
            while let Some(inner) = lines.next_if(|line| line.trim_start() != "```") {
                let Some(command) = inner.trim_start().strip_prefix("$ ") else { continue };
                for line in sample(command).lines() {
                    let line = format!("{:indent$}{line}", "");
                    out.push_str(line.trim_end());
                    out.push('\n');
                }
            }
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
        if read(name).contains("```console") {
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
            let mut shell = Command::new("sh").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
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
