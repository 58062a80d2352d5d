//! The definition of the command line as it is used: by the name that was typed, for parsing, completions and manuals.

use std::env;

use clap::builder::PossibleValuesParser;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches};

use super::{Cli, Command};
use crate::invocation;

/// What the environment's variables that stand for options begin with.
const OURS: &str = "HOOKSCOPE_";

/// The whole definition, in the words of who typed it.
pub(crate) fn definition() -> clap::Command {
    let name = invocation::name();
    let mut command = as_typed(Cli::command().bin_name(name));
    // Where the parent's name is set, what `build` derives for the children is not.
    command = command.mut_subcommands(as_typed);
    without_empty(command.mut_subcommands(without_empty))
}

/// Parses the command line and the environment.
pub(crate) fn parse() -> Result<Command, clap::Error> {
    let mut command = definition();
    if env::args_os().len() < 2 {
        // What the environment sets is no reason to do something where nothing was asked for.
        command = command.mut_args(|arg| arg.env(None::<&'static str>));
    }
    let matches = command.try_get_matches_from_mut(env::args_os());
    matches
        .and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches))
        .map(Cli::into_command)
        .map_err(|error| pointed(error, &command).format(&mut command))
}

/// Options that people look for where a capture is read, and whose they are.
const ELSEWHERE: [(&[&str], &str); 3] = [
    (&["-w", "--write"], "'hookscope extract FILE -w OUT' writes packets to a new capture"),
    (&["-i", "--interface"], "'hookscope live -i IFACE' captures from an interface"),
    (&["--error"], "'hookscope explain --error MESSAGE' says what a message of kube-apiserver's means"),
];

/// An error that, where no subcommand was given, says which one has the option.
fn pointed(mut error: clap::Error, command: &clap::Command) -> clap::Error {
    let in_subcommand = env::args_os().nth(1).is_some_and(|first| command.find_subcommand(&first).is_some());
    if error.kind() != ErrorKind::UnknownArgument || in_subcommand {
        return error;
    }
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg) else { return error };
    let option = typed.split(['=', ' ']).next();
    let meant = ELSEWHERE.iter().find(|(options, _)| options.iter().any(|it| Some(*it) == option));
    if let Some((_, tip)) = meant {
        // What is merely spelt alike would lead away from it.
        error.remove(ContextKind::SuggestedArg);
        let tip = StyledStr::from(invocation::renamed(tip));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
}

/// The variable that a bad value is from.
pub(crate) fn culprit(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) else { return None };
    // Names of files need not be UTF-8.
    if env::args_os().any(|arg| arg.to_string_lossy().ends_with(value.as_str())) {
        return None;
    }
    let mut ours = env::vars_os().filter_map(|(name, is)| Some((name.into_string().ok()?, is)));
    ours.find(|(name, is)| name.starts_with(OURS) && is.to_str() == Some(value)).map(|(name, _)| name)
}

/// The definition for completions: with the codes that there are, where one is due.
pub(crate) fn completed(codes: &[&'static str]) -> clap::Command {
    let known = || PossibleValuesParser::new(codes.iter().copied());
    definition()
        .mut_subcommand("explain", |explain| explain.mut_arg("code", |code| code.value_parser(known())))
        .mut_subcommand("extract", |extract| extract.mut_arg("code", |code| code.value_parser(known())))
}

fn as_typed(mut command: clap::Command) -> clap::Command {
    if let Some(short) = command.get_after_help().map(|help| invocation::renamed(&help.ansi().to_string())) {
        command = command.after_help(short);
    }
    if let Some(long) =
        command.get_after_long_help().map(|help| invocation::renamed(&help.ansi().to_string()))
    {
        command = command.after_long_help(long);
    }
    command
}

/// A variable that is set to nothing is not set.
fn without_empty(command: clap::Command) -> clap::Command {
    command.mut_args(|arg| {
        let is_empty = arg.get_env().and_then(env::var_os).is_some_and(|value| value.is_empty());
        if is_empty { arg.env(None::<&'static str>) } else { arg }
    })
}
