//! Segments that are sent again and again and never acknowledged: the path swallows them.

use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Human, Prose, Story, count};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::side::Side;
use crate::tcp::half::Stuck;
use crate::time::Elapsed;

#[derive(Debug)]
pub(super) struct PathBlackhole;

const STALE_CONNECTION: Page = page!(PathBlackhole, Failure, "stale-connection");
const MTU_BLACKHOLE: Page = page!(PathBlackhole, Failure, "mtu-blackhole");
const DATA_UNACKNOWLEDGED: Page = page!(PathBlackhole, Failure, "data-unacknowledged");

impl PathBlackhole {
    /// Fewer retransmissions in a shorter time are ordinary loss that the capture does not see the end of.
    const RETRANSMISSIONS: u32 = 3;
    const TIME: Elapsed = Elapsed::from_millis(1000);
}

impl Rule for PathBlackhole {
    fn pages(&self) -> &'static [Page] {
        &[STALE_CONNECTION, MTU_BLACKHOLE, DATA_UNACKNOWLEDGED]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let (side, stuck) = stuck(case)?;
        let connection = case.connection;
        let closed = case.close_of(!side).is_some_and(|close| close.at.is_before(stuck.first));
        // Whoever resets is alive, and so is the path from there.
        let alive = connection.halves[!side].rst_at().is_some();
        let lasted = stuck.count >= Self::RETRANSMISSIONS || stuck.last.since(stuck.first) >= Self::TIME;
        // What a side sends to close is missed by nobody, unless a call is open.
        let farewell = case.close_of(side).is_some_and(|close| !stuck.sent.is_before(close.at));
        if farewell && case.waiting_call().is_none() {
            return None;
        }
        let explained = connection.unreachable.is_some();
        if closed || alive || explained || !lasted || case.is_one_sided() {
            return None;
        }
        let worked = connection.application.calls.count >= 2
            || case
                .last_call()
                .is_some_and(|call| call.first_byte.is_some_and(|at| at.is_before(stuck.sent)))
            || connection.opened.is_none();
        let (page, note) = if connection.halves[side].passed_over_stuck() {
            (MTU_BLACKHOLE, "a later, smaller segment arrived; this one is sent again")
        } else if worked {
            (STALE_CONNECTION, "sent again, first time")
        } else {
            (DATA_UNACKNOWLEDGED, "sent again, first time")
        };
        let phase = match (connection.application.calls.count, side) {
            (0, _) if connection.application.session.is_some() => Phase::Tls,
            (0, _) => Phase::Idle,
            (_, Side::Client) => Phase::Request,
            (_, Side::Server) => Phase::Response,
        };
        let finding = Finding::failure(&Self, page.code, phase, stuck.first)
            .inferred()
            .shown(stuck.sent, "sent, never acknowledged")
            .shown(stuck.first, note)
            .shown((stuck.last != stuck.first).then_some(stuck.last), "sent again, last time");
        Some(Finding { end: None, ..finding })
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let Some((side, stuck)) = stuck(&story.case) else { return Prose::default() };
        let again = count(stuck.count.into(), "retransmission");
        let span = Human(stuck.last.since(stuck.sent));
        let (server, address) = (story.server(), story.address());
        if story.finding.code == MTU_BLACKHOLE.code {
            return Prose::only(format!(
                "Large segments to {server} vanish while small ones arrive: {} bytes were not acknowledged after {again} in {span}",
                stuck.length
            ))
            .hint(format!("Find the largest packet that passes: `tracepath -n {address}`; `ping -M do -s 1372 {address}`"))
            .hint("Lower the CNI's MTU to what the path carries (VXLAN takes 50 bytes, WireGuard 60 to 80), or clamp the MSS: `iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu`")
            .hint("Let ICMP fragmentation-needed and packet-too-big through the firewalls on the path");
        }
        let sender = match side {
            Side::Client => "the client",
            Side::Server => "the server",
        };
        let what =
            format!("{} bytes of {sender} were not acknowledged after {again} in {span}", stuck.length);
        if story.finding.code == STALE_CONNECTION.code {
            return Prose::only(format!("The connection to {server} worked before and is dead now: {what}"))
                .hint(format!("See whether the pod behind {address} still exists: {}", story.find_pods()))
                .hint(format!("See whether connection tracking still knows it: `conntrack -L -d {address}`"))
                .hint("If it had been idle: a NAT, firewall or load balancer forgot it; make its idle timeout longer than 90 s, kube-apiserver's own")
                .hint("Restarting kube-apiserver drops its old connections at once; new connections are not affected");
        }
        Prose::only(format!("Data to {server} vanishes after a TCP handshake that worked: {what}"))
            .hint(format!("Compare both ends: capture on the pod's node too: `tcpdump -ni any 'host {address} and tcp port {}'`", story.port()))
            .hint(format!("Try other packet sizes, in case it is the MTU: `tracepath -n {address}`"))
            .hint("See whether a firewall drops packets of established connections: `iptables-save -c | grep -i drop`; `conntrack -S`")
    }
}

/// The side whose segments vanish, and which.
fn stuck<'a>(case: &Case<'a>) -> Option<(Side, &'a Stuck)> {
    let halves = &case.connection.halves;
    let of = |side: Side| halves[side].stuck().map(|stuck| (side, stuck));
    match (of(Side::Client), of(Side::Server)) {
        (Some(client), Some(server)) if server.1.first.is_before(client.1.first) => Some(server),
        (client, server) => client.or(server),
    }
}
