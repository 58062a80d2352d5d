//! Adds a diagnosis of one's own: a webhook whose answers are larger than they should be.
//!
//! ```text
//! cargo run --release --example rule -- 200 fixtures/ok/ok-tls13.pcap
//! ```

use std::sync::Arc;

use hookscope::Config;
use hookscope::rule::{Call, Case, Finding, Rule};
use hookscope::verdict::Phase;
use hookscope_capture::analyze;

/// An answer of more octets than this.
#[derive(Debug)]
struct LargeAnswer(u64);

impl Rule for LargeAnswer {
    fn code(&self) -> &'static str {
        "large-answer"
    }

    fn call(&self, case: &Case<'_>, call: &Call) -> Option<Finding> {
        let end = call.last_byte.filter(|_| call.response_bytes > self.0)?;
        let whose = case.server_name.map_or_else(|| case.server.to_string(), str::to_owned);
        let summary = format!("{whose} answered with {} bytes, more than {}", call.response_bytes, self.0);
        Some(
            Finding::warning(end, Phase::Response, summary)
                .shown(call.requested, "request")
                .shown(end, "last byte of the response")
                .hint("Ask its owners whether it patches whole objects"),
        )
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let octets = args.next().ok_or("usage: rule OCTETS FILE...")?.parse()?;
    let mut config = Config::default();
    config.rules.push(Arc::new(LargeAnswer(octets)))?;

    let files: Vec<String> = args.collect();
    for connection in analyze(&files, config, |_progress| {})?.report().connections {
        let verdict = connection.verdict;
        println!("{} {}: {}", verdict.severity, verdict.code, verdict.summary);
        for evidence in verdict.evidence {
            println!("  #{} {}", evidence.frame, evidence.note);
        }
    }
    Ok(())
}
