//! Reads captures in one go and prints the report as JSON, as `hookscope --format json --all` does.
//!
//! ```text
//! cargo run --release --example file -- fixtures/ok/ok-tls13.pcap
//! ```

use hookscope::{Config, Keep};
use hookscope_capture::analyze;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let config = Config { keep: Keep::All, ..Config::default() };
    let analysis = analyze(&files, config, |_progress| {})?;
    serde_json::to_writer_pretty(std::io::stdout().lock(), &analysis.report())?;
    Ok(())
}
