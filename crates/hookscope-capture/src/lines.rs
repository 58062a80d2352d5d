//! Turns a text file, plain or compressed, or standard input into its lines, one at a time and in bounded memory.
//!
//! What the lines say is not its business, nor whether they are UTF-8.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::compress::{Decoder, Input};
use crate::error::Fault;
use crate::reader::{is_stdin, name_of};

/// Octets without the end of a line after which an input is no text.
const ENDLESS: u64 = 64 << 20;
/// Octets of one read.
const CHUNK: usize = 64 << 10;

/// Why a text cannot be read at all. Displays as one line that names the input.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinesError {
    /// The operating system refuses it.
    #[error("{path}: {error}")]
    Io {
        /// The input as the caller named it.
        path: String,
        /// What the operating system says.
        #[source]
        error: io::Error,
    },
    /// A compressed file of which not even the first line can be had.
    #[error("{path}: its {compression} stream cannot be read: {error}")]
    Compressed {
        /// The input as the caller named it.
        path: String,
        /// Which compression.
        compression: &'static str,
        /// What broke.
        #[source]
        error: io::Error,
    },
    /// It has no lines as texts have.
    #[error("{path}:{line}: more than 64 MiB and no end of the line: this is no text")]
    Endless {
        /// The input as the caller named it.
        path: String,
        /// The line, from 1.
        line: u64,
    },
}

impl LinesError {
    /// Who can mend it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Io { error, .. } => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::IsADirectory => {
                    Fault::Caller
                }
                _ => Fault::System,
            },
            Self::Compressed { .. } | Self::Endless { .. } => Fault::Input,
        }
    }
}

/// Hands each line to `each`, without its end: at most `longest` octets of it, and whether that is not all.
///
/// Gives back what a user should know where a compressed file breaks off, or reading fails, after its first line.
///
/// # Errors
///
/// [`LinesError`] where it has no lines that can be read.
pub fn for_each_line(
    path: &Path,
    longest: usize,
    each: impl FnMut(&[u8], bool),
) -> Result<Option<String>, LinesError> {
    let name = name_of(path);
    if is_stdin(path) {
        return for_each_line_of(&name, io::stdin(), longest, each);
    }
    let refused = |error| LinesError::Io { path: name.clone(), error };
    let file = File::open(path).map_err(refused)?;
    if file.metadata().is_ok_and(|file| file.is_dir()) {
        return Err(refused(io::ErrorKind::IsADirectory.into()));
    }
    for_each_line_of(&name, file, longest, each)
}

/// As [`for_each_line`], of an input that is open: `name` is what it is called in what is said of it.
///
/// # Errors
///
/// [`LinesError`] where it has no lines that can be read.
pub fn for_each_line_of(
    name: &str,
    input: impl Read + Send + 'static,
    longest: usize,
    mut each: impl FnMut(&[u8], bool),
) -> Result<Option<String>, LinesError> {
    let name = name.to_owned();
    let refused = |error| LinesError::Io { path: name.clone(), error };
    let input = Input::new(input);
    let mut decoder = Decoder::new(input).map_err(refused)?;
    let mut lines = Lines { line: Vec::new(), length: 0, number: 1, longest };
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = match decoder.read(&mut chunk) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if lines.number == 1 => {
                return Err(match decoder.name() {
                    Some(compression) => LinesError::Compressed { path: name, compression, error },
                    None => refused(error),
                });
            }
            Err(error) => {
                let number = lines.number;
                lines.end(&mut each);
                return Ok(Some(format!("{name}:{number}: breaks off here: {error}")));
            }
        };
        if read == 0 {
            lines.end(&mut each);
            return Ok(None);
        }
        lines.take(chunk.get(..read).unwrap_or_default(), &mut each);
        if lines.length > ENDLESS {
            return Err(LinesError::Endless { path: name, line: lines.number });
        }
    }
}

/// The line that is being read.
struct Lines {
    line: Vec<u8>,
    /// Octets of it so far, those that were dropped included.
    length: u64,
    number: u64,
    longest: usize,
}

impl Lines {
    fn take(&mut self, mut bytes: &[u8], each: &mut impl FnMut(&[u8], bool)) {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            bytes = rest.get(1..).unwrap_or_default();
            if self.length == 0 && line.len() <= self.longest {
                each(line, false); // it lies where it was read
            } else {
                self.add(line);
                each(&self.line, self.length > self.line.len() as u64);
            }
            self.line.clear();
            self.length = 0;
            self.number += 1;
        }
        self.add(bytes);
    }

    fn add(&mut self, bytes: &[u8]) {
        let room = self.longest.saturating_sub(self.line.len());
        self.line.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.length += bytes.len() as u64;
    }

    /// The last line may lack its end.
    fn end(&self, each: &mut impl FnMut(&[u8], bool)) {
        if self.length > 0 {
            each(&self.line, self.length > self.line.len() as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    struct Scratch(std::path::PathBuf);

    impl Scratch {
        fn new(name: &str, bytes: &[u8]) -> Self {
            let path = std::env::temp_dir().join(format!("hookscope-lines-{}-{name}", std::process::id()));
            std::fs::write(&path, bytes).unwrap();
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    fn read(path: &Path, longest: usize) -> (Vec<(String, bool)>, Option<String>) {
        let mut lines = Vec::new();
        let note = for_each_line(path, longest, |line, is_cut| {
            lines.push((String::from_utf8_lossy(line).into_owned(), is_cut));
        });
        (lines, note.unwrap())
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn lines_are_read_plain_and_compressed_with_or_without_a_last_end() {
        let expected = ["a", "", "bcd"].map(|line| (line.to_owned(), false));
        for (name, text) in [("end", &b"a\n\nbcd\n"[..]), ("open", b"a\n\nbcd")] {
            assert_eq!(read(&Scratch::new(name, text).0, 10), (expected.to_vec(), None), "{name}");
            let packed = Scratch::new(&format!("{name}.gz"), &gzip(text));
            assert_eq!(read(&packed.0, 10), (expected.to_vec(), None), "{name}.gz");
        }
        assert_eq!(read(&Scratch::new("empty", b"").0, 10), (Vec::new(), None));
    }

    #[test]
    fn long_lines_are_cut_and_those_after_them_are_whole() {
        let text = [vec![b'x'; 300_000], b"\nnext\n".to_vec()].concat();
        let (lines, note) = read(&Scratch::new("long", &text).0, 1000);
        assert_eq!((lines[0].0.len(), lines[0].1), (1000, true));
        assert_eq!((lines[1].clone(), note), (("next".to_owned(), false), None));
        let exact = [vec![b'x'; 1000], b"\n".to_vec()].concat();
        assert!(!read(&Scratch::new("exact", &exact).0, 1000).0[0].1);
    }

    #[test]
    fn what_has_no_lines_is_named_with_its_line() {
        let endless = Scratch::new("endless.gz", &gzip(&vec![0; (ENDLESS as usize) + CHUNK * 2]));
        let mut longest = 0;
        let error = for_each_line(&endless.0, 1000, |line, _| longest = line.len().max(longest)).unwrap_err();
        assert!(error.to_string().contains("endless.gz:1: more than 64 MiB"), "{error}");
        assert_eq!(longest, 0);
        let missing = for_each_line(Path::new("/nonexistent/log"), 1000, |_, _| {}).unwrap_err();
        assert!(missing.to_string().starts_with("/nonexistent/log: "), "{missing}");
        assert!(for_each_line(&std::env::temp_dir(), 1000, |_, _| {}).is_err());
    }

    #[test]
    fn a_file_that_breaks_off_is_read_up_to_there() {
        let text: Vec<u8> = (0..200_000)
            .flat_map(|line: u32| format!("line {}\n", line.wrapping_mul(2_654_435_761)).into_bytes())
            .collect();
        let mut packed = gzip(&text);
        packed.truncate(packed.len() / 2);
        let broken = Scratch::new("broken.gz", &packed);
        let (lines, note) = read(&broken.0, 1000);
        assert!(lines.len() > 1000);
        assert!(note.unwrap().contains("breaks off here"));
    }
}
