//! The one place where the command line meets the engine: turns captures into a report, rules into a catalogue.

use hookscope::cluster::Cluster;
use hookscope::diagnosis::Page;
use hookscope::filter::NameFilter;
use hookscope::report::redact::Redactor;
use hookscope::report::schema::{Group, Report};
use hookscope::report::{Input, LeftOut};
use hookscope::{Config, Filter, Keep};
use hookscope_capture::{InputError, Summary, analyze};

use crate::args::{Analyze, Format, Judging, Shape, Which};
use crate::cluster::{self, Known};
use crate::failure::Failure;
use crate::log::{self, Logged};
use crate::progress::Progress;
use crate::text::{Code, Typed};

/// What was read.
pub(crate) struct Reading {
    pub(crate) report: Report,
    /// Failures and warnings by server and kind.
    pub(crate) groups: Vec<Group>,
    /// What the filters leave out.
    pub(crate) left_out: LeftOut,
    /// Which filters those are.
    pub(crate) typed: Typed,
}

impl Reading {
    /// Takes names and addresses out.
    pub(crate) fn redact(&mut self, redactor: &mut Redactor) {
        redactor.report(&mut self.report);
        redactor.groups(&mut self.groups);
    }
}

/// What takes names and addresses out, if that was asked for.
pub(crate) fn redactor(shape: &Shape, cluster: Option<&Cluster>) -> Option<Redactor> {
    let mut redactor = shape.redactor()?;
    cluster.into_iter().for_each(|cluster| redactor.know(cluster));
    Some(redactor)
}

/// Reads the captures, telling `progress` how far it is.
pub(crate) fn read(args: &Analyze, progress: &mut Progress) -> Result<Reading, Failure> {
    let Known { cluster, warnings } = cluster::read(&args.judging.cluster)?;
    let mut redactor = redactor(&args.shape, cluster.as_deref());
    let Logged { log, warnings: about_log } = log::read(&args.log)?;
    let keep = match (args.shape.format, args.shape.all) {
        (_, true) => Keep::All,
        (Format::Text, false) => Keep::Examples,
        (Format::Json | Format::Ndjson, false) => Keep::Failures,
    };
    pool(&args.judging)?
        .install(|| {
            let config = config(&args.judging, &args.which, keep);
            let config = Config { cluster, retain: log.retain(), ..config };
            let analysis = analyze(&args.files, config, |at| progress.at(at.consumed, at.total))?;
            let inspection = &analysis.inspection;
            let mut input = analysis.input();
            input.warnings.extend(warnings.into_iter().chain(about_log));
            // The groups are what the text report shows; in JSON every connection speaks for itself.
            let groups =
                if args.shape.format == Format::Text { inspection.groups(&input) } else { Vec::new() };
            let mut report = inspection.report_with(&input, &log);
            report.capture.warnings.extend(cluster::unrelated(&report));
            let mut reading =
                Reading { report, groups, left_out: inspection.left_out(), typed: typed(&args.which) };
            redactor.iter_mut().for_each(|redactor| reading.redact(redactor));
            Ok::<_, InputError>(reading)
        })
        .map_err(Failure::from)
}

/// Threads to work on.
pub(crate) fn pool(judging: &Judging) -> Result<rayon::ThreadPool, Failure> {
    let threads = judging.threads.map_or(0, std::num::NonZeroUsize::get);
    Ok(rayon::ThreadPoolBuilder::new().num_threads(threads).build()?)
}

/// Which filters were given.
pub(crate) fn typed(which: &Which) -> Typed {
    Typed { name: !which.name.is_empty(), server: !which.server.is_empty(), port: !which.port.is_empty() }
}

/// The engine's settings, for as many shards as the current pool has threads.
pub(crate) fn config(judging: &Judging, which: &Which, keep: Keep) -> Config {
    Config {
        deadline: judging.deadline,
        slow: judging.slow,
        keep,
        filter: Filter {
            servers: which.server.clone(),
            ports: which.port.clone(),
            names: which.name.iter().map(|name| NameFilter::new(name)).collect(),
            ..Filter::default()
        },
        shards: rayon::current_num_threads(),
        ..Config::default()
    }
}

/// What the readers know of the inputs; `warnings` are about those that are no captures.
pub(crate) fn input(summary: &Summary, warnings: Vec<String>) -> Input {
    let mut input = summary.input();
    input.warnings.extend(warnings);
    input
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
