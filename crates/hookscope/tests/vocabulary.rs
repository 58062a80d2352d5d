//! The words that this program writes, as the source has them: a redacted report has no others but pseudonyms.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where sentences are written that reports and warnings consist of.
const CRATES: [&str; 4] = ["hookscope", "hookscope-capture", "hookscope-cluster", "hookscope-cli"];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn sources() -> Vec<String> {
    let mut sources = Vec::new();
    let mut folders: Vec<_> = CRATES.map(|name| crates().join(name).join("src")).into();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            // What is written for tests has names in it.
            let is_test =
                path.file_stem().is_some_and(|name| ["tests", "sample", "fuzz"].iter().any(|it| name == *it));
            if path.is_dir() && !is_test {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
                let text = fs::read_to_string(&path).unwrap();
                sources.push(text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned());
            }
        }
    }
    assert!(sources.len() > 100);
    sources
}

/// The texts of a source's string literals, with a space in place of what is filled in, and of escapes.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let code: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let mut characters = code.chars().peekable();
    let mut before = ['\0'; 2];
    while let Some(character) = characters.next() {
        // A quotation mark as a character, 'b"' among them, begins no text.
        if character == '"' && before[1] != '\'' {
            let is_raw = before[1] == 'r' || before[1] == '#';
            let (mut text, mut depth) = (String::new(), 0_u32);
            while let Some(inner) = characters.next() {
                match inner {
                    '\\' if !is_raw => match characters.next() {
                        Some('n' | 't' | 'r' | '\n' | 'x' | '0' | 'u') => text.push(' '),
                        Some(escaped) => text.push(escaped),
                        None => break,
                    },
                    '"' if before[1] == '#' && characters.peek() != Some(&'#') => text.push('"'),
                    '"' => break,
                    '{' => (depth, _) = (depth + 1, text.push(' ')),
                    '}' => depth = depth.saturating_sub(1),
                    _ if depth > 0 => {}
                    _ => text.push(inner),
                }
            }
            found.push(text);
            before = ['"', '\0'];
            continue;
        }
        before = [before[1], character];
    }
    found
}

/// Words as `report::redact` cuts them out.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_inner =
        |character: char| character.is_alphanumeric() || matches!(character, '.' | '_' | '-' | ':');
    text.split(move |character| !is_inner(character))
        .map(|run| run.trim_matches(|character| matches!(character, '.' | '_' | '-' | ':')))
        .filter(|word| word.contains(char::is_alphabetic))
}

#[test]
fn the_vocabulary_is_that_of_the_source() {
    let sources = sources();
    let mut all = BTreeSet::new();
    for literal in sources.iter().flat_map(|source| literals(source)) {
        all.extend(words(&literal).map(str::to_owned));
    }
    // Reasons that proxies and servers give (RFC 9110, section 15).
    all.extend(
        ["Bad", "Gateway", "Forbidden", "Unauthorized", "Proxy", "Authentication", "Required"]
            .map(str::to_owned),
    );
    for word in ["deadline", "kubectl", "status.podIP", "kube-apiserver", "x509"] {
        assert!(all.contains(word), "{word}");
    }
    // Examples of names in help and advice are names all the same.
    all.retain(|word| !word.ends_with(".svc") && !word.contains("kyverno"));
    let expected: String = all.iter().map(|word| format!("{word}\n")).collect();
    let path = crates().join("hookscope/src/report/redact/vocabulary.txt");
    if std::env::var_os("HOOKSCOPE_BLESS").is_some() {
        fs::write(path, expected).unwrap();
        return;
    }
    let found = fs::read_to_string(path).unwrap();
    let found: BTreeSet<&str> = found.lines().collect();
    let all: BTreeSet<&str> = all.iter().map(String::as_str).collect();
    let missing: Vec<_> = all.difference(&found).collect();
    assert!(missing.is_empty(), "not in vocabulary.txt: {missing:?}; HOOKSCOPE_BLESS=1 adds them");
    // What nobody writes any more would be kept all the same, whoever's name it is.
    let left: Vec<_> = found.difference(&all).collect();
    assert!(left.is_empty(), "in vocabulary.txt only: {left:?}; HOOKSCOPE_BLESS=1 takes them out");
}
