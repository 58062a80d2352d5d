//! Words in JSON -> the same words as the types have them, which live as long as the program.
//!
//! A report has few different words, and whoever reads many has the same ones again. So each is kept, once, up to a bound
//! that no version of hookscope comes near; past it a report is refused, so that no text makes memory grow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::{Counts, Word};

/// Different words: there are about two hundred.
const MOST: usize = 2_000;
/// Octets of a word.
const LONGEST: usize = 100;

static KNOWN: Mutex<BTreeSet<Word>> = Mutex::new(BTreeSet::new());

fn keep<E: Error>(text: &str) -> Result<Word, E> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(word) = known.get(text) {
        return Ok(word);
    }
    if text.len() > LONGEST || known.len() >= MOST {
        return Err(E::custom(format_args!("not a word of hookscope's reports: {text:.100}")));
    }
    let word: Word = Box::leak(text.into());
    known.insert(word);
    Ok(word)
}

pub(super) fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    keep(&String::deserialize(deserializer)?)
}

pub(super) fn maybe<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Word>, D::Error> {
    Option::<String>::deserialize(deserializer)?.as_deref().map(keep).transpose()
}

pub(super) fn counts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Counts, D::Error> {
    let counts = BTreeMap::<String, u64>::deserialize(deserializer)?;
    counts.iter().map(|(word, count)| Ok((keep(word)?, *count))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_kept_once_and_no_text_is_kept_that_is_none() {
        let keep = |text: &str| keep::<serde_json::Error>(text);
        let [one, other] = ["deadline-exceeded", "deadline-exceeded"].map(|text| keep(text).unwrap());
        assert!(std::ptr::eq(one, other));
        assert!(keep(&"x".repeat(LONGEST + 1)).is_err());
        let refused = (0..3 * MOST).filter(|number| keep(&number.to_string()).is_err()).count();
        assert!(refused >= 2 * MOST, "{refused}");
    }
}
