//! Turns the catalogue of verdicts into a list of codes, and one entry into its page.

use std::fmt::{self, Write};

use crate::invocation;

use super::layout::{Page, Paper, Text};
use super::markdown;
use super::style::{FAINT, STRONG, of_class};

/// A verdict as `hookscope explain` shows it.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) code: &'static str,
    pub(crate) class: &'static str,
    pub(crate) severity: &'static str,
    /// One line.
    pub(crate) summary: String,
    /// Everything, in Markdown.
    pub(crate) page: &'static str,
}

/// Writes one code's page.
pub(crate) fn page(out: &mut dyn Write, paper: Paper, code: &Code) -> fmt::Result {
    markdown::write(&mut Page::new(out, paper), code.page)
}

/// Writes all codes by class, in the order in which they come.
pub(crate) fn codes(out: &mut dyn Write, paper: Paper, codes: &[Code]) -> fmt::Result {
    let page = &mut Page::new(out, paper);
    let widest = codes.iter().map(|code| code.code.len()).max().unwrap_or(0);
    let mut classes: Vec<&str> = Vec::new();
    for code in codes {
        if !classes.contains(&code.class) {
            classes.push(code.class);
        }
    }
    for class in classes {
        page.line(0, &Text::new().styled(STRONG, class))?;
        for code in codes.iter().filter(|code| code.class == class) {
            let (sign, style) = of_class(code.class, code.severity);
            let label = Text::new().styled(style, format!("{sign} ")).plain(code.code).padded(widest + 4);
            page.item(2, &label, &Text::new().plain(&code.summary))?;
        }
        page.blank()?;
    }
    let legend =
        format!("✗ failure  ! warning  ✓ ok  ? not known. To read one: {} explain CODE", invocation::name());
    page.line(0, &Text::new().styled(FAINT, legend))
}
