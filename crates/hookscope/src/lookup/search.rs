//! Two lookups of a client -> whether the one explains the other's error: as a candidate of a search list, or by type.
//!
//! A resolver tries a name with each suffix of `search` in resolv.conf, and as it stands: first or last, by `ndots`.
//! So one candidate is the other with labels added behind it; or, where both bear a suffix and the suffixes are
//! nested as those that the kubelet writes (`default.svc.cluster.local`, `svc.cluster.local`, `cluster.local`), the
//! later one is the earlier one without some labels in its middle. Candidates with unrelated suffixes are recognised
//! only when the bare name was asked for as well. If all fail, the bare name is the one to report. Resolvers ask for
//! both types of address, and are content with one.

use super::{Excuse, Lookup};
use crate::wire::dns::ResponseCode;

/// How a lookup stands to others of its client.
enum Standing {
    Open,
    /// It has addresses.
    Resolved,
    /// An error came back, at this position of the capture.
    Failed(u64),
}

impl Lookup {
    fn standing(&self) -> Standing {
        match self.decisive() {
            Some((_, answer)) if answer.code != ResponseCode::NO_ERROR => Standing::Failed(answer.position),
            Some(_) if !self.addresses.is_empty() => Standing::Resolved,
            _ => Standing::Open,
        }
    }

    /// Why an error in answer to this is no failure, given what became of `other`.
    pub(super) fn excused_by(&self, other: &Self) -> Option<Excuse> {
        let (ours, theirs) = (&self.question.name, &other.question.name);
        let Standing::Failed(position) = self.standing() else { return None };
        match other.standing() {
            Standing::Resolved if ours == theirs || position < other.id && follows(theirs, ours) => {
                Some(Excuse::Resolved(theirs.as_str().into()))
            }
            Standing::Failed(_) if extends(ours, theirs) => {
                Some(Excuse::CandidateFor(theirs.as_str().into()))
            }
            _ => None,
        }
    }
}

/// Whether `name` is `bare` with labels added behind it.
fn extends(name: &str, bare: &str) -> bool {
    name.strip_prefix(bare).is_some_and(|rest| rest.starts_with('.'))
}

/// Whether `later` can be the next candidate after `earlier` failed.
fn follows(later: &str, earlier: &str) -> bool {
    extends(later, earlier) || extends(earlier, later) || lacks_middle(later, earlier)
}

/// The first label: candidates share it.
pub(super) fn first_label(name: &str) -> &str {
    name.split_once('.').map_or(name, |(first, _)| first)
}

/// Whether `short` is `long` without some labels in its middle.
fn lacks_middle(short: &str, long: &str) -> bool {
    let same = |a: &mut dyn Iterator<Item = &str>, b: &mut dyn Iterator<Item = &str>| {
        a.zip(b).take_while(|(a, b)| a == b).count()
    };
    let labels = short.split('.').count();
    let front = same(&mut short.split('.'), &mut long.split('.'));
    let back = same(&mut short.rsplit('.'), &mut long.rsplit('.'));
    labels < long.split('.').count() && front > 0 && back > 0 && front + back >= labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_of_a_search_list_are_recognised() {
        for (later, earlier) in [
            ("hook.example.org", "hook.example.org.lab.example"),
            ("hook.example.org.lab.example", "hook.example.org"),
            ("hook.ns.svc.cluster.local", "hook.ns.svc.default.svc.cluster.local"),
            ("hook.ns.svc.cluster.local", "hook.ns.svc.svc.cluster.local"),
            ("hook.svc.cluster.local", "hook.default.svc.cluster.local"),
        ] {
            assert!(follows(later, earlier), "{later} after {earlier}");
        }
    }

    #[test]
    fn other_names_are_none() {
        for (later, earlier) in [
            ("hook.two.svc", "hook.one.svc"),
            ("hook.example.org", "hook.example.org"),
            ("hook.example.org", "hook.example.organic"),
            ("b.example.org", "a.example.org"),
            ("hook.default.svc.cluster.local", "hook.svc.cluster.local"),
        ] {
            assert!(!follows(later, earlier), "{later} after {earlier}");
        }
    }

    #[test]
    fn the_root_and_single_labels_have_a_first_label() {
        assert_eq!((first_label("."), first_label("hook"), first_label("hook.ns")), ("", "hook", "hook"));
    }
}
