//! A RST in answer to the SYN.

use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Human, Prose, Story};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::side::Side;

#[derive(Debug)]
pub(super) struct ConnectionRefused;

const PAGE: Page = page!(Rst, Failure, "connection-refused");

impl Rule for ConnectionRefused {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let connection = case.connection;
        let opened = connection.opened?;
        let rst = connection.halves.server.rst_at()?;
        if rst.is_before(opened) || connection.syn_ack.is_some() || connection.established.is_some() {
            return None;
        }
        Some(
            Finding::failure(&Self, PAGE.code, Phase::Connect, rst)
                .by(Side::Server)
                .shown(opened, "SYN")
                .shown(rst, "RST in answer"),
        )
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let connection = story.case.connection;
        let after = match (connection.opened, connection.halves.server.rst_at()) {
            (Some(opened), Some(rst)) => format!(" after {}", Human(rst.since(opened))),
            _ => String::new(),
        };
        let (address, port) = (story.address(), story.port());
        let listens = |namespace: &str| {
            format!(
                "`kubectl -n {namespace} debug -it POD --image=nicolaka/netshoot -- ss -ltn 'sport = :{port}'`"
            )
        };
        let pod = match story.service() {
            Some(_) => {
                format!("Find the pod behind {address} and whether it is Ready: {}", story.find_pods())
            }
            None => story.find_unnamed(),
        };
        let listening = match story.service() {
            Some((service, namespace)) => format!(
                "Compare the Service's targetPort with the port the container listens on: `kubectl -n {namespace} get svc {service} -o yaml`; {}",
                listens(namespace)
            ),
            None => format!("See in the pod what listens, and on which address: {}", listens("NAMESPACE")),
        };
        Prose::only(format!("{} refused the connection with a RST{after}: nothing listens there, or a firewall rejects", story.server()))
            .hint(pod)
            .hint(listening)
            .hint(format!("If it listens, see on the pod's node whether a firewall answers for it: `iptables-save | grep -i 'tcp-reset'`; `nc -vz {address} {port}`"))
    }
}
