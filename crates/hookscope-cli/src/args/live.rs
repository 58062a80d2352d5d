//! `hookscope live`: from where to capture, what to say meanwhile, and when to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueHint};

use super::units::{Rotate, duration, rotate, size};
use super::{Judging, Numeric, Shape, Which};

pub(super) const EXAMPLES: &str = "\x1b[1m\x1b[4mExamples:\x1b[0m
  hookscope live                                        all interfaces, until Ctrl-C
  hookscope live -i eth0 'tcp port 9443 or port 53'     one interface, with a filter of tcpdump's kind
  hookscope live --until-failure --duration 1h -v       wait for the next failure and explain it
  hookscope live --write failed.pcapng --rotate 100MB   keep the packets of what fails
  hookscope live --metrics 127.0.0.1:9478               count for Prometheus";

pub(super) const STATUS: &str = "\x1b[1m\x1b[4mExit status:\x1b[0m
  0  nothing failed while it ran
  1  at least one connection, call or lookup failed
  2  bad usage, or the capture cannot begin or go on";

/// `hookscope live -i IFACE [FILTER]`
#[derive(Debug, Args)]
pub(crate) struct Live {
    /// A filter in the language of tcpdump; that of --print-filter unless given
    #[arg(value_name = "FILTER")]
    pub(crate) filter: Vec<String>,

    /// Interface to capture from; may be given several times [default: any]
    #[arg(short, long, value_name = "IFACE", action = ArgAction::Append, help_heading = "Capturing")]
    #[arg(env = "HOOKSCOPE_INTERFACE", hide_env = true)]
    pub(crate) interface: Vec<String>,

    /// List the interfaces, and end
    #[arg(short = 'D', long, help_heading = "Capturing")]
    pub(crate) list_interfaces: bool,

    /// Print the filter that is used, and end; --port makes it narrower
    #[arg(long, help_heading = "Capturing")]
    pub(crate) print_filter: bool,

    /// How many octets of a packet to keep
    #[arg(short, long, value_name = "OCTETS", default_value_t = 262_144, help_heading = "Capturing")]
    #[arg(value_parser = clap::value_parser!(u32).range(64..=262_144))]
    pub(crate) snaplen: u32,

    /// Room in the kernel for packets that are not read yet, for each interface
    #[arg(short = 'B', long, value_name = "SIZE", default_value = "64MiB", value_parser = size)]
    #[arg(help_heading = "Capturing")]
    pub(crate) buffer: u64,

    /// Take packets for other hosts, too
    #[arg(long, help_heading = "Capturing")]
    pub(crate) promiscuous: bool,

    /// Wait for interfaces that are not there or down
    #[arg(long, help_heading = "Capturing")]
    pub(crate) wait: bool,

    /// Whom to run as once the interfaces are open [default: nobody, where started as root]
    #[arg(long, value_name = "NAME", help_heading = "Capturing")]
    #[arg(env = "HOOKSCOPE_USER", hide_env = true)]
    pub(crate) user: Option<String>,

    /// Stop after this time
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "When to stop")]
    pub(crate) duration: Option<Duration>,

    /// Stop after so many packets
    #[arg(short, long, value_name = "N", help_heading = "When to stop")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

    /// Stop at the first failure
    #[arg(long, help_heading = "When to stop")]
    pub(crate) until_failure: bool,

    /// kube-apiserver's log: each failed call that it names is explained by the packets, in the final report
    ///
    /// A file that grows, or is there already; it is opened at the start, so that whom this runs as need not be
    /// allowed to read it, and read at the end. Where it was rotated meanwhile, the file that has taken its place is
    /// read as well. May be given several times.
    #[arg(long, value_name = "FILE", action = ArgAction::Append, value_hint = ValueHint::FilePath)]
    #[arg(help_heading = "Reading and judging")]
    pub(crate) log: Vec<PathBuf>,

    /// Say how it goes this often
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Report")]
    pub(crate) summary_every: Option<Duration>,

    /// Write the packets of what fails to this file, as pcapng
    ///
    /// It is written by whom this runs as once the interfaces are open: see --user.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Evidence")]
    pub(crate) write: Option<PathBuf>,

    /// Begin another file at this size or age, such as 100MB or 1h; the time becomes part of the names
    #[arg(long, value_name = "SIZE|DURATION", value_parser = rotate, requires = "write")]
    #[arg(help_heading = "Evidence")]
    pub(crate) rotate: Option<Rotate>,

    /// How many files to keep
    #[arg(long, value_name = "N", default_value_t = 10, requires = "rotate", help_heading = "Evidence")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keep: u32,

    /// Memory for recent packets, of which those of what fails are written
    #[arg(long, value_name = "SIZE", default_value = "128MiB", value_parser = size, requires = "write")]
    #[arg(help_heading = "Evidence")]
    pub(crate) ring: u64,

    /// Serve OpenMetrics at http://ADDR/metrics, such as 127.0.0.1:9478
    #[arg(long, value_name = "ADDR", value_parser = address, help_heading = "Metrics")]
    #[arg(env = "HOOKSCOPE_METRICS", hide_env = true)]
    pub(crate) metrics: Option<SocketAddr>,

    #[command(flatten)]
    pub(crate) shape: Shape,

    #[command(flatten)]
    pub(crate) judging: Judging,

    #[command(flatten)]
    pub(crate) which: Which,

    #[command(flatten)]
    numeric: Numeric,

    /// tcpdump's: lines are written at once anyway
    #[arg(short = 'l', hide = true)]
    _line_buffered: bool,

    /// tcpdump's: interfaces are not promiscuous anyway
    #[arg(short = 'p', hide = true, conflicts_with = "promiscuous")]
    _not_promiscuous: bool,
}

/// Where to listen: an address and a port, or a port of this host alone.
fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix(':').unwrap_or(text).parse::<u16>();
    if let Ok(port) = port {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    text.replacen("localhost", "127.0.0.1", 1)
        .parse()
        .map_err(|_| "expected an address and a port, such as 127.0.0.1:9478 or [::1]:9478".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_one_of_this_host() {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 9478));
        for text in ["9478", ":9478", "localhost:9478", "127.0.0.1:9478"] {
            assert_eq!(address(text), Ok(loopback), "{text}");
        }
        assert!(address("0.0.0.0:9478").is_ok() && address("[::]:9478").is_ok());
        assert!(address("example.org:1").is_err() && address("").is_err());
    }
}
