//! A program of its own on top of the library: judges files, then the same packets pushed one by one, with a rule more.
//!
//! ```text
//! cargo run --manifest-path examples/embedding/Cargo.toml -- fixtures/connection-refused/refused-closed-port.pcap
//! ```

use std::error::Error;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Arc;

use hookscope::report::Event;
use hookscope::rule::{Case, Finding, Rule};
use hookscope::verdict::{Phase, Severity};
use hookscope::{Config, Inspector, Side};
use hookscope_capture::{Options, analyze, for_each_batch};

/// A server that answers SYNs with RSTs: ours are behind a load balancer that should hide that.
#[derive(Debug)]
struct Unhidden;

impl Rule for Unhidden {
    fn code(&self) -> &'static str {
        "embedding-unhidden"
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let rst = case.sent(Side::Server).rst.filter(|_| case.established.is_none())?;
        let summary = format!("The load balancer lets the RST of {} pass", case.server);
        let finding = Finding::failure(rst, Phase::Connect, summary);
        Some(finding.by(Side::Server).shown(case.opened, "SYN").shown(rst, "RST").hint("See its health checks"))
    }
}

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    match run(&files) {
        Ok(failed) => ExitCode::from(u8::from(failed)),
        Err(error) => {
            eprintln!("embedding: {error}");
            ExitCode::from(2)
        }
    }
}

/// Says whether anything failed.
fn run(files: &[String]) -> Result<bool, Box<dyn Error>> {
    let mut read = 0;
    let analysis = analyze(files, Config::default(), |progress| read = progress.consumed)?;
    println!("{read} bytes, {} packets", analysis.summary.packets());
    for connection in analysis.report().connections {
        let verdict = connection.verdict;
        println!("file: {} {} {} ({})", connection.server, verdict.severity, verdict.code, verdict.class);
    }

    let mut config = Config { watch: true, ..Config::default() };
    config.rules.push(Arc::new(Unhidden))?;
    let mut inspector = Inspector::new(config);
    let mut failed = tell(&mut inspector);
    for_each_batch(files, &Options::default(), |packets, _progress| {
        for packet in packets {
            inspector.observe(packet);
            failed |= tell(&mut inspector);
        }
        ControlFlow::Continue(())
    })?;
    inspector.close();
    Ok(failed | tell(&mut inspector))
}

/// Prints what became known; whether a failure is among it.
fn tell(inspector: &mut Inspector) -> bool {
    let mut failed = false;
    for event in inspector.take_events() {
        match event {
            Event::Notice(notice) => {
                println!("push: {} {}", notice.verdict().code, notice.verdict().summary);
                failed |= notice.verdict().severity == Severity::Failure;
            }
            Event::Lookup(lookup) => println!("push: {} {}", lookup.verdict.code, lookup.name),
            _ => {}
        }
    }
    failed
}
