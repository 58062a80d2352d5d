//! Lookups that failed, and those that did not.

use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Human, Prose, is_host_name};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::lookup::{Attempt, Excuse, Fate, Lookup, Transport};
use crate::packet::Moment;
use crate::side::Side;
use crate::time::Timestamp;
use crate::wire::dns::ResponseCode;

#[derive(Debug)]
pub(super) struct Dns;

const NXDOMAIN: Page = page!(DnsFailure, Failure, "dns-nxdomain");
const SERVFAIL: Page = page!(DnsFailure, Failure, "dns-servfail");
const REFUSED: Page = page!(DnsFailure, Failure, "dns-refused");
const TIMEOUT: Page = page!(DnsFailure, Failure, "dns-timeout");
const OK: Page = page!(Ok, Ok, "ok");
const CAPTURE_INCOMPLETE: Page = page!(Unknown, Ok, "capture-incomplete");

impl Rule for Dns {
    fn pages(&self) -> &'static [Page] {
        &[NXDOMAIN, SERVFAIL, REFUSED, TIMEOUT]
    }

    fn describe_lookup(&self, lookup: &Lookup, now: Timestamp) -> Prose {
        let name = &lookup.question.name;
        match lookup.fate(now) {
            Fate::Answered(..) => answered(lookup),
            Fate::Failed(attempt, answer) => match &lookup.excuse {
                Some(excuse) => excused(answer.code, excuse, name),
                None => failed(lookup, attempt, answer.code),
            },
            Fate::Silent(_) => silent(lookup),
            Fate::Waiting => {
                Prose::only(format!("The capture ends too soon after the query for {name} to say"))
            }
        }
    }
}

/// The verdict on a lookup that was watched up to `now`.
pub(in crate::diagnosis) fn judge(lookup: &Lookup, now: Timestamp) -> Finding {
    let finding = match lookup.fate(now) {
        Fate::Answered(..) => Finding::fine(&Dns, OK.code, Phase::Dns),
        Fate::Failed(..) if lookup.excuse.is_some() => Finding::fine(&Dns, OK.code, Phase::Dns),
        Fate::Failed(_, answer) => {
            let code = match answer.code {
                ResponseCode::NAME_ERROR => NXDOMAIN.code,
                ResponseCode::REFUSED => REFUSED.code,
                // Resolvers treat every other error as they treat SERVFAIL.
                _ => SERVFAIL.code,
            };
            Finding::failure(&Dns, code, Phase::Dns, answer.at).by(Side::Server)
        }
        Fate::Silent(_) => Finding::failure(&Dns, TIMEOUT.code, Phase::Dns, Moment::END),
        Fate::Waiting => Finding::fine(&Dns, CAPTURE_INCOMPLETE.code, Phase::Dns),
    };
    lookup.attempts.iter().fold(finding, show)
}

fn show(finding: Finding, attempt: &Attempt) -> Finding {
    let over = if attempt.transport() == Transport::Tcp { " over TCP" } else { "" };
    let finding = finding.shown(attempt.asked, format!("query to {}{over}", attempt.server));
    let Some(answer) = attempt.answer else { return finding };
    let cut = if answer.truncated { ", truncated" } else { "" };
    finding.shown(answer.at, format!("answer: {}{cut}", answer.code))
}

fn answered(lookup: &Lookup) -> Prose {
    let (name, kind) = (&lookup.question.name, lookup.question.record_type);
    if lookup.addresses.is_empty() {
        return Prose::only(format!("{name} exists and has no {kind} record"));
    }
    let addresses: Vec<_> = lookup.addresses.iter().map(ToString::to_string).collect();
    Prose::only(format!("{name} is {}", addresses.join(", ")))
}

fn excused(code: ResponseCode, excuse: &Excuse, name: &str) -> Prose {
    Prose::only(match excuse {
        Excuse::Resolved(other) if **other == *name => {
            format!("{code} for this type, but {name} has addresses of the other")
        }
        Excuse::Resolved(other) => {
            format!("{code} for a candidate of the search list; {other} was found after it")
        }
        Excuse::CandidateFor(other) => {
            format!("{code} for a candidate of the search list for {other}, which is reported itself")
        }
    })
}

fn failed(lookup: &Lookup, attempt: &Attempt, code: ResponseCode) -> Prose {
    let (name, kind) = (&lookup.question.name, lookup.question.record_type);
    let safe = in_commands(lookup);
    let server = attempt.server;
    let (summary, next) = match code {
        ResponseCode::NAME_ERROR => (
            format!("{name} does not exist: the name server {server} answered NXDOMAIN"),
            format!(
                "See whether another name server knows it: {}; `dig +trace {safe}`",
                dig(lookup, attempt)
            ),
        ),
        ResponseCode::REFUSED => (
            format!("The name server {server} refused to answer for {name}"),
            format!(
                "Ask it from this host and from another one: {}. It answers only clients that it knows, or only \
                 for its own zones",
                dig(lookup, attempt)
            ),
        ),
        _ => (
            format!("The name server {server} could not resolve {name}: it answered {code}"),
            format!(
                "Ask it, then without DNSSEC, then the zone's own servers: {}; `dig +cd {safe} {kind} @{}`; \
                 `dig +trace {safe}`",
                dig(lookup, attempt),
                server.address.ip()
            ),
        ),
    };
    let summary = if lookup.count > 1 { format!("{summary} ({} queries)", lookup.count) } else { summary };
    advise(Prose::only(summary).hint(next), lookup)
}

fn silent(lookup: &Lookup) -> Prose {
    let name = &lookup.question.name;
    let mut servers: Vec<_> = lookup.attempts.iter().map(|attempt| attempt.server.to_string()).collect();
    servers.dedup();
    let queries = if lookup.count == 1 { "1 query".to_owned() } else { format!("{} queries", lookup.count) };
    let span = match (lookup.attempts.first(), lookup.attempts.last()) {
        (Some(first), Some(last)) if lookup.count > 1 => {
            format!(" in {}", Human(last.asked.since(first.asked)))
        }
        _ => String::new(),
    };
    let prose = Prose::only(format!(
        "No answer for {name}: {queries}{span} to {}, nothing came back",
        servers.join(" and ")
    ));
    let Some(last) = lookup.attempts.last() else { return prose };
    let safe = in_commands(lookup);
    let ip = last.server.address.ip();
    advise(
        prose
            .hint(format!(
                "See if the name server answers at all, over UDP and over TCP: {}; `dig +tcp {safe} @{ip}`",
                dig(lookup, last)
            ))
            .hint(format!(
                "Find what is behind {ip}: `kubectl get pods,services -A -o wide | grep -w {ip}`. If that is the \
                 cluster's DNS: `kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide`"
            ))
            .hint("See if the host drops it: `iptables-save -c | grep -w 53`, `nft list ruleset | grep -w 53`"),
        lookup,
    )
}

fn dig(lookup: &Lookup, attempt: &Attempt) -> String {
    let (name, kind) = (in_commands(lookup), lookup.question.record_type);
    format!("`dig {name} {kind} @{}`", attempt.server.address.ip())
}

/// The name as it can stand in a command that people copy: anybody may ask for anything.
fn in_commands(lookup: &Lookup) -> &str {
    let name = &lookup.question.name;
    if is_host_name(name) { name } else { "NAME" }
}

/// What is to be done whenever a webhook's name cannot be resolved.
fn advise(prose: Prose, lookup: &Lookup) -> Prose {
    let name = in_commands(lookup);
    let prose = prose
        .hint(format!(
            "Find the webhook that names it: `kubectl get validatingwebhookconfigurations,\
             mutatingwebhookconfigurations -o yaml | grep -nF '{name}'`"
        ))
        .hint("See which name servers and search domains this host uses: `cat /etc/resolv.conf`");
    let Some((service, namespace)) = service(name) else {
        return prose.hint(
            "For a webhook inside the cluster set `clientConfig.service` instead of `url`: kube-apiserver then asks \
             no name server",
        );
    };
    prose.hint(format!(
        "kube-apiserver asks no name server for `clientConfig.service`, so this is a `url`, or an old kube-apiserver \
         with an empty `caBundle`. Set `clientConfig.service` to {service} in {namespace}, and the `caBundle`; the \
         Service must exist: `kubectl -n {namespace} get service {service}`"
    ))
}

/// The Service and its namespace, if the name is one of the cluster's.
fn service(name: &str) -> Option<(&str, &str)> {
    let mut labels = name.split('.');
    let (service, namespace, svc) = (labels.next()?, labels.next()?, labels.next()?);
    (svc == "svc").then_some((service, namespace))
}
