//! Rejected certificates -> what the cluster's objects prove of them, each question asked but once.
//!
//! A server that is misconfigured rejects all calls in the same way, thousands of them. An answer holds for every
//! moment between two dates at which one of its certificates begins or ends to be valid.

use std::cell::RefCell;
use std::rc::Rc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::cluster::{Cluster, WebhookId};
use crate::diagnosis::case::Case;
use crate::diagnosis::proof::{Proof, rejected};
use crate::diagnosis::whom::webhooks;
use crate::inspect::outcome::{View, server_name};
use crate::inspect::tally::ServerTally;
use crate::time::Timestamp;
use crate::tls::certificate::CertificateList;
use crate::trust::{Identity, identify};

/// What was presented to whom.
type Question = (Option<CertificateList>, Vec<WebhookId>, Option<Box<str>>, u16);

/// From when, until when, what.
type Answer = (Timestamp, Timestamp, Option<Rc<Proof>>);

/// Answers so far.
#[derive(Debug, Default)]
pub(crate) struct Proofs {
    answers: RefCell<HashMap<Question, Vec<Answer>, FixedState>>,
    /// What servers of a name and port presented in the clear: all pods behind a Service present one certificate.
    presented: HashMap<(Box<str>, u16), Vec<CertificateList>, FixedState>,
}

impl Proofs {
    /// Questions that are answered: a server that presents another chain each time is not worth the time.
    const MAX: usize = 4096;

    /// Learns what servers presented.
    pub(crate) fn learn(servers: &[&ServerTally]) -> Self {
        let mut presented: HashMap<_, Vec<_>, _> = HashMap::default();
        for server in servers.iter().filter(|server| !server.certificates.is_empty()) {
            let Some(name) = &server.name else { continue };
            presented
                .entry((name.clone(), server.server.port))
                .or_default()
                .extend(server.certificates.iter().cloned());
        }
        presented.values_mut().for_each(|lists| lists.sort_unstable());
        Self { answers: RefCell::default(), presented }
    }

    /// What is known of the certificate of a connection that was rejected for it.
    pub(crate) fn of(&self, view: &View<'_>, case: &Case<'_>, cluster: &Cluster) -> Option<Rc<Proof>> {
        let at = rejected(case, view.verdict)?;
        let list = view.connection.application.session.as_ref()?.certificates.as_ref();
        let name = server_name(view.connection);
        let called = webhooks(view.connection, cluster);
        let question = (list.cloned(), called.clone(), name.map(Into::into), view.connection.server().port);
        let mut answers = self.answers.borrow_mut();
        if answers.len() >= Self::MAX && !answers.contains_key(&question) {
            return None;
        }
        let known = answers.entry(question).or_insert_with_key(|_| Vec::new());
        if let Some((.., proof)) = known.iter().find(|(from, until, _)| (*from..*until).contains(&at)) {
            return proof.clone();
        }
        let here = name.map(|name| (name.into(), view.connection.server().port));
        let elsewhere = here.and_then(|here| self.presented.get(&here)).map_or(&[][..], Vec::as_slice);
        let proof = Proof::new(cluster, &called, list, elsewhere, at).map(Rc::new);
        let (from, until) = window(proof.as_deref(), elsewhere, at);
        known.push((from, until, proof.clone()));
        proof
    }
}

/// The time around `at` in which no certificate begins or ends to be valid.
fn window(proof: Option<&Proof>, elsewhere: &[CertificateList], at: Timestamp) -> (Timestamp, Timestamp) {
    let (mut from, mut until) = (Timestamp::MIN, Timestamp::from_nanos(i64::MAX));
    let mut date = |date: Timestamp| {
        if date <= at {
            from = from.max(date);
        } else {
            until = until.min(date);
        }
    };
    let mut dates = |identity: &Identity| {
        date(identity.not_before);
        // Valid up to and with that moment.
        date(Timestamp::from_nanos(identity.not_after.as_nanos().saturating_add(1)));
    };
    if let Some(proof) = proof {
        proof.presented.iter().for_each(&mut dates);
        proof.views.iter().flat_map(|view| &view.trusted).for_each(&mut dates);
    }
    elsewhere.iter().flat_map(CertificateList::iter).filter_map(identify).for_each(|it| dates(&it));
    (from, until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::proof::tests::{cluster, list};
    use crate::trust::tests::now;

    #[test]
    fn an_answer_holds_between_the_dates_of_the_certificates() {
        let (cluster, ids) = cluster(&["ca"]);
        let proof = Proof::new(&cluster, &ids, Some(&list(&["leaf"])), &[], now());
        let (from, until) = window(proof.as_ref(), &[], now());
        assert_eq!(from.to_string(), "2025-01-01T00:00:00.000000000Z");
        assert_eq!(until.to_string(), "2035-01-01T00:00:00.000000001Z");
        // One that expired in 2024, on another connection.
        let elsewhere = [list(&["leaf-old"]), list(&["leaf-young"])];
        let (from, until) = window(None, &elsewhere, now());
        assert_eq!(from.to_string(), "2024-01-01T00:00:00.000000001Z");
        assert_eq!(until.to_string(), "2030-01-01T00:00:00.000000000Z");
    }
}
