//! Reads captures in one go and prints the report as JSON, as `hookscope --format json --all` does.
//!
//! ```text
//! cargo run --release --example file -- fixtures/ok/ok-tls13.pcap
//! ```

use std::ops::ControlFlow;

use hookscope::report::Input;
use hookscope::{Config, Inspector, Keep};
use hookscope_capture::{Options, for_each_batch};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let mut inspector = Inspector::new(Config { keep: Keep::All, ..Config::default() });
    let summary = for_each_batch(&files, &Options::default(), |packets, _progress| {
        inspector.observe_batch(packets);
        ControlFlow::Continue(())
    })?;
    let warnings = summary.warnings().map(ToString::to_string).collect();
    let input = Input { files, truncated: summary.truncated(), warnings };
    let report = inspector.finish().report(&input);
    serde_json::to_writer_pretty(std::io::stdout().lock(), &report)?;
    Ok(())
}
