//! A connection that came about only after SYNs were lost.

use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Human, Prose, Story, count};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};

#[derive(Debug)]
pub(super) struct SynRetransmitted;

const PAGE: Page = page!(SynDrop, Warning, "syn-retransmitted");

impl Rule for SynRetransmitted {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let connection = case.connection;
        let (opened, last_syn) = (connection.opened?, connection.last_syn()?);
        let established = connection.established?;
        if connection.halves.client.syn < 2 || !last_syn.is_before(established) || case.is_one_sided() {
            return None;
        }
        let finding = Finding::warning(&Self, PAGE.code, Phase::Connect, last_syn)
            .shown(opened, "first SYN")
            .shown(last_syn, format!("SYN number {}", connection.halves.client.syn))
            .shown(connection.syn_ack, "SYN-ACK")
            .shown(established, "connected");
        Some(Finding { end: None, ..finding })
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let connection = story.case.connection;
        let lost = count(u64::from(connection.halves.client.syn).saturating_sub(1), "SYN");
        let took = match (connection.opened, connection.established) {
            (Some(opened), Some(established)) => Human(established.since(opened)).to_string(),
            _ => String::new(),
        };
        Prose::only(format!("Connecting to {} took {took}: {lost} had to be sent again", story.server()))
            .hint(format!("See on the server's node whether its accept queue overflows: `ss -ltn 'sport = :{}'`; `nstat -az TcpExtListenDrops TcpExtListenOverflows`", story.port()))
            .hint("See whether connection tracking is full or loses packets: `conntrack -S`; `dmesg | grep nf_conntrack`")
    }
}
