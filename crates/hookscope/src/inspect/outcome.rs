//! A connection that is over, with its verdict and those of its calls.

use crate::call::Call;
use crate::connection::Connection;
use crate::diagnosis::verdict::{Finding, Severity};
use crate::time::Timestamp;
use crate::tls::certificate::CertificateList;

/// A finished connection and what was found.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// All that is known of it.
    pub(crate) connection: Connection,
    /// The time up to which it was watched.
    pub(crate) now: Timestamp,
    /// Its verdict.
    pub(crate) verdict: Finding,
    /// Its calls in order, as far as they were kept.
    pub(crate) calls: Vec<JudgedCall>,
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

    /// The certificates that the server presented.
    pub(crate) fn certificates(&mut self) -> Option<&mut CertificateList> {
        self.connection.application.session.as_mut()?.certificates.as_mut()
    }

    /// How bad it is.
    pub(crate) const fn severity(&self) -> Severity {
        self.verdict.severity
    }
}

/// The server's name as the connection's ClientHello gives it.
pub(crate) fn server_name(connection: &Connection) -> Option<&str> {
    connection.application.session.as_ref()?.offered()?.server_name.as_deref()
}
