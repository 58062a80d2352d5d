//! A sentence that we wrote -> the same without names and addresses.
//!
//! What is not known to be ours goes: a word stays if it is one of those that this program writes (`vocabulary.txt`, which a
//! test draws from the source), or a number. Of these a known name goes, too: one with both digits and anything else in
//! it, such as `m1` or `10-0-0-5`, wherever it stands; one that is an English word or digits alone, such as `default`,
//! `cluster` or `443`, where it stands as a name, for our sentences could not be read without such words. What is left
//! there says nothing: it would be the same without the name.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;

use super::number::{is_digits, is_number};
use super::pseudonym::Key;

/// What stands before a name and before nothing else of ours.
const BEFORE: [&str; 34] = [
    "-n ",
    "/",
    "=",
    "\"",
    "'",
    "[",
    "@",
    "Service ",
    "service ",
    "grep ",
    "name: ",
    "call of ",
    "certificate of ",
    "answer for ",
    "query for ",
    "match ",
    ", not ",
    "could not resolve ",
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

/// Whether what is behind `before` is one of the names that a certificate is valid for.
fn is_listed(before: &str) -> bool {
    let list = before.rsplit_once("valid for ").map(|(_, list)| list);
    list.is_some_and(|list| list.is_empty() || list.ends_with(", ") && !list.replace(", ", "").contains(' '))
}

/// Takes names and addresses out of sentences.
#[derive(Debug)]
pub(super) struct Scrubber {
    key: Key,
    /// Names that may look like our own words, in lower case: those of the cluster's objects.
    lasting: HashSet<String>,
    /// Likewise, of the one report or event that is at hand: it is forgotten after it, for events never end.
    passing: HashSet<String>,
    /// What is replaced as a whole, and by what: the longest first.
    phrases: Vec<(String, String)>,
}

impl Scrubber {
    pub(super) fn new(key: Key) -> Self {
        Self { key, lasting: HashSet::new(), passing: HashSet::new(), phrases: Vec::new() }
    }

    pub(super) const fn key(&self) -> &Key {
        &self.key
    }

    /// A name for good, and the labels that it consists of.
    pub(super) fn know(&mut self, name: &str) {
        self.lasting.extend(parts(name));
    }

    /// Likewise, until [`Scrubber::forget`].
    pub(super) fn learn(&mut self, name: &str) {
        self.passing.extend(parts(name));
    }

    /// Forgets the names and phrases of one report or event.
    pub(super) fn forget(&mut self) {
        self.forget_phrases();
        // What one large report took is given back, too.
        self.passing = HashSet::new();
    }

    fn is_known(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        self.lasting.contains(&word) || self.passing.contains(&word)
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
                match is_number(core) && !self.is_known(host) {
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
        if word.is_empty() {
            return;
        }
        let goes = match self.is_known(word) {
            false => !is_ours(word) && !is_number(word),
            // What has digits and more in it is never a word that a sentence needs.
            true if !is_digits(word) && word.contains(|character: char| character.is_ascii_digit()) => true,
            true if !is_digits(word) && !is_ours(word) => true,
            true => {
                before.is_empty()
                    || BEFORE.iter().any(|mark| before.ends_with(mark))
                    || is_listed(before)
                    || behind.starts_with(['/', ':'])
                    || behind.starts_with(" (")
            }
        };
        match goes {
            true => out.push_str(&self.name(word)),
            false => out.push_str(word),
        }
    }
}

/// The words of a name and their labels, in lower case. Digits alone are a name only as a whole or beside a `/`: else
/// they are a port, or a number within an address or a distinguished name.
fn parts(name: &str) -> impl Iterator<Item = String> {
    let words = name.split(|character: char| !is_inner(character)).map(|run| trimmed(run).1);
    let words = words.filter(|word| word.parse::<IpAddr>().is_err() && word.parse::<SocketAddr>().is_err());
    let words = words.flat_map(|word| match word.rsplit_once(':') {
        Some((host, port)) if is_digits(port) => [word, host],
        _ => [word, ""],
    });
    let words = words.filter(|word| word.parse::<IpAddr>().is_err());
    let labels = words.flat_map(|word| std::iter::once(word).chain(word.split('.')));
    let named = labels.filter(move |part| {
        !part.is_empty() && (!is_digits(part) || name.split('/').any(|whole| whole == *part))
    });
    named.map(str::to_lowercase)
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

    #[test]
    fn a_known_name_that_looks_like_a_number_goes() {
        let mut scrubber = scrubber();
        let key = Key::of("a");
        // None of these is a number to begin with, known or not.
        for word in ["m1", "m-1", "s3", "d1", "10-0-0-5", "10.0.0.1-10.0.0.9"] {
            assert_eq!(scrubber.text(&format!("on {word}.")), format!("on {}.", key.name(word)));
            assert_eq!(scrubber.text(&format!("on {word}:443")), format!("on {}:443", key.name(word)));
        }
        for word in ["10s", "2026-11-12", "v1"] {
            assert_eq!(scrubber.text(&format!("on {word}.")), format!("on {word}."));
            scrubber.learn(word);
            let upper = word.to_uppercase();
            assert_eq!(scrubber.text(&format!("on {upper}.")), format!("on {}.", key.name(word)));
        }
        scrubber.learn("443/8080");
        let said = scrubber.text("`kubectl -n 443 get pod 8080`: port 443 after 8080 bytes");
        let (one, other) = (key.name("443"), key.name("8080"));
        assert_eq!(said, format!("`kubectl -n {one} get pod {other}`: port 443 after 8080 bytes"));
    }

    #[test]
    fn parts_of_addresses_ports_and_numbers_within_names_are_no_names() {
        let mut scrubber = scrubber();
        for name in ["10.0.0.1", "https://10.0.0.1:8443", "Example CA 7", "hook.7:9443", "[fd00::1]:443"] {
            scrubber.learn(name);
        }
        for text in ["10 s", "8443", "=7", "=9443", "[443"] {
            assert_eq!(scrubber.text(text), text);
        }
    }

    #[test]
    fn a_name_that_is_a_word_of_ours_goes_where_our_sentences_have_names() {
        let mut scrubber = scrubber();
        scrubber.know("cluster");
        let name = Key::of("a").name("cluster");
        for text in [
            "`kubectl -n @ get service @ -o yaml`",
            "node @",
            "pod @/@",
            "| grep @`",
            "'name: @'",
            "No answer for @: nothing came back",
            "certificate is valid for @, @, not @",
            "@ does not exist",
        ] {
            assert_eq!(scrubber.text(&text.replace('@', "cluster")), text.replace('@', &name));
        }
        for text in ["the cluster", "is valid for the cluster, the cluster"] {
            assert_eq!(scrubber.text(text), text);
        }
    }

    #[test]
    fn names_of_one_event_are_forgotten_and_those_of_the_cluster_are_not() {
        let mut scrubber = scrubber();
        scrubber.learn("cluster");
        scrubber.forget();
        let text = "-n cluster, -n default";
        let default = Key::of("a").name("default");
        assert_eq!(scrubber.text(text), format!("-n cluster, -n {default}"));
        assert!(scrubber.passing.is_empty());
    }
}
