//! Grows large captures out of small ones, the same on every run.
//!
//! ```text
//! cargo run --release -p hookscope-testkit --example grow -- mix --packets 3000000 -o mix.pcap \
//!     ok-tls13.pcap ok-tls12.pcap --failing 4 deadline-10s.pcap tls13-unknown-ca.pcap syn-drop.pcap
//! ```
//!
//! Every connection of the inputs is a story that many clients play against a few servers, with addresses, ports,
//! sequence numbers and times of their own. Connections begin one after the other and interleave as in a real capture;
//! only those under way are in memory. TCP and IP checksums are right.

#[path = "grow/args.rs"]
mod args;
#[path = "grow/output.rs"]
mod output;
#[path = "grow/stage.rs"]
mod stage;

use args::{Args, Kind};
use hookscope_testkit::story::Story;
use hookscope_testkit::transform::{Overlay, any_and_vxlan, reseal};
use hookscope_testkit::{Capture, link};
use output::Output;
use stage::{Plan, Stage};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    match Args::parse(std::env::args().skip(1)).and_then(|args| run(&args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), String> {
    let overlay = args.kind == Kind::AnyVxlan;
    let mut stories = Vec::new();
    for input in args.healthy.iter().chain(&args.failing) {
        stories.push(stories_of(input, overlay)?);
    }
    let failing = stories.split_off(args.healthy.len()).concat();
    let mut plan =
        Plan { healthy: stories.concat(), failing, failing_percent: args.failing_percent, rounds: 1 };
    let mut connections = args.connections.unwrap_or(u64::MAX);
    match args.kind {
        Kind::Mix | Kind::Bulk | Kind::AnyVxlan => {}
        Kind::Long => {
            connections = connections.min(3);
            plan.repeat(args.packets / connections)?;
        }
        Kind::Syn => plan.cut_after(args.syns),
    }
    let link_type = if overlay { link::LINUX_SLL2 } else { link::ETHERNET };
    let written = |error: std::io::Error| format!("{}: {error}", args.output.display());
    let mut output = Output::create(&args.output, link_type).map_err(written)?;
    let mut stage = Stage::new(plan, args.rate, args.seed);
    while let Some((time_ns, step, cast)) = stage.next(args.packets, connections) {
        output.packet(time_ns, step, &cast).map_err(written)?;
    }
    let (packets, bytes) = output.finish().map_err(written)?;
    let opened = stage.opened();
    eprintln!("{packets} packets of {} bytes, {opened} connections", bytes / packets.max(1));
    Ok(())
}

/// The connections of one input.
fn stories_of(path: &Path, overlay: bool) -> Result<Vec<Story>, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    // Hosts leave checksums to their network cards: only after sealing there is something to keep right.
    let mut capture = reseal(&Capture::read(&bytes));
    if capture.link_type != link::ETHERNET {
        return Err(format!("{}: of link type {}, only Ethernet is read", path.display(), capture.link_type));
    }
    if overlay {
        let client = Story::all_of(&capture).first().map(|story| story.client);
        capture = any_and_vxlan(&capture, Overlay { host: client, ..Overlay::default() });
    }
    let stories = Story::all_of(&capture);
    if stories.is_empty() {
        Err(format!("{}: no beginning of a connection", path.display()))
    } else {
        Ok(stories)
    }
}
