//! Turns what stops an input from being read at all into one line: which input, what is wrong, what to do.
//!
//! A capture that can be read in part is not here: it yields its packets and a [`Warning`](crate::Warning).

use std::io;

use hookscope::packet::LinkType;

/// Who can mend what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Whoever named the input: it is not there, is something else, or may not be read.
    Caller,
    /// Whoever wrote the input: its bytes are not what they should be.
    Input,
    /// The operating system, or the machine.
    System,
}

/// Why an input cannot be read at all. Displays as one line that names the input.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// There is no file of that name.
    #[error("{path}: no such file; check the name, or read from standard input with '-'")]
    NotFound {
        /// The input as the caller named it.
        path: String,
    },
    /// The path is a directory.
    #[error("{path}: is a directory; name the capture files in it, for example {path}/*.pcap")]
    IsDirectory {
        /// The input as the caller named it.
        path: String,
    },
    /// The file may not be read by this user.
    #[error(
        "{path}: permission denied; tcpdump writes its files for root or tcpdump only: run as root or chmod the file"
    )]
    PermissionDenied {
        /// The input as the caller named it.
        path: String,
    },
    /// The input has no bytes, or decompresses to none.
    #[error(
        "{path} is empty: was the capture stopped before its first packet was flushed? Run tcpdump with -U"
    )]
    Empty {
        /// The input as the caller named it.
        path: String,
    },
    /// The first bytes are those of no format that is read.
    #[error(
        "{path}: not a packet capture: it begins with {begins}; pcap and pcapng are read, plain or compressed with \
         gzip, zstd or LZ4{hint}"
    )]
    NotACapture {
        /// The input as the caller named it.
        path: String,
        /// The first bytes as text or hexadecimal, with the format's name where it is known.
        begins: String,
        /// How to convert it, where that is known; else empty.
        hint: &'static str,
    },
    /// A capture file of a version, or with a file header, that is not read.
    #[error("{path}: {what}; try to convert it: editcap -F pcap IN OUT")]
    Unreadable {
        /// The input as the caller named it.
        path: String,
        /// What the header says.
        what: String,
    },
    /// A pcap file whose packets are of a link type that the engine does not decode.
    #[error(
        "{path}: link type {link_type} is not supported; capture on an Ethernet, Linux cooked, raw IP or loopback \
         interface"
    )]
    LinkType {
        /// The input as the caller named it.
        path: String,
        /// The `LINKTYPE_` value, with its name where it is known.
        link_type: NamedLinkType,
    },
    /// The input ends inside the file header.
    #[error("{path}: ends inside its {header}, after {length} bytes; copy or capture it again")]
    HeaderCut {
        /// The input as the caller named it.
        path: String,
        /// Which header.
        header: &'static str,
        /// How many bytes there are (after decompression).
        length: usize,
    },
    /// A compressed input of which not even the capture's file header can be had.
    #[error("{path}: its {compression} stream cannot be read: {why}")]
    Compressed {
        /// The input as the caller named it.
        path: String,
        /// Which compression.
        compression: &'static str,
        /// What broke, and what helps where something does.
        why: String,
    },
    /// More files than frame numbers can tell apart.
    #[error(
        "{count} input files are more than the {max} that can be read as one capture; merge some with mergecap"
    )]
    TooManyFiles {
        /// How many were given.
        count: usize,
        /// How many can be read.
        max: usize,
    },
    /// Any other error of the operating system.
    #[error("{path}: cannot be read: {error}")]
    Io {
        /// The input as the caller named it.
        path: String,
        /// The operating system's error.
        #[source]
        error: io::Error,
    },
}

impl InputError {
    /// Who can mend it.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::NotFound { .. }
            | Self::IsDirectory { .. }
            | Self::PermissionDenied { .. }
            | Self::TooManyFiles { .. } => Fault::Caller,
            Self::Empty { .. }
            | Self::NotACapture { .. }
            | Self::Unreadable { .. }
            | Self::LinkType { .. }
            | Self::HeaderCut { .. }
            | Self::Compressed { .. } => Fault::Input,
            Self::Io { .. } => Fault::System,
        }
    }

    /// The variant that says best what `error` means for `path`.
    pub(crate) fn from_io(path: &str, error: io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound { path },
            io::ErrorKind::PermissionDenied => Self::PermissionDenied { path },
            io::ErrorKind::IsADirectory => Self::IsDirectory { path },
            _ => Self::Io { path, error },
        }
    }

    /// [`Self::NotACapture`] for an input whose first bytes are `head`.
    pub(crate) fn not_a_capture(path: &str, head: &[u8]) -> Self {
        let (name, hint) = known_format(head);
        let shown = head.get(..24).unwrap_or(head);
        let is_text = shown.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'));
        let mut begins = if is_text && !shown.is_empty() {
            format!("the text \"{}\"", shown.escape_ascii())
        } else {
            let bytes: Vec<String> = head.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            format!("the bytes {}", bytes.join(" "))
        };
        if let Some(name) = name {
            begins.push_str(&format!(" ({name})"));
        }
        Self::NotACapture { path: path.to_owned(), begins, hint }
    }
}

/// What other formats people hand in by mistake are called, and how they become readable.
fn known_format(head: &[u8]) -> (Option<&'static str>, &'static str) {
    const KNOWN: [(&[u8], &str, &str); 13] = [
        (b"\xfd7zXZ\0", "xz", ": xz -dc FILE | hookscope -"),
        (b"BZh", "bzip2", ": bzip2 -dc FILE | hookscope -"),
        (b"PK\x03\x04", "a zip archive", ": unpack it first"),
        (b"\x1f\x8b", "gzip inside another compression", ": decompress it once first"),
        (b"\x28\xb5\x2f\xfd", "zstd inside another compression", ": decompress it once first"),
        (b"\x04\x22\x4d\x18", "LZ4 inside another compression", ": decompress it once first"),
        (b"\x02\x21\x4c\x18", "legacy LZ4", ": lz4 -dc FILE | hookscope -"),
        (b"snoop\0\0\0", "snoop", ": editcap -F pcap IN OUT"),
        (b"GMBU", "Microsoft Network Monitor", ": editcap -F pcap IN OUT"),
        (b"\x7fELF", "a program", ""),
        (b"\xa1\xb2\x34\xcd", "a pcap variant that was reserved and never read by libpcap", ""),
        (b"\xcd\x34\xb2\xa1", "a pcap variant that was reserved and never read by libpcap", ""),
        (b"\xa1\x2b\x3c\x4d", "Navtel's pcap variant, which libpcap does not read either", ""),
    ];
    KNOWN
        .iter()
        .find(|(magic, ..)| head.starts_with(magic))
        .map_or((None, ""), |(_, name, hint)| (Some(*name), *hint))
}

/// A link type that displays as its number and, where it is known, its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedLinkType(
    /// The `LINKTYPE_` value.
    pub LinkType,
);

impl std::fmt::Display for NamedLinkType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self.0.0 {
            147..=162 => "reserved for private use",
            189 | 220 => "Linux USB",
            192 => "PPI",
            253 => "Linux netlink",
            _ => return write!(f, "{}", self.0.0),
        };
        write!(f, "{} ({name})", self.0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_is_one_line_that_names_the_input() {
        let path = || "a.pcap".to_owned();
        let io = |kind| InputError::from_io("a.pcap", io::Error::from(kind));
        let errors = [
            io(io::ErrorKind::NotFound),
            io(io::ErrorKind::PermissionDenied),
            io(io::ErrorKind::IsADirectory),
            io(io::ErrorKind::TimedOut),
            InputError::Empty { path: path() },
            InputError::Unreadable { path: path(), what: "pcap version 1.2 is not read".into() },
            InputError::LinkType { path: path(), link_type: NamedLinkType(LinkType(147)) },
            InputError::not_a_capture("a.pcap", b"line one\nline two\n"),
        ];
        for error in errors {
            let shown = error.to_string();
            assert!(shown.starts_with("a.pcap") && !shown.contains('\n'), "{shown}");
        }
    }

    #[test]
    fn text_is_shown_as_text_and_other_bytes_as_hexadecimal() {
        let text = InputError::not_a_capture("x", b"{\"kind\":\"List\"}").to_string();
        assert!(text.contains(r#"begins with the text "{\"kind\":\"List\"}""#), "{text}");
        let bytes = InputError::not_a_capture("x", &[0, 1, 2, 255]).to_string();
        assert!(bytes.contains("begins with the bytes 00 01 02 ff;"), "{bytes}");
    }

    #[test]
    fn formats_that_another_tool_can_convert_say_how() {
        let shown = InputError::not_a_capture("x", b"\xfd7zXZ\0\0\x04").to_string();
        assert!(shown.ends_with("LZ4: xz -dc FILE | hookscope -"), "{shown}");
    }

    #[test]
    fn an_unsupported_link_type_has_its_name() {
        let error = InputError::LinkType { path: "x".into(), link_type: NamedLinkType(LinkType(192)) };
        assert!(error.to_string().contains("link type 192 (PPI) is not supported"));
    }
}
