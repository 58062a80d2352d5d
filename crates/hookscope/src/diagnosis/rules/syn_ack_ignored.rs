//! SYN-ACKs that arrive, and that the client never acknowledges.

use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Prose, Story, count};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};

#[derive(Debug)]
pub(super) struct SynAckIgnored;

const PAGE: Page = page!(SynDrop, Failure, "syn-ack-ignored");

impl Rule for SynAckIgnored {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let connection = case.connection;
        let (opened, last_syn) = (connection.opened?, connection.last_syn()?);
        let (syn_ack, last_syn_ack) = (connection.syn_ack?, connection.last_syn_ack()?);
        let repeated = connection.halves.server.syn_ack >= 2 || syn_ack.is_before(last_syn);
        let reset =
            connection.halves.client.rst_at().is_some() || connection.halves.server.rst_at().is_some();
        if connection.established.is_some() || reset || !repeated {
            return None;
        }
        let finding = Finding::failure(&Self, PAGE.code, Phase::Connect, last_syn_ack)
            .shown(opened, "first SYN")
            .shown(syn_ack, "SYN-ACK arrives")
            .shown((opened != last_syn).then_some(last_syn), "SYN sent again all the same")
            .shown((syn_ack != last_syn_ack).then_some(last_syn_ack), "SYN-ACK again, never acknowledged");
        Some(Finding { end: None, ..finding })
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let halves = &story.case.connection.halves;
        Prose::only(format!(
            "{} answered, but this host ignored it: {} arrived, the client sent {} and acknowledged none",
            story.server(),
            count(halves.server.syn_ack.into(), "SYN-ACK"),
            count(halves.client.syn.into(), "SYN"),
        ))
        .hint("Look for what drops incoming packets on this host: `iptables-save -c | grep -iE 'drop|reject'`; `nft list ruleset`")
        .hint(format!(
            "Check the reverse path filter and the route back: `sysctl net.ipv4.conf.all.rp_filter`; `ip route get {}`",
            story.address()
        ))
        .hint("Look for packets that connection tracking calls invalid: `conntrack -S`; `sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max`")
    }
}
