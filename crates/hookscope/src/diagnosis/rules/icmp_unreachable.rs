//! A connection that failed, and an ICMP error that says why.

use crate::connection::Unreachable;
use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Prose, Story, count};
use crate::diagnosis::verdict::{By, Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::wire::IcmpKind;

#[derive(Debug)]
pub(super) struct IcmpUnreachable;

const PORT: Page = page!(IcmpUnreachable, Failure, "icmp-port-unreachable");
const HOST: Page = page!(IcmpUnreachable, Failure, "icmp-host-unreachable");
const NET: Page = page!(IcmpUnreachable, Failure, "icmp-net-unreachable");
const ADMIN: Page = page!(IcmpUnreachable, Failure, "icmp-admin-prohibited");

impl Rule for IcmpUnreachable {
    fn pages(&self) -> &'static [Page] {
        &[PORT, HOST, NET, ADMIN]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let connection = case.connection;
        let unreachable = connection.unreachable.as_deref()?;
        let page = match unreachable.kind {
            IcmpKind::PortUnreachable => PORT,
            IcmpKind::HostUnreachable => HOST,
            IcmpKind::NetUnreachable => NET,
            IcmpKind::AdminProhibited => ADMIN,
            _ => return None,
        };
        if !failed(case, unreachable) {
            return None;
        }
        let phase = match case.last_call() {
            Some(_) => Phase::Request,
            None if case.is_in_tls_handshake() => Phase::Tls,
            None => Phase::Connect,
        };
        let ended = case.first_close().map(|close| close.at).filter(|_| case.last_call().is_some());
        let finding = Finding::failure(&Self, page.code, phase, unreachable.at)
            .shown(connection.opened, "SYN")
            .shown(case.waiting_call().map(|call| call.requested), "request")
            .shown(unreachable.at, "ICMP error that quotes it");
        Some(Finding { by: Some(By::Network), end: ended.or(finding.end), ..finding })
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let connection = story.case.connection;
        let Some(unreachable) = connection.unreachable.as_deref() else { return Prose::default() };
        let reporter = unreachable.reporter.ip();
        let (server, address, port) = (story.server(), story.address(), story.port());
        let errors = count(unreachable.count.into(), "ICMP error");
        let unseen = connection.halves.client.packets == 0;
        let code = story.finding.code;
        if code == PORT.code && unseen {
            return Prose::only(format!(
                "{server} has no endpoint that could answer: this host rejected the connection itself ({errors} port unreachable), no packet left it"
            ))
            .hint(format!("See whether any pod behind the Service is Ready: {}", endpoints(story)))
            .hint("If pods exist but are not Ready: `kubectl get pods -A | awk '{split($3,r,\"/\"); if (r[1]!=r[2]) print}'`, then read their events and readiness probes")
            .hint("If the webhook is gone for good: delete its ValidatingWebhookConfiguration or MutatingWebhookConfiguration");
        }
        let (what, why) = match code {
            code if code == PORT.code => {
                ("port unreachable", "nothing listens there, or a firewall rejects it")
            }
            code if code == HOST.code => ("host unreachable", "it does not answer on its link"),
            code if code == NET.code => ("network unreachable", "there is no route to it"),
            _ => ("administratively prohibited", "a firewall rejects it"),
        };
        let prose = Prose::only(format!("{reporter} reports {what} for {server}: {why} ({errors})"));
        match code {
            code if code == PORT.code => prose
                .hint(format!("Find the rule that rejects it, on {reporter}: `iptables-save | grep -i reject`; `nft list ruleset | grep -i reject`"))
                .hint(format!("See whether the pod listens: `nc -vz -w 3 {address} {port}`; {}", story.find_pods())),
            code if code == HOST.code => prose
                .hint(format!("See whether the pod and its node exist: {}; `kubectl get nodes -o wide`", story.find_pods()))
                .hint(format!("See whether {reporter} resolves its address: `ip neigh show {address}`; `ip route get {address}`")),
            code if code == NET.code => prose
                .hint(format!("See which route {reporter} has for it: `ip route get {address}`"))
                .hint("See whether the CNI's routes are there on all nodes, and whether IPv6 Services are reached by hosts without IPv6"),
            _ => prose
                .hint(format!("Find the rule that rejects it, on {reporter}: `iptables-save | grep -iE 'reject|prohib'`; `nft list ruleset | grep -iE 'reject|prohib'`; `firewall-cmd --list-all`"))
                .hint(format!("Allow TCP {port} to {address} from the control plane")),
        }
    }
}

/// The command that shows the Service's endpoints, by name or else by its address.
fn endpoints(story: &Story<'_>) -> String {
    match story.service() {
        Some(_) => story.find_pods(),
        None => format!(
            "`kubectl get svc -A | grep -w '{}'`, then `kubectl -n NAMESPACE get endpointslices`",
            story.address()
        ),
    }
}

/// Whether the connection failed by it: what was quoted never arrived, and the client wanted something.
fn failed(case: &Case<'_>, unreachable: &Unreachable) -> bool {
    let client = &case.connection.halves.client;
    let arrived = unreachable.seq.is_some_and(|seq| client.is_acknowledged_past(seq));
    let unconnected = case.connection.opened.is_some() && case.connection.established.is_none();
    let wanted = unconnected
        || client.packets == 0
        || case.waiting_call().is_some()
        || case.is_in_tls_handshake() && case.tls().is_some()
        || !client.is_acknowledged();
    wanted && !arrived
}
