//! What servers are called: by the name in the connection's ClientHello, else by what other connections to the same
//! address and port say, else by the name that was last looked up for the address before the connection began. The
//! cluster's objects come after the ClientHello, if they know but one name and packets do not contradict.

use hashbrown::HashMap;

use crate::cluster::Cluster;
use crate::flow::key::Endpoint;
use crate::inspect::tally::ServerTally;
use crate::lookup::learned::Learned;

/// A server's name and where it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    pub(crate) text: &'a str,
    pub(crate) source: &'static str,
}

/// Names of servers that were seen with one.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    by_endpoint: HashMap<Endpoint, Box<str>, foldhash::fast::FixedState>,
    by_address: &'a Learned,
    cluster: Option<&'a Cluster>,
}

impl<'l> Names<'l> {
    /// Learns from connections that say a name: of several for one server, the one with most connections.
    pub(crate) fn learn(
        servers: &[&ServerTally],
        by_address: &'l Learned,
        cluster: Option<&'l Cluster>,
    ) -> Self {
        let mut best: HashMap<Endpoint, (u64, &str), foldhash::fast::FixedState> = HashMap::default();
        for server in servers {
            let Some(name) = server.name.as_deref() else { continue };
            let known = best.entry(server.server).or_insert((0, name));
            if (server.connections, known.1) > (known.0, name) {
                *known = (server.connections, name);
            }
        }
        let by_endpoint = best.into_iter().map(|(server, (_, name))| (server, name.into())).collect();
        Self { by_endpoint, by_address, cluster }
    }

    /// What `server` is called on a connection whose ClientHello says `sni` and that began at `position`.
    pub(crate) fn of<'a>(
        &'a self,
        server: Endpoint,
        sni: Option<&'a str>,
        position: u64,
    ) -> Option<Name<'a>> {
        let sni = sni.map(|text| Name { text, source: "sni" });
        let learned = || self.by_endpoint.get(&server).map(|text| Name { text, source: "learned" });
        let known = || {
            let text = self.cluster?.host(server.socket())?;
            // Objects are of another hour than packets: what a client said counts more.
            let is_contradicted = learned().is_some_and(|learned| !learned.text.eq_ignore_ascii_case(text));
            (!is_contradicted).then_some(Name { text, source: "cluster" })
        };
        let looked_up = || {
            let text = self.by_address.name(server.address.ip(), position)?;
            Some(Name { text, source: "dns" })
        };
        sni.or_else(known).or_else(learned).or_else(looked_up)
    }
}
