//! All codes, each with its page: what `hookscope explain` shows.

use crate::diagnosis::rules::RULES;
use crate::diagnosis::verdict::{Code, Severity};
use crate::tls::codes::AlertDescription;

/// What is to be known of a code.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Page {
    /// The code.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The page, in Markdown.
    pub text: &'static str,
}

impl Page {
    /// What happened, in one sentence: the page's first paragraph.
    pub fn summary(&self) -> String {
        let lines = self.text.lines().skip(1).skip_while(|line| line.is_empty());
        lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// All pages, in the order of the classes.
pub fn pages() -> Vec<&'static Page> {
    let mut pages: Vec<_> = RULES.iter().flat_map(|rule| rule.pages()).collect();
    pages.sort_by_key(|page| page.code.class);
    pages
}

/// The page of a code; an alert that has none of its own shares that of all alerts.
pub fn page_of(code: &str) -> Option<&'static Page> {
    let pages = pages();
    let named = |name: &str| pages.iter().copied().find(|page| page.code.name == name);
    named(code).or_else(|| if AlertDescription::is_code(code) { named(ANY_ALERT) } else { None })
}

/// The page of alerts that have none of their own.
const ANY_ALERT: &str = "tls-alert";

/// The page of a failure's code, its text in `$name.md` beside the rule.
macro_rules! page {
    ($class:ident, $severity:ident, $name:literal) => {
        $crate::diagnosis::Page {
            code: $crate::diagnosis::verdict::Code {
                class: $crate::diagnosis::verdict::Class::$class,
                name: $name,
            },
            severity: $crate::diagnosis::verdict::Severity::$severity,
            text: include_str!(concat!($name, ".md")),
        }
    };
}
pub(crate) use page;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alert_has_a_page_and_nothing_else_shares_it() {
        let name = |code| page_of(code).map(|page| page.code.name);
        assert_eq!(name("tls-unknown-ca"), Some("tls-unknown-ca"));
        assert_eq!(name("tls-record-overflow"), Some("tls-alert"));
        assert_eq!(name("tls-nonsense"), None);
        assert_eq!(name("nonsense"), None);
        for alert in 0..=u8::MAX {
            assert!(page_of(AlertDescription(alert).code()).is_some(), "{alert}");
        }
    }
}
