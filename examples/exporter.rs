//! Serves counts of calls by webhook and code to Prometheus, from a capture that comes through a pipe.
//!
//! ```text
//! tcpdump -i any -s 0 -U -w - 'tcp or icmp or icmp6 or udp port 53' | cargo run --release --example exporter -- 127.0.0.1:9478
//! ```

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use hookscope::config::Limits;
use hookscope::report::Event;
use hookscope::{Config, Inspector, Keep};
use hookscope_capture::{Options, for_each_batch};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(std::env::args().nth(1).ok_or("usage: exporter ADDRESS")?)?;
    let counts = Arc::new(Mutex::new(BTreeMap::<String, u64>::new()));
    let served = Arc::clone(&counts);
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let _ = client.read(&mut [0; 4096]);
            let counts = served.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let lines =
                counts.iter().map(|(labels, count)| format!("webhook_calls_total{{{labels}}} {count}\n"));
            let head = "HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\r\n";
            let _ = client.write_all((head.to_owned() + &lines.collect::<String>()).as_bytes());
        }
    });
    let limits = Limits::unattended();
    let config = Config { watch: true, keep: Keep::Examples, limits, ..Config::default() };
    let mut inspector = Inspector::new(config);
    for_each_batch(&["-"], &Options::default(), |packets, _progress| {
        inspector.observe_batch(packets);
        for event in inspector.take_events() {
            if let Event::Call(call) = event {
                let name = call.server_name.as_deref().unwrap_or("unknown");
                let labels = format!("server_name={name:?},code={:?}", call.code);
                *counts.lock().unwrap_or_else(PoisonError::into_inner).entry(labels).or_default() += 1;
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(())
}
