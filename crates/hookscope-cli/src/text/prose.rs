//! Turns sentences of the engine into those of the page: what the heading says is not said again, numbers are
//! written as everywhere else in the report.

use hookscope::report::schema::{Example, Group};

use super::layout::GLUE;
use super::numbers::count;
use super::subject;

/// What a number is counted or measured in; the two are not torn apart.
const UNITS: [&str; 10] = ["s", "ms", "µs", "byte", "bytes", "SYN", "SYNs", "SYN-ACK", "SYN-ACKs", "times"];

/// What happened, for a reader who sees who was called in the heading above.
pub(super) fn summary(group: &Group) -> String {
    let server = &group.server;
    let named = group.server_name.as_ref().map(|name| format!("{name} ({server})"));
    let full = named.as_deref().unwrap_or(server);
    let said = &subject::verdict(group).summary;
    if let Example::Lookup(_) = group.example {
        let called = said.replace(&format!("name server {server} "), "name server ");
        return numbers(&called.replace(server, "the name server"));
    }
    short(full, said)
}

/// What happened, for a reader who sees the server's name, which is `full` in the sentence, before it.
pub(super) fn short(full: &str, said: &str) -> String {
    let short = match said.split_once(full) {
        // An address may be the beginning of another.
        Some((_, after)) if after.starts_with(|next: char| next.is_ascii_digit()) => said.to_owned(),
        Some(("", after)) => format!("The server{after}"),
        Some((before, after)) => format!("{before}the server{after}"),
        None => said.to_owned(),
    };
    numbers(&short)
}

/// The same sentence with separators in large counts and each number glued to its unit.
pub(super) fn numbers(sentence: &str) -> String {
    let mut out = String::with_capacity(sentence.len());
    let mut words = sentence.split(' ').peekable();
    while let Some(word) = words.next() {
        let unit = words.peek().map(|next| next.trim_end_matches([',', ';', ':', '.', ')']));
        let measured = word.parse::<f64>().is_ok() && unit.is_some_and(|unit| UNITS.contains(&unit));
        match word.parse::<u64>() {
            Ok(number) if measured => out.push_str(&count(number)),
            _ => out.push_str(word),
        }
        if words.peek().is_some() {
            out.push(if measured { GLUE } else { ' ' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn shown(name: Option<&str>, said: &str) -> String {
        let mut group = sample::deadline().groups.remove(0);
        group.server = "10.0.0.1:443".to_owned();
        group.server_name = name.map(str::to_owned);
        subject::verdict_mut(&mut group).summary = said.to_owned();
        summary(&group).replace(GLUE, " ")
    }

    #[test]
    fn what_the_heading_says_is_not_said_again() {
        assert_eq!(shown(None, "10.0.0.1:443 never answered"), "The server never answered");
        assert_eq!(shown(Some("a.svc"), "a.svc (10.0.0.1:443) reset it"), "The server reset it");
        assert_eq!(shown(Some("a.svc"), "Data to a.svc (10.0.0.1:443) vanish"), "Data to the server vanish");
        assert_eq!(shown(Some("a.svc"), "It is for b.svc, not a.svc"), "It is for b.svc, not a.svc");
        assert_eq!(shown(None, "10.0.0.1:4430 is another"), "10.0.0.1:4430 is another");
    }

    #[test]
    fn a_name_server_is_called_one() {
        let told = |said: &str| {
            let mut group = sample::lookup().groups.remove(0);
            group.server = "10.0.0.1:53".to_owned();
            subject::verdict_mut(&mut group).summary = said.to_owned();
            summary(&group).replace(GLUE, " ")
        };
        assert_eq!(told("The name server 10.0.0.1:53 refused"), "The name server refused");
        assert_eq!(told("2 queries to 10.0.0.1:53, no answer"), "2 queries to the name server, no answer");
    }

    #[test]
    fn numbers_keep_their_units_and_have_separators() {
        assert_eq!(
            numbers("request 1, 1147 bytes; 12000 bytes after 6.62 s, in 2026 or 1448").replace(GLUE, "_"),
            "request 1, 1,147_bytes; 12,000_bytes after 6.62_s, in 2026 or 1448"
        );
    }
}
