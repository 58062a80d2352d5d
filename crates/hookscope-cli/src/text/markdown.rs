//! Turns a page in Markdown into text that fits the page: headings, paragraphs, lists, code.
//!
//! It reads what the pages of this project use, and prints anything else as it stands.

use std::fmt;

use super::layout::{Page, Text};
use super::style::{COPY, PLAIN, STRONG};

/// How far text stands to the right of its heading.
const BODY: usize = 2;

/// Writes a whole page.
pub(super) fn write(page: &mut Page<'_>, markdown: &str) -> fmt::Result {
    let mut block = Block::default();
    let mut fence: Option<usize> = None;
    for line in markdown.lines() {
        let indent = line.len() - line.trim_start().len();
        if let Some(margin) = fence {
            if line.trim_start().starts_with("```") {
                fence = None;
            } else {
                let code = line.get(margin.min(indent)..).unwrap_or(line);
                page.line(BODY + margin + 2, &Text::new().styled(COPY, code))?;
            }
        } else if line.trim_start().starts_with("```") {
            block.flush(page)?;
            fence = Some(indent);
        } else if line.trim().is_empty() {
            block.flush(page)?;
            page.blank()?;
        } else if let Some(title) = heading(line) {
            block.flush(page)?;
            page.paragraph(0, 0, &Text::new().styled(STRONG, title))?;
        } else {
            let marker = marker(line.trim_start());
            if marker > 0 {
                block.flush(page)?;
            }
            block.add(line, indent, marker);
        }
    }
    block.flush(page)
}

/// The text of a heading.
fn heading(line: &str) -> Option<&str> {
    let title = line.trim_start_matches('#');
    (title.len() < line.len()).then(|| title.strip_prefix(' ')).flatten()
}

/// How many characters begin a list item: `- `, `* ` or `1. `.
fn marker(line: &str) -> usize {
    if line.starts_with("- ") || line.starts_with("* ") {
        return 2;
    }
    let digits = line.len() - line.trim_start_matches(|char: char| char.is_ascii_digit()).len();
    if digits > 0 && line.get(digits..).is_some_and(|rest| rest.starts_with(". ")) { digits + 2 } else { 0 }
}

/// A paragraph or list item of which lines are still coming.
#[derive(Default)]
struct Block {
    text: String,
    indent: usize,
    marker: usize,
}

impl Block {
    fn add(&mut self, line: &str, indent: usize, marker: usize) {
        if self.text.is_empty() {
            (self.indent, self.marker) = (indent, marker);
        } else {
            self.text.push(' ');
        }
        self.text.push_str(line.trim());
    }

    fn flush(&mut self, page: &mut Page<'_>) -> fmt::Result {
        let (label, text) = self.text.split_at(self.marker.min(self.text.len()));
        let label = Text::new().plain(label.replacen("* ", "- ", 1));
        let result = page.item(BODY + self.indent, &label, &inline(text));
        *self = Self::default();
        result
    }
}

/// Emphasis and code within a line. Code keeps its backticks: without colour nothing else tells it from the sentence.
fn inline(text: &str) -> Text {
    let mut out = Text::new();
    let mut strong = false;
    for (index, piece) in text.split('`').enumerate() {
        if index % 2 == 1 {
            out = out.glued(COPY, format!("`{piece}`"));
            continue;
        }
        for (index, piece) in piece.split("**").enumerate() {
            strong ^= index > 0;
            out = out.styled(if strong { STRONG } else { PLAIN }, piece);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::layout::Paper;
    use super::*;

    fn shown(markdown: &str, colour: bool) -> String {
        let mut out = String::new();
        write(&mut Page::new(&mut out, Paper { width: 30, colour }), markdown).unwrap();
        out
    }

    #[test]
    fn paragraphs_and_items_are_filled_anew() {
        let page = "# Title\n\nOne line that\nis broken early and goes on.\n\n- **A `b` thing** that is\n  long.\n1. Run it\n";
        assert_eq!(
            shown(page, false),
            "Title\n\n  One line that is broken\n  early and goes on.\n\n  - A `b` thing that is long.\n  1. Run it\n"
        );
    }

    #[test]
    fn code_is_indented_and_never_broken() {
        let page = "See:\n\n  ```sh\n  kubectl -n NAMESPACE get pods -o wide\n    | less\n  ```\nand `ss -ltnp` there, as it is long.";
        assert_eq!(
            shown(page, false),
            "  See:\n\n      kubectl -n NAMESPACE get pods -o wide\n        | less\n  and `ss -ltnp` there, as it\n  is long.\n"
        );
    }

    #[test]
    fn headings_and_emphasis_are_bold_in_colour() {
        assert_eq!(
            shown("## A\n**b** `c d`", true),
            "\u{1b}[1mA\u{1b}[0m\n  \u{1b}[1mb\u{1b}[0m \u{1b}[36m`c d`\u{1b}[0m\n"
        );
    }
}
