//! A failed call that only kube-apiserver's log knows: no connection shows it.

use crate::diagnosis::catalogue::page;
use crate::diagnosis::{Page, Rule};

#[derive(Debug)]
pub(super) struct NothingSent;

const PAGE: Page = page!(NotSent, Failure, "nothing-sent");

impl Rule for NothingSent {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }
}
