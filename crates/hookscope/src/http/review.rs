//! Content of a message -> whether it holds an AdmissionReview: its kind is searched for as text, across any split.
//!
//! It does not read JSON: the kind may stand before or after the rest of the object, and a webhook's answer that
//! holds the word anywhere is not accused of lacking it.

/// A search through one message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Search {
    /// How much of the word the last octets are.
    matched: u8,
    /// Octets seen.
    seen: u64,
    is_found: bool,
    has_gap: bool,
}

impl Search {
    const WORD: &[u8] = b"AdmissionReview";
    /// kube-apiserver writes an object's kind first: what does not have it within so many octets is something else.
    const BEGINNING: u64 = 1024;

    /// Takes the next octets, as far as the search still goes on.
    pub(super) fn push(&mut self, content: &[u8], only_beginning: bool) {
        if self.is_found {
            return;
        }
        for byte in content {
            if only_beginning && self.seen >= Self::BEGINNING {
                return;
            }
            self.seen += 1;
            // The first letter comes only once in the word: after a mismatch nothing but it can begin another match.
            self.matched = match Self::WORD.get(usize::from(self.matched)) {
                Some(next) if next == byte => self.matched + 1,
                _ => u8::from(Self::WORD.first() == Some(byte)),
            };
            if usize::from(self.matched) == Self::WORD.len() {
                self.is_found = true;
                return;
            }
        }
    }

    /// Octets are not in the capture.
    pub(super) const fn gap(&mut self, size: u64) {
        self.has_gap = true;
        self.matched = 0;
        self.seen = self.seen.saturating_add(size);
    }

    /// Whether the word was found.
    pub(super) const fn is_found(&self) -> bool {
        self.is_found
    }

    /// Whether all was seen, and the word was not there.
    pub(super) const fn is_absent(&self) -> bool {
        !self.is_found && !self.has_gap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(text: &str, size: usize, only_beginning: bool) -> bool {
        let mut search = Search::default();
        text.as_bytes().chunks(size).for_each(|piece| search.push(piece, only_beginning));
        search.is_found()
    }

    #[test]
    fn finds_the_word_across_splits() {
        let long = format!("{}AdmissionReview", " ".repeat(1015));
        for size in 1..30 {
            assert!(search("{\"kind\":\"AdmissionReview\"}", size, true));
            assert!(search("AdmisAAdmissionReview", size, false));
            assert!(!search("AdmissionRevieW ConversionReview", size, false));
            assert!(search(&long, size, false));
            assert!(!search(&long, size, true));
        }
    }

    #[test]
    fn what_was_not_seen_is_not_absent() {
        let mut search = Search::default();
        assert!(search.is_absent());
        search.gap(1);
        assert!(!search.is_absent());
    }
}
