//! Turns a group into the words that name it: who was called, what happened, how often.

use std::borrow::Cow;

use hookscope::report::schema::{Example, Group, Verdict};

use super::layout::{GAP, Text};
use super::numbers::count;
use super::style::{FAINT, STRONG, of_severity};
use super::whom;

/// What happened to the connections or lookups of a group.
pub(super) fn verdict(group: &Group) -> &Verdict {
    match &group.example {
        Example::Connection { connection, .. } => &connection.verdict,
        Example::Lookup(lookup) => &lookup.verdict,
    }
}

/// The same, for tests to change.
#[cfg(test)]
pub(super) fn verdict_mut(group: &mut Group) -> &mut Verdict {
    match &mut group.example {
        Example::Connection { connection, .. } => &mut connection.verdict,
        Example::Lookup(lookup) => &mut lookup.verdict,
    }
}

/// Who was called: the webhook, else the server's name, else its address; for a lookup the name that was asked for.
pub(super) fn name(group: &Group) -> Cow<'_, str> {
    match &group.example {
        Example::Lookup(lookup) => match whom::webhook(group.cluster.as_ref()) {
            Some(webhook) => webhook.into(),
            None => lookup.name.as_str().into(),
        },
        Example::Connection { .. } => match whom::webhook(group.cluster.as_ref()) {
            Some(webhook) => webhook.into(),
            None => group.server_name.as_deref().unwrap_or(&group.server).into(),
        },
    }
}

/// What clients call the server by, or the name that was looked up.
pub(super) fn host(group: &Group) -> Option<&str> {
    match &group.example {
        Example::Lookup(lookup) => Some(&lookup.name),
        Example::Connection { .. } => group.server_name.as_deref(),
    }
}

/// The Service, or another host, that it is called through, where its name is not the webhook's.
pub(super) fn service(group: &Group) -> Option<&str> {
    host(group).filter(|service| name(group) != *service)
}

/// The server's address, where it is not its name.
pub(super) fn address(group: &Group) -> Option<&str> {
    (name(group) != group.server).then_some(group.server.as_str())
}

/// What is counted.
pub(super) fn noun(group: &Group) -> &'static str {
    match group.example {
        Example::Connection { .. } => "connection",
        Example::Lookup(_) => "lookup",
    }
}

/// `41 of 212`.
pub(super) fn share(group: &Group) -> String {
    format!("{} of {}", count(group.count), count(group.of))
}

/// `✗ cert-manager-webhook.cert-manager.svc  10.244.1.1:8443  deadline-exceeded`.
pub(super) fn heading(group: &Group) -> Text {
    let verdict = verdict(group);
    let (sign, style) = of_severity(verdict.severity);
    let mut text = Text::new().styled(style, sign).plain(" ").styled(STRONG, name(group));
    if let Some(address) = address(group) {
        text = text.plain(GAP).styled(FAINT, address);
    }
    text.plain(GAP).styled(style, verdict.code)
}
