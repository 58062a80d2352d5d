//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

const USAGE: &str = "\
grow KIND -o OUTPUT [OPTIONS] INPUT... [--failing PERCENT INPUT...]

Kinds:
  mix        connections as in the inputs
  bulk       the same, fewer at a time: for inputs with large requests
  long       three connections (or as many as --connections) that repeat their last call
  syn        the first packets of each connection: for inputs whose SYNs nobody answers
  any-vxlan  the mix as a capture on all interfaces of an overlay network's node shows it

Options:
  -o OUTPUT              file to write: pcap with nanoseconds
  --packets N            open no connection after so many packets [1000000]
  --connections N        open no more than these
  --failing PERCENT      how many connections the inputs that follow share [all inputs alike]
  --rate N               connections opened per second [mix, any-vxlan 250, bulk 5, long 1, syn 50000]
  --syns N               packets of each connection that syn plays [all]
  --seed N               another choice of everything arbitrary [1]";

/// What is grown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Mix,
    Bulk,
    Long,
    Syn,
    AnyVxlan,
}

/// What was asked for.
pub(crate) struct Args {
    pub(crate) kind: Kind,
    pub(crate) output: PathBuf,
    pub(crate) packets: u64,
    pub(crate) connections: Option<u64>,
    pub(crate) healthy: Vec<PathBuf>,
    pub(crate) failing: Vec<PathBuf>,
    pub(crate) failing_percent: usize,
    /// Connections opened per second.
    pub(crate) rate: u64,
    pub(crate) syns: usize,
    pub(crate) seed: u64,
}

impl Args {
    /// The arguments after the program's name.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let (kind, rate) = match words.next().as_deref() {
            Some("mix") => (Kind::Mix, 250),
            Some("bulk") => (Kind::Bulk, 5),
            Some("long") => (Kind::Long, 1),
            Some("syn") => (Kind::Syn, 50_000),
            Some("any-vxlan") => (Kind::AnyVxlan, 250),
            _ => return Err(USAGE.into()),
        };
        let mut args = Self {
            kind,
            output: PathBuf::new(),
            packets: 1_000_000,
            connections: None,
            healthy: Vec::new(),
            failing: Vec::new(),
            failing_percent: 0,
            rate,
            syns: usize::MAX,
            seed: 1,
        };
        let mut is_failing = false;
        while let Some(word) = words.next() {
            match word.as_str() {
                "-o" => args.output = value(&word, words.next())?,
                "--packets" => args.packets = value(&word, words.next())?,
                "--connections" => args.connections = Some(value(&word, words.next())?),
                "--rate" => args.rate = value(&word, words.next())?,
                "--syns" => args.syns = value(&word, words.next())?,
                "--seed" => args.seed = value(&word, words.next())?,
                "--failing" => {
                    is_failing = true;
                    args.failing_percent = value(&word, words.next())?;
                }
                _ if word.starts_with('-') => return Err(format!("{word}: no such option\n\n{USAGE}")),
                _ if is_failing => args.failing.push(word.into()),
                _ => args.healthy.push(word.into()),
            }
        }
        let is_complete = !args.output.as_os_str().is_empty()
            && !args.healthy.is_empty()
            && args.failing.is_empty() == (args.failing_percent == 0)
            && args.rate > 0
            && args.connections != Some(0);
        if is_complete { Ok(args) } else { Err(USAGE.into()) }
    }
}

fn value<T: FromStr>(option: &str, word: Option<String>) -> Result<T, String> {
    let word = word.ok_or_else(|| format!("{option}: value missing"))?;
    word.parse().map_err(|_| format!("{option}: {word} is no value for it"))
}
