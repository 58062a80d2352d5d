//! `hookscope FILE...`: turns captures into a report on standard output.

use std::io::{self, IsTerminal, Write};

use hookscope::report::schema::Report;

use super::{Status, refuse_reading_twice};
use crate::args::{Analyze, Format, Shape};
use crate::engine::{self, Reading};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{complain, interrupt, output, terminal, text};

/// Reads, judges and reports.
pub(super) fn run(args: &Analyze) -> Result<Status, Failure> {
    refuse_mistyped_command(args)?;
    refuse_reading_twice([&args.files, &args.judging.cluster, &args.log])?;
    choose_zone(&args.shape);
    interrupt::leave_to_writer(&args.files);
    let mut progress = Progress::new(!args.no_progress && !args.shape.quiet);
    let reading = engine::read(args, &mut progress)?;
    drop(progress);

    // The text report shows warnings itself, unless it is to be short; what programs read has them among other fields.
    if args.shape.format != Format::Text || args.shape.quiet {
        reading.report.capture.warnings.iter().for_each(|warning| complain(warning));
        text::filtered(&reading.report, &reading.left_out, reading.typed)
            .iter()
            .for_each(|remark| complain(remark));
    }
    if args.shape.format == Format::Text && args.shape.quiet {
        text::unseen(&reading.report, &reading.left_out).iter().for_each(|note| complain(note));
    }
    output::to_stdout(|out| write(out, &args.shape, &reading))?;
    Ok(status(&reading.report))
}

/// Writes the report as it was asked for.
pub(super) fn write(out: &mut dyn Write, shape: &Shape, reading: &Reading) -> io::Result<()> {
    match shape.format {
        Format::Json => output::json(out, &reading.report, io::stdout().is_terminal()),
        Format::Ndjson => output::ndjson(out, &reading.report),
        Format::Text => {
            let detail = match (shape.quiet, shape.verbose) {
                (true, _) => text::Detail::Quiet,
                (_, true) => text::Detail::Verbose,
                _ => text::Detail::Normal,
            };
            let story = text::Story {
                report: &reading.report,
                groups: &reading.groups,
                left_out: reading.left_out,
                typed: reading.typed,
                all: shape.all,
                detail,
            };
            let mut page = String::new();
            text::report(&mut page, terminal::paper(shape.color.when), &story).map_err(io::Error::other)?;
            out.write_all(page.as_bytes())
        }
    }
}

/// In which zone times are shown.
pub(super) fn choose_zone(shape: &Shape) {
    if shape.local_time
        && let Err(error) = text::use_local_time()
    {
        complain(&format!("the local time zone is not known, so times are in UTC: {error}"));
    }
}

/// Whether anything in the report failed.
pub(super) fn status(report: &Report) -> Status {
    let summary = &report.summary;
    // A call of which nothing was sent has no connection that would count.
    let logged = report.log.iter().any(|line| line.verdict.severity == "failure");
    if summary.failed_connections > 0 || summary.failed_calls > 0 || summary.failed_lookups > 0 || logged {
        Status::Failed
    } else {
        Status::Clean
    }
}

/// `hookscope explian …` names a file that does not exist; say what was meant.
fn refuse_mistyped_command(args: &Analyze) -> Result<(), Failure> {
    let Some(first) = args.files.first() else { return Ok(()) };
    let typed = first.to_string_lossy();
    if !first.exists() && engine::entry(&typed.to_ascii_lowercase()).is_some() {
        return Err(Failure::CodeForFile { code: typed.into_owned() });
    }
    let meant = ["analyze", "explain", "extract", "live", "help", "completions"]
        .into_iter()
        .find(|command| strsim::damerau_levenshtein(command, &typed) <= 2);
    match meant {
        Some(command) if !first.exists() => {
            Err(Failure::MistakenForFile { typed: typed.into_owned(), command })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::sample;

    #[test]
    fn any_failed_connection_call_or_lookup_counts() {
        assert_eq!(status(&sample::healthy(3).report), Status::Clean);
        assert_eq!(status(&sample::empty().report), Status::Clean);
        assert_eq!(status(&sample::incident().report), Status::Failed);
        assert_eq!(status(&sample::lookup().report), Status::Failed);
        let mut report = sample::healthy(1).report;
        report.summary.failed_calls = 1;
        assert_eq!(status(&report), Status::Failed);
    }
}
