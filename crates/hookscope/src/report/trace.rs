//! Where the packets of a connection are, for those who want them themselves.

use crate::connection::Connection;
use crate::flow::key::FlowKey;
use crate::inspect::Inspection;
use crate::packet::Moment;

/// Where the packets of a connection are.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Trace {
    /// The connection's id.
    pub id: u64,
    /// The key of its packets; two, where address translation shows it under two.
    pub keys: Vec<FlowKey>,
    /// Its first packet.
    pub first: Moment,
    /// Its last packet.
    pub last: Moment,
}

impl Trace {
    pub(crate) fn of(connection: &Connection, translated: Option<&FlowKey>) -> Self {
        let keys = [Some(&connection.key), translated].into_iter().flatten().copied().collect();
        Self { id: connection.id, keys, first: connection.first, last: connection.last }
    }
}

impl Inspection {
    /// Where the packets of the connections are that were [kept](crate::Keep), in order of their ids.
    pub fn traces(&self) -> impl Iterator<Item = Trace> {
        self.outcomes.iter().map(|outcome| Trace::of(&outcome.connection, outcome.translated.as_ref()))
    }
}
