//! Turns a report into bytes on standard output.
//!
//! A reader that has seen enough (`hookscope a.pcap | head`) is no error: the rest is not written, nothing is said,
//! and the exit status is the one that the verdicts call for, so that it does not depend on the reader.

use std::io::{self, BufWriter, ErrorKind, Write};

#[cfg(any(feature = "live", test))]
use hookscope::report::Notice;
use hookscope::report::schema::{Lookup, Report};
use serde_json::Value;
#[cfg(any(feature = "live", test))]
use serde_json::json;

use crate::failure::Failure;
#[cfg(feature = "live")]
use crate::text::Pulse;

#[cfg(test)]
mod schema;

/// Writes to standard output until its reader closes it.
pub(crate) fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Writes the report as one JSON object: on one line, or over several for people.
pub(crate) fn json(out: &mut dyn Write, report: &Report, pretty: bool) -> io::Result<()> {
    if pretty {
        serde_json::to_writer_pretty(&mut *out, report)?;
    } else {
        serde_json::to_writer(&mut *out, report)?;
    }
    out.write_all(b"\n")
}

/// Writes the report's objects, each on a line of its own that begins with its type.
pub(crate) fn ndjson(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    line(out, "capture", &serde_json::to_string(&report.capture)?)?;
    for connection in &report.connections {
        line(out, "connection", &serde_json::to_string(connection)?)?;
    }
    for logged in &report.log {
        line(out, "log", &serde_json::to_string(logged)?)?;
    }
    for found in &report.lookups {
        out.write_all(lookup(found)?.as_bytes())?;
    }
    totals(out, report)
}

/// Writes the report's totals, as [`ndjson`] does behind all else.
fn totals(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    for endpoint in &report.endpoints {
        line(out, "endpoint", &serde_json::to_string(endpoint)?)?;
    }
    if let Some(cluster) = &report.cluster {
        line(out, "cluster", &serde_json::to_string(cluster)?)?;
    }
    line(out, "summary", &serde_json::to_string(&report.summary)?)
}

/// Writes what remains of a report whose connections and lookups were written as they came.
#[cfg(feature = "live")]
pub(crate) fn ndjson_rest(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    line(out, "capture", &serde_json::to_string(&report.capture)?)?;
    for logged in &report.log {
        line(out, "log", &serde_json::to_string(logged)?)?;
    }
    totals(out, report)
}

/// The line of a lookup.
pub(crate) fn lookup(lookup: &Lookup) -> io::Result<String> {
    let mut lookup = serde_json::to_value(lookup)?;
    // A lookup has a `type` of its own, that of the record; the line's is in its place.
    if let Value::Object(fields) = &mut lookup
        && let Some(kind) = fields.remove("type")
    {
        fields.insert("record_type".to_owned(), kind);
    }
    Ok(object("lookup", &lookup.to_string()))
}

/// The line of a connection of which something became known.
#[cfg(any(feature = "live", test))]
pub(crate) fn notice(notice: &Notice) -> io::Result<String> {
    let mut object = serde_json::to_value(&notice.connection)?;
    if let Some(fields) = object.as_object_mut() {
        fields.insert("at".to_owned(), json!(notice.at.to_string()));
        fields.insert("about_call".to_owned(), json!(notice.call));
        fields.insert("revises".to_owned(), json!(notice.revises));
        fields.insert("is_over".to_owned(), json!(notice.is_over));
    }
    Ok(self::object("connection", &object.to_string()))
}

/// The line that says how it goes.
#[cfg(feature = "live")]
pub(crate) fn pulse(pulse: &Pulse<'_>) -> io::Result<String> {
    let mut object = serde_json::to_value(pulse.summary)?;
    if let Some(fields) = object.as_object_mut() {
        fields.insert("at".to_owned(), json!(pulse.at));
        fields.insert("packets".to_owned(), json!(pulse.packets));
        fields.insert("open_connections".to_owned(), json!(pulse.open));
        fields.insert("dropped_packets".to_owned(), json!(pulse.dropped));
    }
    Ok(self::object("pulse", &object.to_string()))
}

/// The line of an object, with its type as the first field.
pub(crate) fn object(kind: &str, object: &str) -> String {
    let fields = object.strip_prefix('{').unwrap_or(object);
    format!("{{\"type\":\"{kind}\",{fields}\n")
}

fn line(out: &mut dyn Write, kind: &str, text: &str) -> io::Result<()> {
    out.write_all(object(kind, text).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::sample;

    fn lines(report: &Report) -> Vec<Value> {
        let mut out = Vec::new();
        ndjson(&mut out, report).unwrap();
        let text = String::from_utf8(out).unwrap();
        text.lines()
            .map(|line| {
                assert!(line.starts_with("{\"type\":\""), "{line}");
                serde_json::from_str(line).unwrap()
            })
            .collect()
    }

    #[test]
    fn json_is_one_line_unless_people_read_it() {
        let report = sample::lookup().report;
        let (mut compact, mut pretty) = (Vec::new(), Vec::new());
        json(&mut compact, &report, false).unwrap();
        json(&mut pretty, &report, true).unwrap();
        assert_eq!(compact.iter().filter(|&&byte| byte == b'\n').count(), 1);
        assert!(pretty.ends_with(b"}\n"));
        let compact: Value = serde_json::from_slice(&compact).unwrap();
        assert_eq!(compact, serde_json::from_slice::<Value>(&pretty).unwrap());
        assert_eq!(compact["schema"], "hookscope/1");
    }

    #[test]
    fn ndjson_has_a_line_for_each_object_in_order() {
        let mut report = sample::incident().report;
        report.lookups = sample::lookup().report.lookups;
        let kinds: Vec<Value> = lines(&report).into_iter().map(|line| line["type"].clone()).collect();
        let mut expected = vec!["capture", "lookup", "lookup"];
        expected.extend(vec!["endpoint"; report.endpoints.len()]);
        expected.push("summary");
        assert_eq!(kinds, expected);
    }

    #[test]
    fn a_lookups_record_type_does_not_take_the_place_of_the_lines_type() {
        let lookups = lines(&sample::lookup().report);
        assert_eq!((&lookups[1]["type"], &lookups[1]["record_type"]), (&"lookup".into(), &"A".into()));
        assert_eq!(lookups[1]["name"], "nx.lab.example");
    }
}
