//! A line of a log file -> what the program wrote, and when, without what container runtimes and journals put around it.
//!
//! | wrapped by | looks like |
//! | --- | --- |
//! | nothing | `W1122 15:29:04.952216   25545 dispatcher.go:153] …` |
//! | containerd, CRI-O | `2026-11-22T15:29:04.952216123Z stderr F W1122 …`, long lines in parts `P`, the last `F` |
//! | Docker | `{"log":"W1122 …\n","stream":"stderr","time":"2026-11-22T15:29:04.952Z"}`, the last part ends in `\n` |
//! | journald | `Nov 22 15:29:04 host kube-apiserver[25545]: W1122 …`, or JSON with `MESSAGE` |
//! | `kubectl logs --timestamps` | `2026-11-22T15:29:04.952216123Z W1122 …` |

use std::borrow::Cow;

use serde::Deserialize;

use crate::log::when::{Header, SECOND, Stamp, absolute, from_millis};
use crate::time::Timestamp;

/// What the program wrote, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Payload<'a> {
    pub(crate) text: Cow<'a, str>,
    /// When the runtime or journal got it.
    pub(crate) absolute: Option<Timestamp>,
    /// Whether the rest is in the next line.
    pub(crate) is_part: bool,
}

/// The fields of Docker's and journald's JSON.
#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow)]
    log: Option<Cow<'a, str>>,
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "MESSAGE")]
    message: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "__REALTIME_TIMESTAMP")]
    realtime: Option<Cow<'a, str>>,
}

/// Takes off what is around a line.
pub(crate) fn unwrap(line: &str) -> Payload<'_> {
    if line.starts_with('{')
        && let Ok(wrapped) = serde_json::from_str::<Wrapped<'_>>(line)
    {
        if let Some(log) = wrapped.log {
            let absolute = wrapped.time.as_deref().and_then(absolute).map(|(time, _)| time);
            return Payload { is_part: !log.ends_with('\n'), text: log, absolute };
        }
        if let Some(text) = wrapped.message {
            let micros = wrapped.realtime.and_then(|micros| micros.parse::<i64>().ok());
            let absolute = micros.and_then(|micros| micros.checked_mul(1000)).map(Timestamp::from_nanos);
            return Payload { text, absolute, is_part: false };
        }
    }
    let Some((time, rest)) = absolute(line) else {
        return Payload { text: line.into(), absolute: None, is_part: false };
    };
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    let stream = rest.strip_prefix("stderr ").or_else(|| rest.strip_prefix("stdout "));
    let (is_part, text) = match stream.and_then(|rest| rest.split_once(' ')) {
        Some((tags, text)) if tags.starts_with(['P', 'F']) => (tags.starts_with('P'), text),
        _ => (false, rest),
    };
    Payload { text: text.into(), absolute: Some(time), is_part }
}

/// One entry of kube-apiserver's log.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Entry<'a> {
    pub(crate) stamp: Stamp,
    /// Which line of the source wrote it: `dispatcher.go:153`.
    pub(crate) caller: &'a str,
    pub(crate) message: &'a str,
}

/// How far from a line's front klog's header may be, behind a host's and a program's name.
const PREFIX: usize = 512;

/// Finds klog's header in what a program wrote.
pub(crate) fn entry(payload: &str, absolute: Option<Timestamp>) -> Option<Entry<'_>> {
    let bytes = payload.as_bytes();
    let ends = bytes.len().min(PREFIX);
    (0..ends).find_map(|at| {
        let is_first = at == 0 || bytes.get(at - 1).is_some_and(|before| b" \t:|]\"".contains(before));
        if !is_first || !matches!(bytes.get(at)?, b'I' | b'W' | b'E' | b'F') {
            return None;
        }
        let header = Header::read(bytes.get(at + 1..)?)?;
        // Behind the time stand a thread's number, a place in the source, and a bracket.
        let (place, message) = payload.get(at + 1..)?.split_once("] ")?;
        let caller = place.rsplit(' ').next().filter(|caller| caller.contains(':'))?;
        (place.len() < PREFIX).then_some(Entry {
            stamp: Stamp { absolute, header: Some(header) },
            caller,
            message,
        })
    })
}

/// An entry of klog's JSON: `{"ts":1795361344952.2,"caller":"a.go:1","msg":"…","webhook":"x","err":"…"}`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct JsonEntry<'a> {
    #[serde(borrow, default)]
    pub(crate) msg: Cow<'a, str>,
    ts: Option<Number<'a>>,
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) caller: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) webhook: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) err: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) error: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Number<'a> {
    Number(f64),
    #[serde(borrow)]
    Text(Cow<'a, str>),
}

impl<'a> JsonEntry<'a> {
    /// Reads an entry.
    pub(crate) fn read(payload: &'a str) -> Option<Self> {
        serde_json::from_str(payload.trim_end()).ok().filter(|entry: &Self| !entry.msg.is_empty())
    }

    /// When it was written.
    pub(crate) fn written(&self) -> Option<Timestamp> {
        let named = self.time.as_deref().and_then(absolute).map(|(time, _)| time);
        match &self.ts {
            // Seconds, unless there are too many.
            Some(Number::Number(number)) if *number < 1e11 => from_millis(number * 1e3),
            Some(Number::Number(millis)) => from_millis(*millis),
            Some(Number::Text(text)) => absolute(text).map(|(time, _)| time),
            None => named,
        }
    }
}

/// How long a call took and when it began, as kube-apiserver's traces of slow calls say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace<'a> {
    pub(crate) webhook: &'a str,
    /// Nanoseconds.
    pub(crate) took: i64,
}

impl<'a> Trace<'a> {
    /// Reads the message of a trace.
    pub(crate) fn read(message: &'a str) -> Option<Self> {
        let rest = message.strip_prefix("Trace[")?;
        let (_, rest) = rest.split_once("webhook\" ")?;
        let (_, named) = rest.split_once("webhook:")?;
        let webhook = named.split([',', ' ']).next()?;
        let (_, total) = rest.split_once("(total time: ")?;
        let (millis, _) = total.split_once("ms)")?;
        Some(Self { webhook, took: millis.parse::<i64>().ok()?.checked_mul(SECOND / 1000)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "W1122 15:29:04.952216   25545 dispatcher.go:153] Failed calling webhook";

    #[test]
    fn wrappings_are_taken_off() {
        let at = absolute("2026-11-22T15:29:04.952Z").unwrap().0;
        let docker = "{\"log\":\"W1122 15:29:04.952216   25545 dispatcher.go:153] Failed calling webhook\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-22T15:29:04.952Z\"}";
        let journal = "{\"MESSAGE\":\"W1122 15:29:04.952216   25545 dispatcher.go:153] Failed calling webhook\",\"__REALTIME_TIMESTAMP\":\"1795361344952000\",\"N\":[1,{}]}";
        for (line, expected) in [
            (PLAIN.to_owned(), None),
            (format!("2026-11-22T15:29:04.952000000Z stderr F {PLAIN}"), Some(at)),
            (format!("2026-11-22T15:29:04.952Z {PLAIN}"), Some(at)),
            (format!("2026-11-22T15:29:04.952+0000 node kube-apiserver[1]: {PLAIN}"), Some(at)),
            (format!("Nov 22 15:29:04 node kube-apiserver[25545]: {PLAIN}"), None),
            (docker.to_owned(), Some(at)),
            (journal.to_owned(), Some(at)),
        ] {
            let payload = unwrap(&line);
            assert!(!payload.is_part, "{line}");
            let entry =
                entry(&payload.text, payload.absolute).unwrap_or_else(|| panic!("{line}: {payload:?}"));
            assert_eq!(entry.caller, "dispatcher.go:153", "{line}");
            assert_eq!(entry.message.trim_end(), "Failed calling webhook", "{line}");
            assert_eq!(entry.stamp.absolute, expected, "{line}");
            assert_eq!(entry.stamp.header, Header::read(b"1122 15:29:04.952216"), "{line}");
        }
    }

    #[test]
    fn parts_of_lines_are_known_as_such() {
        assert!(unwrap("2026-11-22T15:29:04.952Z stderr P W1122 15:29").is_part);
        assert!(unwrap("{\"log\":\"W1122 15:29\",\"time\":\"2026-11-22T15:29:04Z\"}").is_part);
    }

    #[test]
    fn what_is_no_entry_is_none() {
        for line in [
            "",
            "W",
            "hello",
            "W1122 15:29:04.952216",
            "X1122 15:29:04.952216 1 a.go:1] x",
            "W1122 15:29:04.952216 1 ] x",
            "äW1122 15:29:04.9 1 a.go:1] x",
        ] {
            assert_eq!(entry(line, None), None, "{line}");
        }
        let deep = "[".repeat(100_000);
        assert!(JsonEntry::read(&deep).is_none());
        assert!(JsonEntry::read(&format!("{{\"msg\":\"x\",\"a\":{deep}")).is_none());
    }

    #[test]
    fn traces_tell_how_long_a_call_took() {
        let message = "Trace[1594891053]: \"Call validating webhook\" configuration:syn-drop,webhook:syn-drop.lab.io,resource:/v1, Resource=configmaps,subresource:,operation:CREATE,UID:139eb6a7 (22-Nov-2026 15:29:14.307) (total time: 10002ms):";
        let trace = Trace { webhook: "syn-drop.lab.io", took: 10_002_000_000 };
        assert_eq!(Trace::read(message), Some(trace));
        assert_eq!(Trace::read("Trace[1]: \"List\" (total time: 10002ms):"), None);
    }

    #[test]
    fn times_of_json_entries_are_milliseconds_or_spelled_out() {
        let expected = Timestamp::from_nanos(1_795_361_344_952_000_000);
        for ts in [
            "\"ts\":1795361344952.0",
            "\"ts\":1795361344.952",
            "\"ts\":\"2026-11-22T15:29:04.952Z\"",
            "\"time\":\"2026-11-22T15:29:04.952Z\"",
        ] {
            let line = format!("{{{ts},\"msg\":\"x\"}}");
            let written = JsonEntry::read(&line).unwrap().written();
            let off = written.unwrap().since(expected).as_nanos().abs();
            assert!(off < 1000, "{ts}: {written:?}");
        }
    }
}
