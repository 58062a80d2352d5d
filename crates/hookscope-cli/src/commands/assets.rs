//! `hookscope help [COMMAND]`, `hookscope completions SHELL`, `hookscope man [COMMAND]`: turns the definition of the command line into what packages
//! bring along.

use std::io;

use clap::Command;
use clap_mangen::Man as Page;
use clap_mangen::roff::{Roff, bold, roman};

use super::Status;
use crate::args::{Completions, Help, Man, completed, definition};
use crate::failure::Failure;
use crate::{engine, output};

/// What `--help` prints, of the program or of a command.
pub(super) fn help(args: &Help) -> Result<Status, Failure> {
    let mut root = definition();
    root.build();
    let command = match &args.command {
        None => &mut root,
        Some(name) => {
            root.find_subcommand_mut(name).ok_or_else(|| Failure::NoSuchCommand { command: name.clone() })?
        }
    };
    // Help that nobody reads to its end is no failure.
    let _ = command.print_long_help();
    Ok(Status::Clean)
}

/// The file that a shell completes the command line with.
pub(super) fn completions(args: &Completions) -> Result<Status, Failure> {
    let codes: Vec<&str> = engine::catalogue().iter().map(|code| code.code).collect();
    let mut out = Vec::new();
    clap_complete::generate(args.shell, &mut completed(&codes), "hookscope", &mut out);
    output::to_stdout(|stdout| stdout.write_all(&out))?;
    Ok(Status::Clean)
}

/// A manual page, in roff.
pub(super) fn man(args: &Man) -> Result<Status, Failure> {
    let mut root = definition();
    root.build();
    let command = match &args.command {
        None => Some(root),
        Some(wanted) => {
            let mut commands = root.get_subcommands().filter(|command| !command.is_hide_set());
            commands.find(|command| command.get_name() == wanted).cloned()
        }
    };
    let Some(command) = command else {
        return Err(Failure::NoSuchCommand { command: args.command.clone().unwrap_or_default() });
    };
    let page = render(command).map_err(io::Error::other)?;
    output::to_stdout(|stdout| stdout.write_all(&page))?;
    Ok(Status::Clean)
}

fn render(mut command: Command) -> io::Result<Vec<u8>> {
    let usage = command.render_usage().to_string();
    let more = command.get_after_long_help().or_else(|| command.get_after_help()).map(ToString::to_string);
    let has_commands = command.get_subcommands().any(|command| !command.is_hide_set());
    let source = concat!("hookscope ", env!("CARGO_PKG_VERSION"));
    let page = Page::new(command).manual("User Commands").source(source);
    let mut out = Vec::new();
    page.render_title(&mut out)?;
    page.render_name_section(&mut out)?;
    synopsis(&usage).to_writer(&mut out)?;
    page.render_description_section(&mut out)?;
    page.render_options_section(&mut out)?;
    if has_commands {
        page.render_subcommands_section(&mut out)?;
    }
    sections(&more.unwrap_or_default()).to_writer(&mut out)?;
    Ok(out)
}

/// The lines of `Usage: …`.
fn synopsis(usage: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]).control("nf", []);
    for line in usage.trim_start_matches("Usage:").lines() {
        roff.text([bold(line.trim())]);
    }
    roff.control("fi", []);
    roff
}

/// What stands below the options in `--help`: headings that end in a colon, and lines that stay as they are.
fn sections(text: &str) -> Roff {
    let mut roff = Roff::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.strip_suffix(':').filter(|heading| !heading.starts_with(' ')) {
            Some(heading) => {
                roff.control("fi", []).control("SH", [heading.to_uppercase().as_str()]).control("nf", [])
            }
            None => roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]),
        };
    }
    roff.control("fi", []);
    roff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_each_option_and_example_of_its_command() {
        let mut root = definition();
        root.build();
        let commands: Vec<Command> = root.get_subcommands().filter(|it| !it.is_hide_set()).cloned().collect();
        for command in commands.into_iter().chain([root]) {
            let name = command.get_name().to_owned();
            let options: Vec<String> = command
                .get_opts()
                .filter_map(|option| option.get_long())
                .map(|long| long.replace('-', "\\-"))
                .collect();
            let page = String::from_utf8(render(command).unwrap()).unwrap();
            assert!(page.contains(".SH SYNOPSIS\n.nf\n\\fBhookscope"), "{name}: {page}");
            assert!(!page.contains('\u{1b}'), "{name}: {page}");
            for option in options {
                assert!(page.contains(&option), "{name} has no {option}: {page}");
            }
        }
    }

    #[test]
    fn what_stands_below_the_options_is_in_sections() {
        let roff = sections("Examples:\n  hookscope a.pcap   what\n\nExit status:\n  0  good").to_roff();
        assert!(
            roff.contains(
                ".SH EXAMPLES\n.nf\nhookscope a.pcap   what\n.fi\n.SH \"EXIT STATUS\"\n.nf\n0  good\n.fi"
            ),
            "{roff}"
        );
    }
}
