//! A message as people and logs quote it -> which webhook, which URL, and the error at its end.
//!
//! ```text
//! Error from server (InternalError): Internal error occurred: failed calling webhook "x": failed to call webhook:
//! Post "https://svc.ns.svc:443/path?timeout=10s": context deadline exceeded
//!       ^ URL                                     ^ error
//! ```

use std::borrow::Cow;

/// What a message says of a failed call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quote {
    /// The webhook's name.
    pub webhook: Option<String>,
    /// The URL that was called.
    pub url: Option<String>,
    /// What went wrong: the end of the message.
    pub error: String,
}

/// What stands before the name of the webhook that failed.
const CALLING: &str = "failed calling webhook \"";
/// What stands around the name of the webhook that said no.
const DENIED: [&str; 2] = ["admission webhook \"", "\" denied the request"];
/// How often quotation marks may be escaped, one log inside another.
const ESCAPES: usize = 4;
/// HTTP methods that stand before a URL.
const METHODS: [&str; 2] = ["Post ", "Get "];
/// What is said after the error in the same line.
const TRAILERS: [&str; 1] = [", panic-reason:"];

impl Quote {
    /// Reads a message; what it does not recognise is the error.
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        if let Some(quote) = Self::of_call(text) {
            return quote;
        }
        if let Some(error) = field(text, "err").or_else(|| field(text, "error")) {
            let quote = Self::read(&error);
            return Self { webhook: quote.webhook.or_else(|| field(text, "webhook")), ..quote };
        }
        let plain = unescape(text);
        Self::of_call(&plain)
            .or_else(|| Self::of_denial(&plain))
            .unwrap_or_else(|| Self::of_tail(None, &plain))
    }

    /// Reads a message that says that a webhook denied a request; what it quotes is the webhook's own.
    fn of_denial(text: &str) -> Option<Self> {
        let [before, after] = DENIED;
        let (_, rest) = text.split_once(before)?;
        let (webhook, _) = rest.split_once(after).filter(|(webhook, _)| !webhook.contains('"'))?;
        Some(Self { webhook: Some(webhook.to_owned()), url: None, error: text.to_owned() })
    }

    /// Reads a message that says that a call of a webhook failed; `None` if `text`, without escapes, does not.
    pub(crate) fn of_call(text: &str) -> Option<Self> {
        if let Some((_, rest)) = text.split_once(CALLING) {
            let (webhook, rest) = rest.split_once('"')?;
            let rest = rest.strip_prefix(": ")?;
            return Some(Self::of_tail(Some(webhook), rest));
        }
        let (_, rest) = text.split_once("conversion webhook for ")?;
        let (resource, rest) = rest.split_once(" failed: ")?;
        Some(Self::of_tail(Some(resource), rest))
    }

    fn of_tail(webhook: Option<&str>, rest: &str) -> Self {
        let rest = rest.strip_prefix("failed to call webhook: ").unwrap_or(rest);
        let (url, error) = match split_url(rest) {
            Some((url, error)) => (Some(url.to_owned()), error),
            None => (None, rest),
        };
        let end = TRAILERS.iter().filter_map(|trailer| error.find(trailer)).min().unwrap_or(error.len());
        let error = error.get(..end).unwrap_or(error).trim();
        Self { webhook: webhook.map(str::to_owned), url, error: error.to_owned() }
    }

    /// How long the call might take, by its URL's `timeout`, in seconds.
    pub fn timeout(&self) -> Option<u32> {
        let (_, query) = self.url.as_deref()?.split_once('?')?;
        let value = query.split('&').find_map(|pair| pair.strip_prefix("timeout="))?;
        match value.strip_suffix("ms") {
            Some(millis) => Some(millis.parse::<u32>().ok()?.div_ceil(1000)),
            None => value.strip_suffix('s')?.parse().ok(),
        }
    }

    /// The host that the URL names and its port: 443 or 80 where it names none.
    pub fn host(&self) -> Option<(&str, u16)> {
        let (scheme, rest) = self.url.as_deref()?.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let default = if scheme == "http" { 80 } else { 443 };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.is_empty() && !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (authority, default),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        (!host.is_empty()).then_some((host, port))
    }
}

/// The URL of a request and what became of it: `Post "https://host/path": EOF`, or as Go before 1.14 wrote it,
/// without quotation marks.
fn split_url(text: &str) -> Option<(&str, &str)> {
    let at = METHODS.iter().filter_map(|method| Some((text.find(method)?, method.len()))).min()?;
    let rest = text.get(at.0 + at.1..)?;
    let (url, error) = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => rest.split_at(rest.find(": ")?),
    };
    url.contains("://").then(|| (url, error.strip_prefix(": ").unwrap_or(error)))
}

/// The value of a field in klog's structured text: `err="failed calling webhook \"x\": …"`.
pub(crate) fn field(text: &str, name: &str) -> Option<String> {
    let named = text.match_indices(name).find_map(|(at, _)| {
        let is_word = text.get(..at).is_some_and(|before| before.is_empty() || before.ends_with([' ', '\t']));
        let value = text.get(at + name.len()..)?.strip_prefix("=\"")?;
        is_word.then_some(value)
    })?;
    let mut value = String::new();
    let mut chars = named.chars();
    loop {
        match chars.next()? {
            '"' => return Some(value),
            '\\' => value.push(match chars.next()? {
                'n' => '\n',
                't' => '\t',
                escaped => escaped,
            }),
            char => value.push(char),
        }
    }
}

/// The text without the escapes that a log put before quotation marks, level by level.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..ESCAPES {
        if !text.contains("\\\"") {
            break;
        }
        let mut plain = String::with_capacity(text.len());
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            match char {
                '\\' => match chars.next() {
                    Some('n') => plain.push('\n'),
                    Some('t') => plain.push('\t'),
                    Some(escaped) => plain.push(escaped),
                    None => plain.push('\\'),
                },
                char => plain.push(char),
            }
        }
        text = Cow::Owned(plain);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quote(webhook: Option<&str>, url: Option<&str>, error: &str) -> Quote {
        Quote { webhook: webhook.map(str::to_owned), url: url.map(str::to_owned), error: error.to_owned() }
    }

    const URL: &str = "https://svc.ns.svc:9443/check?timeout=10s";

    #[test]
    fn whole_lines_are_taken_apart() {
        let expected = quote(Some("x.io"), Some(URL), "context deadline exceeded");
        let tail = format!("failed to call webhook: Post \"{URL}\": context deadline exceeded");
        for line in [
            format!(
                "Error from server (InternalError): error when creating \"a.yaml\": Internal error occurred: failed calling webhook \"x.io\": {tail}"
            ),
            format!(
                "W1122 15:29:24.309467   25545 dispatcher.go:153] Failed calling webhook, failing closed x.io: failed calling webhook \"x.io\": {tail}"
            ),
            format!("failed calling webhook \"x.io\": Post \"{URL}\": context deadline exceeded\n"),
            format!("failed calling webhook \"x.io\": Post {URL}: context deadline exceeded"),
            format!(
                "E1122 15:30:38.464599 1 finisher.go:175] FinishRequest: err: Internal error occurred: failed calling webhook \"x.io\": {tail}, panic-reason: <nil>"
            ),
            format!(
                "err=\"failed calling webhook \\\"x.io\\\": failed to call webhook: Post \\\"{URL}\\\": context deadline exceeded\" logger=\"UnhandledError\""
            ),
            format!(
                "{{\\\"msg\\\":\\\"failed calling webhook \\\\\\\"x.io\\\\\\\": Post \\\\\\\"{URL}\\\\\\\": context deadline exceeded"
            ),
        ] {
            assert_eq!(Quote::read(&line), expected, "{line}");
        }
    }

    #[test]
    fn messages_without_a_url_or_a_webhook_are_read_as_far_as_they_go() {
        assert_eq!(Quote::read(" EOF "), quote(None, None, "EOF"));
        assert_eq!(Quote::read("Post \"https://a:1/b\": EOF"), quote(None, Some("https://a:1/b"), "EOF"));
        assert_eq!(
            Quote::read(
                "failed calling webhook \"x\": failed to call webhook: an error on the server (\"nope\") has prevented the request from succeeding"
            ),
            quote(
                Some("x"),
                None,
                "an error on the server (\"nope\") has prevented the request from succeeding"
            )
        );
        assert_eq!(
            Quote::read(
                "conversion webhook for example.io/v1, Kind=Thing failed: Post \"https://a:1/b\": EOF"
            ),
            quote(Some("example.io/v1, Kind=Thing"), Some("https://a:1/b"), "EOF")
        );
        for broken in
            ["", "\\", "failed calling webhook \"", "Post \"", "failed calling webhook \"x\"", "Post : "]
        {
            let _ = Quote::read(broken);
        }
    }

    #[test]
    fn a_denial_names_who_denied_and_what_it_quotes_is_no_call_of_kube_apiserver_s() {
        for said in ["too many", "Post \"https://db.example/x\": EOF"] {
            let error = format!("admission webhook \"x.io\" denied the request: {said}");
            assert_eq!(Quote::read(&error), quote(Some("x.io"), None, &error));
        }
        assert_eq!(Quote::read("admission webhook \"x.io\" is slow").webhook, None);
    }

    #[test]
    fn urls_tell_host_port_and_timeout() {
        let of = |url: &str| quote(None, Some(url), "");
        assert_eq!(of(URL).host(), Some(("svc.ns.svc", 9443)));
        assert_eq!(of(URL).timeout(), Some(10));
        assert_eq!(of("https://10.0.0.1/a?timeout=1500ms").host(), Some(("10.0.0.1", 443)));
        assert_eq!(of("https://10.0.0.1/a?timeout=1500ms").timeout(), Some(2));
        assert_eq!(of("http://[fd00::1]:8443/a?dry=1&timeout=30s").host(), Some(("fd00::1", 8443)));
        assert_eq!(of("http://[fd00::1]/").host(), Some(("fd00::1", 80)));
        assert_eq!(of("https:///x").host(), None);
        assert_eq!(of("nonsense").host(), None);
        assert_eq!(of("https://a:99999/").host(), None);
    }
}
