//! `hookscope extract FILE... -w OUT`: turns captures into a smaller one, of the packets that matter.
//!
//! The captures are read twice: what is wrong with a connection is often known long after its first packet. What comes
//! through a pipe is kept in a temporary file meanwhile.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use hookscope::report::Trace;
use hookscope::report::schema::Report;
use hookscope::{Config, Inspector, Keep};
use hookscope_capture::write::{PcapngWriter, Selection};
use hookscope_capture::{InputError, Options, for_each_batch};

use super::{Status, analyze, explain, refuse_reading_twice};
use crate::args::Extract;
use crate::cluster::Known;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{APPLICATION, cluster, complain, engine, evidence, interrupt, text};

/// Reads, judges, chooses, reads again and writes.
pub(super) fn run(args: &Extract) -> Result<Status, Failure> {
    refuse_reading_twice([&args.files, &args.judging.cluster])?;
    interrupt::leave_to_writer(&args.files);
    let (files, _kept) = files(&args.files)?;
    let (report, traces) = judge(args, &files)?;
    let selection = select(args, &report, &traces)?;
    if selection.is_empty() {
        complain("nothing matches, so nothing is written");
        return Ok(analyze::status(&report));
    }
    let is_stdout = args.write == Path::new("-");
    let written = if is_stdout {
        match write(args, &files, &selection, io::stdout().lock()) {
            // Its reader has seen enough: nothing more to do, nothing to say.
            Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Ok(analyze::status(&report));
            }
            written => written,
        }
    } else {
        write_file(args, &files, &selection)
    };
    let (packets, commented) = written?;
    let (packets, commented) = (text::counted(packets, "packet"), text::counted(commented, "comment"));
    complain(&format!("{packets} written, with {commented}").replace(text::GLUE, " "));
    Ok(analyze::status(&report))
}

/// The inputs as files: standard input is copied into one, which is gone when the second value is.
fn files(paths: &[PathBuf]) -> Result<(Vec<PathBuf>, Option<tempfile::TempPath>), Failure> {
    let Some(place) = paths.iter().position(|path| path == Path::new("-")) else {
        return Ok((paths.to_vec(), None));
    };
    let keep = || {
        let mut file = tempfile::NamedTempFile::new()?;
        io::copy(&mut io::stdin().lock(), &mut file)?;
        Ok(file.into_temp_path())
    };
    let kept = keep().map_err(Failure::Spool)?;
    let mut paths = paths.to_vec();
    if let Some(path) = paths.get_mut(place) {
        *path = kept.to_path_buf();
    }
    Ok((paths, Some(kept)))
}

/// The first reading: what is wrong with which connection.
fn judge(args: &Extract, files: &[PathBuf]) -> Result<(Report, HashMap<u64, Trace>), Failure> {
    let codes = |severity: &str| {
        let pages = hookscope::diagnosis::pages();
        pages
            .iter()
            .filter(|page| page.severity.name() == severity)
            .any(|page| args.code.contains(&page.code.name.to_owned()))
    };
    for code in &args.code {
        if engine::entry(code).is_none() {
            return Err(Failure::UnknownCode {
                code: code.clone(),
                advice: explain::advice(code, &engine::catalogue()),
            });
        }
    }
    let keep = if !args.connection.is_empty() || codes("ok") { Keep::All } else { Keep::Failures };
    let Known { cluster, warnings } = cluster::read(&args.judging.cluster)?;
    let mut progress = Progress::new(!args.no_progress);
    engine::pool(&args.judging)?
        .install(|| {
            let config = engine::config(&args.judging, &args.which, keep);
            let mut inspector = Inspector::new(Config { cluster, ..config });
            let summary = for_each_batch(files, &Options::default(), |packets, at| {
                inspector.observe_batch(packets);
                progress.at(at.consumed, at.total);
                ControlFlow::Continue(())
            })?;
            let inspection = inspector.finish();
            let traces = inspection.traces().map(|trace| (trace.id, trace)).collect();
            let report = inspection.report(&engine::input(&summary, warnings));
            report.capture.warnings.iter().for_each(|warning| complain(warning));
            Ok::<_, InputError>((report, traces))
        })
        .map_err(Failure::from)
}

/// What was asked for.
fn select(args: &Extract, report: &Report, traces: &HashMap<u64, Trace>) -> Result<Selection, Failure> {
    let failed = args.failed || args.connection.is_empty() && args.code.is_empty();
    let has_code = |code: &str| args.code.iter().any(|wanted| wanted == code);
    let mut selection = Selection::default();
    for connection in &report.connections {
        let verdicts = || connection.calls.iter().map(|call| &call.verdict).chain([&connection.verdict]);
        let chosen = args.connection.contains(&connection.id)
            || verdicts().any(|verdict| has_code(verdict.code))
            || failed && verdicts().any(|verdict| verdict.severity == "failure");
        if let Some(trace) = traces.get(&connection.id).filter(|_| chosen) {
            selection.add(evidence::of_connection(
                trace,
                connection,
                Some(trace.last.time),
                &report.capture.files,
            ));
        }
    }
    for lookup in &report.lookups {
        let verdict = &lookup.verdict;
        if has_code(verdict.code) || failed && verdict.severity == "failure" {
            selection.add(evidence::of_lookup(lookup, &report.capture.files));
        }
    }
    let missing = args.connection.iter().find(|id| !report.connections.iter().any(|one| one.id == **id));
    match missing {
        Some(id) => Err(Failure::NoSuchConnection { id: *id }),
        None => Ok(selection),
    }
}

/// Writes a file that bears its name once it is whole.
fn write_file(args: &Extract, files: &[PathBuf], selection: &Selection) -> Result<(u64, u64), Failure> {
    let path = &args.write;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = path.with_file_name(name);
    let failed = |error| Failure::Evidence { path: path.display().to_string(), error };
    let file = File::create(&partial).map_err(failed)?;
    let written = write(args, files, selection, BufWriter::with_capacity(1 << 16, file));
    if let Err(error) = written.as_ref().map(drop) {
        let _ = fs::remove_file(&partial);
        return Err(match error {
            Failure::Output(error) => failed(io::Error::new(error.kind(), error.to_string())),
            _ => return written,
        });
    }
    fs::rename(&partial, path).map_err(failed)?;
    written
}

/// The second reading: the packets that were asked for, and how many of them bear comments.
fn write(
    args: &Extract,
    files: &[PathBuf],
    selection: &Selection,
    out: impl Write,
) -> Result<(u64, u64), Failure> {
    let mut progress = Progress::new(!args.no_progress);
    let (mut packets, mut commented) = (0, 0);
    let mut failed = None;
    let mut writer = PcapngWriter::new(out, APPLICATION)?;
    for_each_batch(files, &Options::default(), |batch, at| {
        progress.at(at.consumed, at.total);
        for packet in batch.iter().filter(|packet| selection.wants(packet)) {
            let comment = selection.comment(packet.frame);
            if let Err(error) = writer.packet(packet, comment) {
                failed = Some(error);
                return ControlFlow::Break(());
            }
            packets += 1;
            commented += u64::from(comment.is_some());
        }
        ControlFlow::Continue(())
    })?;
    let ended = match failed {
        Some(error) => Err(error),
        None => writer.finish().map(drop),
    };
    Ok(ended.map(|()| (packets, commented))?)
}
