//! A RST while a request waits for the first byte of its response.

use crate::diagnosis::case::{Case, How};
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Human, Prose, Story};
use crate::diagnosis::verdict::{By, Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::side::Side;

#[derive(Debug)]
pub(super) struct RstBeforeResponse;

const PAGE: Page = page!(Rst, Failure, "rst-before-response");

impl Rule for RstBeforeResponse {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let call = case.waiting_call().filter(|call| !case.may_be_http2(call))?;
        let close = case.first_close()?;
        let rst = case.rst_of(close.side)?;
        let by_itself = match close.side {
            Side::Server => close.how != How::Fin,
            // Programs that give up close with an alert and FIN. A bare RST is the host's, not the program's, unless
            // it comes at a deadline.
            Side::Client => close.how == How::Rst && case.deadline_kept(call, rst).is_none(),
        };
        let note = if close.side == Side::Server { "RST by the server" } else { "RST by the client's host" };
        by_itself.then(|| {
            Finding::failure(&Self, PAGE.code, Phase::Request, rst)
                .by(close.side)
                .shown(call.requested, "request")
                .shown((close.how == How::Alert).then_some(close.at), "alert-sized record")
                .shown(rst, note)
        })
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let after =
            story.call.map(|call| format!(", {} after it", Human(story.finding.at.since(call.requested))));
        let after = after.unwrap_or_default();
        let server = story.server();
        if story.finding.by == Some(By::Side(Side::Client)) {
            return Prose::only(format!("This host reset its own connection to {server} while a request waited{after}"))
                .hint("See whether connection tracking marks packets invalid, so that they arrive without translation: `conntrack -S`; `iptables-save | grep -i invalid`")
                .hint("If so: `sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1`, or let kube-proxy drop packets in state INVALID");
        }
        let reset = format!("{server} reset the connection instead of answering the request{after}");
        if let Some((rst, others)) = story.case.connection.halves.server.foreign_rst() {
            return Prose::only(format!(
                "{reset}; the RST's TTL of {rst} is not the {others} of the server's other packets: something between sent it"
            ))
            .hint(format!(
                "Look for the firewall, proxy or middlebox that resets: on this host and on the pod's node `iptables-save -c | grep -i 'tcp-reset'`; `nft list ruleset | grep -i reset`; the route is `ip route get {}`",
                story.address()
            ))
            .hint("See whether connection tracking forgot the connection, so that a rule for new ones met it: `conntrack -S`; `sysctl net.netfilter.nf_conntrack_tcp_timeout_established`");
        }
        Prose::only(reset)
            .hint(format!("See whether the webhook crashed or was restarted at that time: {}", story.show_pods()))
            .hint(format!("Read its log (that of a container that died with --previous): {}", story.show_logs()))
            .hint("If it runs on: look for a firewall, proxy or connection tracking timeout between that resets established connections (compare the RST's TTL with that of the server's other packets)")
    }
}
