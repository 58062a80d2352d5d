//! Prints a table of webhooks from captures: how many connections and calls, how many failed, how long they took.
//!
//! ```text
//! cargo run --release --example table -- fixtures/deadline-exceeded/deadline-10s.pcap
//! ```

use hookscope::{Config, Keep};
use hookscope_capture::{InputError, analyze};

fn main() -> Result<(), InputError> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    // Counts are all that is wanted: no connection has to be kept.
    let config = Config { keep: Keep::Examples, ..Config::default() };
    let report = analyze(&files, config, |progress| {
        if let Some(total) = progress.total {
            eprint!("\r{} %", 100 * progress.consumed / total.max(1));
        }
    })?
    .report();

    println!("\r{:48} {:>6} {:>6} {:>6} {:>9}", "webhook", "conns", "failed", "calls", "p95 ms");
    for endpoint in &report.endpoints {
        let name = endpoint.server_name.as_deref().unwrap_or(&endpoint.server);
        let p95 =
            endpoint.latency_s.map_or_else(|| "-".into(), |latency| format!("{:.1}", latency.p95 * 1e3));
        let (connections, failed, calls) = (endpoint.connections, endpoint.failed, endpoint.calls);
        println!("{name:48} {connections:6} {failed:6} {calls:6} {p95:>9}");
        for (code, count) in endpoint.verdicts.iter().filter(|(code, _)| **code != "ok") {
            println!("  {code:46} {count:6}");
        }
    }
    Ok(())
}
