//! A sentence that we wrote -> the same without names and addresses.
//!
//! What is not known to be ours goes: a word stays if it is one of those that this program writes (`vocabulary.txt`, which a
//! test draws from the source), or a number. A name that is also one of our words, such as `default` or `webhook`, goes
//! where it stands as a name.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;

use super::pseudonym::Key;

/// Units of numbers, and letters within times.
const UNITS: [&str; 14] =
    ["T", "Z", "s", "ms", "µs", "ns", "m", "h", "d", "KiB", "MiB", "GiB", "bytes", "th"];
/// What stands before a name and before nothing else of ours.
const BEFORE: [&str; 24] = [
    "-n ",
    "/",
    "=",
    "\"",
    "'",
    "[",
    "@",
    "Service ",
    "namespace ",
    "pod ",
    "node ",
    "logs ",
    "svc ",
    "onfiguration ",
    "efinition ",
    "piservice ",
    "APIService ",
    "servername ",
    "SAN ",
    "dig ",
    "resolve ",
    "lookup ",
    "CONNECT ",
    "ClientHello for ",
];

/// Whether this program writes the word.
fn is_ours(word: &str) -> bool {
    static WORDS: OnceLock<HashSet<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| include_str!("vocabulary.txt").lines().collect()).contains(word)
}

/// Whether a character is part of a word, a name or an address.
pub(super) fn is_inner(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '.' | '_' | '-' | ':')
}

/// Cuts the words of `text` out of what is between them: hands each to `word`, with what is before and behind it.
fn words(text: &str, mut word: impl FnMut(&str, &str, &str, &mut String)) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_inner) {
        out.push_str(rest.get(..start).unwrap_or_default());
        let run = rest.get(start..).unwrap_or_default();
        let end = run.find(|character| !is_inner(character)).unwrap_or(run.len());
        let (run, behind) = run.split_at_checked(end).unwrap_or((run, ""));
        let at = text.len() - behind.len() - run.len();
        word(run, text.get(..at).unwrap_or_default(), behind, &mut out);
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// What a word is without the punctuation around it, and that punctuation.
fn trimmed(run: &str) -> (&str, &str, &str) {
    let is_edge = |character: char| matches!(character, '.' | '_' | '-' | ':');
    let front = run.len() - run.trim_start_matches(is_edge).len();
    let (front, run) = run.split_at_checked(front).unwrap_or(("", run));
    let length = run.trim_end_matches(is_edge).len();
    let (core, back) = run.split_at_checked(length).unwrap_or((run, ""));
    (front, core, back)
}

fn is_number(word: &str) -> bool {
    let letters = word.split(|character: char| !character.is_alphabetic()).filter(|part| !part.is_empty());
    let mut letters = letters.peekable();
    word.contains(|character: char| character.is_ascii_digit()) && letters.all(|part| UNITS.contains(&part))
}

/// Takes names and addresses out of sentences.
#[derive(Debug)]
pub(super) struct Scrubber {
    key: Key,
    /// Names that may look like our own words, in lower case.
    names: HashSet<String>,
    /// What is replaced as a whole, and by what: the longest first.
    phrases: Vec<(String, String)>,
}

impl Scrubber {
    pub(super) fn new(key: Key) -> Self {
        Self { key, names: HashSet::new(), phrases: Vec::new() }
    }

    pub(super) const fn key(&self) -> &Key {
        &self.key
    }

    /// A name, and the labels that it consists of.
    pub(super) fn know(&mut self, name: &str) {
        for part in name.split(|character: char| !is_inner(character)).filter(|part| !part.is_empty()) {
            self.names.insert(part.to_lowercase());
            let labels = part.split('.').filter(|label| !label.is_empty());
            self.names.extend(labels.map(str::to_lowercase));
        }
    }

    /// A text that goes as a whole.
    pub(super) fn know_phrase(&mut self, phrase: &str, replacement: &str) {
        if phrase.chars().count() > 1 && !self.phrases.iter().any(|(known, _)| known == phrase) {
            let at = self.phrases.partition_point(|(known, _)| known.len() >= phrase.len());
            self.phrases.insert(at, (phrase.to_owned(), replacement.to_owned()));
        }
    }

    /// Forgets what went as a whole.
    pub(super) fn forget_phrases(&mut self) {
        self.phrases.clear();
    }

    /// `ip:port`, `[ip]:port` or an address alone; else it is taken for a text.
    pub(super) fn address(&self, text: &str) -> String {
        if let Ok(socket) = text.parse::<SocketAddr>() {
            return SocketAddr::new(self.key.address(socket.ip()), socket.port()).to_string();
        }
        text.parse::<IpAddr>().map_or_else(|_| self.text(text), |ip| self.key.address(ip).to_string())
    }

    /// A name, or an address in its place.
    pub(super) fn name(&self, name: &str) -> String {
        match name.parse::<IpAddr>() {
            Ok(ip) => self.key.address(ip).to_string(),
            Err(_) => self.key.name(name),
        }
    }

    /// Sentences of ours.
    pub(super) fn text(&self, text: &str) -> String {
        for (phrase, replacement) in &self.phrases {
            if let Some((before, behind)) = text.split_once(phrase.as_str()) {
                return self.text(before) + replacement + &self.text(behind);
            }
        }
        words(text, |run, before, behind, out| self.word(run, before, behind, out))
    }

    fn word(&self, run: &str, before: &str, behind: &str, out: &mut String) {
        if let Some(address) = self.addressed(run) {
            return out.push_str(&address);
        }
        let (front, core, back) = trimmed(run);
        out.push_str(front);
        match (self.addressed(core), core.rsplit_once(':')) {
            (Some(address), _) => out.push_str(&address),
            (None, Some((host, port)))
                if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                match is_number(core) {
                    true => out.push_str(core),
                    false => {
                        self.plain(host, before, ":", out);
                        out.push(':');
                        out.push_str(port);
                    }
                }
            }
            _ => self.plain(core, before, behind, out),
        }
        out.push_str(back);
    }

    /// The pseudonym of an address, if it is one.
    fn addressed(&self, word: &str) -> Option<String> {
        let is_address = word.parse::<IpAddr>().is_ok() || word.parse::<SocketAddr>().is_ok();
        is_address.then(|| self.address(word))
    }

    fn plain(&self, word: &str, before: &str, behind: &str, out: &mut String) {
        if !is_ours(word) {
            return match word.is_empty() || is_number(word) {
                true => out.push_str(word),
                false => out.push_str(&self.name(word)),
            };
        }
        let stands_as_name = before.is_empty()
            || BEFORE.iter().any(|mark| before.ends_with(mark))
            || behind.starts_with(['/', ':'])
            || behind.starts_with(" (");
        if stands_as_name && self.names.contains(&word.to_lowercase()) {
            out.push_str(&self.name(word));
        } else {
            out.push_str(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubber() -> Scrubber {
        let mut scrubber = Scrubber::new(Key::of("a"));
        scrubber.know("hook.default.svc");
        scrubber
    }

    #[test]
    fn addresses_go_and_ports_and_times_stay() {
        let scrubber = scrubber();
        let key = Key::of("a");
        let ip = |text: &str| key.address(text.parse().unwrap());
        for (text, expected) in [
            ("10.0.0.1:443 refused", format!("{}:443 refused", ip("10.0.0.1"))),
            (
                "connected to [fd00::1]:443, 10.0.0.1.",
                format!("connected to [{}]:443, {}.", ip("fd00::1"), ip("10.0.0.1")),
            ),
            (
                "fd00:: at 15:14:40, 2026-11-12T15:14:40Z",
                format!("{} at 15:14:40, 2026-11-12T15:14:40Z", ip("fd00::")),
            ),
            ("within 1.25 s, 10.0 ms", "within 1.25 s, 10.0 ms".into()),
        ] {
            assert_eq!(scrubber.text(text), expected);
        }
    }

    #[test]
    fn names_go_wherever_they_stand_and_our_own_words_stay() {
        let scrubber = scrubber();
        let key = Key::of("a");
        let (whole, hook, default) = (key.name("hook.default.svc"), key.name("hook"), key.name("default"));
        assert_eq!(
            scrubber.text("hook.default.svc:443 closed the connection"),
            format!("{whole}:443 closed the connection")
        );
        let command = scrubber.text("`kubectl -n default get svc hook -o yaml`");
        assert_eq!(command, format!("`kubectl -n {default} get svc {hook} -o yaml`"));
        assert_eq!(scrubber.text("the default deadline"), "the default deadline");
        let unknown = scrubber.text("CONNECT alice-laptop:8080");
        assert_eq!(unknown, format!("CONNECT {}:8080", key.name("alice-laptop")));
    }
}
