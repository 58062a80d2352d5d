//! Turns a path and a bound into pcapng files that never use more disk than asked for.
//!
//! A file that is being written bears another name, with `.partial` at its end, and gets its own when it is whole: who
//! finds a file finds all of it. Old files go before new ones begin, those of earlier runs included.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hookscope::packet::Packet;
use hookscope::time::{Elapsed, Timestamp};

use super::PcapngWriter;

/// When a new file begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// Never: one file, which is full at [`Rotation::LARGEST`].
    Never,
    /// Before a file exceeds so many octets.
    Size(u64),
    /// When so much time has passed since its first packet; or it has [`Rotation::LARGEST`] octets.
    Time(Duration),
}

/// Files that take turns.
#[derive(Debug)]
pub struct Rotation {
    path: PathBuf,
    every: Every,
    keep: usize,
    application: String,
    current: Option<Current>,
    /// Files that were finished, in order.
    finished: Vec<PathBuf>,
    is_full: bool,
}

#[derive(Debug)]
struct Current {
    writer: PcapngWriter<BufWriter<File>>,
    partial: PathBuf,
    named: PathBuf,
    begun: Timestamp,
}

impl Rotation {
    /// The most octets that a file has whose size nobody bounds: 1 GiB.
    pub const LARGEST: u64 = 1 << 30;
    /// The fewest octets that a file can be bounded to.
    pub const SMALLEST: u64 = 64 << 10;

    /// Files at `path`: that one, or with a time put into its name where there may be several; the last `keep` of them.
    ///
    /// # Errors
    ///
    /// Those of the file system, where no file can be made there.
    pub fn new(path: &Path, every: Every, keep: usize, application: &str) -> io::Result<Self> {
        let rotation = Self {
            path: path.to_owned(),
            every,
            keep: keep.max(1),
            application: application.to_owned(),
            current: None,
            finished: Vec::new(),
            is_full: false,
        };
        // What cannot be written is better known before than after.
        let probe = rotation.partial();
        File::create(&probe)?;
        fs::remove_file(&probe)?;
        // One that is there already, and somebody else's, could not be replaced in the end.
        if every == Every::Never && path.exists() {
            File::options().append(true).open(path)?;
        }
        Ok(rotation)
    }

    /// Writes a packet. Says whether it was: a single file may be full.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn packet(&mut self, packet: &Packet<'_>, comment: Option<&str>, now: Timestamp) -> io::Result<bool> {
        let room = PcapngWriter::<File>::room_for(packet, comment);
        let due = self.current.as_ref().is_some_and(|current| {
            current.writer.written() + room > self.largest() || self.is_old(current, now)
        });
        if due {
            if self.every == Every::Never {
                self.is_full = true;
            } else {
                self.finish_file()?;
            }
        }
        if self.is_full {
            return Ok(false);
        }
        let current = match &mut self.current {
            Some(current) => current,
            None => {
                let begun = self.begin(now)?;
                self.current.insert(begun)
            }
        };
        let written = current.writer.packet(packet, comment);
        self.or_abandon(written)?;
        Ok(true)
    }

    /// Where the file cannot be written any further, leaves it as it is: what was written so far can be read, and nothing
    /// may follow a block that was cut.
    fn or_abandon(&mut self, written: io::Result<()>) -> io::Result<()> {
        if written.is_err()
            && let Some(current) = self.current.take()
        {
            drop(current.writer.abandon().into_parts());
            fs::rename(&current.partial, &current.named)?;
            self.finished.push(current.named);
            self.is_full = self.every == Every::Never;
        }
        written
    }

    /// Hands what was written to the system, and finishes the file if its time is over.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn tick(&mut self, now: Timestamp) -> io::Result<()> {
        if let Some(current) = &mut self.current {
            let written = current.writer.flush();
            self.or_abandon(written)?;
        }
        if self.current.as_ref().is_some_and(|current| self.is_old(current, now)) {
            self.finish_file()?;
        }
        Ok(())
    }

    /// Finishes the last file. Gives back the names of all that were written, as far as they are kept.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn finish(mut self) -> io::Result<Vec<PathBuf>> {
        self.finish_file()?;
        self.finished.retain(|path| path.exists());
        Ok(self.finished)
    }

    fn is_old(&self, current: &Current, now: Timestamp) -> bool {
        matches!(self.every, Every::Time(time) if now.since(current.begun) >= Elapsed::from(time))
    }

    fn largest(&self) -> u64 {
        match self.every {
            Every::Size(size) => size.max(Self::SMALLEST),
            Every::Never | Every::Time(_) => Self::LARGEST,
        }
    }

    fn partial(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        self.path.with_file_name(name)
    }

    fn begin(&self, now: Timestamp) -> io::Result<Current> {
        let named = if self.every == Every::Never { self.path.clone() } else { self.named(now) };
        self.make_room()?;
        let partial = self.partial();
        let writer = PcapngWriter::new(BufWriter::new(File::create(&partial)?), &self.application)?;
        Ok(Current { writer, partial, named, begun: now })
    }

    fn finish_file(&mut self) -> io::Result<()> {
        let Some(current) = self.current.take() else { return Ok(()) };
        let file = current.writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        fs::rename(&current.partial, &current.named)?;
        self.finished.push(current.named);
        // Only those that may still be there need to be remembered.
        let gone = self.finished.len().saturating_sub(self.keep);
        self.finished.drain(..gone);
        Ok(())
    }

    /// The name of a file that begins now: `NAME-20261123T020717.123Z.EXTENSION`, so that names sort by time.
    fn named(&self, now: Timestamp) -> PathBuf {
        let time: String = now.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
        let time = time.get(..19).unwrap_or(&time);
        let (stem, extension) = self.parts();
        let mut number = 0;
        loop {
            let again = if number == 0 { String::new() } else { format!("-{number}") };
            let path = self.path.with_file_name(format!("{stem}-{time}Z{again}{extension}"));
            if !path.exists() {
                return path;
            }
            number += 1;
        }
    }

    fn parts(&self) -> (String, String) {
        let text = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let extension = text(self.path.extension());
        let extension = if extension.is_empty() { extension } else { format!(".{extension}") };
        (text(self.path.file_stem()), extension)
    }

    /// Removes the oldest files, so that one more is not too many.
    fn make_room(&self) -> io::Result<()> {
        if self.every == Every::Never {
            return Ok(());
        }
        let (stem, extension) = self.parts();
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut ours = Vec::new();
        for entry in fs::read_dir(folder.unwrap_or_else(|| Path::new(".")))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let time = name.strip_prefix(&format!("{stem}-")).and_then(|rest| rest.strip_suffix(&extension));
            if time.is_some_and(is_time) {
                ours.push(path);
            }
        }
        ours.sort();
        let surplus = (ours.len() + 1).saturating_sub(self.keep);
        ours.iter().take(surplus).try_for_each(fs::remove_file)
    }
}

/// Whether this is what [`Rotation`] puts into names, so that nobody else's files are removed.
fn is_time(text: &str) -> bool {
    let (time, again) = text.split_once('Z').unwrap_or_default();
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let number = again.strip_prefix('-').unwrap_or("1");
    shape == "00000000T000000.000" && number.parse::<u32>().is_ok() && (again.is_empty() || again.len() > 1)
}

#[cfg(test)]
mod tests {
    use hookscope::packet::{Frame, LinkType};

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("hookscope-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn names(&self) -> Vec<String> {
            let mut names: Vec<_> = fs::read_dir(&self.0)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }

        fn octets(&self) -> u64 {
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn packet(nanos: i64, data: &[u8]) -> Packet<'_> {
        Packet {
            time: Timestamp::from_nanos(nanos),
            frame: Frame::new(0, 1),
            link_type: LinkType::RAW,
            interface: 0,
            wire_len: data.len() as u32,
            data,
        }
    }

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn a_single_file_has_its_name_once_it_is_whole() {
        let folder = Folder::new("single");
        let path = folder.0.join("evidence.pcapng");
        let mut rotation = Rotation::new(&path, Every::Never, 1, "test").unwrap();
        assert!(folder.names().is_empty());
        assert!(rotation.packet(&packet(1, &[7; 100]), None, Timestamp::from_nanos(1)).unwrap());
        rotation.tick(Timestamp::from_nanos(2)).unwrap();
        assert_eq!(folder.names(), ["evidence.pcapng.partial"]);
        assert_eq!(rotation.finish().unwrap(), [path]);
        assert_eq!(folder.names(), ["evidence.pcapng"]);
    }

    #[test]
    fn files_by_size_never_use_more_disk_than_asked_for() {
        let folder = Folder::new("size");
        fs::write(folder.0.join("e-notes.pcapng"), "not ours").unwrap();
        fs::write(folder.0.join("e-20200101T000000.000Z.pcapng"), "of an earlier run").unwrap();
        let size = Rotation::SMALLEST;
        let mut rotation = Rotation::new(&folder.0.join("e.pcapng"), Every::Size(size), 3, "test").unwrap();
        for step in 0..400 {
            let now = Timestamp::from_nanos(1_700_000_000 * SECOND + step * 1_000_000);
            assert!(rotation.packet(&packet(step, &[7; 1400]), Some("x"), now).unwrap());
            rotation.tick(now).unwrap();
            assert!(folder.octets() <= 3 * size + 64);
        }
        let kept = rotation.finish().unwrap();
        assert_eq!(kept.len(), 3);
        let names = folder.names();
        assert_eq!(names.len(), 4, "{names:?}");
        assert!(names.contains(&"e-notes.pcapng".to_owned()));
        assert!(!names.contains(&"e-20200101T000000.000Z.pcapng".to_owned()));
    }

    #[test]
    fn files_by_time_end_when_their_time_is_over() {
        let folder = Folder::new("time");
        let every = Every::Time(Duration::from_secs(60));
        let mut rotation = Rotation::new(&folder.0.join("e"), every, 2, "test").unwrap();
        for minute in 0..5 {
            let now = Timestamp::from_nanos(1_700_000_000 * SECOND + minute * 60 * SECOND);
            rotation.packet(&packet(1, &[7; 40]), None, now).unwrap();
            rotation.tick(now.later(Duration::from_secs(60))).unwrap();
            assert!(folder.names().iter().all(|name| name.starts_with("e-2023")), "{:?}", folder.names());
        }
        assert_eq!(folder.names().len(), 2);
    }

    #[test]
    fn a_full_disk_leaves_what_could_be_written() {
        let folder = Folder::new("full");
        let mount =
            |args: &[&str]| std::process::Command::new(args[0]).args(&args[1..]).arg(&folder.0).status();
        let mounted = mount(&["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs"]);
        if !mounted.is_ok_and(|status| status.success()) {
            eprintln!("not tested: no small file system can be mounted here");
            return;
        }
        let path = folder.0.join("e.pcapng");
        let mut rotation = Rotation::new(&path, Every::Never, 1, "test").unwrap();
        let now = Timestamp::from_nanos(1);
        let written = (0..200).map(|_| rotation.packet(&packet(1, &[7; 1400]), None, now));
        let refused: Vec<_> = written.filter_map(Result::err).map(|error| error.kind()).collect();
        let left = (folder.names(), fs::read(&path).map(|file| file.len()));
        let next = rotation.packet(&packet(1, &[7; 1400]), None, now);
        drop(rotation);
        assert!(mount(&["umount"]).unwrap().success());
        assert_eq!(refused, [io::ErrorKind::StorageFull]);
        assert_eq!(left.0, ["e.pcapng"]);
        assert!(left.1.unwrap() > 100_000);
        assert!(!next.unwrap(), "nothing follows a block that was cut");
    }

    #[test]
    fn a_folder_that_is_not_there_is_known_at_once() {
        let error = Rotation::new(Path::new("/nowhere/e.pcapng"), Every::Never, 1, "test");
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
