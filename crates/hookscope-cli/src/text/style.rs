//! The few colours of the report. Each goes with a word or a sign that says the same without colour.

use anstyle::{AnsiColor, Style};

/// What failed.
pub(crate) const FAILURE: Style = AnsiColor::Red.on_default().bold();
/// What worked, but not well.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// What is well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What the eye should find: names and headings.
pub(crate) const STRONG: Style = Style::new().bold();
/// What is there for those who look for it.
pub(crate) const FAINT: Style = Style::new().dimmed();
/// What is to be copied: commands and filters.
pub(crate) const COPY: Style = AnsiColor::Cyan.on_default();
/// Text as it is.
pub(crate) const PLAIN: Style = Style::new();

/// The sign and the colour of what could not be judged: neither well nor failed.
pub(crate) const UNKNOWN: (&str, Style) = ("?", STRONG);

/// The sign and the colour of a verdict of a class: what is not known is not well.
pub(crate) fn of_class(class: impl AsRef<str>, severity: impl AsRef<str>) -> (&'static str, Style) {
    if class.as_ref() == "unknown" { UNKNOWN } else { of_severity(severity) }
}

/// The sign and the colour of a severity.
pub(crate) fn of_severity(severity: impl AsRef<str>) -> (&'static str, Style) {
    match severity.as_ref() {
        "failure" => ("✗", FAILURE),
        "warning" => ("!", WARNING),
        _ => ("✓", GOOD),
    }
}
