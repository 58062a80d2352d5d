//! Turns what was read into what the report says about its inputs: packets, link types, where a file broke off.
//!
//! Only counts what was handed out; it judges nothing.

use std::fmt;

use hookscope::packet::LinkType;
use hookscope::report::Input;

/// What was read, file by file in the order the inputs were given.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Summary {
    /// One entry for each input.
    pub files: Vec<FileSummary>,
}

impl Summary {
    /// How many packets of all inputs were handed out.
    pub fn packets(&self) -> u64 {
        self.files.iter().map(|file| file.packets).sum()
    }

    /// Whether any input broke off.
    pub fn truncated(&self) -> bool {
        self.files.iter().any(|file| file.truncated)
    }

    /// The link types of all inputs, each once, in the order of their first use.
    pub fn link_types(&self) -> Vec<LinkType> {
        let mut all = Vec::new();
        for link_type in self.files.iter().flat_map(|file| &file.link_types) {
            if !all.contains(link_type) {
                all.push(*link_type);
            }
        }
        all
    }

    /// What a report says of the inputs.
    pub fn input(&self) -> Input {
        Input {
            files: self.files.iter().map(|file| file.name.clone()).collect(),
            truncated: self.truncated(),
            warnings: self.warnings().map(ToString::to_string).collect(),
            ..Input::default()
        }
    }

    /// All warnings, file by file.
    pub fn warnings(&self) -> impl Iterator<Item = &Warning> {
        self.files.iter().flat_map(|file| &file.warnings)
    }
}

/// What was read of one input.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct FileSummary {
    /// The input as the caller named it; `standard input` for `-`.
    pub name: String,
    /// How many of its packets were handed out.
    pub packets: u64,
    /// The link types of its packets, each once, in the order of their first use; a pcap file's even where it has no
    /// packet.
    pub link_types: Vec<LinkType>,
    /// Whether it breaks off: packets of it are missing.
    pub truncated: bool,
    /// What a reader of the report has to know about this input.
    pub warnings: Vec<Warning>,
}

/// Something about an input that did not keep it from being read. Displays as one line that names the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    file: String,
    what: String,
}

impl Warning {
    pub(crate) fn new(file: &str, what: String) -> Self {
        Self { file: file.to_owned(), what }
    }

    /// The input it is about.
    pub fn file(&self) -> &str {
        &self.file
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_cover_all_files_and_name_each_link_type_once() {
        let file = |packets, link_types: &[LinkType], truncated| FileSummary {
            packets,
            link_types: link_types.to_vec(),
            truncated,
            ..FileSummary::default()
        };
        let summary = Summary {
            files: vec![
                file(2, &[LinkType::RAW, LinkType::ETHERNET], false),
                file(3, &[LinkType::ETHERNET, LinkType::NULL], true),
            ],
        };
        assert_eq!(summary.packets(), 5);
        assert!(summary.truncated());
        assert_eq!(summary.link_types(), [LinkType::RAW, LinkType::ETHERNET, LinkType::NULL]);
    }

    #[test]
    fn a_warning_begins_with_its_file() {
        let warning = Warning::new("a.pcap", "breaks off".into());
        assert_eq!((warning.to_string().as_str(), warning.file()), ("a.pcap: breaks off", "a.pcap"));
    }
}
