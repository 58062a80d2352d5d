//! Texts with gaps: `dial tcp {server}: connect: connection refused`. Filled they are a message, searched for they
//! recognise one.

/// What stands in a message for something that the packets do not tell.
pub(crate) const UNKNOWN: &str = "…";

/// A text in which `{name}` stands for what differs from call to call. `^` at its front and `$` at its end tie it to
/// the ends of what is searched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Template(pub(crate) &'static str);

impl Template {
    /// The text with its gaps filled; [`UNKNOWN`] where `value` has nothing.
    pub(crate) fn fill(self, value: impl Fn(&str) -> Option<String>) -> String {
        let mut filled = String::new();
        let mut rest = self.0.trim_start_matches('^').trim_end_matches('$');
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            filled.push_str(before);
            filled.push_str(value(name).as_deref().unwrap_or(UNKNOWN));
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    /// Whether `text` contains it, as whole words.
    pub(crate) fn is_in(self, text: &str) -> bool {
        let (anchored, template) = self.0.strip_prefix('^').map_or((false, self.0), |rest| (true, rest));
        let (to_the_end, template) =
            template.strip_suffix('$').map_or((false, template), |rest| (true, rest));
        let mut literals = template.split('{').enumerate().map(|(index, part)| match index {
            0 => part,
            _ => part.split_once('}').map_or("", |(_, literal)| literal),
        });
        let head = literals.next().unwrap_or_default();
        let rest: Vec<&str> = literals.collect();
        if head.is_empty() && rest.iter().all(|literal| literal.is_empty()) {
            return false; // a text that may be anything is recognised nowhere
        }
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|text| text.find(head)).map(|at| from + at) {
            if (at == 0 || !anchored && !continues_word(text.get(..at), head))
                && let Some(end) = follow(text, at + head.len(), &rest)
                && (!to_the_end || end == text.len())
            {
                return true;
            }
            if anchored || head.is_empty() {
                return false;
            }
            from = at + head.chars().next().map_or(1, char::len_utf8);
        }
        false
    }
}

/// Where the last of `literals` ends, if all follow one another from `from` on and a word ends there.
fn follow(text: &str, from: usize, literals: &[&str]) -> Option<usize> {
    let mut end = from;
    for literal in literals {
        end += text.get(end..)?.find(literal)? + literal.len();
    }
    // A gap at the end takes what is left.
    let open = literals.last().is_some_and(|last| last.is_empty());
    let next = text.get(end..)?.chars().next();
    let word_ends = open || !text.get(..end)?.ends_with(is_of_word) || !next.is_some_and(is_of_word);
    word_ends.then_some(if open { text.len() } else { end })
}

/// Whether `head`, found after `before`, is but the rest of a longer word.
fn continues_word(before: Option<&str>, head: &str) -> bool {
    before.is_none_or(|before| before.ends_with(is_of_word)) && head.starts_with(is_of_word)
}

fn is_of_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: Template = Template("dial tcp {server}: connect: connection refused");

    #[test]
    fn gaps_are_filled_or_left_open() {
        let server = |name: &str| (name == "server").then(|| "10.96.0.1:443".to_owned());
        assert_eq!(REFUSED.fill(server), "dial tcp 10.96.0.1:443: connect: connection refused");
        assert_eq!(REFUSED.fill(|_| None), "dial tcp …: connect: connection refused");
        assert_eq!(Template("^Forbidden$").fill(|_| None), "Forbidden");
    }

    #[test]
    fn a_message_is_found_with_anything_in_its_gaps() {
        assert!(REFUSED.is_in("dial tcp [fd00::1]:443: connect: connection refused"));
        assert!(REFUSED.is_in("Post \"https://a\": dial tcp 1.2.3.4:1: connect: connection refused, panic"));
        assert!(!REFUSED.is_in("dial tcp 1.2.3.4:1: connect: no route to host"));
        assert!(!REFUSED.is_in("redial tcp 1.2.3.4:1: connect: connection refused"));
        assert!(!REFUSED.is_in("dial tcp 1.2.3.4:1: connect: connection refusedness"));
    }

    #[test]
    fn whole_words_are_found_behind_parts_of_words() {
        assert!(Template("EOF").is_in("unexpected EOF"));
        assert!(Template("EOF").is_in("AEOF EOF"));
        assert!(!Template("EOF").is_in("GEOFENCE"));
        assert!(Template("x509: {why}").is_in("tls: x509: anything"));
        assert!(!Template("x509: {why}").is_in("x509"));
    }

    #[test]
    fn anchors_hold_both_ends() {
        let forbidden = Template("^Forbidden$");
        assert!(forbidden.is_in("Forbidden"));
        assert!(!forbidden.is_in("Forbidden: by RBAC"));
        assert!(!forbidden.is_in("It is Forbidden"));
        assert!(!forbidden.is_in(""));
    }

    #[test]
    fn no_text_and_no_template_are_no_trouble() {
        for text in ["", "…", "{", "}", "ä{ö}ü", "dial tcp "] {
            for template in [REFUSED, Template(""), Template("{a}"), Template("ä{a}ü"), Template("^$")] {
                let _ = template.is_in(text);
            }
        }
    }
}
