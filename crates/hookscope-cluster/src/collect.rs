//! Objects one by one -> those that matter, and what is wrong with those that cannot be understood.

use std::collections::HashMap;
use std::hash::Hash;

use hookscope::cluster::{ObjectName, Objects};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{At, Problem, Reading, json, kinds};

/// An object as it was read.
pub(crate) enum Source<'a> {
    /// JSON text.
    Json(&'a str),
    /// What YAML said.
    Value(&'a Value),
}

/// Where an object stands.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) file: &'a str,
    pub(crate) document: usize,
    pub(crate) line: usize,
}

/// What an object calls itself.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Head {
    pub(crate) api_version: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) metadata: Option<Metadata>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) labels: Option<HashMap<String, Option<String>>>,
}

impl Metadata {
    /// Its name and namespace; objects without one are in `default`, as `kubectl apply` has it.
    pub(crate) fn object_name(&self) -> ObjectName {
        let namespace = self.namespace.as_deref().filter(|namespace| !namespace.is_empty());
        ObjectName::new(namespace.unwrap_or("default"), self.name.as_deref().unwrap_or_default())
    }
}

impl Source<'_> {
    fn is_object(&self) -> bool {
        match self {
            Source::Json(text) => text.starts_with('{'),
            Source::Value(value) => value.is_object(),
        }
    }

    /// Reads it as a `T`.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        match self {
            Source::Json(text) => {
                let mut reader = serde_json::Deserializer::from_str(text);
                serde_path_to_error::deserialize(&mut reader).map_err(|error| told(&error))
            }
            Source::Value(value) => serde_path_to_error::deserialize(*value).map_err(|error| told(&error)),
        }
    }
}

/// Where in the object, and what.
fn told(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let reason = json::reason(error.inner());
    match error.path().to_string().as_str() {
        "." => reason,
        path => format!("{path}: {reason}"),
    }
}

/// What was collected so far.
#[derive(Debug, Default)]
pub(crate) struct Collection {
    reading: Reading,
}

impl Collection {
    /// That many problems are kept one by one.
    const PROBLEMS: usize = 100;

    /// Takes an object; `kind` is what it is where it does not say.
    pub(crate) fn take(&mut self, at: Place<'_>, source: &Source<'_>, kind: Option<&str>) {
        if !source.is_object() {
            return self.problem(at, || ("something".to_owned(), "it is no object".to_owned()));
        }
        let head = match source.read::<Head>() {
            Ok(head) => head,
            Err(reason) => return self.problem(at, || ("an object".to_owned(), reason)),
        };
        let Some(own) = head.kind.as_deref().or(kind) else {
            let missing = "it has no kind; expected objects as kubectl prints them";
            return self.problem(at, || (called("an object", head.metadata.as_ref()), missing.to_owned()));
        };
        // The objects of a typed list leave out the version as well as the kind.
        let version = head.api_version.as_deref();
        match kinds::read(version, own, source, &mut self.reading.objects) {
            Ok(true) => {}
            Ok(false) => self.reading.ignored += 1,
            Err(reason) => self.problem(at, || (called(own, head.metadata.as_ref()), reason)),
        }
    }

    fn problem(&mut self, at: Place<'_>, told: impl FnOnce() -> (String, String)) {
        if self.reading.problems.len() < Self::PROBLEMS {
            let (object, reason) = told();
            let at = At { file: at.file.to_owned(), document: at.document, line: at.line };
            self.reading.problems.push(Problem { at, object, reason });
        } else {
            self.reading.more_problems += 1;
        }
    }

    pub(crate) fn finish(mut self) -> Reading {
        let Objects { webhooks, services, endpoints, pods, nodes, namespaces } = &mut self.reading.objects;
        last_of_each(webhooks, |it| (it.kind, it.configuration.clone(), it.name.clone()));
        last_of_each(services, |it| it.name.clone());
        last_of_each(pods, |it| it.name.clone());
        last_of_each(nodes, |it| it.name.clone());
        last_of_each(namespaces, |it| it.name.clone());
        last_of_each(endpoints, |it| (it.service.clone(), it.name.clone()));
        self.reading
    }
}

/// `Service a/hook`.
fn called(kind: &str, metadata: Option<&Metadata>) -> String {
    let (namespace, name) = metadata.map_or((None, None), |it| (it.namespace.as_deref(), it.name.as_deref()));
    match (namespace, name) {
        (Some(namespace), Some(name)) => format!("{kind} {namespace}/{name}"),
        (None, Some(name)) => format!("{kind} {name}"),
        _ => format!("{kind} without a name"),
    }
}

/// Of several objects of one name the last counts: it was read later, or given later.
fn last_of_each<T, K: Eq + Hash>(objects: &mut Vec<T>, key: impl Fn(&T) -> K) {
    let last: HashMap<K, usize> = objects.iter().enumerate().map(|(at, object)| (key(object), at)).collect();
    let mut at = 0;
    objects.retain(|object| {
        at += 1;
        last.get(&key(object)) == Some(&(at - 1))
    });
}
