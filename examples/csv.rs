//! Prints a line of CSV for each connection: what a spreadsheet or a database wants of a capture.
//!
//! ```text
//! cargo run --release --example csv -- fixtures/deadline-exceeded/deadline-10s.pcap
//! ```

use hookscope::{Config, Keep};
use hookscope_capture::{InputError, analyze};

fn main() -> Result<(), InputError> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let config = Config { keep: Keep::All, ..Config::default() };
    let report = analyze(&files, config, |_progress| {})?.report();

    println!("start,client,server,server_name,calls,severity,code,summary");
    for connection in &report.connections {
        let verdict = &connection.verdict;
        let row = [
            &connection.start,
            &connection.client,
            &connection.server,
            connection.server_name.as_deref().unwrap_or_default(),
            &connection.calls.len().to_string(),
            verdict.severity.name(),
            verdict.code,
            &verdict.summary,
        ];
        println!("{}", row.map(quoted).join(","));
    }
    Ok(())
}

/// A field of CSV (RFC 4180): in quotes where it has to be.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
