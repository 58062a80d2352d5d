//! Findings -> the schema's types. The only place where domain words become the words of the JSON.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::config::Config;
use crate::connection::Connection;
use crate::diagnosis::case::Case;
use crate::diagnosis::healthy_call;
use crate::diagnosis::message;
use crate::diagnosis::message::facts::Facts;
use crate::diagnosis::proof::Proof;
use crate::diagnosis::story::{Prose, Story, is_host_name};
use crate::diagnosis::verdict::{Certainty, Finding, Severity};
use crate::flow::key::Endpoint;
use crate::inspect::Inspection;
use crate::inspect::lookups::Lookups;
use crate::inspect::losses::Losses;
use crate::inspect::outcome::{JudgedCall, Outcome, View, server_name};
use crate::inspect::tally::{GroupTally, LatencyTally, ServerTally};
use crate::inspect::traffic::Traffic;
use crate::packet::Frame;
use crate::report::names::{Name, Names};
use crate::report::proof::Proofs;
use crate::report::timeline::timeline;
use crate::report::{LeftOut, community, schema};
use crate::side::Side;
use crate::time::{Elapsed, Timestamp};
use crate::tls::certificate::Certificate;
use crate::tls::session::Session;

/// Names of the inputs, for frames of captures that have several.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files(pub(crate) Vec<String>);

impl Files {
    /// The file of `frame`; none where there is but one.
    pub(crate) fn name(&self, frame: Frame) -> Option<String> {
        if self.0.len() > 1 { self.0.get(usize::from(frame.file())).cloned() } else { None }
    }
}

/// What it takes to write a connection down.
pub(crate) struct Builder<'a> {
    pub(crate) found: Found<'a>,
    pub(crate) servers: Vec<&'a ServerTally>,
    names: Names<'a>,
    pub(crate) proofs: Proofs,
    files: Files,
    totals: HashMap<Endpoint, Totals, FixedState>,
}

/// Where what is to be written down is kept: at the end, or while packets still come.
#[derive(Clone, Copy)]
pub(crate) struct Found<'a> {
    pub(crate) config: &'a Config,
    pub(crate) lookups: &'a Lookups,
    pub(crate) outcomes: &'a [Outcome],
    pub(crate) losses: &'a Losses,
    pub(crate) traffic: &'a Traffic,
    /// Connections that are not among the outcomes, as there was no room for more.
    pub(crate) left_out: u64,
}

impl<'a> From<&'a Inspection> for Found<'a> {
    fn from(inspection: &'a Inspection) -> Self {
        let Inspection { config, lookups, outcomes, losses, traffic, left_out, .. } = inspection;
        Self { config, lookups, outcomes, losses, traffic, left_out: *left_out }
    }
}

/// Connections to one server, under all its names.
#[derive(Clone, Copy, Default)]
struct Totals {
    connections: u64,
    /// Those whose SYN was answered.
    answered: u64,
}

impl<'a> Builder<'a> {
    fn totals(&self, server: Endpoint) -> Totals {
        self.totals.get(&server).copied().unwrap_or_default()
    }

    pub(crate) fn new(
        found: Found<'a>,
        servers: impl Iterator<Item = &'a ServerTally>,
        files: Files,
    ) -> Self {
        let servers: Vec<_> = servers.collect();
        let mut totals: HashMap<_, Totals, _> = HashMap::default();
        for server in &servers {
            let total = totals.entry(server.server).or_default();
            total.connections += server.connections;
            total.answered += server.answered_connections;
        }
        let cluster = found.config.cluster.as_deref();
        let names = Names::learn(&servers, &found.lookups.tracker.learned, cluster);
        let proofs = cluster.map(|_| Proofs::learn(&servers)).unwrap_or_default();
        Self { found, servers, names, proofs, files, totals }
    }

    pub(crate) fn name<'n>(&'n self, connection: &'n Connection) -> Option<Name<'n>> {
        let own = server_name(connection);
        let quoted = || self.name_of_quoted(connection);
        own.is_none()
            .then(quoted)
            .flatten()
            .or_else(|| self.names.of(connection.server(), own, connection.id))
    }

    /// What a server is called where no single connection is meant: by the latest name.
    pub(crate) fn server_name<'n>(&'n self, server: &'n ServerTally) -> Option<&'n str> {
        self.names.of(server.server, server.name.as_deref(), u64::MAX).map(|name| name.text)
    }

    /// Whether the filter lets a server pass under its name.
    fn admits(&self, server: &ServerTally) -> bool {
        let filter = &self.found.config.filter;
        filter.admits_server(server.server)
            && (filter.admits_name(self.server_name(server)) || self.admits_any(&self.webhooks_at(server)))
    }

    /// Whether the filter lets a connection pass, under its server's name or that of a webhook.
    pub(crate) fn passes(&self, view: &View<'_>) -> bool {
        let filter = &self.found.config.filter;
        filter.admits_server(view.connection.server())
            && (filter.admits_name(self.name(view.connection).map(|name| name.text))
                || self.admits_any(&self.webhooks_of(view)))
    }

    /// The servers that pass the filter, connections without a name counted under the one that was learned.
    pub(crate) fn endpoints(&self) -> Vec<schema::EndpointReport> {
        let mut endpoints = Vec::new();
        let mut servers: Vec<_> = self.servers.iter().filter(|server| self.admits(server)).collect();
        let name = |server: &ServerTally| self.server_name(server).map(str::to_owned);
        servers.sort_by_cached_key(|server| (server.server, name(server)));
        for run in servers.chunk_by(|one, other| one.server == other.server && name(one) == name(other)) {
            let mut latency: Option<LatencyTally> = None;
            let mut report = schema::EndpointReport {
                server: run.first().map(|server| server.server.to_string()).unwrap_or_default(),
                server_name: run.first().and_then(|server| name(server)),
                cluster: run.first().and_then(|server| self.whom_at(server)),
                connections: 0,
                calls: 0,
                failed: 0,
                latency_s: None,
                verdicts: schema::Counts::new(),
            };
            for server in run {
                report.connections += server.connections;
                report.calls += server.calls;
                report.failed += server.failed_connections;
                for group in &server.groups {
                    *report.verdicts.entry(group.code.name).or_default() += group.count;
                }
                match (&mut latency, server.latency.as_deref()) {
                    (Some(ours), Some(theirs)) => ours.merge(theirs),
                    (ours @ None, Some(theirs)) => *ours = Some(theirs.clone()),
                    (_, None) => {}
                }
            }
            report.latency_s = latency.as_ref().map(latency_report);
            endpoints.push(report);
        }
        endpoints
    }

    /// Totals over the servers that pass the filter.
    pub(crate) fn summary(&self) -> schema::Summary {
        let lookups = &self.found.lookups;
        let mut summary = schema::Summary {
            lookups: lookups.counted,
            failed_lookups: lookups.counted_failed,
            ..schema::Summary::default()
        };
        for server in self.servers.iter().filter(|server| self.admits(server)) {
            summary.connections += server.connections;
            summary.calls += server.calls;
            summary.failed_connections += server.failed_connections;
            summary.failed_calls += server.failed_calls;
            for group in &server.groups {
                *summary.verdicts.entry(group.code.name).or_default() += group.count;
            }
        }
        summary
    }

    /// What the filter leaves out.
    pub(crate) fn left_out(&self) -> LeftOut {
        let filter = &self.found.config.filter;
        let mut left_out = LeftOut::default();
        for server in &self.servers {
            left_out.connections += server.connections;
            let is_nameless = !filter.names.is_empty() && self.server_name(server).is_none();
            if is_nameless && filter.admits_server(server.server) {
                left_out.nameless += server.connections;
                left_out.failed_nameless += server.failed_connections;
            }
        }
        left_out
    }

    /// The connections that were kept and pass the filter.
    pub(crate) fn connections(&self) -> Vec<schema::Connection> {
        let listed = self.found.outcomes.iter().filter(|outcome| self.is_listed(outcome));
        let passing = listed.map(Outcome::view).filter(|view| self.passes(view));
        passing.map(|view| self.connection(&view)).collect()
    }

    /// Whether a connection that was kept is one of those that are to be reported one by one.
    fn is_listed(&self, outcome: &Outcome) -> bool {
        self.found.config.keep.wants(outcome.verdict.severity != Severity::Ok)
    }

    /// Failures and warnings by server and code; the worst and most frequent first.
    pub(crate) fn groups(&self) -> Vec<schema::Group> {
        let mut groups: Vec<_> = self
            .servers
            .iter()
            .filter(|server| self.admits(server))
            .flat_map(|server| server.groups.iter().map(move |group| (*server, group)))
            .filter_map(|(server, group)| Some((self.group(server, group)?, group)))
            .collect();
        groups.sort_by(|(one, a), (other, b)| {
            (b.severity, other.count, one.ids.first()).cmp(&(a.severity, one.count, other.ids.first()))
        });
        groups.into_iter().map(|(group, _)| group).collect()
    }

    fn group(&self, server: &ServerTally, group: &GroupTally) -> Option<schema::Group> {
        if group.severity == Severity::Ok {
            return None;
        }
        let first = *group.ids.first()?;
        let kept = || {
            let outcomes = &self.found.outcomes;
            let place = outcomes.binary_search_by_key(&first, |outcome| outcome.connection.id).ok()?;
            outcomes.get(place)
        };
        let example = group.example.as_deref().or_else(kept)?;
        let view = example.view();
        let quoted = self.name_of_quoted(&example.connection).map(|name| name.text);
        Some(schema::Group {
            server: server.server.to_string(),
            server_name: quoted.or_else(|| self.server_name(server)).map(str::to_owned),
            cluster: self.whom_of(&view),
            count: group.count,
            of: self.totals(server.server).connections,
            first: group.first.time.to_string(),
            last: group.last.time.to_string(),
            ids: group.ids.clone(),
            example: schema::Example::Connection {
                connection: Box::new(self.connection(&view)),
                timeline: timeline(example, &self.files),
            },
        })
    }

    pub(crate) fn connection(&self, view: &View<'_>) -> schema::Connection {
        let connection = view.connection;
        let halves = &connection.halves;
        let name = self.name(connection);
        let sides =
            |of: &dyn Fn(Side) -> u64| schema::PerSide { client: of(Side::Client), server: of(Side::Server) };
        schema::Connection {
            id: connection.id,
            client: connection.client().to_string(),
            server: connection.server().to_string(),
            server_name: name.map(|name| name.text.to_owned()),
            server_name_source: name.map(|name| name.source),
            cluster: self.whom_of(view),
            community_id: community::id(&connection.key),
            start: connection.first.time.to_string(),
            end: connection.last.time.to_string(),
            packets: sides(&|side| halves[side].packets),
            bytes: sides(&|side| halves[side].bytes),
            syn: [Side::Client, Side::Server].map(|side| u64::from(halves[side].syn)).iter().sum(),
            syn_ack: [Side::Client, Side::Server].map(|side| u64::from(halves[side].syn_ack)).iter().sum(),
            rst: sides(&|side| halves[side].rst().into()),
            fin: sides(&|side| halves[side].fin().into()),
            retransmissions: sides(&|side| halves[side].retransmissions.into()),
            connect_s: connect_time(connection).map(seconds),
            tls: connection.application.session.as_ref().map(|session| tls(session, &self.files)),
            verification: self.verification(view),
            verdict: self.verdict(view, view.verdict, None),
            calls: view.calls.iter().map(|judged| self.call(view, judged)).collect(),
        }
    }

    fn call(&self, view: &View<'_>, judged: &JudgedCall) -> schema::Call {
        let JudgedCall { call, finding } = judged;
        let healthy;
        let verdict = match finding {
            Some(finding) => finding,
            None => {
                healthy = healthy_call(call);
                &healthy
            }
        };
        let failed = verdict.severity == Severity::Failure;
        let end = if failed || !call.is_answered() { verdict.end } else { call.last_byte };
        schema::Call {
            index: call.index.into(),
            start: call.start.time.to_string(),
            request_bytes: call.request_bytes,
            response_bytes: call.response_bytes,
            first_byte_s: call.first_byte.map(|first| seconds(first.since(call.start))),
            total_s: end.map(|end| seconds(end.since(call.start))),
            verdict: self.verdict(view, verdict, Some(judged)),
        }
    }

    pub(crate) fn verdict(
        &self,
        view: &View<'_>,
        finding: &Finding,
        judged: Option<&JudgedCall>,
    ) -> schema::Verdict {
        let config = &self.found.config;
        let case = Case { connection: view.connection, now: view.now, config };
        let name = self.name(view.connection).map(|name| name.text).filter(|name| is_host_name(name));
        let last = view.connection.application.calls.last.as_ref();
        // A failure of the connection is about its last call; a warning about the call that bears it.
        let same = |judged: &&JudgedCall| {
            judged.finding.as_ref().is_some_and(|own| own.code == finding.code && own.at == finding.at)
        };
        let last = last.filter(|_| finding.severity != Severity::Ok);
        let about =
            judged.or_else(|| view.calls.iter().copied().find(same)).map(|judged| &judged.call).or(last);
        let is_own = std::ptr::eq(finding, view.verdict) || finding.at == view.verdict.at;
        let proof = self.proof(view).filter(|_| is_own);
        let whom = if finding.severity == Severity::Ok { None } else { self.whom_of(view) };
        let pod = whom.and_then(|whom| whom.pod);
        let pod = pod.as_deref().and_then(|pod| pod.split_once('/'));
        let story = Story {
            pod: pod.filter(|(namespace, pod)| is_host_name(namespace) && is_host_name(pod)),
            proof: proof.as_deref(),
            case,
            finding,
            call: about,
            name,
            answered: self.totals(view.connection.server()).answered,
        };
        let cause = proof.as_deref().and_then(Proof::cause).or(finding.cause);
        let deadline = self.cluster().and_then(|cluster| cluster.deadline(&self.webhooks_of(view)));
        let deadline = deadline.map_or_else(|| case.deadline(), Elapsed::from);
        let failed = finding.severity == Severity::Failure;
        let facts = || Facts::of(&story).with_cause(cause);
        let apiserver_error = failed.then(|| message::predict(&facts())).flatten();
        let verdict = self.finding(finding, finding.rule.describe(&story), deadline);
        let verdict = schema::Verdict { cause, apiserver_error, ..verdict };
        let until = finding.end.map_or(view.now, |end| end.time);
        self.uncertain(finding, view.connection.first.time, until, verdict)
    }

    /// The verdict on what began and ended at these times, less certain where the packet that would have said otherwise
    /// may be among those that were dropped.
    pub(crate) fn uncertain(
        &self,
        finding: &Finding,
        from: Timestamp,
        until: Timestamp,
        mut verdict: schema::Verdict,
    ) -> schema::Verdict {
        let dropped = self.found.losses.between(from, until);
        if dropped > 0 && finding.may_be_a_loss() {
            verdict.certainty = Certainty::Inferred;
            verdict.summary.push_str(&format!(
                "; not certain: {dropped} packets of all connections were dropped by the capture meanwhile"
            ));
        }
        verdict
    }

    /// A finding and its words.
    pub(crate) fn finding(&self, finding: &Finding, prose: Prose, deadline: Elapsed) -> schema::Verdict {
        schema::Verdict {
            class: finding.code.class,
            code: finding.code.name,
            severity: finding.severity,
            certainty: finding.certainty,
            by: finding.by,
            phase: finding.phase,
            cause: finding.cause,
            deadline_s: Some(seconds(finding.deadline.unwrap_or(deadline))),
            summary: prose.summary,
            evidence: finding
                .evidence
                .iter()
                .map(|evidence| schema::Evidence {
                    frame: evidence.at.frame.number(),
                    file: self.files.name(evidence.at.frame),
                    note: evidence.note.clone().into_owned(),
                })
                .collect(),
            hints: prose.hints,
            apiserver_error: None,
        }
    }
}

fn connect_time(connection: &Connection) -> Option<Elapsed> {
    connection.syn_ack?;
    Some(connection.established?.since(connection.opened?))
}

fn latency_report(latency: &LatencyTally) -> schema::Latency {
    schema::Latency {
        min: seconds(latency.min),
        p50: seconds(latency.quantile(0.5)),
        p95: seconds(latency.quantile(0.95)),
        p99: seconds(latency.quantile(0.99)),
        max: seconds(latency.max),
    }
}

fn tls(session: &Session, files: &Files) -> schema::Tls {
    let offered = session.offered();
    let chosen = session.server_hello.as_ref().and_then(|hello| hello.said.as_ref());
    let began = session.client_hello.as_ref().map(|hello| hello.at);
    schema::Tls {
        version: session
            .version()
            .or_else(|| offered.map(|offered| offered.version))
            .map(|version| version.to_string()),
        sni: offered.and_then(|offered| offered.server_name.as_deref()).map(str::to_owned),
        alpn: protocol(session).map(str::to_owned),
        cipher: chosen.map(|chosen| chosen.cipher.to_string()),
        handshake_s: session.complete.zip(began).map(|(complete, began)| seconds(complete.since(began))),
        alerts: session
            .alerts()
            .iter()
            .map(|alert| schema::Alert {
                by: alert.by.name(),
                level: if alert.is_fatal { "fatal" } else { "warning" },
                description: alert.description.to_string(),
                frame: alert.at.frame.number(),
                file: files.name(alert.at.frame),
            })
            .collect(),
        certificate: session.leaf().and_then(Certificate::read).map(|certificate| schema::Certificate {
            subject: certificate.subject,
            issuer: certificate.issuer,
            san: certificate.names,
            not_before: certificate.not_before.to_string(),
            not_after: certificate.not_after.to_string(),
        }),
    }
}

/// The protocol that the server chose. TLS 1.3 hides the choice, but not where the client offered just one.
fn protocol(session: &Session) -> Option<&str> {
    match session.server_hello.as_ref().and_then(|hello| hello.said.as_ref()) {
        Some(chosen) if !chosen.version.is_13() => chosen.protocol.as_deref(),
        _ => session.offered()?.protocol.as_deref(),
    }
}

/// Seconds, to the nanosecond.
pub(crate) fn seconds(elapsed: Elapsed) -> f64 {
    elapsed.as_secs()
}
