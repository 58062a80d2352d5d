//! Turns what standard output is into what may be written there: how wide, and whether in colour.

use std::env;
use std::io::{self, IsTerminal};

use crate::args::When;
use crate::text::Paper;

/// Columns where nobody says how many there are.
const PIPED: usize = 100;
/// Beyond this, lines are hard to read; below that, nothing fits.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=120;

/// The paper that standard output is.
pub(crate) fn paper(color: When) -> Paper {
    let terminal = io::stdout().is_terminal();
    let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let measured = || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    let width = columns.filter(|&columns| columns > 0).or_else(measured).unwrap_or(PIPED);
    Paper {
        width: width.clamp(*WIDTHS.start(), *WIDTHS.end()),
        colour: in_colour(color, terminal, |name| env::var(name).ok()),
    }
}

/// Whether to write in colour, as <https://no-color.org> and <https://bixense.com/clicolors> have it.
fn in_colour(color: When, terminal: bool, env: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
    let forced = || env("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
    match color {
        When::Always => true,
        When::Never => false,
        When::Auto if set("NO_COLOR") => false,
        When::Auto if forced() => true,
        When::Auto => {
            terminal && env("CLICOLOR").as_deref() != Some("0") && env("TERM").as_deref() != Some("dumb")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(terminal: bool, vars: &[(&str, &str)]) -> bool {
        in_colour(When::Auto, terminal, |name| {
            vars.iter().find(|(var, _)| *var == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn colour_goes_to_terminals_unless_the_user_says_otherwise() {
        assert!(auto(true, &[("TERM", "xterm-256color")]));
        assert!(!auto(false, &[("TERM", "xterm-256color")]));
        assert!(!auto(true, &[("TERM", "dumb")]));
        assert!(!auto(true, &[("NO_COLOR", "1")]));
        assert!(auto(true, &[("NO_COLOR", "")]));
        assert!(auto(false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!auto(false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!auto(true, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
        assert!(!auto(true, &[("CLICOLOR", "0")]) && auto(true, &[("CLICOLOR", "1")]));
        assert!(
            !auto(false, &[("CLICOLOR", "1")]) && auto(false, &[("CLICOLOR", "0"), ("CLICOLOR_FORCE", "1")])
        );
    }

    #[test]
    fn the_option_outweighs_the_environment() {
        assert!(in_colour(When::Always, false, |_| Some("1".to_owned())));
        assert!(!in_colour(When::Never, true, |_| Some("1".to_owned())));
    }
}
