//! Turns a regular file into its bytes, without copying them.
//!
//! Maps only; what the bytes are is for `format`. This module is the one place of the workspace with `unsafe`.

#[cfg(unix)]
mod guard;

use std::fs::File;
use std::io;

use memmap2::Mmap;

#[cfg(unix)]
pub use guard::guard_maps;

/// Nothing is raised there for a file that shrinks: it cannot be cut while it is mapped.
#[cfg(not(unix))]
#[allow(clippy::missing_errors_doc, clippy::unnecessary_wraps, reason = "the same everywhere")]
pub fn guard_maps() -> io::Result<()> {
    Ok(())
}

/// A regular file whose bytes are in memory as far as they are touched.
///
/// # A file that changes while it is mapped
///
/// A map is the file, not a copy. Two things can happen to it that cannot happen to a buffer:
///
/// - Bytes change (someone writes into the middle of a capture). What is read is then a mixture, as it would be with
///   `read(2)`. Whoever reads must not rely on two reads of a byte being equal; nothing here does, since every length
///   is checked against the map where it is used.
/// - The file shrinks (`> capture.pcap`, a rotation that truncates in place). Pages past the new end then raise SIGBUS
///   when touched. [`Self::shrunk_to`] is asked before every batch, one `fstat` for thousands of packets, and mostly
///   the input ends there with a warning. What is cut between that and the last touch is met by the guard
///   ([`guard_maps`]): zeros take the place of what is gone, and [`Self::lost`] says after the batch that what was
///   handed out is not what was in the file, which is an error. Without the guard, which a program has to ask for, it
///   is still SIGBUS. A tcpdump ring (`-W`) does truncate the file it comes round to: read it once it has stopped, or
///   copy its files first.
///
/// A file that grows is no problem: it is read up to where it ended when it was opened.
#[derive(Debug)]
pub(crate) struct MappedFile {
    // The guard looks away before the pages are unmapped: fields are dropped in this order.
    #[cfg(unix)]
    watch: guard::Watch,
    file: File,
    map: Mmap,
}

impl MappedFile {
    /// Maps all of `file`, which has to be a regular file.
    pub(crate) fn new(file: File) -> io::Result<Self> {
        // SAFETY: The map is read-only, and its bytes are only ever used as plain `u8`s, for which every value is
        // valid. What remains is that another process can change or truncate the file under the `&[u8]`; see above for
        // why that is accepted and how truncation is noticed. The alternative is to copy every byte of
        // every file through a buffer.
        #[allow(unsafe_code, reason = "a file can be borrowed in no other way")]
        let map = unsafe { Mmap::map(&file)? };
        // The file is read once from front to back: read ahead far, and let go early. Advice may be refused.
        #[cfg(unix)]
        let _ = map.advise(memmap2::Advice::Sequential);
        #[cfg(unix)]
        let watch = guard::Watch::new(&map).ok_or_else(|| io::Error::other("too many files are mapped"))?;
        Ok(Self {
            #[cfg(unix)]
            watch,
            file,
            map,
        })
    }

    /// The bytes of the file, as long as it was when it was mapped.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Has the pages from `start` to `end` ready, all at once: a fault for each would take longer.
    pub(crate) fn populate(&self, start: usize, end: usize) {
        let end = end.min(self.map.len());
        #[cfg(target_os = "linux")]
        if start < end {
            // Linux has it since 5.14. Else pages come as they are touched.
            let _ = self.map.advise_range(memmap2::Advice::PopulateRead, start, end - start);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (start, end);
    }

    /// Lets go of the pages from `start` to `end`, so that a file takes no more of this process's memory than is being
    /// looked at. They stay in the system's cache, and come back if they are touched.
    pub(crate) fn release(&self, start: usize, end: usize) {
        /// The page in which `end` lies is still needed, whatever its size.
        const PAGE: usize = 64 << 10;
        let end = end - end % PAGE;
        #[cfg(unix)]
        if start < end && end <= self.map.len() {
            // SAFETY: The advice drops pages of a map that is read-only and backed by its file: whoever touches them
            // again sees the file's bytes, the same as before, as far as a map promises that at all.
            #[allow(
                unsafe_code,
                reason = "the advice is unsafe because it loses what was written, and nothing was"
            )]
            let _ = unsafe {
                self.map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, start, end - start)
            };
        }
        #[cfg(not(unix))]
        let _ = (start, end);
    }

    /// Why bytes from `start` to `end` that were handed out may not have been those of the file; nothing where they were.
    pub(crate) fn lost(&self, start: usize, end: usize) -> Option<String> {
        let before = self.map.len();
        let cut = self.shrunk_to();
        #[cfg(unix)]
        if self.watch.has_lost() {
            return Some(match cut {
                Some(now) => format!("it was cut from {before} to {now} bytes while it was read"),
                None => "some of its bytes could not be had from where they are stored".to_owned(),
            });
        }
        // The rest of the page in which a file ends reads as zeros without a fault.
        let zeros = cut?..cut?.next_multiple_of(page());
        (zeros.start < end as u64 && (start as u64) < zeros.end && start < end && !zeros.is_empty())
            .then(|| format!("it was cut from {before} to {} bytes while it was read", zeros.start))
    }

    /// The length that the file has now, where that is less than what was mapped: the bytes may no longer be touched.
    pub(crate) fn shrunk_to(&self) -> Option<u64> {
        let now = self.file.metadata().ok()?.len();
        (now < self.map.len() as u64).then_some(now)
    }
}

/// The size of a page in bytes; a usual one where the system does not say.
fn page() -> u64 {
    #[cfg(unix)]
    if let Some(page) = guard::page() {
        return page as u64;
    }
    4_096
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_shrinks_is_noticed() {
        let path = std::env::temp_dir().join(format!("hookscope-map-{}", std::process::id()));
        std::fs::write(&path, [7; 100]).unwrap();
        let mapped = MappedFile::new(File::open(&path).unwrap()).unwrap();
        assert_eq!((mapped.bytes().len(), mapped.shrunk_to()), (100, None));
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(10).unwrap();
        assert_eq!(mapped.shrunk_to(), Some(10));
        std::fs::remove_file(path).unwrap();
    }
}
