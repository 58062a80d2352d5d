//! Turns verdicts into comments on the packets that show them.

use hookscope::packet::{Frame, Moment};
use hookscope::report::Trace;
use hookscope::report::schema::{Connection, Evidence, Lookup, Verdict};
use hookscope::time::Timestamp;
use hookscope_capture::write::Chosen;

/// A connection's packets, with what the verdicts on it and its calls say of them. Without an `end`, packets that follow
/// belong to it as well.
pub(crate) fn of_connection(
    trace: &Trace,
    connection: &Connection,
    end: Option<Timestamp>,
    files: &[String],
) -> Chosen {
    let name = connection.server_name.as_deref().unwrap_or(&connection.server);
    let whose = format!("connection {} to {name}", connection.id);
    let mut comments = comments(&connection.verdict, &whose, files);
    for call in &connection.calls {
        let verdict = &call.verdict;
        if verdict.severity != "ok" && verdict.code != connection.verdict.code {
            let of_call = self::comments(verdict, &format!("call {} of {whose}", call.index), files);
            comments.extend(of_call);
        }
    }
    Chosen { keys: trace.keys.clone(), first: trace.first, last: end, comments }
}

/// A lookup's packets: those that its verdict names.
pub(crate) fn of_lookup(lookup: &Lookup, files: &[String]) -> Chosen {
    let whose = format!("lookup of {} {}", lookup.kind, lookup.name);
    let comments = comments(&lookup.verdict, &whose, files);
    Chosen { keys: Vec::new(), first: Moment::END, last: None, comments }
}

/// The verdict on its first evidence, and on each what that shows.
fn comments(verdict: &Verdict, whose: &str, files: &[String]) -> Vec<(Frame, String)> {
    let mut comments = Vec::new();
    for (place, evidence) in verdict.evidence.iter().enumerate() {
        let Verdict { code, severity, certainty, summary, .. } = verdict;
        let mut comment = format!("hookscope: {code}: {}", evidence.note);
        if place == 0 {
            comment = format!("{comment}\n{whose}: {severity}, {certainty}: {summary}");
        }
        comments.push((frame(evidence, files), comment));
    }
    comments
}

/// Where a packet stands that a report names.
fn frame(evidence: &Evidence, files: &[String]) -> Frame {
    let file = evidence.file.as_ref().and_then(|name| files.iter().position(|file| file == name));
    Frame::new(file.and_then(|file| u16::try_from(file).ok()).unwrap_or(0), evidence.frame)
}
