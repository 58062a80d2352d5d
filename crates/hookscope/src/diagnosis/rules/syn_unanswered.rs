//! SYNs that nothing answers.

use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page;
use crate::diagnosis::rules::capture_incomplete;
use crate::diagnosis::story::{Human, Prose, Story, count};
use crate::diagnosis::verdict::{Code, Finding, Phase, Severity};
use crate::diagnosis::{Page, Rule};
use crate::packet::Moment;
use crate::time::Elapsed;

#[derive(Debug)]
pub(super) struct SynUnanswered;

const PAGE: Page = page!(SynDrop, Failure, "syn-unanswered");

impl SynUnanswered {
    /// Linux repeats an unanswered SYN after a second: if none came in that time, the client gave up before.
    const RETRANSMISSION: Elapsed = Elapsed::from_millis(1000);

    /// Whether a client that sent so many SYNs, the first of them so long ago, waits in vain.
    fn waits_in_vain(syns: u32, waited: Elapsed) -> bool {
        syns >= 2 || waited >= Self::RETRANSMISSION
    }
}

/// The verdict on a connection of which only so many SYNs were seen, the first of them so long ago.
pub(in crate::diagnosis) fn judge_opening(syns: u32, waited: Elapsed) -> (Code, Severity) {
    let page = if SynUnanswered::waits_in_vain(syns, waited) { PAGE } else { capture_incomplete::PAGE };
    (page.code, page.severity)
}

impl Rule for SynUnanswered {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let connection = case.connection;
        let (first, last) = (connection.opened?, connection.last_syn()?);
        let silent = connection.halves.server.packets == 0 && connection.established.is_none();
        // An answer that comes when the client has given up is none: its host resets it.
        let too_late = connection.halves.client.syn >= 2
            && connection.syn_ack.is_some_and(|answer| last.is_before(answer))
            && connection.established.is_none()
            && connection.halves.client.rst_at().is_some();
        let in_vain = Self::waits_in_vain(connection.halves.client.syn, case.waited(first));
        if !(silent && in_vain || too_late) {
            return None;
        }
        let finding =
            Finding::failure(&Self, PAGE.code, Phase::Connect, Moment::END).shown(first, "first SYN");
        let repeated = (first != last).then_some(last);
        Some(finding.shown(repeated, format!("SYN number {}, the last", connection.halves.client.syn)))
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let connection = story.case.connection;
        let syns = count(connection.halves.client.syn.into(), "SYN");
        let span = match (connection.opened, connection.last_syn()) {
            (Some(first), Some(last)) if first != last => format!(" in {}", Human(last.since(first))),
            _ => String::new(),
        };
        let (address, port) = (story.address(), story.port());
        let summary =
            format!("{} never answered: {syns}{span} left the host, no packet came back", story.server());
        if story.answered > 0 {
            let others = count(story.answered, "other connection");
            return Prose::only(format!("{summary}; {others} to it got an answer"))
                .hint(format!(
                    "Only some connections are lost, so no rule forbids the port. See on the server's node whether its accept \
                     queue overflows: `ss -ltn 'sport = :{port}'`; `nstat -az TcpExtListenDrops TcpExtListenOverflows`"
                ))
                .hint("See whether connection tracking is full on one of the hosts: `conntrack -S`; `dmesg | grep nf_conntrack`")
                .hint(format!(
                    "See whether one of several pods or nodes behind the Service is unreachable: {}",
                    story.find_pods()
                ))
                .hint("Several paths, one of them broken (bond, ECMP): compare client ports that work with those that do not");
        }
        let pod = match story.service() {
            Some(_) => format!("Find the pod and the node it runs on: {}", story.show_pods()),
            None => story.find_unnamed(),
        };
        Prose::only(summary)
            .hint(format!(
                "See if the port is reachable from this host at all: `nc -vz -w 3 {address} {port}`; `ip route get {address}`"
            ))
            .hint(pod)
            .hint(format!(
                "Capture on that node: `tcpdump -ni any 'host {address} and tcp port {port}'`. SYN arrives: its firewall \
                 or a NetworkPolicy drops it. No SYN: a cloud firewall, route or overlay between the nodes does"
            ))
            .hint(format!(
                "Allow TCP {port}, the pod's port and not the Service's, from the control plane: cloud firewall or \
                 security group, ufw/firewalld on the node, NetworkPolicy"
            ))
    }
}
