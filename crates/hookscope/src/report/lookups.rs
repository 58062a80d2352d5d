//! Lookups and their verdicts -> the schema's types; failures by name and code for those who read text.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::diagnosis::message::facts::Facts;
use crate::diagnosis::message::predict;
use crate::diagnosis::verdict::Severity;
use crate::inspect::lookups::JudgedLookup;
use crate::lookup::Fate;
use crate::report::build::{Builder, seconds};
use crate::report::schema;
use crate::report::whom::of_lookup;

/// How many ids of a group are named.
const IDS: usize = 8;

impl Builder<'_> {
    /// The lookups that were kept and pass the filter, by their first queries.
    pub(crate) fn lookups(&self) -> Vec<schema::Lookup> {
        self.passing_lookups().map(|judged| self.lookup(judged)).collect()
    }

    /// Failed lookups by name and code, the most frequent first.
    pub(crate) fn lookup_groups(&self) -> Vec<schema::Group> {
        let mut groups: BTreeMap<_, Vec<&JudgedLookup>> = BTreeMap::new();
        for judged in self.passing_lookups().filter(|judged| judged.verdict.severity != Severity::Ok) {
            groups.entry((&judged.lookup.question.name, judged.verdict.code)).or_default().push(judged);
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort_by_key(|group| (Reverse(group.len()), group.first().map(|judged| judged.lookup.id)));
        groups.iter().filter_map(|group| self.lookup_group(group)).collect()
    }

    fn lookup_group(&self, group: &[&JudgedLookup]) -> Option<schema::Group> {
        let (first, last) = (group.first()?, group.last()?);
        let asked = |judged: &JudgedLookup| Some(judged.lookup.first()?.asked.time.to_string());
        let count = group.len() as u64;
        let of = self.found.lookups.asked.get(first.lookup.question.name.as_str()).copied();
        Some(schema::Group {
            server: first.server()?.to_string(),
            server_name: None,
            cluster: of_lookup(self.cluster(), &first.lookup.question.name),
            count,
            of: of.unwrap_or(count).max(count),
            first: asked(first)?,
            last: asked(last)?,
            ids: group.iter().take(IDS).map(|judged| judged.lookup.id).collect(),
            example: schema::Example::Lookup(Box::new(self.lookup(first))),
        })
    }

    fn passing_lookups(&self) -> impl Iterator<Item = &JudgedLookup> {
        self.found.lookups.kept.iter().filter(|judged| judged.passes(self.found.config))
    }

    pub(crate) fn lookup(&self, judged: &JudgedLookup) -> schema::Lookup {
        let JudgedLookup { lookup, now, verdict } = judged;
        let answered = match lookup.fate(*now) {
            Fate::Answered(_, answer) | Fate::Failed(_, answer) => Some(answer.at),
            Fate::Silent(_) | Fate::Waiting => None,
        };
        let prose = verdict.rule.describe_lookup(lookup, *now);
        let begin = lookup.first().map_or(*now, |first| first.asked.time);
        let deadline = self.found.config.deadline.into();
        let failed = verdict.severity == Severity::Failure;
        let error = failed.then(|| predict(&Facts::of_lookup(lookup, verdict, *now, deadline))).flatten();
        schema::Lookup {
            client: lookup.client.ip().to_string(),
            server: judged.server().map(|server| server.to_string()).unwrap_or_default(),
            name: lookup.question.name.clone(),
            cluster: of_lookup(self.cluster(), &lookup.question.name),
            kind: lookup.question.record_type.to_string(),
            attempts: lookup.count,
            seconds: answered.zip(lookup.first()).map(|(at, first)| seconds(at.since(first.asked))),
            verdict: schema::Verdict {
                apiserver_error: error,
                ..self.uncertain(verdict, begin, *now, self.finding(verdict, prose, deadline))
            },
        }
    }
}
