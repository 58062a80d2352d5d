//! kube-apiserver's log beside a capture that goes on: opened while there may be privileges for that, read at the end.
//!
//! What was opened stays readable whatever becomes of its name. Where the name is another file's in the end, the log was
//! rotated: that file is read behind the first, by whoever we are then.

use std::fs::{File, Metadata};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use hookscope::log::{MAX_LINE, Reader};
use hookscope_capture::for_each_line_of;

use crate::failure::Failure;
use crate::log::Logged;

/// Octets of one file that are read: its last.
const MOST: u64 = 1 << 30;

/// Logs that are open.
pub(super) struct OpenLogs(Vec<(PathBuf, File)>);

impl OpenLogs {
    /// Opens all, reads none.
    pub(super) fn open(paths: &[PathBuf]) -> Result<Self, Failure> {
        let open = |path: &PathBuf| match open(path) {
            Ok(file) => Ok((path.clone(), file)),
            Err(reason) => {
                Err(Failure::LiveLog { path: path.display().to_string(), reason: reason.to_string() })
            }
        };
        Ok(Self(paths.iter().map(open).collect::<Result<_, _>>()?))
    }

    /// Reads all as one log. What cannot be read is a warning: the packets have been seen all the same.
    pub(super) fn read(self) -> Logged {
        let mut logged = Logs::default();
        for (path, file) in self.0 {
            let name = path.display().to_string();
            match successor(&path, &file) {
                Ok(None) => logged.read(&name, file),
                Ok(Some(next)) => {
                    logged.read(&format!("{name} (before it was rotated)"), file);
                    logged.read(&name, next);
                }
                Err(error) => {
                    logged.read(&name, file);
                    logged.warnings.push(format!(
                        "{name}: it was rotated, and the file that took its place cannot be read: {error}; --user says \
                         whom this runs as"
                    ));
                }
            }
        }
        Logged { log: logged.reader.finish(), warnings: logged.warnings }
    }
}

#[derive(Default)]
struct Logs {
    reader: Reader,
    warnings: Vec<String>,
}

impl Logs {
    fn read(&mut self, name: &str, mut file: File) {
        let skipped = file.metadata().map_or(0, |file| file.len().saturating_sub(MOST));
        if skipped > 0 && file.seek(SeekFrom::Start(skipped)).is_ok() {
            self.warnings
                .push(format!("{name}: only its last {} MiB are read; lines count from there", MOST >> 20));
        }
        self.reader.file(name);
        match for_each_line_of(name, file, MAX_LINE, |line, is_cut| self.reader.line(line, is_cut)) {
            Ok(note) => self.warnings.extend(note),
            Err(error) => return self.warnings.push(error.to_string()),
        }
        if let Err(error) = self.reader.end() {
            self.warnings.push(error.to_string());
        }
    }
}

/// Opens a file; what has no end is none: it would be waited for.
fn open(path: &Path) -> io::Result<File> {
    let kind = path.metadata()?.file_type();
    if !kind.is_file() {
        let what = if kind.is_dir() { "it is a folder" } else { "it is no file" };
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    File::open(path)
}

/// The file that bears the name now, where it is another one. Where none does, the next was not begun.
fn successor(path: &Path, file: &File) -> io::Result<Option<File>> {
    let identity = |it: &Metadata| (it.dev(), it.ino());
    match path.metadata() {
        Ok(now) if identity(&now) != identity(&file.metadata()?) => open(path).map(Some),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    fn line(webhook: &str) -> String {
        format!(
            "W1122 15:34:37.530257   25545 dispatcher.go:153] Failed calling webhook, failing closed {webhook}: failed \
             calling webhook \"{webhook}\": failed to call webhook: Post \"https://a.b.svc:443/?timeout=10s\": context \
             deadline exceeded\n"
        )
    }

    #[test]
    fn a_log_is_read_up_to_its_end_whatever_its_name_is_by_then() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kube-apiserver.log");
        fs::write(&path, line("one.lab.io")).unwrap();
        let calls = |change: &dyn Fn(&Path)| {
            let logs = OpenLogs::open(std::slice::from_ref(&path)).unwrap();
            change(&path);
            let Logged { log, warnings } = logs.read();
            (log.calls(), warnings)
        };
        let grown = calls(&|path| {
            let mut file = File::options().append(true).open(path).unwrap();
            file.write_all(line("two.lab.io").as_bytes()).unwrap();
        });
        assert_eq!(grown, (2, vec![]));
        let rotated = calls(&|path| {
            fs::rename(path, path.with_extension("1")).unwrap();
            fs::write(path, line("three.lab.io")).unwrap();
        });
        assert_eq!(rotated, (3, vec![]));
        let emptied = calls(&|path| fs::write(path, line("four.lab.io")).unwrap());
        assert_eq!(emptied, (1, vec![]));
        let gone = calls(&|path| fs::remove_file(path).unwrap());
        assert_eq!(gone, (1, vec![]));
    }

    #[test]
    fn what_is_no_log_is_said_when_it_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.txt");
        let open = |path: &Path| OpenLogs::open(&[path.to_owned()]);
        let refused = |path: &Path| open(path).map(drop).unwrap_err().to_string();
        assert!(refused(&path).contains("other.txt: No such file"), "{}", refused(&path));
        assert!(
            refused(folder.path()).contains("it is a folder; --log takes a file"),
            "{}",
            refused(folder.path())
        );
        assert!(refused(Path::new("/dev/null")).contains("it is no file"));
        fs::write(&path, "nothing of the kind\n").unwrap();
        let Logged { log, warnings } = open(&path).unwrap().read();
        assert_eq!(log.calls(), 0);
        assert!(warnings[0].contains("no log of kube-apiserver's"), "{warnings:?}");
    }
}
