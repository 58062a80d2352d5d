//! Files with a cluster's objects -> the cluster, and what a user should know about them.

use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hookscope::cluster::Cluster;
use hookscope::report::schema::{EndpointReport, Report};
use hookscope_cluster::{MAX_TEXT, Reader, Reading};

use crate::failure::Failure;

/// What names a file where the option does not.
const VARIABLE: &str = "HOOKSCOPE_CLUSTER";
/// How many objects that were left out are named one by one.
const NAMED: usize = 5;

/// What was read.
#[derive(Default)]
pub(crate) struct Known {
    /// Nothing where no file was given.
    pub(crate) cluster: Option<Arc<Cluster>>,
    pub(crate) warnings: Vec<String>,
}

/// Reads all files as one cluster.
pub(crate) fn read(files: &[PathBuf]) -> Result<Known, Failure> {
    if files.is_empty() {
        return Ok(Known::default());
    }
    let mut reader = Reader::default();
    for file in files {
        let name = file.display().to_string();
        let bytes = bytes(file).map_err(|error| Failure::NamedFile {
            file: name.clone(),
            from: named_by(file),
            error,
        })?;
        reader.read(&name, &bytes)?;
    }
    let reading = reader.finish();
    let warnings = warnings(&reading, files);
    Ok(Known { cluster: Some(Arc::new(Cluster::new(reading.objects))), warnings })
}

/// What named the file: the option outweighs the variable.
fn named_by(file: &Path) -> &'static str {
    let is_typed = env::args_os().any(|arg| {
        let arg = arg.to_string_lossy();
        arg == "--cluster" || arg.starts_with("--cluster=")
    });
    let is_set = env::var_os(VARIABLE).is_some_and(|value| Path::new(&value) == file);
    if is_set && !is_typed { VARIABLE } else { "--cluster" }
}

/// What to say where no connection has anything to do with the objects.
pub(crate) fn unrelated(report: &Report) -> Option<String> {
    let known = &report.cluster.as_ref()?.webhooks;
    let is_met =
        |endpoint: &EndpointReport| endpoint.cluster.as_ref().is_some_and(|it| !it.webhooks.is_empty());
    let is_other = !known.is_empty() && !report.endpoints.is_empty() && !report.endpoints.iter().any(is_met);
    let webhooks = if known.len() == 1 { "webhook" } else { "webhooks" };
    is_other.then(|| {
        format!(
            "no connection is to one of the {} {webhooks} in the objects: are they of this cluster, and of that time?",
            known.len()
        )
    })
}

fn bytes(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        io::stdin().lock().take(MAX_TEXT + 1).read_to_end(&mut bytes)?
    } else {
        File::open(file)?.take(MAX_TEXT + 1).read_to_end(&mut bytes)?
    };
    if read as u64 > MAX_TEXT {
        let advice = format!("more than {} MiB; collect fewer kinds of objects", MAX_TEXT >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, advice));
    }
    Ok(bytes)
}

fn warnings(reading: &Reading, files: &[PathBuf]) -> Vec<String> {
    let mut warnings: Vec<String> = reading.problems.iter().take(NAMED).map(ToString::to_string).collect();
    let more = reading.problems.len().saturating_sub(NAMED) + reading.more_problems;
    if more > 0 {
        warnings.push(format!("{more} more objects of the cluster are left out"));
    }
    let names = || files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
    if reading.objects.webhooks.is_empty() {
        let what = if reading.objects.is_empty() { "no object that is of use" } else { "no webhook" };
        warnings.push(format!(
            "{what} in {}: collect the webhook configurations, Services, EndpointSlices and pods",
            names()
        ));
    }
    warnings
}
