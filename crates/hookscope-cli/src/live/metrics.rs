//! Counts what becomes known, and serves the counts as OpenMetrics.
//!
//! Labels are server names, codes and severities. Names come from packets, so anybody who can send one can make some up:
//! so many are told apart, the rest is `other`.

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hookscope::report::{Counted, Event};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tiny_http::{Header, Method, Request, Response, Server};

use crate::failure::Failure;

/// Those of `apiserver_admission_webhook_admission_duration_seconds`, so that the two can be laid over each other.
const BUCKETS: [f64; 8] = [0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 10.0, 25.0];
/// How many server names are told apart.
const NAMES: usize = 500;
/// The name of all others.
const OTHER: &str = "other";
/// The name of servers without one.
const UNNAMED: &str = "";
/// How old the last sign of life may be.
const ALIVE: u64 = 10;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Judged {
    server_name: Arc<str>,
    code: &'static str,
    severity: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Named {
    server_name: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Coded {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct By {
    by: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Bound {
    bound: &'static str,
}

/// What is counted.
pub(super) struct Metrics {
    names: HashSet<Arc<str>>,
    calls: Family<Judged, Counter>,
    connections: Family<Judged, Counter>,
    lookups: Family<Coded, Counter>,
    duration: Family<Named, Histogram, fn() -> Histogram>,
    revised: Counter,
    packets: Counter,
    dropped: Family<By, Counter>,
    bounds: Family<Bound, Counter>,
    open: Gauge,
    ring: Gauge,
    evidence: Counter,
    alive: Arc<AtomicU64>,
}

/// How things stand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    pub(super) packets: u64,
    pub(super) dropped_by_kernel: u64,
    pub(super) dropped_by_interface: u64,
    pub(super) given_up: u64,
    pub(super) open: u64,
    pub(super) ring: u64,
    pub(super) evidence: u64,
    pub(super) evidence_left_out: u64,
}

impl Metrics {
    /// Counts, all zero, and what serves them.
    pub(super) fn new() -> (Self, Registry) {
        let metrics = Self {
            names: HashSet::new(),
            calls: Family::default(),
            connections: Family::default(),
            lookups: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            revised: Counter::default(),
            packets: Counter::default(),
            dropped: Family::default(),
            bounds: Family::default(),
            open: Gauge::default(),
            ring: Gauge::default(),
            evidence: Counter::default(),
            alive: Arc::new(AtomicU64::new(now())),
        };
        let mut registry = Registry::with_prefix("hookscope");
        let it = &metrics;
        registry.register("calls", "Calls that were judged", it.calls.clone());
        registry.register("connections", "Connections that were judged", it.connections.clone());
        registry.register("failed_lookups", "DNS lookups that failed", it.lookups.clone());
        let help = "How long answered calls took, from the client's first packet for them";
        registry.register_with_unit("call_duration", help, Unit::Seconds, it.duration.clone());
        let help = "Verdicts that turned out to be others after they were counted";
        registry.register("revised_verdicts", help, it.revised.clone());
        registry.register("packets", "Packets that were captured", it.packets.clone());
        let help = "Packets that were not captured: no room in the kernel's buffer, or lost by an interface";
        registry.register("dropped_packets", help, it.dropped.clone());
        let help = "What was judged early, not told apart or left out because there was too much of it";
        registry.register("bounds_hit", help, it.bounds.clone());
        registry.register("open_connections", "Connections that are open", it.open.clone());
        let help = "Memory of recent packets, kept for those of what fails";
        registry.register_with_unit("ring", help, Unit::Bytes, it.ring.clone());
        registry.register("evidence_packets", "Packets that were written as evidence", it.evidence.clone());
        for by in ["kernel", "interface"] {
            drop(it.dropped.get_or_create(&By { by }));
        }
        for bound in ["open", "names", "evidence"] {
            drop(it.bounds.get_or_create(&Bound { bound }));
        }
        (metrics, registry)
    }

    /// Counts what became known.
    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::Call(call) => {
                let judged = self.judged(call);
                if let Some(total) = call.total {
                    let named = Named { server_name: judged.server_name.clone() };
                    self.duration.get_or_create(&named).observe(total.as_secs());
                }
                self.calls.get_or_create(&judged).inc();
            }
            Event::Connection(connection) => {
                let judged = self.judged(connection);
                self.connections.get_or_create(&judged).inc();
            }
            Event::Lookup(lookup) => {
                self.lookups.get_or_create(&Coded { code: lookup.verdict.code }).inc();
            }
            Event::Notice(notice) if notice.revises.is_some() => {
                self.revised.inc();
            }
            _ => {}
        }
    }

    fn judged(&mut self, counted: &Counted) -> Judged {
        let server_name = self.name(counted.server_name.as_deref());
        Judged { server_name, code: counted.code, severity: counted.severity.name() }
    }

    /// The label for a server's name.
    fn name(&mut self, name: Option<&str>) -> Arc<str> {
        let name = name.unwrap_or(UNNAMED);
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        if self.names.len() >= NAMES || name.len() > 253 || !name.chars().all(is_name) {
            self.bounds.get_or_create(&Bound { bound: "names" }).inc();
            return OTHER.into();
        }
        let label: Arc<str> = name.into();
        self.names.insert(label.clone());
        label
    }

    /// Notes how things stand, and that somebody is there to note it.
    pub(super) fn state(&self, state: &State) {
        let at_least = |counter: &Counter, value: u64| {
            counter.inner().fetch_max(value, Ordering::Relaxed);
        };
        at_least(&self.packets, state.packets);
        at_least(&self.dropped.get_or_create(&By { by: "kernel" }), state.dropped_by_kernel);
        at_least(&self.dropped.get_or_create(&By { by: "interface" }), state.dropped_by_interface);
        at_least(&self.bounds.get_or_create(&Bound { bound: "open" }), state.given_up);
        at_least(&self.bounds.get_or_create(&Bound { bound: "evidence" }), state.evidence_left_out);
        at_least(&self.evidence, state.evidence);
        self.open.set(i64::try_from(state.open).unwrap_or(i64::MAX));
        self.ring.set(i64::try_from(state.ring).unwrap_or(i64::MAX));
        self.alive.store(now(), Ordering::Relaxed);
    }

    /// Serves `registry` to those who ask on `listener`, until `stop` is set.
    pub(super) fn serve(
        &self,
        registry: Registry,
        listener: TcpListener,
        stop: Arc<AtomicBool>,
    ) -> Result<(), Failure> {
        let server = Server::from_listener(listener, None)
            .map_err(|error| Failure::Metrics { addr: "its socket".to_owned(), error: error.to_string() })?;
        let alive = self.alive.clone();
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                if let Ok(Some(request)) = server.recv_timeout(Duration::from_millis(250)) {
                    answer(request, &registry, &alive);
                }
            }
        });
        Ok(())
    }
}

fn answer(request: Request, registry: &Registry, alive: &AtomicU64) {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    const PLAIN: &str = "text/plain; charset=utf-8";
    let path = request.url().split('?').next().unwrap_or_default();
    let (status, kind, text) = match (request.method(), path) {
        (Method::Get | Method::Head, "/metrics") => {
            let mut text = String::new();
            match encode(&mut text, registry) {
                Ok(()) => (200, OPEN_METRICS, text),
                Err(error) => (500, PLAIN, format!("{error}\n")),
            }
        }
        (Method::Get | Method::Head, "/healthz") => {
            let quiet = now().saturating_sub(alive.load(Ordering::Relaxed));
            if quiet <= ALIVE {
                (200, PLAIN, "ok\n".to_owned())
            } else {
                (503, PLAIN, format!("no packets were taken for {quiet} s\n"))
            }
        }
        (Method::Get | Method::Head, _) => (404, PLAIN, "/metrics and /healthz are here\n".to_owned()),
        _ => (405, PLAIN, "GET only\n".to_owned()),
    };
    let header = Header::from_bytes("Content-Type", kind);
    let mut response = Response::from_string(text).with_status_code(status);
    if let Ok(header) = header {
        response.add_header(header);
    }
    // Who has gone does not wait for an answer.
    let _ = request.respond(response);
}

/// Seconds since the epoch.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use hookscope::time::Elapsed;
    use hookscope::verdict::Severity;

    use super::*;

    fn call(name: &str, millis: i64) -> Event {
        Event::Call(Counted {
            server: ([10, 0, 0, 1], 443).into(),
            server_name: Some(name.into()),
            code: "ok",
            severity: Severity::Ok,
            total: Some(Elapsed::from_millis(millis)),
        })
    }

    fn text(registry: &Registry) -> String {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        text
    }

    #[test]
    fn calls_are_counted_by_name_and_code_and_fall_into_the_apiservers_buckets() {
        let (mut metrics, registry) = Metrics::new();
        [3, 30, 30_000].into_iter().for_each(|millis| metrics.event(&call("hook.default.svc", millis)));
        let text = text(&registry);
        for line in [
            r#"hookscope_calls_total{server_name="hook.default.svc",code="ok",severity="ok"} 3"#,
            r#"hookscope_call_duration_seconds_bucket{le="0.005",server_name="hook.default.svc"} 1"#,
            r#"hookscope_call_duration_seconds_bucket{le="0.1",server_name="hook.default.svc"} 2"#,
            r#"hookscope_call_duration_seconds_bucket{le="25.0",server_name="hook.default.svc"} 2"#,
            r#"hookscope_call_duration_seconds_count{server_name="hook.default.svc"} 3"#,
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn ten_thousand_names_make_five_hundred_labels() {
        let (mut metrics, registry) = Metrics::new();
        for number in 0..10_000 {
            metrics.event(&call(&format!("hook-{number}.default.svc"), 1));
        }
        metrics.event(&call("ev\"il\n{}", 1));
        let text = text(&registry);
        let lines = text.lines().filter(|line| line.starts_with("hookscope_calls_total")).count();
        assert_eq!(lines, NAMES + 1);
        assert!(text.contains(r#"server_name="other",code="ok",severity="ok"} 9501"#), "{text}");
        assert!(text.contains(r#"hookscope_bounds_hit_total{bound="names"} 9501"#));
        assert!(!text.contains("ev\\"));
    }
}
