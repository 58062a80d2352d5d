//! kube-apiserver's log -> its failed calls, each with the connection or lookup that it speaks of and what happened
//! there; or that nothing was sent, or that the capture does not cover it.
//!
//! ```text
//!  LoggedCall --> line ---+
//!                         +--> clock --> tie --> schema::LogLine
//!  Outcome -----> events -+
//! ```

mod clock;
mod events;
mod line;
mod tie;

use hashbrown::HashMap;

use crate::cluster::{Target, Url};
use crate::config::{Config, Keep, Retain};
use crate::diagnosis::message::Said;
use crate::diagnosis::nothing_sent;
use crate::diagnosis::story::Prose;
use crate::diagnosis::verdict::{Finding, Phase, Severity};
use crate::diagnosis::{capture_incomplete, message};
use crate::inspect::lookups::JudgedLookup;
use crate::log::{Log, LoggedCall};
use crate::lookup::Fate;
use crate::report::build::Builder;
use crate::report::log::events::{Event, Events};
use crate::report::log::line::Line;
use crate::report::schema;
use crate::time::{Elapsed, Timestamp};

/// What became of a log.
#[derive(Debug, Default)]
pub(crate) struct Explained {
    pub(crate) lines: Vec<schema::LogLine>,
    /// What a user should know of it, a sentence each.
    pub(crate) notes: Vec<String>,
}

/// What packets show of a line.
struct Seen {
    connection: Option<u64>,
    /// Of the call on the connection.
    index: Option<u64>,
    outside: bool,
    agrees: bool,
    verdict: schema::Verdict,
}

/// How long before a line its call may have begun without having waited for its deadline.
const AT_ONCE: Elapsed = Elapsed::from_millis(1_000);
/// How far from its call's end a lookup's may be.
const LOOKUP: Elapsed = Elapsed::from_millis(2_000);

impl Builder<'_> {
    /// The failed calls of a log, in its order.
    pub(crate) fn log(&self, log: &Log) -> Explained {
        let mut explained = Explained { notes: log.notes().to_vec(), ..Explained::default() };
        if log.calls.is_empty() {
            return explained;
        }
        let wait = self.default_wait();
        let mut lines: Vec<Line<'_>> = log.calls.iter().map(|call| Line::new(call, wait)).collect();
        self.name_hosts(&mut lines);
        let events = Events::of(self);
        let middle = self.middle();
        for file in lines.chunk_by_mut(|one, other| one.call.file == other.call.file) {
            let name =
                file.first().and_then(|line| log.files.get(line.call.file)).cloned().unwrap_or_default();
            let note = clock::settle(file, &events, middle);
            explained.notes.extend(note.map(|note| format!("{name}: {note}")));
        }
        let tied = tie::tie(&lines, &events);
        for (place, line) in lines.iter().enumerate() {
            let original = line.call.repeats.unwrap_or(place);
            let event = tied.get(original).copied().flatten().and_then(|event| events.all.get(event));
            let told_by = lines.get(original).unwrap_or(line);
            explained.lines.extend(self.line(log, line, told_by, event));
        }
        explained
    }

    /// Gives hosts to lines without a URL: those of other lines of the same webhook, or of the cluster's objects.
    fn name_hosts(&self, lines: &mut [Line<'_>]) {
        let mut hosts: HashMap<&str, (String, u16), foldhash::fast::FixedState> = HashMap::default();
        for line in lines.iter() {
            if let (Some(webhook), Some(host)) = (line.call.quote.webhook.as_deref(), &line.host) {
                hosts.insert(webhook, host.clone());
            }
        }
        let of_cluster = |webhook: &str| {
            let (_, webhook) = self.cluster()?.named(webhook).next()?;
            let port = match &webhook.target {
                Target::Service { port, .. } => *port,
                Target::Url(url) => Url::read(url)?.port,
            };
            Some((webhook.host()?, port))
        };
        for line in lines.iter_mut() {
            let Some(webhook) = line.call.quote.webhook.as_deref() else { continue };
            line.is_in_cluster =
                self.cluster().is_some_and(|cluster| cluster.named(webhook).next().is_some());
            if line.host.is_some() {
                continue;
            }
            line.host = hosts.get(webhook).cloned().or_else(|| of_cluster(webhook));
        }
    }

    /// How long calls may take where nothing says it.
    fn default_wait(&self) -> Elapsed {
        self.found.config.deadline.into()
    }

    /// The middle of the capture.
    fn middle(&self) -> Timestamp {
        let traffic = self.found.traffic;
        let (first, last) = (traffic.first.unwrap_or_default(), traffic.last.unwrap_or_default());
        Timestamp::from_nanos(first.as_nanos().midpoint(last.as_nanos()))
    }

    /// A line with what packets show of it; `None` where the filter leaves it out.
    fn line(
        &self,
        log: &Log,
        line: &Line<'_>,
        told_by: &Line<'_>,
        event: Option<&Event<'_>>,
    ) -> Option<schema::LogLine> {
        let call = line.call;
        let Seen { connection, index, outside, agrees, verdict } = self.seen(line, told_by, event)?;
        Some(schema::LogLine {
            line: call.line,
            file: if log.files.len() > 1 { log.files.get(call.file).cloned() } else { None },
            time: line.time.map(|time| time.to_string()),
            webhook: call.quote.webhook.clone().unwrap_or_default(),
            url: call.quote.url.clone(),
            error: call.quote.error.clone(),
            fails_open: call.fails_open,
            repeats: call.repeats.and_then(|place| log.calls.get(place)).map(|original| original.line),
            connection,
            call: index,
            outside,
            agrees,
            verdict,
        })
    }

    /// What packets show of a line; `None` where the filter leaves it out.
    fn seen(&self, line: &Line<'_>, told_by: &Line<'_>, event: Option<&Event<'_>>) -> Option<Seen> {
        let filter = &self.found.config.filter;
        let names = [line.host.as_ref().map(|(host, _)| host.as_str()), line.call.quote.webhook.as_deref()];
        let is_named = names.into_iter().any(|name| filter.admits_name(name));
        let unseen =
            |agrees, verdict| Seen { connection: None, index: None, outside: false, agrees, verdict };
        if let Some(event) = event {
            let connection = &event.outcome.connection;
            let is_admitted = is_named
                || filter.admits_name(self.name(connection).map(|name| name.text))
                || self.admits_any(&self.webhooks_of(&event.outcome.view()));
            if !filter.admits_server(connection.server()) || !is_admitted {
                return None;
            }
            let verdict = self.verdict_of(event);
            return Some(Seen {
                connection: Some(connection.id),
                index: event.judged.map(|judged| judged.call.index.into()),
                ..unseen(told_by.said.is_given_by(verdict.code, verdict.cause), verdict)
            });
        }
        if !is_named {
            return None;
        }
        if let Some(lookup) = self.lookup_of(told_by) {
            let agrees = told_by.said.is_given_by(lookup.verdict.code.name, None);
            return Some(unseen(agrees, self.lookup(lookup).verdict));
        }
        if let Some((outside, prose)) = self.uncovered(told_by) {
            let verdict = self.finding(&capture_incomplete(), prose, self.default_wait());
            return Some(Seen { outside, ..unseen(false, verdict) });
        }
        Some(unseen(told_by.said.is_of_unsent_call(), self.nothing(line)))
    }

    fn verdict_of(&self, event: &Event<'_>) -> schema::Verdict {
        let view = event.outcome.view();
        let Some(judged) = event.judged else { return self.verdict(&view, view.verdict, None) };
        match &judged.finding {
            Some(finding) => self.verdict(&view, finding, Some(judged)),
            None => self.verdict(&view, &crate::diagnosis::healthy_call(&judged.call), Some(judged)),
        }
    }

    /// The failed lookup that a line speaks of: of its name, and over when the call was. Calls may share one.
    fn lookup_of(&self, line: &Line<'_>) -> Option<&JudgedLookup> {
        let (time, (host, _)) = (line.time?, line.host.as_ref()?);
        let is_for = |judged: &&JudgedLookup| {
            let name = judged.lookup.question.name.trim_end_matches('.');
            let candidate = name.get(..host.len()).is_some_and(|front| front.eq_ignore_ascii_case(host));
            candidate && name.get(host.len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let failed = self.found.lookups.kept.iter().filter(|it| it.verdict.severity == Severity::Failure);
        let near = failed.filter(is_for).filter_map(|judged| {
            let first = judged.lookup.first()?.asked.time;
            let ended = match judged.lookup.fate(judged.now) {
                Fate::Answered(_, answer) | Fate::Failed(_, answer) => Some(answer.at.time),
                Fate::Silent(_) | Fate::Waiting => None,
            };
            // A resolver without an answer ends with the call, or asks again until then.
            let apart = match ended {
                Some(ended) => time.since(ended).abs(),
                None => {
                    let lasted = line.wait.unwrap_or_else(|| Elapsed::from_millis(10_000));
                    time.since(first).minus(lasted).abs()
                }
            };
            let within = first.since(time) <= LOOKUP;
            let limit = if ended.is_some() { LOOKUP } else { Elapsed::from_millis(11_000) };
            let agrees = line.said.is_given_by(judged.verdict.code.name, None);
            (within && apart <= limit).then_some(((!agrees, apart), judged))
        });
        near.min_by_key(|(key, _)| *key).map(|(_, judged)| judged)
    }

    /// Why the capture cannot show the call of a line, if it cannot; and whether the line lies outside of its time.
    fn uncovered(&self, line: &Line<'_>) -> Option<(bool, Prose)> {
        let traffic = self.found.traffic;
        let Some(time) = line.time else {
            return Some((
                false,
                Prose::only("The line bears no time, so it cannot be told which call it speaks of"),
            ));
        };
        let span = traffic.first.zip(traffic.last);
        let Some((first, last)) = span.filter(|(first, last)| {
            let began = time.as_nanos().saturating_sub(line.wait.unwrap_or(AT_ONCE).as_nanos());
            time >= *first && Timestamp::from_nanos(began) <= *last
        }) else {
            let span = span.map(|(first, last)| format!(", {first} to {last}")).unwrap_or_default();
            return Some((true, Prose::only(format!("Logged at {time}: outside the capture's time{span}"))));
        };
        let began =
            Timestamp::from_nanos(time.as_nanos().saturating_sub(line.wait.unwrap_or_default().as_nanos()));
        if began.since(first).as_nanos() < 0 {
            return Some((false, Prose::only("The call began before the capture, which does not show it")));
        }
        if last < time && line.wait.is_none() {
            return Some((
                false,
                Prose::only("The capture ends just before the call failed, and does not show it"),
            ));
        }
        // Analysing a file, they are kept where its log has such lines; capturing, nobody knows what it will have.
        let Config { keep, retain, .. } = self.found.config;
        if line.said.is_of_answered_call() && *keep != Keep::All && *retain != Retain::All {
            return Some((
                false,
                Prose::only(
                    "The error is in the webhook's answer, and calls that were answered are not kept while \
                     capturing: the webhook's own log has it",
                ),
            ));
        }
        if self.found.left_out > 0 {
            return Some((
                false,
                Prose::only(
                    "There was no room to keep all connections, and the call's is not among those kept",
                ),
            ));
        }
        None
    }

    /// The verdict on a call that no packet shows.
    fn nothing(&self, line: &Line<'_>) -> schema::Verdict {
        let finding: Finding = Finding { phase: Phase::Connect, ..nothing_sent() };
        let deadline = line.wait.unwrap_or_else(|| self.default_wait());
        let verdict = self.finding(&finding, unsent(line.call, line.said, line.host.as_ref()), deadline);
        schema::Verdict {
            apiserver_error: Some(message::Quote::read(&line.call.quote.error).error),
            ..verdict
        }
    }
}

/// What it means that a failed call left no packet.
fn unsent(call: &LoggedCall, said: Said, host: Option<&(String, u16)>) -> Prose {
    let webhook = call.quote.webhook.as_deref().unwrap_or("a webhook");
    let to = host.map(|(host, port)| format!(" to {host}:{port}")).unwrap_or_default();
    let summary =
        format!("The log names a failed call of {webhook}{to}, and the capture has no packet of it");
    if let Some(meaning) = said.meaning().filter(|_| said.is_local()) {
        let prose = Prose::only(format!("{summary}. {}", meaning.trim_end_matches('.')));
        let look = message::objects_to_look_at(&call.quote);
        return prose.hint(match look {
            Some(command) => format!("Look at the objects that it speaks of: `{command}`"),
            None => "See whether its agents are connected, and what they say: `kubectl get pods -A -o wide | grep -iE 'konnectivity|proxy-agent|tunnel'`".to_owned(),
        });
    }
    let prose = Prose::only(format!("{summary}: it never left this host, or not as a connection of its own"));
    let prose = if said.is_given_by("icmp-port-unreachable", None)
        && said.is_given_by("connection-refused", None)
    {
        prose.hint("A refused call without a SYN is kube-proxy's answer for a Service without ready endpoints; the only packet is an ICMP error on lo, so capture with `-i any`. See the endpoints: `kubectl get endpointslices -A`")
    } else {
        prose
    };
    prose
        .hint("See whether kube-apiserver sends its calls through an egress proxy (konnectivity), in whose tunnel they are: `grep -E 'egress-selector|proxy' /etc/kubernetes/manifests/kube-apiserver.yaml`")
        .hint("See whether this host's firewall drops them before the capture point: `iptables-save -c | grep -E 'OUTPUT|DROP'`")
        .hint("See that log and capture are of the same host, and that the capture's filter and interface let the call through: `tcpdump -i any`")
}
