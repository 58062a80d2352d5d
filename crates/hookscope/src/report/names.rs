//! What servers are called: by the name in their ClientHello, or by what other connections to them say.

use hashbrown::HashMap;

use crate::flow::key::Endpoint;
use crate::inspect::tally::ServerTally;

/// A server's name and where it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    pub(crate) text: &'a str,
    pub(crate) source: &'static str,
}

/// Names of servers that were seen with one.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<Endpoint, Box<str>, foldhash::fast::FixedState>);

impl Names {
    /// Learns from connections that say a name: of several for one server, the one with most connections.
    pub(crate) fn learn(servers: &[ServerTally]) -> Self {
        let mut best: HashMap<Endpoint, (u64, &str), foldhash::fast::FixedState> = HashMap::default();
        for server in servers {
            let Some(name) = server.name.as_deref() else { continue };
            let known = best.entry(server.server).or_insert((0, name));
            if (server.connections, known.1) > (known.0, name) {
                *known = (server.connections, name);
            }
        }
        Self(best.into_iter().map(|(server, (_, name))| (server, name.into())).collect())
    }

    /// What `server` is called on a connection whose ClientHello says `sni`.
    pub(crate) fn of<'a>(&'a self, server: Endpoint, sni: Option<&'a str>) -> Option<Name<'a>> {
        match sni {
            Some(text) => Some(Name { text, source: "sni" }),
            None => self.0.get(&server).map(|text| Name { text, source: "learned" }),
        }
    }
}
