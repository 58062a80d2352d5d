//! Watches an interface in a thread of its own, and gets verdicts through a channel as they become known.
//!
//! ```text
//! cargo run --release --features live --example live -- eth0 60
//! ```

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use hookscope::Config;
use hookscope::config::Limits;
use hookscope::report::Event;
use hookscope_capture::live::{LiveError, LiveOptions, Watch, default_filter};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let interface = args.next().unwrap_or_else(|| "any".into());
    let seconds = args.next().map_or(Ok(60), |seconds| seconds.parse())?;

    let options =
        LiveOptions { interfaces: vec![interface], filter: default_filter(&[]), ..LiveOptions::default() };
    // Opening needs privileges, and says here what is wrong; the thread needs none.
    let mut watch = Watch::open(options, Config { limits: Limits::unattended(), ..Config::default() })?;
    let (sender, events) = mpsc::channel();
    let capture = thread::spawn(move || -> Result<(), LiveError> {
        let end = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < end {
            for event in watch.next(Duration::from_millis(100))? {
                let _ = sender.send(event);
            }
        }
        let (last, ..) = watch.finish();
        last.into_iter().for_each(|event| drop(sender.send(event)));
        Ok(())
    });

    for event in events {
        match event {
            Event::Notice(notice) => {
                let verdict = notice.verdict();
                println!("{} {}: {}", notice.at, verdict.code, verdict.summary);
            }
            Event::Lookup(lookup) => println!("{} {}", lookup.verdict.code, lookup.name),
            _ => {} // each call and connection, to be counted
        }
    }
    capture.join().map_err(|_| "the capture has panicked")??;
    Ok(())
}
