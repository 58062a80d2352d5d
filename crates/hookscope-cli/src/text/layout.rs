//! Turns pieces of styled text into lines that fit the page.
//!
//! Everything that is printed goes through [`Text`], so whatever a packet carried (a server name, an HTTP reason)
//! cannot reach the terminal as a control sequence.

use std::fmt::{self, Display, Write};

use anstyle::Style;

use super::style::PLAIN;

/// A space at which no line is broken; written as a space.
pub(crate) const GLUE: char = '\u{a0}';

/// A gap of two columns at which a line may be broken.
pub(crate) const GAP: &str = "\u{a0} ";

/// What the text is written on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paper {
    /// Columns.
    pub(crate) width: usize,
    /// Whether escape sequences are understood.
    pub(crate) colour: bool,
}

/// A line or paragraph before it is laid out: pieces of text, each in one style.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    pieces: Vec<(Style, String)>,
}

impl Text {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// With more text.
    #[must_use]
    pub(crate) fn plain(self, text: impl Display) -> Self {
        self.styled(PLAIN, text)
    }

    /// With more text in a style.
    #[must_use]
    pub(crate) fn styled(mut self, style: Style, text: impl Display) -> Self {
        self.pieces.push((style, printable(&text.to_string())));
        self
    }

    /// With more text at which no line is broken.
    #[must_use]
    pub(crate) fn glued(self, style: Style, text: impl Display) -> Self {
        let text = text.to_string().replace(' ', &GLUE.to_string());
        self.styled(style, text)
    }

    /// With all of another text.
    #[must_use]
    pub(crate) fn then(mut self, other: Self) -> Self {
        self.pieces.extend(other.pieces);
        self
    }

    /// With a space and a word; both join the last piece where its style is the word's.
    fn then_word(mut self, word: Self) -> Self {
        for (index, (style, text)) in word.pieces.into_iter().enumerate() {
            let space = if index == 0 { " " } else { "" };
            match self.pieces.last_mut() {
                Some((last, line)) if *last == style => {
                    line.push_str(space);
                    line.push_str(&text);
                }
                _ => self.pieces.extend([(PLAIN, space.to_owned()), (style, text)]),
            }
        }
        self
    }

    /// With spaces up to a width.
    #[must_use]
    pub(crate) fn padded(self, width: usize) -> Self {
        let missing = width.saturating_sub(self.width());
        self.plain(" ".repeat(missing))
    }

    /// With spaces before it up to a width.
    #[must_use]
    pub(crate) fn padded_left(self, width: usize) -> Self {
        let missing = width.saturating_sub(self.width());
        Self::new().plain(" ".repeat(missing)).then(self)
    }

    /// Columns on one line.
    pub(crate) fn width(&self) -> usize {
        self.pieces.iter().map(|(_, text)| columns(text)).sum()
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.iter().all(|(_, text)| text.is_empty())
    }

    /// Its words; a word may change its style in the middle.
    fn words(&self) -> Vec<Self> {
        let mut words = Vec::new();
        let mut word = Self::new();
        for (style, text) in &self.pieces {
            for (index, part) in text.split(' ').enumerate() {
                if index > 0 && !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                if !part.is_empty() {
                    word.pieces.push((*style, part.to_owned()));
                }
            }
        }
        if !word.is_empty() {
            words.push(word);
        }
        words
    }
}

/// A text report under way.
pub(crate) struct Page<'out> {
    out: &'out mut dyn Write,
    pub(crate) paper: Paper,
}

impl<'out> Page<'out> {
    pub(crate) fn new(out: &'out mut dyn Write, paper: Paper) -> Self {
        Self { out, paper }
    }

    /// An empty line.
    pub(crate) fn blank(&mut self) -> fmt::Result {
        self.out.write_char('\n')
    }

    /// The space before a part of the page; `wide` where it follows a part of many lines.
    pub(crate) fn section(&mut self, wide: bool) -> fmt::Result {
        if wide {
            self.blank()?;
        }
        self.blank()
    }

    /// One line, however long: for what is copied or aligned.
    pub(crate) fn line(&mut self, indent: usize, text: &Text) -> fmt::Result {
        let mut gap = indent;
        for (style, part) in &text.pieces {
            let body = part.trim_start_matches([' ', GLUE]);
            gap += columns(part) - columns(body);
            let kept = body.trim_end_matches([' ', GLUE]);
            if !kept.is_empty() {
                // Spaces are written once text follows them, so that none trail.
                write!(self.out, "{:gap$}", "")?;
                self.piece(*style, kept)?;
                gap = 0;
            }
            gap += columns(body) - columns(kept);
        }
        self.blank()
    }

    /// A paragraph broken between words; lines after the first are indented by `hanging`.
    pub(crate) fn paragraph(&mut self, indent: usize, hanging: usize, text: &Text) -> fmt::Result {
        let mut line = Text::new();
        let mut start = indent;
        for word in text.words() {
            if line.is_empty() {
                line = word;
            } else if start + line.width() + 1 + word.width() <= self.paper.width {
                line = line.then_word(word);
            } else {
                self.line(start, &line)?;
                (line, start) = (word, hanging);
            }
        }
        if line.is_empty() { Ok(()) } else { self.line(start, &line) }
    }

    /// `label` in front of a paragraph that stays to the right of it.
    pub(crate) fn item(&mut self, indent: usize, label: &Text, text: &Text) -> fmt::Result {
        let mut whole = Text::new();
        for (style, piece) in &label.pieces {
            whole = whole.glued(*style, piece);
        }
        self.paragraph(indent, indent + label.width(), &whole.then(text.clone()))
    }

    fn piece(&mut self, style: Style, text: &str) -> fmt::Result {
        let text = text.replace(GLUE, " ");
        if self.paper.colour && style != PLAIN {
            write!(self.out, "{}{text}{}", style.render(), style.render_reset())
        } else {
            self.out.write_str(&text)
        }
    }
}

/// Columns that `text` takes, one for each character.
fn columns(text: &str) -> usize {
    text.chars().count()
}

/// `text` with everything spelled out that would move the cursor, change a colour or turn the reading direction.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' | '\t' => out.push(' '),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                out.extend(char.escape_unicode());
            }
            _ if char.is_control() => out.extend(char.escape_unicode()),
            _ => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use anstyle::AnsiColor;

    use super::*;

    fn on(width: usize, colour: bool, write: impl Fn(&mut Page<'_>) -> fmt::Result) -> String {
        let mut out = String::new();
        write(&mut Page::new(&mut out, Paper { width, colour })).unwrap();
        out
    }

    #[test]
    fn a_paragraph_breaks_between_words_with_a_hanging_indent() {
        let text = Text::new().plain("one two three four");
        assert_eq!(on(11, false, |page| page.paragraph(2, 4, &text)), "  one two\n    three\n    four\n");
    }

    #[test]
    fn what_is_glued_stays_together_and_long_words_stay_whole() {
        let text = Text::new().plain("took ").glued(PLAIN, "10 s").plain(" or averyverylongword");
        assert_eq!(on(8, false, |page| page.paragraph(0, 0, &text)), "took\n10 s or\naveryverylongword\n");
    }

    #[test]
    fn an_item_keeps_its_text_beside_its_label() {
        let (label, text) = (Text::new().plain("1. "), Text::new().plain("do this now"));
        assert_eq!(on(10, false, |page| page.item(0, &label, &text)), "1. do this\n   now\n");
    }

    #[test]
    fn no_line_ends_in_spaces() {
        let text = Text::new().plain("a").padded(5).then(Text::new().plain(" ").plain("  "));
        assert_eq!(on(80, true, |page| page.line(1, &text)), " a\n");
        assert_eq!(on(80, false, |page| page.paragraph(0, 0, &Text::new().plain(" "))), "");
    }

    #[test]
    fn colour_is_written_only_where_it_is_understood() {
        let text = Text::new().plain("a ").styled(AnsiColor::Red.on_default(), "b c");
        assert_eq!(on(80, false, |page| page.line(0, &text)), "a b c\n");
        assert_eq!(on(80, true, |page| page.line(0, &text)), "a \u{1b}[31mb c\u{1b}[0m\n");
        assert_eq!(
            on(3, true, |page| page.paragraph(0, 0, &text)),
            "a \u{1b}[31mb\u{1b}[0m\n\u{1b}[31mc\u{1b}[0m\n"
        );
    }

    #[test]
    fn what_packets_carry_cannot_steer_the_terminal() {
        let text = Text::new().plain("evil\u{1b}[2J\r\u{202e}name\u{9b}");
        let shown = on(80, true, |page| page.line(0, &text));
        assert_eq!(shown, "evil\\u{1b}[2J\\u{d}\\u{202e}name\\u{9b}\n");
    }
}
