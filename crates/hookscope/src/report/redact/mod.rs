//! Takes names and addresses out of reports, so that they can be shown to others.
//!
//! It works on the schema's types, between [`Inspection::report`](crate::Inspection::report) and whoever writes it:
//! every writer writes what is left. Addresses become others of the same kind, names `name-…`; the same ones become
//! the same, under one key in any number of reports. Codes, ports, times, sizes and counts stay.
//!
//! A field that is added to the schema has to be added here, which the compiler asks for: every struct is taken apart
//! field by field.

mod fields;
mod number;
mod pseudonym;
mod text;

use std::path::Path;

use crate::cluster::Cluster;
use crate::flow::key::{Endpoint, FlowKey};
use crate::report::community;
use crate::report::schema::{Connection, Example, Group, Lookup, Report};
use fields::{Field, connection, group, lookup, report};
use pseudonym::Key;
use text::Scrubber;

/// What is at the end of a file's name and may stay.
const ENDINGS: [&str; 12] =
    ["pcap", "pcapng", "cap", "dmp", "gz", "zst", "lz4", "log", "json", "yaml", "yml", "txt"];
/// Protocols that everybody speaks.
const PROTOCOLS: [&str; 3] = ["http/1.1", "h2", "http/1.0"];

/// Replaces names and addresses in reports by pseudonyms.
#[derive(Debug)]
pub struct Redactor(Scrubber);

impl Redactor {
    /// With a key that nobody knows: pseudonyms say nothing beyond this redactor's reports.
    pub fn new() -> Self {
        Self(Scrubber::new(Key::drawn()))
    }

    /// With a secret of the user's: equal names and addresses are equal in all reports that are made with it. Who knows
    /// it can find out what a pseudonym stands for by trying all addresses.
    pub fn with_secret(secret: &str) -> Self {
        Self(Scrubber::new(Key::of(secret)))
    }

    /// Names of the cluster's objects, of which reports may speak.
    pub fn know(&mut self, cluster: &Cluster) {
        let objects = cluster.objects();
        let named = objects.services.iter().map(|service| &service.name);
        let named = named.chain(objects.pods.iter().map(|pod| &pod.name));
        named.for_each(|object| {
            [&object.namespace, &object.name].into_iter().for_each(|name| self.0.know(name))
        });
        objects.nodes.iter().for_each(|node| self.0.know(&node.name));
        objects.namespaces.iter().for_each(|namespace| self.0.know(&namespace.name));
        for webhook in &objects.webhooks {
            [&webhook.name, &webhook.configuration].into_iter().for_each(|name| self.0.know(name));
            webhook.host().into_iter().for_each(|host| self.0.know(&host));
        }
    }

    /// A whole report. Its names are known until the next report or event, for its groups and what is said about it.
    pub fn report(&mut self, all: &mut Report) {
        self.0.forget();
        let mut files = all.capture.files.clone();
        files.extend(all.log.iter().filter_map(|line| line.file.clone()));
        report(all, &mut |field, text| self.learn(field, text));
        self.0.forget_phrases();
        for name in files {
            let replacement = self.file(&name);
            self.0.know_phrase(&name, &replacement);
        }
        let scrub = &*self;
        all.capture.warnings.iter_mut().for_each(|warning| *warning = scrub.0.text(warning));
        self.0.forget_phrases();
        for one in &mut all.connections {
            self.redact(one);
        }
        let taken = std::mem::take(&mut all.connections);
        let warnings = std::mem::take(&mut all.capture.warnings);
        report(all, &mut |field, text| self.replace(field, text));
        (all.connections, all.capture.warnings) = (taken, warnings);
    }

    /// The groups of a report.
    pub fn groups(&mut self, groups: &mut [Group]) {
        for one in groups {
            group(one, &mut |field, text| self.learn(field, text));
            self.0.forget_phrases();
            if let Example::Connection { connection, .. } = &mut one.example {
                self.identities(connection);
            }
            group(one, &mut |field, text| self.replace(field, text));
            if let Example::Connection { connection, .. } = &mut one.example {
                identify(connection);
            }
        }
        self.0.forget_phrases();
    }

    /// One connection, as [`Notice`](crate::report::Notice) has it.
    pub fn connection(&mut self, one: &mut Connection) {
        self.redact(one);
        self.0.forget();
    }

    fn redact(&mut self, one: &mut Connection) {
        connection(one, &mut |field, text| self.learn(field, text));
        self.identities(one);
        connection(one, &mut |field, text| self.replace(field, text));
        identify(one);
        self.0.forget_phrases();
    }

    /// One lookup.
    pub fn lookup(&mut self, one: &mut Lookup) {
        lookup(one, &mut |field, text| self.learn(field, text));
        lookup(one, &mut |field, text| self.replace(field, text));
        self.0.forget();
    }

    /// Anything that this program says, such as a warning on standard error.
    pub fn text(&self, text: &str) -> String {
        self.0.text(text)
    }

    /// Whom the connection's certificates name: their names consist of anything, and go as a whole.
    fn identities(&mut self, one: &mut Connection) {
        let mut phrases = Vec::new();
        connection(one, &mut |field, text| {
            if field == Field::Identity {
                phrases.push(text.clone());
            }
        });
        for phrase in phrases {
            let replacement = self.identity(&phrase);
            self.0.know_phrase(&phrase, &replacement);
        }
    }

    fn learn(&mut self, field: Field, text: &str) {
        match field {
            Field::Name | Field::Object => self.0.learn(text),
            // Behind it is the timeout, a number.
            Field::Url => self.0.learn(text.split_once('?').map_or(text, |(url, _)| url)),
            Field::Identity => {
                for (_, value) in attributes(text) {
                    self.0.learn(value);
                }
            }
            Field::Address | Field::Text | Field::File | Field::KeyId | Field::Protocol => {}
        }
    }

    fn replace(&self, field: Field, text: &mut String) {
        *text = match field {
            Field::Address => self.0.address(text),
            Field::Name => self.0.name(text),
            Field::Object => {
                let parts: Vec<String> = text.split('/').map(|part| self.0.name(part)).collect();
                parts.join("/")
            }
            Field::Url => self.url(text),
            Field::Identity => self.identity(text),
            Field::Text => self.0.text(text),
            Field::File => self.file(text),
            Field::KeyId => self.0.key().name(text),
            Field::Protocol if PROTOCOLS.contains(&text.as_str()) => return,
            Field::Protocol => self.0.name(text),
        };
    }

    /// `https://name-…:443/name-…?timeout=10s`: of what is behind the host, only the timeout stays.
    fn url(&self, url: &str) -> String {
        let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut out = String::new();
        if ["http", "https"].contains(&scheme) {
            out.push_str(scheme);
            out.push_str("://");
        }
        let is_socket = authority.parse::<std::net::SocketAddr>().is_ok();
        out.push_str(&match authority.rsplit_once(':') {
            _ if is_socket => self.0.address(authority),
            Some((host, port)) if port.parse::<u16>().is_ok() => format!("{}:{port}", self.0.name(host)),
            _ if authority.is_empty() => String::new(),
            _ => self.0.name(authority),
        });
        if rest.contains('/') {
            out.push('/');
        }
        if !path.is_empty() {
            out.push_str(&self.0.key().name(&path.replace('.', "-")));
        }
        if let Some(timeout) = query.split('&').find(|part| part.starts_with("timeout=")) {
            out.push('?');
            out.push_str(&self.0.text(timeout));
        }
        out
    }

    /// `CN=name-…, O=name-…`
    fn identity(&self, identity: &str) -> String {
        let parts: Vec<String> = attributes(identity)
            .map(|(kind, value)| match kind {
                Some(kind) => format!("{kind}={}", self.0.key().name(value)),
                None => self.0.key().name(value),
            })
            .collect();
        parts.join(", ")
    }

    /// `name-….pcap.gz`
    fn file(&self, file: &str) -> String {
        if file == "standard input" {
            return file.to_owned();
        }
        let name = Path::new(file).file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let mut endings: Vec<&str> = name.rsplit('.').take_while(|part| ENDINGS.contains(part)).collect();
        endings.reverse();
        let stem = self.0.key().name(&file.replace('.', "-"));
        std::iter::once(stem.as_str()).chain(endings).collect::<Vec<_>>().join(".")
    }
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new()
    }
}

/// The attributes of a distinguished name as we write it, and what is no attribute.
fn attributes(identity: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    identity.split(", ").map(|part| match part.split_once('=') {
        Some((kind, value))
            if kind.chars().all(|character| character.is_ascii_alphanumeric() || character == '.') =>
        {
            (Some(kind), value)
        }
        _ => (None, part),
    })
}

/// Gives the connection the Community ID of the addresses that it has now: that of the real ones would give them away.
fn identify(connection: &mut Connection) {
    let endpoint = |text: &str| {
        let socket: std::net::SocketAddr = text.parse().ok()?;
        Some(Endpoint { address: socket.ip().into(), port: socket.port() })
    };
    if let (Some(client), Some(server)) = (endpoint(&connection.client), endpoint(&connection.server)) {
        connection.community_id = community::id(&FlowKey::of(client, server).0);
    } else {
        connection.community_id.clear();
    }
}
