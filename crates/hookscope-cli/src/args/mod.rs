//! Turns the command line into what is to be done.
//!
//! `analyze` is what a bare `hookscope FILE` means, so its options stand at the top as well; a file that bears a
//! subcommand's name is given as `./explain`.

mod command;
mod extract;
mod live;
mod units;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use hookscope::filter::ServerFilter;
use hookscope::report::redact::Redactor;

pub(crate) use command::{completed, culprit, definition, parse};
pub(crate) use extract::Extract;
pub(crate) use live::Live;
#[cfg(feature = "live")]
pub(crate) use units::Rotate;
use units::duration;

const EXAMPLES: &str = "\x1b[1m\x1b[4mExamples:\x1b[0m
  hookscope webhooks.pcap                         say which webhook calls failed, and why
  hookscope --name '*.kyverno.svc' day.pcap.gz    look at the webhooks of one Service
  hookscope --format json a.pcap | jq .summary    hand the report to another program
  kubectl exec POD -- cat w.pcap | hookscope -    read from a pipe
  hookscope live -i any                           capture now, and report calls as they fail
  hookscope explain tls-bad-certificate           what a code means and what to do
  hookscope explain --error 'x509: ... '          what a message of kube-apiserver's means";

const MORE: &str = "\x1b[1m\x1b[4mExit status:\x1b[0m
  0  nothing failed
  1  at least one connection, call or lookup failed
  2  bad usage, or an input that cannot be read

\x1b[1m\x1b[4mWhat to capture:\x1b[0m
  On the host of kube-apiserver, while the calls fail:
  tcpdump -i any -s 0 -w webhooks.pcap 'tcp or icmp or icmp6 or udp port 53'

\x1b[1m\x1b[4mEnvironment:\x1b[0m
  HOOKSCOPE_DEADLINE, HOOKSCOPE_SLOW, HOOKSCOPE_CLUSTER, HOOKSCOPE_THREADS, HOOKSCOPE_FORMAT,
  HOOKSCOPE_COLOR and HOOKSCOPE_REDACT_KEY stand for the options of these names, for 'live' also
  HOOKSCOPE_INTERFACE, HOOKSCOPE_METRICS and HOOKSCOPE_USER; an option outweighs them, an empty one counts as not set.
  NO_COLOR, CLICOLOR, CLICOLOR_FORCE, COLUMNS and TERM are heeded as elsewhere.

\x1b[1m\x1b[4mIn a shell:\x1b[0m
  eval \"$(hookscope completions bash)\"    completes this command line; zsh and fish as well
  hookscope man | man -l -                the manual page; 'man live' that of 'live'";

/// How to get the objects that `--cluster` wants. Help is wrapped between words: what is copied from it works
/// because it is broken where a shell allows that, and the list is one word with nothing behind it.
const OBJECTS: &str = "kubectl get -A -o json > cluster.json \\\n\
    validatingwebhookconfigurations,mutatingwebhookconfigurations,customresourcedefinitions,apiservices,services,\
    endpointslices,pods,nodes,namespaces";

/// Says from a packet capture why kube-apiserver's admission webhook calls fail
///
/// Reads captures from the host of a kube-apiserver (pcap or pcapng, plain or compressed with gzip, zstd or LZ4)
/// and names the cause of every failed webhook call, the packets that show it, and what to do next.
#[derive(Debug, Parser)]
#[command(name = "hookscope", version, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
#[command(subcommand_value_name = "COMMAND", after_help = EXAMPLES)]
#[command(after_long_help = format!("{EXAMPLES}\n\n{MORE}"))]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    analyze: Analyze,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read captures and report what failed (the default)
    #[command(arg_required_else_help = true, after_help = EXAMPLES)]
    #[command(after_long_help = format!("{EXAMPLES}\n\n{MORE}"))]
    Analyze(Analyze),
    /// Capture now, and report calls as they fail
    #[command(after_help = live::EXAMPLES)]
    #[command(after_long_help = format!("{}\n\n{}", live::EXAMPLES, live::STATUS))]
    #[cfg_attr(
        not(feature = "live"),
        command(about = "Capture now, and report calls as they fail (not in this build)")
    )]
    Live(Box<Live>),
    /// Write the packets of chosen connections to a new capture, verdicts as comments
    #[command(arg_required_else_help = true, after_help = extract::EXAMPLES)]
    #[command(after_long_help = format!("{}\n\n{}", extract::EXAMPLES, extract::STATUS))]
    Extract(Extract),
    /// Say what a code means, what causes it, how to prove it and how to fix it
    Explain(Explain),
    /// Show all options, or those of a command
    Help(Help),
    /// Print what completes this command line in a shell, for packages and for 'source'
    #[command(hide = true)]
    Completions(Completions),
    /// Print the manual page of the program or of one of its commands, for packages
    #[command(hide = true)]
    Man(Man),
}

/// `hookscope completions SHELL`
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// For which shell
    pub(crate) shell: clap_complete::Shell,
}

/// `hookscope help [COMMAND]`
#[derive(Debug, Args)]
pub(crate) struct Help {
    /// Of which command; the program's own where none is named
    pub(crate) command: Option<String>,
}

/// `hookscope man [COMMAND]`
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Of which command; the program's own where none is named
    pub(crate) command: Option<String>,
}

/// `hookscope [analyze] FILE...`
#[derive(Debug, Args)]
pub(crate) struct Analyze {
    /// Captures to read; '-' is standard input
    ///
    /// Several files are read as one capture, in the order of time.
    #[arg(value_name = "FILE", required_unless_present = "read", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) as_tcpdump: AsTcpdump,

    #[command(flatten)]
    pub(crate) shape: Shape,

    /// Show no progress bar
    #[arg(long, help_heading = "Report")]
    pub(crate) no_progress: bool,

    /// kube-apiserver's log: each failed call that it names is explained by the packets
    ///
    /// klog's text or JSON, as the file or 'kubectl logs', journald or a container runtime gives it, plain or
    /// compressed; '-' is standard input; may be given several times. It has to be the log of the host where the
    /// capture was taken.
    #[arg(long, value_name = "FILE", action = ArgAction::Append, value_hint = ValueHint::FilePath)]
    #[arg(help_heading = "Reading and judging")]
    pub(crate) log: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) judging: Judging,

    #[command(flatten)]
    pub(crate) which: Which,
}

/// What fingers that know tcpdump type by themselves.
#[derive(Debug, Args)]
pub(crate) struct AsTcpdump {
    /// A capture to read, as tcpdump takes it
    ///
    /// '-r FILE' is the same as 'FILE'; '-n' changes nothing, as nothing is looked up.
    #[arg(short = 'r', value_name = "FILE", action = ArgAction::Append, value_hint = ValueHint::FilePath)]
    #[arg(hide_short_help = true)]
    read: Vec<PathBuf>,

    #[command(flatten)]
    numeric: Numeric,
}

/// `-n`, `-nn`: nothing is looked up anyway.
#[derive(Debug, Args)]
pub(crate) struct Numeric {
    #[arg(short = 'n', action = ArgAction::Count, hide = true)]
    _numeric: u8,
}

/// How to write what was found.
#[derive(Debug, Args)]
pub(crate) struct Shape {
    /// How to write the report: text, json or ndjson
    ///
    /// JSON is one object. NDJSON is one object a line, and 'type' says what it is: capture, connection, log,
    /// lookup, endpoint or summary; the 'type' of a lookup's DNS record is 'record_type' there.
    #[arg(
        long,
        hide_possible_values = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        env = "HOOKSCOPE_FORMAT",
        hide_env = true,
        help_heading = "Report"
    )]
    pub(crate) format: Format,

    /// Report every connection, healthy ones too, and lists in full
    #[arg(long, help_heading = "Report")]
    pub(crate) all: bool,

    /// Only one line for each kind of failure; warnings go to standard error
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Report")]
    pub(crate) quiet: bool,

    /// More connections, frames and evidence
    #[arg(short, long, help_heading = "Report")]
    pub(crate) verbose: bool,

    /// Replace names and addresses, so that the report can be shown to others
    ///
    /// Names become 'name-…', addresses others of the same kind, the same ones the same; ports, codes, times and sizes
    /// stay. What --write writes and --metrics serves is as it was.
    #[arg(long, help_heading = "Report")]
    pub(crate) redact: bool,

    /// What pseudonyms depend on, so that several reports can be compared; implies --redact
    ///
    /// A secret: who knows it can find out what stands behind a pseudonym. Without it every run has a key of its own.
    #[arg(long, value_name = "KEY", env = "HOOKSCOPE_REDACT_KEY", hide_env = true)]
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new(), help_heading = "Report")]
    pub(crate) redact_key: Option<String>,

    /// Times of the text in this host's zone, or that of TZ; JSON stays in UTC
    #[arg(long, overrides_with = "_utc", help_heading = "Report")]
    pub(crate) local_time: bool,

    /// Times in UTC, as clusters log: the default
    #[arg(long = "utc", overrides_with = "local_time", hide_short_help = true, help_heading = "Report")]
    _utc: bool,

    #[command(flatten)]
    pub(crate) color: Color,
}

impl Shape {
    /// What takes names and addresses out, if that was asked for.
    pub(crate) fn redactor(&self) -> Option<Redactor> {
        match &self.redact_key {
            Some(key) => Some(Redactor::with_secret(key)),
            None => self.redact.then(Redactor::new),
        }
    }
}

/// How to judge.
#[derive(Debug, Args)]
pub(crate) struct Judging {
    /// The webhooks' timeoutSeconds, such as 10s
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    #[arg(env = "HOOKSCOPE_DEADLINE", hide_env = true, help_heading = "Reading and judging")]
    pub(crate) deadline: Duration,

    /// Objects of the cluster: names, deadlines and CA bundles of its webhooks
    #[arg(long_help = format!(
        "Objects of the cluster: names, deadlines and CA bundles of its webhooks\n\nWhat this writes, or YAML; fewer \
         kinds will do:\n\n{OBJECTS}\n\n'-' is standard input; may be given several times. A webhook's own \
         timeoutSeconds then takes the place of --deadline."
    ))]
    #[arg(long, value_name = "FILE", action = ArgAction::Append, value_hint = ValueHint::FilePath)]
    #[arg(env = "HOOKSCOPE_CLUSTER", hide_env = true, help_heading = "Reading and judging")]
    pub(crate) cluster: Vec<PathBuf>,

    /// From how long on a call is slow [default: half the deadline]
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Reading and judging")]
    #[arg(env = "HOOKSCOPE_SLOW", hide_env = true)]
    pub(crate) slow: Option<Duration>,

    /// Worker threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = threads, help_heading = "Reading and judging")]
    #[arg(env = "HOOKSCOPE_THREADS", hide_env = true)]
    pub(crate) threads: Option<NonZeroUsize>,
}

/// Which connections to look at.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Only connections to these servers, such as 10.244.0.0/16 or [fd00::7]:9443
    ///
    /// An address or a network, with a port or without; may be given several times.
    #[allow(rustdoc::broken_intra_doc_links, reason = "it is shown by --help as it stands here")]
    #[arg(long, value_name = "CIDR[:PORT]", action = ArgAction::Append, help_heading = "Which connections")]
    pub(crate) server: Vec<ServerFilter>,

    /// Only servers whose name matches, such as '*.kyverno.svc'
    ///
    /// '*' stands for any characters, '?' for one; with --cluster, names of webhooks match as well; may be given
    /// several times.
    #[arg(long, value_name = "GLOB", action = ArgAction::Append, help_heading = "Which connections")]
    pub(crate) name: Vec<String>,

    /// Only servers on this port; may be given several times
    #[arg(long, value_name = "PORT", action = ArgAction::Append, help_heading = "Which connections")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Vec<u16>,
}

/// `hookscope explain [CODE]`
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A verdict's code, such as deadline-exceeded, or a class; without one, all codes are listed
    #[arg(value_name = "CODE")]
    pub(crate) code: Option<String>,

    /// A message of kube-apiserver's, as it was printed: which codes give it, and how to tell them apart
    ///
    /// The error alone, or the whole line of kubectl or of a log around it. '-' reads it from standard input.
    #[arg(long, value_name = "MESSAGE", conflicts_with = "code", allow_hyphen_values = true)]
    pub(crate) error: Option<String>,

    #[command(flatten)]
    pub(crate) color: Color,
}

/// Whether to write in colour.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Color {
    /// Colour: auto, always or never
    ///
    /// 'auto' is in colour on a terminal, and heeds NO_COLOR, CLICOLOR=0, CLICOLOR_FORCE and TERM=dumb.
    #[arg(
        long = "color",
        hide_possible_values = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        env = "HOOKSCOPE_COLOR",
        hide_env = true,
        help_heading = "Report"
    )]
    pub(crate) when: When,
}

/// When to write in colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    #[default]
    Auto,
    Always,
    Never,
}

/// How to write the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
    /// One JSON object a line, each with its type.
    Ndjson,
}

impl Cli {
    /// What is to be done: `analyze` where no subcommand was given.
    pub(crate) fn into_command(self) -> Command {
        let mut command = self.command.unwrap_or(Command::Analyze(self.analyze));
        match &mut command {
            Command::Analyze(Analyze { files, as_tcpdump, .. })
            | Command::Extract(Extract { files, as_tcpdump, .. }) => files.append(&mut as_tcpdump.read),
            _ => {}
        }
        command
    }
}

/// At least one thread.
fn threads(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected 1 or more; all cores are used where it is not given".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Command, clap::Error> {
        Cli::try_parse_from(line.split(' ')).map(Cli::into_command)
    }

    fn analyze(line: &str) -> Analyze {
        match parse(line) {
            Ok(Command::Analyze(analyze)) => analyze,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn analyze_is_the_default() {
        for line in ["hookscope a.pcap", "hookscope analyze a.pcap", "hookscope --format text a.pcap"] {
            let analyze = analyze(line);
            assert_eq!(analyze.files, [PathBuf::from("a.pcap")], "{line}");
            assert_eq!(analyze.shape.format, Format::Text, "{line}");
            assert_eq!(analyze.judging.deadline, Duration::from_secs(10), "{line}");
            assert_eq!(analyze.judging.slow, None, "{line}");
        }
        assert_eq!(analyze("hookscope --format json a.pcap").shape.format, Format::Json);
        assert_eq!(analyze("hookscope a.pcap --format ndjson b.pcap").files.len(), 2);
        assert_eq!(analyze("hookscope -").files, [PathBuf::from("-")]);
    }

    #[test]
    fn a_file_named_like_a_subcommand_is_given_with_its_folder() {
        assert_eq!(analyze("hookscope ./explain").files, [PathBuf::from("./explain")]);
        assert_eq!(analyze("hookscope ./help").files, [PathBuf::from("./help")]);
        assert_eq!(analyze("hookscope a.pcap explain").files.len(), 2);
        assert!(matches!(parse("hookscope explain"), Ok(Command::Explain(Explain { code: None, .. }))));
    }

    #[test]
    fn captures_are_given_as_to_tcpdump_as_well() {
        for line in ["hookscope -r a.pcap", "hookscope -nr a.pcap", "hookscope analyze -nn -r a.pcap -v"] {
            assert_eq!(analyze(line).files, [PathBuf::from("a.pcap")], "{line}");
        }
        assert_eq!(analyze("hookscope -r a.pcap -r b.pcap c.pcap").files.len(), 3);
        let extract = parse("hookscope extract -nr a.pcap -w b.pcapng");
        assert!(matches!(extract, Ok(Command::Extract(Extract { files, .. })) if files.len() == 1));
        let live = parse("hookscope live -nnlpi eth0 -c 5 tcp port 443");
        assert!(
            matches!(live, Ok(Command::Live(live)) if live.interface == ["eth0"] && live.filter.len() == 3)
        );
        assert!(matches!(parse("hookscope live -D"), Ok(Command::Live(live)) if live.list_interfaces));
    }

    #[test]
    fn filters_may_be_given_several_times() {
        let analyze = analyze(
            "hookscope --server 10.0.0.0/8 --server [fd00::7]:9443 --port 443 --port 8443 --name *.svc a.pcap",
        );
        assert_eq!(analyze.which.server.len(), 2);
        assert_eq!(analyze.which.port, [443, 8443]);
        assert_eq!(analyze.which.name, ["*.svc"]);
    }

    #[test]
    fn durations_are_written_as_people_write_them() {
        let analyze = analyze("hookscope --deadline 5s --slow 500ms a.pcap");
        assert_eq!(analyze.judging.deadline, Duration::from_secs(5));
        assert_eq!(analyze.judging.slow, Some(Duration::from_millis(500)));
    }

    #[test]
    fn bad_usage_is_refused() {
        for line in [
            "hookscope",
            "hookscope analyze",
            "hookscope --format xml a.pcap",
            "hookscope --deadline 0s a.pcap",
            "hookscope --port 0 a.pcap",
            "hookscope --threads 0 a.pcap",
            "hookscope -q -v a.pcap",
            "hookscope --server 10.0.0.0/33 a.pcap",
            "hookscope --frobnicate a.pcap",
            "hookscope explain a b",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_mistyped_option_is_met_with_a_suggestion() {
        let message = parse("hookscope --dedline 5s a.pcap").unwrap_err().to_string();
        assert!(message.contains("--deadline"), "{message}");
    }
}
