//! The one place where the command line meets the engine: turns captures into a report, rules into a catalogue.

use std::ops::ControlFlow;
use std::sync::Arc;

use hookscope::diagnosis::Page;
use hookscope::filter::NameFilter;
use hookscope::report::schema::{Group, Report};
use hookscope::report::{Input, LeftOut};
use hookscope::{Config, Filter, Inspector, Keep};
use hookscope_capture::{InputError, Options, Summary, for_each_batch};

use crate::args::{Analyze, Format};
use crate::cluster::{self, Known};
use crate::failure::Failure;
use crate::log::{self, Logged};
use crate::progress::Progress;
use crate::text::Code;

/// What was read.
pub(crate) struct Reading {
    pub(crate) report: Report,
    /// Failures and warnings by server and kind.
    pub(crate) groups: Vec<Group>,
    /// What the filters leave out.
    pub(crate) left_out: LeftOut,
}

/// Reads the captures, telling `progress` how far it is.
pub(crate) fn read(args: &Analyze, progress: &mut Progress) -> Result<Reading, Failure> {
    let known = if args.cluster.is_empty() { None } else { Some(cluster::read(&args.cluster)?) };
    let (cluster, warnings) =
        known.map_or((None, Vec::new()), |Known { cluster, warnings }| (Some(Arc::new(cluster)), warnings));
    let Logged { log, warnings: log_warnings } = log::read(&args.log)?;
    let threads = args.threads.map_or(0, std::num::NonZeroUsize::get);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    pool.install(|| {
        let retain = log.retain();
        let config = Config { cluster, retain, ..config(args, rayon::current_num_threads()) };
        let mut inspector = Inspector::new(config);
        let summary = for_each_batch(&args.files, &Options::default(), |packets, at| {
            inspector.observe_batch(packets);
            progress.at(at.consumed, at.total);
            ControlFlow::Continue(())
        })?;
        let inspection = inspector.finish();
        let mut input = input(&summary);
        input.warnings.extend(warnings.into_iter().chain(log_warnings));
        // The groups are what the text report shows; in JSON every connection speaks for itself.
        let groups = if args.format == Format::Text { inspection.groups(&input) } else { Vec::new() };
        let mut report = inspection.report_with(&input, &log);
        report.capture.warnings.extend(cluster::unrelated(&report));
        Ok::<_, InputError>(Reading { report, groups, left_out: inspection.left_out() })
    })
    .map_err(Failure::from)
}

fn config(args: &Analyze, threads: usize) -> Config {
    let keep = match (args.format, args.all) {
        (_, true) => Keep::All,
        (Format::Text, false) => Keep::Examples,
        (Format::Json | Format::Ndjson, false) => Keep::Failures,
    };
    Config {
        deadline: args.deadline,
        slow: args.slow,
        keep,
        filter: Filter {
            servers: args.server.clone(),
            ports: args.port.clone(),
            names: args.name.iter().map(|name| NameFilter::new(name)).collect(),
        },
        shards: threads,
        ..Config::default()
    }
}

fn input(summary: &Summary) -> Input {
    Input {
        files: summary.files.iter().map(|file| file.name.clone()).collect(),
        truncated: summary.truncated(),
        warnings: summary.warnings().map(ToString::to_string).collect(),
    }
}

/// All codes, class by class.
pub(crate) fn catalogue() -> Vec<Code> {
    hookscope::diagnosis::pages().into_iter().map(code).collect()
}

/// The entry of a code, or that of its family: an alert that has no page of its own shares one.
pub(crate) fn entry(name: &str) -> Option<Code> {
    hookscope::diagnosis::page_of(name).map(code)
}

fn code(page: &Page) -> Code {
    Code {
        code: page.code.name,
        class: page.code.class.name(),
        severity: page.severity.name(),
        summary: page.summary(),
        page: page.text,
    }
}
