//! A connection that is over, with its verdict and those of its calls.

use crate::call::Call;
use crate::connection::Connection;
use crate::diagnosis::verdict::Finding;
use crate::flow::key::FlowKey;
use crate::time::Timestamp;

/// A finished connection and what was found.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// All that is known of it.
    pub(crate) connection: Connection,
    /// Its key on the other side of address translation.
    pub(crate) translated: Option<FlowKey>,
    /// The time up to which it was watched.
    pub(crate) now: Timestamp,
    /// Its verdict.
    pub(crate) verdict: Finding,
    /// Its calls in order, as far as they were kept.
    pub(crate) calls: Vec<JudgedCall>,
}

/// A connection and what was found of it, wherever that is kept.
#[derive(Clone, Debug)]
pub(crate) struct View<'a> {
    /// All that is known of it.
    pub(crate) connection: &'a Connection,
    /// The time up to which it was watched.
    pub(crate) now: Timestamp,
    /// Its verdict.
    pub(crate) verdict: &'a Finding,
    /// Its calls in order, as far as they were kept.
    pub(crate) calls: Vec<&'a JudgedCall>,
}

/// A call and what was found of it.
#[derive(Debug)]
pub(crate) struct JudgedCall {
    pub(crate) call: Call,
    /// What is wrong with it: nothing, with most.
    pub(crate) finding: Option<Box<Finding>>,
}

impl Outcome {
    /// The server's name as its ClientHello gives it.
    pub(crate) fn server_name(&self) -> Option<&str> {
        server_name(&self.connection)
    }

    /// It, to be written down.
    pub(crate) fn view(&self) -> View<'_> {
        let Self { connection, now, verdict, calls, .. } = self;
        View { connection, now: *now, verdict, calls: calls.iter().collect() }
    }
}

/// The server's name as the connection's ClientHello gives it.
pub(crate) fn server_name(connection: &Connection) -> Option<&str> {
    connection.application.session.as_ref()?.offered()?.server_name.as_deref()
}
