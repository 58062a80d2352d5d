//! Turns hints into numbered steps, each command on a line of its own.
//!
//! A hint is a sentence in which commands and identifiers stand in backticks, as in Markdown.

use std::fmt;

use super::layout::{Page, Text};
use super::style::{COPY, FAINT};

/// Writes the hints, numbered.
pub(super) fn write(page: &mut Page<'_>, indent: usize, hints: &[String]) -> fmt::Result {
    for (index, hint) in hints.iter().enumerate() {
        let mut label = Text::new().styled(FAINT, format!("{}. ", index + 1));
        let hanging = indent + label.width();
        for part in parts(hint) {
            match part {
                Part::Sentence(text) => page.item(hanging - label.width(), &label, &text)?,
                Part::Command(command) => page.line(hanging + 2, &Text::new().styled(COPY, command))?,
            }
            label = Text::new();
        }
    }
    Ok(())
}

/// A stretch of a hint.
enum Part<'a> {
    Sentence(Text),
    Command(&'a str),
}

/// Cuts a hint where a command begins or ends.
fn parts(hint: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut sentence = Text::new();
    for (index, piece) in hint.split('`').enumerate() {
        let quoted = index % 2 == 1;
        if quoted && is_command(piece) {
            // A command needs something to stand under.
            if !sentence.is_empty() || parts.is_empty() {
                parts.push(Part::Sentence(std::mem::take(&mut sentence)));
            }
            parts.push(Part::Command(piece));
        } else if quoted {
            sentence = sentence.glued(COPY, format!("`{piece}`"));
        } else {
            sentence = sentence.plain(after_command(piece, matches!(parts.last(), Some(Part::Command(_)))));
        }
    }
    if !sentence.is_empty() {
        parts.push(Part::Sentence(sentence));
    }
    parts
}

/// One word is a name in a sentence; several are a command to copy.
fn is_command(piece: &str) -> bool {
    piece.trim().contains(' ')
}

/// What goes on after a command does not begin with the full stop of the sentence before it.
fn after_command(piece: &str, after: bool) -> &str {
    if after { piece.trim_start_matches(['.', ',', ';', ':', ' ']) } else { piece }
}

#[cfg(test)]
mod tests {
    use super::super::layout::Paper;
    use super::*;

    fn shown(hints: &[&str]) -> String {
        let mut out = String::new();
        let hints: Vec<String> = hints.iter().map(|hint| (*hint).to_owned()).collect();
        write(&mut Page::new(&mut out, Paper { width: 40, colour: false }), 2, &hints).unwrap();
        out
    }

    #[test]
    fn commands_stand_on_lines_of_their_own() {
        assert_eq!(
            shown(&["Look at both: `ss -ltnp`; `nc -vz 10.0.0.1 9443`. Then restart it.", "Wait."]),
            "  1. Look at both:\n       ss -ltnp\n       nc -vz 10.0.0.1 9443\n     Then restart it.\n  2. Wait.\n"
        );
    }

    #[test]
    fn a_hint_that_is_a_command_keeps_its_number() {
        assert_eq!(shown(&["`kubectl get pods -A`"]), "  1.\n       kubectl get pods -A\n");
    }

    #[test]
    fn names_stay_in_their_sentence_and_sentences_wrap() {
        assert_eq!(
            shown(&["Raise `timeoutSeconds`, which may be up to 30."]),
            "  1. Raise `timeoutSeconds`, which may\n     be up to 30.\n"
        );
    }
}
