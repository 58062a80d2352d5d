//! All codes, each with its page: what `hookscope explain` shows.

use crate::diagnosis::rules::RULES;
use crate::diagnosis::verdict::{Code, Severity};

/// What is to be known of a code.
#[derive(Clone, Copy, Debug)]
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
