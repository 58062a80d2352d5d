//! Whom a connection calls, as far as the cluster's objects say, and so which deadline its calls have.

use std::time::Duration;

use crate::cluster::{Asked, Cluster, WebhookId};
use crate::config::Config;
use crate::connection::Connection;
use crate::diagnosis::case::Case;
use crate::flow::key::Endpoint;
use crate::time::Elapsed;
use crate::tls::session::Session;

/// The webhooks that the connection may have been opened for: by its ClientHello and its server's address, else by the
/// address that an ICMP error quotes from before translation.
pub(crate) fn webhooks(connection: &Connection, cluster: &Cluster) -> Vec<WebhookId> {
    let asked = asked(connection);
    if asked == Asked::Unknown
        && let Some(quoted) = connection.unreachable.as_deref().and_then(|it| it.destination)
    {
        let found = cluster.find(quoted.socket(), asked);
        if !found.is_empty() {
            return found;
        }
    }
    cluster.find(connection.server().socket(), asked)
}

/// What the connection's ClientHello says; before it, what the client asks a proxy for.
pub(crate) fn asked(connection: &Connection) -> Asked<'_> {
    match connection.application.session.as_ref().and_then(Session::offered) {
        None => match connection.application.proxied() {
            Some(proxied) => Asked::Name(host(&proxied.target)),
            None => Asked::Unknown,
        },
        Some(offered) => match offered.server_name.as_deref() {
            Some(name) => Asked::Name(name),
            None if offered.is_cut => Asked::Unknown,
            None => Asked::NoName,
        },
    }
}

/// The host of `host:port`.
fn host(authority: &str) -> &str {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

/// How long a connection's calls may take: the longest `timeoutSeconds` of the webhooks that it may be of, else the
/// configured deadline.
pub(crate) fn deadline(connection: &Connection, config: &Config) -> Duration {
    longest(config, |cluster| webhooks(connection, cluster))
}

/// The same for a connection of which no more is known than its server.
pub(crate) fn deadline_at(server: Endpoint, config: &Config) -> Duration {
    longest(config, |cluster| cluster.find(server.socket(), Asked::Unknown))
}

fn longest(config: &Config, webhooks: impl Fn(&Cluster) -> Vec<WebhookId>) -> Duration {
    let of_webhooks = config.cluster.as_deref().and_then(|cluster| cluster.deadline(&webhooks(cluster)));
    of_webhooks.unwrap_or(config.deadline)
}

impl Case<'_> {
    /// How long its calls may take, as it was configured.
    pub(crate) fn deadline_of_calls(&self) -> Duration {
        deadline(self.connection, self.config)
    }

    /// How long its calls may take.
    pub(crate) fn deadline(&self) -> Elapsed {
        deadline(self.connection, self.config).into()
    }

    /// From when on an answered call is slow.
    pub(crate) fn slow(&self) -> Elapsed {
        let half = || Elapsed::from_nanos(self.deadline().as_nanos() / 2);
        self.config.slow.map_or_else(half, Elapsed::from)
    }

    /// Whether an answered call that took `total` was slow.
    pub(crate) fn is_slow(&self, total: Elapsed) -> bool {
        // Most calls are faster than half of any deadline: no need to ask whose it is.
        let shortest = |cluster: &Cluster| cluster.shortest_timeout().unwrap_or(Duration::MAX);
        let least =
            self.config.cluster.as_deref().map_or(Duration::MAX, shortest).min(self.config.deadline) / 2;
        let least = Elapsed::from(self.config.slow.unwrap_or(least));
        total > least && total > self.slow()
    }
}
