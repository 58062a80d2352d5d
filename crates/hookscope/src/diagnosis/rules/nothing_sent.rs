//! A failed call that only kube-apiserver's log knows: no connection shows it, so the log's reader asks for the finding.

use crate::diagnosis::catalogue::page;
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::packet::Moment;

#[derive(Debug)]
pub(super) struct NothingSent;

const PAGE: Page = page!(NotSent, Failure, "nothing-sent");

impl Rule for NothingSent {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }
}

/// The finding about a call that no packet shows.
pub(in crate::diagnosis) fn finding() -> Finding {
    Finding::failure(&NothingSent, PAGE.code, Phase::Connect, Moment::END).inferred()
}
