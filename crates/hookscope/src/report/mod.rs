//! Reports: what was found, as stable data.

mod build;
mod community;
mod findings;
mod log;
mod lookups;
mod names;
mod proof;
pub mod schema;
mod timeline;
mod whom;

use crate::inspect::Inspection;
use crate::log::Log;
use crate::report::build::{Builder, Files};

/// What a reader knows of its inputs, and the engine does not.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// The inputs, in the order in which [`Frame`](crate::packet::Frame) numbers them.
    pub files: Vec<String>,
    /// Whether one breaks off in the middle of a packet.
    pub truncated: bool,
    /// What a user should know about them, a sentence each.
    pub warnings: Vec<String>,
}

/// What the filter leaves out, for a reader who wonders where it went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
        let builder = Builder::new(self, Files(input.files.clone()));
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
        let builder = Builder::new(self, Files(input.files.clone()));
        let mut groups = builder.groups();
        let failures = groups.partition_point(schema::Group::is_failure);
        groups.splice(failures..failures, builder.lookup_groups());
        groups
    }

    /// What the filter leaves out of the report.
    pub fn left_out(&self) -> LeftOut {
        Builder::new(self, Files::default()).left_out()
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
        if self.given_up > 0 {
            warnings.push(format!(
                "{} connections were judged before they were over: more than {} were open at once",
                self.given_up, self.config.limits.connections
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
