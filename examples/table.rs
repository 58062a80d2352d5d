//! Prints a line of CSV for each connection: what a spreadsheet or a database wants of a capture.
//!
//! ```text
//! cargo run --release --example table -- fixtures/deadline-exceeded/deadline-10s.pcap
//! ```

use std::ops::ControlFlow;

use hookscope::report::Input;
use hookscope::{Config, Inspector, Keep};
use hookscope_capture::{Options, for_each_batch};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let mut inspector = Inspector::new(Config { keep: Keep::All, ..Config::default() });
    for_each_batch(&files, &Options::default(), |packets, _progress| {
        inspector.observe_batch(packets);
        ControlFlow::Continue(())
    })?;
    let report = inspector.finish().report(&Input { files, ..Input::default() });

    println!("start,client,server,server_name,calls,severity,code,summary");
    for connection in &report.connections {
        let verdict = &connection.verdict;
        let row = [
            &connection.start,
            &connection.client,
            &connection.server,
            connection.server_name.as_deref().unwrap_or_default(),
            &connection.calls.len().to_string(),
            verdict.severity,
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
