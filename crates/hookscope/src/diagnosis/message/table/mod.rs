//! The table of messages, the more exact ones before those that are a part of them.

mod connect;
mod deadline;
mod http;
mod local;
mod tls;
mod x509;

use super::{Giver, Look, Wording, by};

/// All wordings in the order in which they are tried.
pub(super) fn all() -> Vec<&'static Wording> {
    [http::ANSWERED, http::BODY, local::WORDINGS, connect::NAMES, x509::WORDINGS, tls::WORDINGS]
        .into_iter()
        .chain([connect::DIAL, http::STATUS, connect::RESET, deadline::WORDINGS, connect::CLOSED])
        .flatten()
        .collect()
}
