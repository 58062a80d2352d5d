//! A failed call in the log -> what it says of its connection: whom it called, from which port, how long it waited.

use std::net::{IpAddr, SocketAddr};

use crate::diagnosis::message::Said;
use crate::log::LoggedCall;
use crate::report::log::events::Event;
use crate::time::{Elapsed, Timestamp};

/// A failed call of the log, as far as it can be held against packets.
pub(super) struct Line<'a> {
    pub(super) call: &'a LoggedCall,
    pub(super) said: Said,
    /// When it was written, once that is settled.
    pub(super) time: Option<Timestamp>,
    /// Host and port that were called: of its URL, or what other lines and the cluster say of its webhook.
    pub(super) host: Option<(String, u16)>,
    /// How long it waited before it failed, if that is why it failed.
    pub(super) wait: Option<Elapsed>,
    /// The client's socket, where the error names it.
    pub(super) client: Option<SocketAddr>,
    /// Whether the cluster's objects have its webhook.
    pub(super) is_in_cluster: bool,
    /// The server's address before translation, where the error names it.
    server: Option<SocketAddr>,
}

/// How well an event fits whom a line speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// Nothing says that it does not.
    Possible,
    /// By name or address.
    Certain,
}

impl<'a> Line<'a> {
    pub(super) fn new(call: &'a LoggedCall, default_wait: Elapsed) -> Self {
        let quote = &call.quote;
        let said = Said::read(&quote.error);
        let timeout = quote.timeout().map(|seconds| Elapsed::from_millis(i64::from(seconds) * 1000));
        let (client, server) = sockets(&quote.error);
        Self {
            call,
            said,
            time: None,
            host: quote.host().map(|(host, port)| (host.to_ascii_lowercase(), port)),
            wait: said.waited(timeout.unwrap_or(default_wait)),
            client,
            is_in_cluster: false,
            server,
        }
    }

    /// Whether a verdict accounts for the error.
    pub(super) fn agrees(&self, event: &Event<'_>) -> bool {
        self.said.is_given_by(event.code, event.cause)
    }

    /// Whether an event may be the call that the line speaks of, by whom it called.
    pub(super) fn fit(&self, event: &Event<'_>) -> Option<Fit> {
        let by_objects = self.fit_by_objects(event);
        if let Some(asked) = event.asked {
            // A name that was sent says more than objects, which may be of another hour.
            let Some((host, _)) = &self.host else { return by_objects.unwrap_or(Some(Fit::Possible)) };
            let is_same = asked.trim_end_matches('.').eq_ignore_ascii_case(host);
            let elsewhere = by_objects == Some(None);
            return is_same.then_some(if elsewhere { Fit::Possible } else { Fit::Certain });
        }
        let named = self.server.is_some_and(|server| event.servers.contains(&server));
        if named || self.called_address().is_some_and(|called| event.servers.contains(&called)) {
            return Some(Fit::Certain);
        }
        if let Some(fit) = by_objects {
            return fit;
        }
        match (&event.known_as, &self.host) {
            (Some(name), Some((host, _))) => name.eq_ignore_ascii_case(host).then_some(Fit::Certain),
            _ => Some(Fit::Possible),
        }
    }

    /// By the webhooks that the cluster's objects know behind the event's server; nothing where they do not know them.
    fn fit_by_objects(&self, event: &Event<'_>) -> Option<Option<Fit>> {
        let webhook = self.call.quote.webhook.as_deref().filter(|_| self.is_in_cluster)?;
        let is_known = !event.webhooks.is_empty();
        is_known.then(|| event.webhooks.contains(&webhook).then_some(Fit::Certain))
    }

    /// Whether the port that was called is the event's: mostly not, as a Service has ports of its own.
    pub(super) fn is_on_port(&self, event: &Event<'_>) -> bool {
        let port =
            self.host.as_ref().map(|(_, port)| *port).or_else(|| self.server.map(|server| server.port()));
        port.is_some_and(|port| event.servers.iter().any(|server| server.port() == port))
    }

    /// The address that was called, if the URL has one for its host.
    fn called_address(&self) -> Option<SocketAddr> {
        let (host, port) = self.host.as_ref()?;
        Some(SocketAddr::new(host.parse::<IpAddr>().ok()?, *port))
    }
}

/// The sockets that an error names: `read tcp CLIENT->SERVER: …`, `dial tcp SERVER: …`.
fn sockets(error: &str) -> (Option<SocketAddr>, Option<SocketAddr>) {
    for word in error.split(' ') {
        let word = word.trim_end_matches([':', ',']);
        if let Some((client, server)) = word.split_once("->") {
            return (client.parse().ok(), server.parse().ok());
        }
    }
    let dialled = error.split_once("dial tcp ").and_then(|(_, rest)| rest.split(' ').next());
    (None, dialled.and_then(|word| word.trim_end_matches(':').parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_sockets() {
        let socket = |text: &str| Some(text.parse().unwrap());
        assert_eq!(
            sockets("read tcp 10.0.0.10:53004->10.96.0.21:9472: read: connection reset by peer"),
            (socket("10.0.0.10:53004"), socket("10.96.0.21:9472"))
        );
        assert_eq!(
            sockets(
                "unexpected error when reading response body. Please retry. Original error: read tcp [fd00::1]:5->[fd00::2]:6: read: x"
            ),
            (socket("[fd00::1]:5"), socket("[fd00::2]:6"))
        );
        assert_eq!(
            sockets("dial tcp 10.96.0.20:9999: connect: connection refused"),
            (None, socket("10.96.0.20:9999"))
        );
        assert_eq!(sockets("dial tcp: lookup x on 10.0.0.1:53: no such host"), (None, None));
        assert_eq!(sockets("EOF -> ->"), (None, None));
    }
}
