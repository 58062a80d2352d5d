//! Turns a filter that libpcap does not take into a caret under the word that is wrong, and offers one that it takes.

use pcap::{Capture, Linktype};

use super::LiveError;

/// What hookscope can use, and little else: TCP (of servers on `ports` only, where there are some), DNS, ICMP errors,
/// and overlays, inside of which a filter does not see.
pub fn default_filter(ports: &[u16]) -> String {
    const ALWAYS: &str = "icmp or icmp6 or port 53 \
                          or udp port 4789 or udp port 8472 or udp port 6081 \
                          or ip proto 4 or ip proto 41 or ip proto 47 or ip6 proto 4 or ip6 proto 41 or ip6 proto 47";
    if ports.is_empty() {
        return format!("tcp or {ALWAYS}");
    }
    let ports: Vec<_> = ports.iter().map(|port| format!("tcp port {port}")).collect();
    // Only the first fragment of a datagram has its ports.
    format!("{} or {ALWAYS} or ip[6:2] & 0x1fff != 0 or ip6 proto 44", ports.join(" or "))
}

/// Whether libpcap takes `filter` for Ethernet; interfaces of other kinds may still refuse it.
///
/// # Errors
///
/// [`LiveError::Filter`] where it does not.
pub fn check_filter(filter: &str) -> Result<(), LiveError> {
    compile(Linktype::ETHERNET, filter).map_err(|message| explain(Linktype::ETHERNET, filter, &message))
}

/// Why libpcap refused `filter`, saying `message`, and where.
pub(super) fn explain(link: Linktype, filter: &str, message: &str) -> LiveError {
    let at = quoted(filter, message).unwrap_or_else(|| first_wrong(link, filter));
    let column = filter.get(..at).map_or(0, |before| before.chars().count());
    // "syntax error in filter expression: syntax error" says it twice.
    let message = match message.split_once(": ") {
        Some((_, "syntax error")) => "syntax error",
        _ => message,
    };
    LiveError::Filter {
        message: format!("the filter is not understood: {message}"),
        filter: filter.to_owned(),
        caret: format!("{}^", " ".repeat(column)),
    }
}

fn compile(link: Linktype, filter: &str) -> Result<(), String> {
    let capture = Capture::dead(link).map_err(|error| error.to_string())?;
    capture.compile(filter, false).map(drop).map_err(|error| {
        let text = error.to_string();
        text.strip_prefix("libpcap error: ").unwrap_or(&text).to_owned()
    })
}

/// Where the word is that libpcap quotes in its message, as for a name that it does not know.
fn quoted(filter: &str, message: &str) -> Option<usize> {
    let parts = message.split(['\'', '"']).skip(1).step_by(2);
    let last = message.rsplit([' ', ':']).next();
    parts.chain(last).filter(|word| !word.is_empty()).find_map(|word| {
        let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        filter.match_indices(word).map(|(at, _)| at).find(|&at| {
            is_edge(filter.get(..at).and_then(|before| before.chars().next_back()))
                && is_edge(filter.get(at + word.len()..).and_then(|after| after.chars().next()))
        })
    })
}

/// Where the first word begins after which nothing that could follow makes a filter. libpcap does not say where it
/// stopped, so it is asked about longer and longer beginnings.
fn first_wrong(link: Linktype, filter: &str) -> usize {
    const ENDINGS: [&str; 10] = [
        "",
        " 1",
        " tcp",
        " host 192.0.2.1",
        " proto 6",
        " 1 = 1",
        " = 1",
        "] = 1",
        " 1] = 1",
        " 02:00:00:00:00:01",
    ];
    let words = words(filter);
    for &(begin, end) in &words {
        let front = filter.get(..end).unwrap_or(filter);
        let count = |c| front.matches(c).count();
        let close = ")".repeat(count('(').saturating_sub(count(')')));
        let can_go_on =
            ENDINGS.iter().any(|ending| compile(link, &format!("{front}{ending}{close}")).is_ok());
        if !can_go_on {
            return begin;
        }
    }
    // Every beginning can go on, but it does not.
    filter.trim_end().len()
}

/// Where each word or sign begins and ends.
fn words(filter: &str) -> Vec<(usize, usize)> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '.' | ':' | '-' | '_' | '/');
    let mut words: Vec<(usize, usize)> = Vec::new();
    let mut in_word = false;
    for (at, c) in filter.char_indices() {
        let end = at + c.len_utf8();
        match words.last_mut() {
            Some(last) if in_word && is_word(c) => last.1 = end,
            _ if !c.is_whitespace() => words.push((at, end)),
            _ => {}
        }
        in_word = is_word(c);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caret(filter: &str) -> String {
        match check_filter(filter) {
            Err(LiveError::Filter { caret, message, .. }) => {
                assert!(!message.contains('\n'));
                caret
            }
            other => panic!("{filter}: {other:?}"),
        }
    }

    #[test]
    fn the_filters_that_are_offered_are_taken() {
        for filter in [default_filter(&[]), default_filter(&[9443]), default_filter(&[443, 8443])] {
            check_filter(&filter).unwrap();
        }
    }

    #[test]
    fn the_caret_is_under_the_first_word_that_is_wrong() {
        for (filter, expected) in [
            ("tcp and and port 443", "        ^"),
            ("tcp port 443 prt 8443", "             ^"),
            ("(tcp or udp)) and port 53", "            ^"),
            ("tcp port 99999", "         ^"),
            ("host 10.0.0.", "     ^"),
            ("tcp[13 & 2 != 0", "           ^"),
            ("tcp and", "       ^"),
        ] {
            assert_eq!(caret(filter), expected, "\n{filter}");
        }
    }
}
