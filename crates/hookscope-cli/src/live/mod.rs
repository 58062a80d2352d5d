//! Watches interfaces until told to stop: packets in, lines, counts and evidence out, a report in the end.
//!
//! One loop does it all. It takes what the interfaces have, lets the engine judge, lets time pass where the wire is
//! quiet, and hands on what became known. Only metrics are served beside it.

mod log;
mod metrics;
mod privileges;
mod recorder;
mod tally;
mod tell;

use std::net::TcpListener;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use hookscope::config::{Limits, Retain};
use hookscope::report::{Event, Input};
use hookscope::time::Timestamp;
use hookscope::{Config, Inspector, Keep, Packet};
use hookscope_capture::Batch;
use hookscope_capture::live::{Change, Drops, Live as Capture, LiveError, LiveOptions, default_filter};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::args::{Format, Live};
use crate::cluster::{self, Known};
use crate::engine::{self, Reading};
use crate::failure::Failure;
use crate::log::Logged;
use crate::{complain, text};
use log::OpenLogs;
use metrics::{Metrics, State};
use recorder::Recorder;
use tally::Tally;
use tell::Teller;

/// How long the loop waits for packets before it looks at the clock.
const TICK: Duration = Duration::from_millis(50);
/// How often it looks for interfaces that are not there.
const RETRY: Duration = Duration::from_millis(500);
/// The status of a program that a second SIGINT ended, as shells have it.
const INTERRUPTED: i32 = 130;

/// The filter that is used.
pub(crate) fn filter(args: &Live) -> String {
    if args.filter.is_empty() { default_filter(&args.which.port) } else { args.filter.join(" ") }
}

/// Captures until something ends it. Gives back the report, and whether it is all that was asked for.
pub(crate) fn watch(args: &Live) -> Result<Reading, Failure> {
    let known = cluster::read(&args.judging.cluster)?;
    let redactor = engine::redactor(&args.shape, known.cluster.as_deref());
    known.warnings.iter().for_each(|warning| {
        complain(&redactor.as_ref().map_or_else(|| warning.clone(), |redactor| redactor.text(warning)));
    });
    let logs = OpenLogs::open(&args.log)?;
    let stop = stop_on_signals().map_err(Failure::Output)?;
    let listener = args.metrics.map(listen).transpose()?;
    let filter = filter(args);
    let Some(capture) = open(args, &filter, &stop)? else {
        let inspection = Inspector::new(Config::default()).finish();
        let (report, left_out) = (inspection.report(&Input::default()), inspection.left_out());
        return Ok(Reading { report, groups: Vec::new(), left_out, typed: engine::typed(&args.which) });
    };
    let user = privileges::give_up(args.user.as_deref())?;
    // From here on there are no privileges, and from here on there are threads.
    let (metrics, registry) = Metrics::new();
    if let Some(listener) = listener {
        metrics.serve(registry, listener, stop.clone())?;
    }
    let recorder = Recorder::new(args, &user)?;
    if !args.shape.quiet {
        let interfaces: Vec<_> =
            capture.link_types().map(|(name, link)| format!("{name} ({link})")).collect();
        complain(&format!(
            "capturing from {} as {user}; Ctrl-C ends it with the report",
            interfaces.join(", ")
        ));
    }
    engine::pool(&args.judging)?.install(|| {
        let teller = Teller::new(&args.shape, redactor);
        let watcher = Watcher::new(args, known, capture, metrics, recorder, stop, teller);
        watcher.run(args, logs)
    })
}

/// A flag that SIGINT, SIGTERM and SIGHUP set; a second SIGINT ends the program at once.
fn stop_on_signals() -> std::io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    flag::register_conditional_shutdown(SIGINT, INTERRUPTED, stop.clone())?;
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register(signal, stop.clone())?;
    }
    Ok(stop)
}

/// Listens while there may be privileges for that. Whoever connects early waits.
fn listen(addr: std::net::SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(addr)
        .map_err(|error| Failure::Metrics { addr: addr.to_string(), error: error.to_string() })?;
    if addr.port() == 0
        && let Ok(addr) = listener.local_addr()
    {
        complain(&format!("metrics are served at http://{addr}/metrics"));
    }
    Ok(listener)
}

/// Opens the interfaces, with `--wait` when they are there; nothing where it was told to stop before.
fn open(args: &Live, filter: &str, stop: &AtomicBool) -> Result<Option<Capture>, Failure> {
    let interfaces = if args.interface.is_empty() { vec!["any".to_owned()] } else { args.interface.clone() };
    let options = LiveOptions {
        interfaces,
        filter: filter.to_owned(),
        snap_len: args.snaplen,
        buffer: usize::try_from(args.buffer).unwrap_or(usize::MAX),
        promiscuous: args.promiscuous,
        wait: args.wait,
        ..LiveOptions::default()
    };
    let mut has_said = false;
    loop {
        match Capture::open(options.clone()) {
            Err(error) if args.wait && error.may_pass() => {
                if !has_said {
                    complain(&format!("{error}: waiting for it"));
                    has_said = true;
                }
                sleep(RETRY);
            }
            opened => return Ok(Some(opened?)),
        }
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
    }
}

/// Why the capture ends.
#[derive(Debug)]
enum End {
    /// It was told to, or has what it was to have.
    Asked,
    /// It cannot go on.
    Broken(LiveError),
}

/// Everything that takes part.
struct Watcher {
    capture: Capture,
    inspector: Inspector,
    teller: Teller,
    metrics: Metrics,
    recorder: Option<Recorder>,
    tally: Tally,
    stop: Arc<AtomicBool>,
    begun: Instant,
    /// What was dropped, as the engine knows it, and up to when.
    drops: Drops,
    drops_at: Timestamp,
    clock: Timestamp,
    /// What a user should know about the cluster's objects.
    warnings: Vec<String>,
}

impl Watcher {
    fn new(
        args: &Live,
        known: Known,
        capture: Capture,
        metrics: Metrics,
        recorder: Option<Recorder>,
        stop: Arc<AtomicBool>,
        teller: Teller,
    ) -> Self {
        let keep = match (args.shape.format, args.shape.all) {
            (_, true) => Keep::All,
            (Format::Json, false) => Keep::Failures,
            (Format::Text | Format::Ndjson, false) => Keep::Examples,
        };
        let config = Config {
            cluster: known.cluster,
            watch: true,
            // What the log will tell of nobody knows yet: calls that failed, and most likely none that were answered.
            retain: if args.log.is_empty() { Retain::Reported } else { Retain::Failures },
            limits: Limits::unattended(),
            ..engine::config(&args.judging, &args.which, keep)
        };
        Self {
            capture,
            inspector: Inspector::new(config),
            teller,
            metrics,
            recorder,
            tally: Tally::default(),
            stop,
            begun: Instant::now(),
            drops: Drops::default(),
            drops_at: Timestamp::MIN,
            clock: Timestamp::MIN,
            warnings: known.warnings,
        }
    }

    fn run(mut self, args: &Live, logs: OpenLogs) -> Result<Reading, Failure> {
        let mut batch = Batch::default();
        let mut next_pulse = args.summary_every.map(|every| self.begun + every);
        let end = loop {
            let read = self.capture.read(&mut batch, TICK);
            let until = match read {
                Ok(until) => until,
                Err(error) => break End::Broken(error),
            };
            let flow = self.take(&mut batch, Some(until), args)?;
            if let Some((due, every)) = next_pulse.zip(args.summary_every)
                && due <= Instant::now()
            {
                next_pulse = Some(due + every);
                self.pulse()?;
            }
            let is_over = args.duration.is_some_and(|duration| self.begun.elapsed() >= duration);
            let is_over = is_over || self.teller.is_alone() || self.stop.load(Ordering::Relaxed);
            if flow.is_break() || is_over {
                break End::Asked;
            }
        };
        self.finish(args, logs, batch, end)
    }

    /// Has a batch judged, lets time pass, and tells what became known.
    fn take(
        &mut self,
        batch: &mut Batch,
        until: Option<Timestamp>,
        args: &Live,
    ) -> Result<ControlFlow<()>, Failure> {
        let room = args.count.map_or(u64::MAX, |count| count.saturating_sub(self.tally.packets));
        {
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let packets: Vec<Packet<'_>> = batch.packets().take(room).collect();
            self.tally.packets += packets.len() as u64;
            self.inspector.observe_batch(&packets);
        }
        let is_full = args.count.is_some_and(|count| self.tally.packets >= count);
        if let Some(until) = until.filter(|_| !is_full) {
            self.clock = self.clock.max(until);
            self.note_drops();
            self.inspector.advance(until);
        }
        let has_failed = self.tell()?;
        if let Some(recorder) = &mut self.recorder {
            *batch = recorder.keep(std::mem::take(batch));
            recorder.tick(self.clock);
        } else {
            batch.clear();
        }
        for change in self.capture.take_changes() {
            complain(&match change {
                Change::Down(name) => format!("{name} went down: waiting until it is up again"),
                Change::Gone(name) => format!("{name} is gone: waiting until there is one again"),
                Change::Up(name) => format!("{name} is up again"),
                _ => continue,
            });
        }
        self.metrics.state(&self.state());
        let enough = is_full || args.until_failure && has_failed;
        Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    /// Lets the engine know of packets that it did not get: since drops were last counted, which is not every time.
    fn note_drops(&mut self) {
        let drops = self.capture.drops();
        let lost = (drops.kernel + drops.interface).saturating_sub(self.drops.kernel + self.drops.interface);
        if lost > 0 {
            let counted = i64::try_from(Capture::LOOK.as_nanos()).unwrap_or(i64::MAX);
            let counted = Timestamp::from_nanos(self.clock.as_nanos().saturating_sub(counted));
            self.inspector.lost(lost, self.drops_at.min(counted), self.clock);
        }
        (self.drops, self.drops_at) = (drops, self.clock);
    }

    /// Tells what became known. Says whether a failure is among it.
    fn tell(&mut self) -> Result<bool, Failure> {
        let mut has_failed = false;
        for event in self.inspector.take_events() {
            self.teller.event(&event, self.clock)?;
            self.metrics.event(&event);
            has_failed |= self.tally.event(&event);
            if let Some(recorder) = &mut self.recorder {
                recorder.event(&event, self.clock);
            }
        }
        Ok(has_failed)
    }

    fn state(&self) -> State {
        let recorder = self.recorder.as_ref();
        State {
            packets: self.tally.packets,
            dropped_by_kernel: self.drops.kernel,
            dropped_by_interface: self.drops.interface,
            given_up: self.inspector.given_up(),
            open: self.inspector.open_connections() as u64,
            ring: recorder.map_or(0, |recorder| recorder.memory() as u64),
            evidence: recorder.map_or(0, |recorder| recorder.packets),
            evidence_left_out: recorder.map_or(0, |recorder| recorder.left_out),
        }
    }

    fn pulse(&mut self) -> Result<(), Failure> {
        let at = self.clock.to_string();
        self.tally.summary.lookups = self.inspector.lookups();
        let pulse = text::Pulse {
            at: &at,
            summary: &self.tally.summary,
            packets: self.tally.packets,
            open: self.inspector.open_connections() as u64,
            dropped: self.drops.kernel + self.drops.interface,
        };
        Ok(self.teller.pulse(&pulse)?)
    }

    /// Takes what is left, has the rest judged, and reports.
    fn finish(mut self, args: &Live, logs: OpenLogs, mut batch: Batch, end: End) -> Result<Reading, Failure> {
        let mut warnings = std::mem::take(&mut self.warnings);
        match end {
            End::Asked => {
                // What had come before it was told to stop counts.
                let _ = self.capture.close(&mut batch);
            }
            End::Broken(error) => {
                complain(&error.to_string());
                warnings.push(error.to_string());
            }
        }
        let _ = self.take(&mut batch, None, args)?;
        self.clock = self.clock.max(self.inspector.clock().unwrap_or(self.clock));
        self.note_drops();
        self.inspector.close();
        self.tell()?;
        let Drops { kernel, interface, .. } = self.drops;
        if kernel > 0 {
            warnings
                .push(format!("{kernel} packets were dropped by the kernel: see --buffer and the filter"));
        }
        if interface > 0 {
            warnings.push(format!("{interface} packets were dropped by an interface or its driver"));
        }
        if let Some(recorder) = self.recorder.take() {
            recorder.finish(self.clock);
        }
        let Logged { log, warnings: about_log } = logs.read();
        let files = self.capture.link_types().map(|(name, _)| name.to_owned()).collect();
        let truncated = warnings.iter().any(|warning| warning.contains("the capture ends"));
        warnings.extend(about_log);
        let input = Input { files, truncated, warnings, ..Input::default() };
        self.stop.store(true, Ordering::Relaxed);
        let inspection = self.inspector.finish();
        let groups = if args.shape.format == Format::Text { inspection.groups(&input) } else { Vec::new() };
        let mut report = inspection.report_with(&input, &log);
        report.capture.warnings.extend(cluster::unrelated(&report));
        let mut reading =
            Reading { report, groups, left_out: inspection.left_out(), typed: engine::typed(&args.which) };
        self.teller.redactor().into_iter().for_each(|redactor| reading.redact(redactor));
        Ok(reading)
    }
}

/// Whether what became known is a failure.
pub(super) fn is_failure(event: &Event) -> bool {
    match event {
        Event::Call(counted) | Event::Connection(counted) => counted.severity == "failure",
        Event::Lookup(_) => true,
        _ => false,
    }
}
