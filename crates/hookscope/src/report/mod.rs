//! Reports: what was found, as stable data.

mod build;
mod community;
mod events;
mod findings;
mod log;
mod lookups;
mod names;
mod proof;
pub mod redact;
pub mod schema;
mod timeline;
mod trace;
mod whom;

use crate::inspect::Inspection;
use crate::inspect::shard::GivenUp;
use crate::inspect::tally::Tally;
use crate::log::Log;
use crate::report::build::{Builder, Files};
pub use crate::report::events::{Counted, Event, Notice};
pub use crate::report::trace::Trace;

/// What a reader knows of its inputs, and the engine does not.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// The inputs, in the order in which [`Frame`](crate::packet::Frame) numbers them.
    pub files: Vec<String>,
    /// Whether one breaks off in the middle of a packet.
    pub truncated: bool,
    /// What a user should know about them, a sentence each.
    pub warnings: Vec<String>,
    /// Settings are added over time: end a literal with `..Input::default()`.
    #[doc(hidden)]
    pub _more: (),
}

/// What the filter leaves out, for a reader who wonders where it went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct LeftOut {
    /// All connections that were seen, those that pass the filter included.
    pub connections: u64,
    /// Connections that no list of names can let pass, as no name of their server is known.
    pub nameless: u64,
    /// Those of them that failed.
    pub failed_nameless: u64,
}

impl Inspection {
    /// The whole report, as `--format json` prints it.
    pub fn report(&self, input: &Input) -> schema::Report {
        self.report_with(input, &Log::default())
    }

    /// The whole report, with each failed call that kube-apiserver's log names tied to what packets show of it. What
    /// has to be known of a connection for that was kept if the [`Config`](crate::Config) asked to
    /// [retain](crate::config::Retain) it.
    pub fn report_with(&self, input: &Input, log: &Log) -> schema::Report {
        let builder = self.builder(Files(input.files.clone()));
        let explained = builder.log(log);
        let mut capture = self.capture(input);
        capture.warnings.extend(explained.notes);
        schema::Report {
            schema: "hookscope/1",
            capture,
            summary: builder.summary(),
            cluster: builder.cluster_report(),
            endpoints: builder.endpoints(),
            connections: builder.connections(),
            log: explained.lines,
            lookups: builder.lookups(),
        }
    }

    /// Failures and warnings by server and code, failed lookups by name and code, each with an example: the worst and most frequent first.
    pub fn groups(&self, input: &Input) -> Vec<schema::Group> {
        let builder = self.builder(Files(input.files.clone()));
        let mut groups = builder.groups();
        let failures = groups.partition_point(schema::Group::is_failure);
        groups.splice(failures..failures, builder.lookup_groups());
        groups
    }

    /// What the filter leaves out of the report.
    pub fn left_out(&self) -> LeftOut {
        self.builder(Files::default()).left_out()
    }

    fn builder(&self, files: Files) -> Builder<'_> {
        Builder::new(self.into(), self.tally.servers().iter(), files)
    }

    fn capture(&self, input: &Input) -> schema::Capture {
        let traffic = &self.traffic;
        let mut warnings = input.warnings.clone();
        let malformed: u64 = traffic.malformed.iter().map(|(_, count)| count).sum();
        if malformed > 0 {
            let mut reasons = traffic.malformed.clone();
            reasons.sort_by_key(|&(reason, count)| (std::cmp::Reverse(count), reason));
            let reasons: Vec<_> =
                reasons.iter().map(|(reason, count)| format!("{} {count}", reason.name())).collect();
            warnings.push(format!("{malformed} packets could not be decoded: {}", reasons.join(", ")));
        }
        let GivenUp { connections, openings, crowded, certificates, calls } = self.given_up;
        if connections > 0 {
            warnings.push(format!(
                "{connections} connections were judged before they were over: more than {} were open at once",
                self.config.limits.connections
            ));
        }
        if openings > 0 {
            warnings.push(format!(
                "{openings} SYNs without an answer were judged before their time: more than {} waited at once",
                self.config.limits.openings
            ));
        }
        if crowded > 0 {
            warnings.push(format!(
                "{crowded} segments came while {} octets waited for others: what those lacked counts as lost",
                self.config.limits.held
            ));
        }
        if calls > 0 {
            warnings.push(format!(
                "{calls} calls are counted but not listed: more than {} were kept at once",
                self.config.limits.calls_in_all
            ));
        }
        if certificates > 0 {
            warnings.push(format!(
                "{certificates} servers' certificates were not looked at: there were more than {} octets of them",
                self.config.limits.certificates
            ));
        }
        if self.left_out > 0 {
            warnings.push(format!(
                "{} connections are counted but not listed: more than {} were to be",
                self.left_out, self.config.limits.kept
            ));
        }
        let others = self.tally.servers().iter().filter(|server| server.server == Tally::OTHERS);
        let others: u64 = others.map(|server| server.connections).sum();
        if others > 0 {
            warnings.push(format!(
                "{others} connections are counted together under {}: there were more than {} servers and names",
                Tally::OTHERS,
                self.config.limits.servers
            ));
        }
        let lookups = &self.lookups;
        if lookups.tracker.given_up > 0 {
            warnings.push(format!(
                "{} DNS lookups were judged before they were over: more than {} were open at once",
                lookups.tracker.given_up, self.config.limits.lookups
            ));
        }
        if lookups.left_out > 0 {
            warnings.push(format!(
                "{} failed DNS lookups are not listed: more than {} failed",
                lookups.left_out, self.config.limits.kept_lookups
            ));
        }
        schema::Capture {
            files: input.files.clone(),
            packets: traffic.packets,
            bytes: traffic.bytes,
            first: traffic.first.map(|first| first.to_string()),
            last: traffic.last.map(|last| last.to_string()),
            link_types: traffic.link_types.iter().map(ToString::to_string).collect(),
            truncated: input.truncated,
            duplicates: self.duplicates,
            warnings,
        }
    }
}
