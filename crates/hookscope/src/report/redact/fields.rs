//! Every text of the schema's types that is not from a fixed list, with what it is.
//!
//! Structs are taken apart without `..`: what is added to them does not compile until it is dealt with here.

use crate::report::schema::{
    Against, Alert, Call, Capture, Certificate, CertificateIdentity, ClusterReport, Connection,
    EndpointReport, Event, Evidence, Example, Finding, Group, LogLine, Lookup, Report, Tls, Verdict,
    Verification, WebhookReport, Whom,
};

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// `ip:port` or an address.
    Address,
    /// A host's, a webhook's, a configuration's or a node's name, or an address in its place.
    Name,
    /// `namespace/name`.
    Object,
    /// A URL or its path.
    Url,
    /// A distinguished name.
    Identity,
    /// Sentences of ours, or what kube-apiserver says.
    Text,
    /// A file's name.
    File,
    /// The identifier of a key.
    KeyId,
    /// A protocol that a side offered.
    Protocol,
}

/// Takes each text.
type Take<'a> = &'a mut dyn FnMut(Field, &mut String);

fn each<'t>(take: Take<'_>, field: Field, texts: impl IntoIterator<Item = &'t mut String>) {
    texts.into_iter().for_each(|text| take(field, text));
}

pub(super) fn report(all: &mut Report, take: Take<'_>) {
    let Report { schema: _, capture, summary: _, cluster, endpoints, connections, log, lookups } = all;
    let Capture {
        files,
        warnings,
        packets: _,
        bytes: _,
        first: _,
        last: _,
        link_types: _,
        truncated: _,
        duplicates: _,
    } = capture;
    each(take, Field::File, files);
    each(take, Field::Text, warnings);
    if let Some(ClusterReport { webhooks, findings }) = cluster {
        webhooks.iter_mut().for_each(|one| webhook(one, take));
        findings.iter_mut().for_each(|one| finding(one, take));
    }
    endpoints.iter_mut().for_each(|one| endpoint(one, take));
    connections.iter_mut().for_each(|one| connection(one, take));
    log.iter_mut().for_each(|one| logged(one, take));
    lookups.iter_mut().for_each(|one| lookup(one, take));
}

fn webhook(one: &mut WebhookReport, take: Take<'_>) {
    let WebhookReport {
        name,
        kind: _,
        configuration,
        service,
        url,
        path,
        timeout_s: _,
        failure_policy: _,
        servers,
    } = one;
    each(take, Field::Name, [name, configuration]);
    each(take, Field::Object, service);
    each(take, Field::Url, url.iter_mut().chain(path));
    each(take, Field::Address, servers);
}

fn finding(one: &mut Finding, take: Take<'_>) {
    let Finding {
        code: _,
        severity: _,
        webhook,
        kind: _,
        configuration,
        service,
        connections: _,
        ids: _,
        summary,
        hints,
    } = one;
    each(take, Field::Name, [webhook, configuration]);
    each(take, Field::Object, service);
    each(take, Field::Text, hints.iter_mut().chain([summary]));
}

fn whom(one: &mut Option<Whom>, take: Take<'_>) {
    let Some(Whom { webhooks, service, pod, node }) = one else { return };
    each(take, Field::Name, webhooks.iter_mut().chain(node));
    each(take, Field::Object, service.iter_mut().chain(pod));
}

fn endpoint(one: &mut EndpointReport, take: Take<'_>) {
    let EndpointReport {
        server,
        server_name,
        cluster,
        connections: _,
        calls: _,
        failed: _,
        latency_s: _,
        verdicts: _,
    } = one;
    take(Field::Address, server);
    each(take, Field::Name, server_name);
    whom(cluster, take);
}

pub(super) fn connection(one: &mut Connection, take: Take<'_>) {
    let Connection {
        id: _,
        client,
        server,
        server_name,
        server_name_source: _,
        cluster,
        community_id: _, // made anew, of the addresses
        start: _,
        end: _,
        packets: _,
        bytes: _,
        syn: _,
        syn_ack: _,
        rst: _,
        fin: _,
        retransmissions: _,
        connect_s: _,
        tls: session,
        verification,
        verdict: last,
        calls,
    } = one;
    each(take, Field::Address, [client, server]);
    each(take, Field::Name, server_name);
    whom(cluster, take);
    session.iter_mut().for_each(|session| tls(session, take));
    if let Some(Verification { presented, against }) = verification {
        presented.iter_mut().for_each(|one| identity(one, take));
        against.iter_mut().for_each(|one| verified(one, take));
    }
    verdict(last, take);
    for Call {
        verdict: own,
        index: _,
        start: _,
        request_bytes: _,
        response_bytes: _,
        first_byte_s: _,
        total_s: _,
    } in calls
    {
        verdict(own, take);
    }
}

fn tls(one: &mut Tls, take: Take<'_>) {
    let Tls { version: _, sni, alpn, cipher: _, handshake_s: _, alerts, certificate } = one;
    each(take, Field::Name, sni);
    each(take, Field::Protocol, alpn);
    for Alert { by: _, level: _, description: _, frame: _, file } in alerts {
        each(take, Field::File, file);
    }
    if let Some(Certificate { subject, issuer, san, not_before: _, not_after: _ }) = certificate {
        each(take, Field::Identity, [subject, issuer]);
        each(take, Field::Name, san);
    }
}

fn identity(one: &mut CertificateIdentity, take: Take<'_>) {
    let CertificateIdentity { subject, issuer, key_id, authority_key_id, not_before: _, not_after: _ } = one;
    each(take, Field::Identity, [subject, issuer]);
    each(take, Field::KeyId, key_id.iter_mut().chain(authority_key_id));
}

fn verified(one: &mut Against, take: Take<'_>) {
    let Against { webhook, configuration, host, trusted, result: _, broken } = one;
    each(take, Field::Name, [webhook, configuration, host]);
    trusted.iter_mut().chain(broken).for_each(|one| identity(one, take));
}

fn verdict(one: &mut Verdict, take: Take<'_>) {
    let Verdict {
        class: _,
        code: _,
        severity: _,
        certainty: _,
        by: _,
        phase: _,
        cause: _,
        deadline_s: _,
        summary,
        evidence,
        hints,
        apiserver_error,
    } = one;
    each(take, Field::Text, hints.iter_mut().chain([summary]).chain(apiserver_error));
    for Evidence { frame: _, file, note } in evidence {
        each(take, Field::File, file);
        take(Field::Text, note);
    }
}

fn logged(one: &mut LogLine, take: Take<'_>) {
    let LogLine {
        line: _,
        file,
        time: _,
        webhook,
        url,
        error,
        fails_open: _,
        repeats: _,
        connection: _,
        call: _,
        outside: _,
        agrees: _,
        verdict: what,
    } = one;
    each(take, Field::File, file);
    take(Field::Name, webhook);
    each(take, Field::Url, url);
    take(Field::Text, error);
    verdict(what, take);
}

pub(super) fn lookup(one: &mut Lookup, take: Take<'_>) {
    let Lookup { client, server, name, cluster, kind: _, attempts: _, seconds: _, verdict: what } = one;
    each(take, Field::Address, [client, server]);
    take(Field::Name, name);
    whom(cluster, take);
    verdict(what, take);
}

pub(super) fn group(one: &mut Group, take: Take<'_>) {
    let Group { server, server_name, cluster, count: _, of: _, first: _, last: _, ids: _, example } = one;
    take(Field::Address, server);
    each(take, Field::Name, server_name);
    whom(cluster, take);
    match example {
        Example::Connection { connection: own, timeline } => {
            connection(own, take);
            for Event { after_s: _, frame: _, file, by: _, what, decisive: _ } in timeline {
                each(take, Field::File, file);
                take(Field::Text, what);
            }
        }
        Example::Lookup(own) => lookup(own, take),
    }
}
