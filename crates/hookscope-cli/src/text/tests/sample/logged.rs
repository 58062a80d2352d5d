//! A report with a log: what the log says, and what the packets say to it.

use hookscope::report::schema::{LogLine, Verdict};
use hookscope::verdict::Severity;

use super::{Sample, at, deadline, hinted, verdict};

/// One missed deadline, with a log that tells of it, of a call that left nothing behind, of one of which the packets say something
/// else, of one with a status inside TLS, and of one of another hour.
pub(crate) fn logged() -> Sample {
    let mut sample = deadline();
    let line = |line, after, webhook: &str, error: &str, verdict: Verdict| LogLine {
        line,
        file: None,
        time: Some(at(after)),
        webhook: webhook.into(),
        url: None,
        error: error.into(),
        fails_open: Some(line == 30),
        repeats: None,
        connection: Some(0),
        call: Some(0),
        outside: false,
        agrees: true,
        verdict,
    };
    let deadline =
        || verdict("slow-response", "deadline-exceeded", "The webhook did not answer in 10 s", &[]);
    let summary = "The log names a failed call of gone.example.io to gone.ns.svc:443, and the capture has no packet of it. The Service that the webhook configuration names does not exist";
    let hint = "Read what the error means: `hookscope explain --error 'MESSAGE'`";
    let unsent = hinted(verdict("not-sent", "nothing-sent", summary, &[]), &[hint]);
    let ok = Verdict { severity: Severity::Ok, ..verdict("ok", "ok", "Answered in 2.5 ms", &[]) };
    let outside =
        Verdict { severity: Severity::Ok, ..verdict("unknown", "capture-incomplete", "Logged before", &[]) };
    sample.report.log = vec![
        LogLine {
            outside: true,
            agrees: false,
            connection: None,
            ..line(3, -60.0, "a.example.io", "EOF", outside)
        },
        line(17, 10.0, "validate.example.io", "context deadline exceeded", deadline()),
        line(18, 10.1, "validate.example.io", "context deadline exceeded", deadline()),
        LogLine {
            repeats: Some(18),
            ..line(19, 10.1, "validate.example.io", "context deadline exceeded", deadline())
        },
        LogLine { agrees: false, ..line(20, 10.2, "validate.example.io", "EOF", deadline()) },
        LogLine {
            connection: None,
            ..line(30, 5.0, "gone.example.io", "service \"gone\" not found", unsent)
        },
        line(31, 5.1, "status.example.io", "the server could not find the requested resource", ok),
    ];
    sample
}
