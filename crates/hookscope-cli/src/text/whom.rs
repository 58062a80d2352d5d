//! Turns what the cluster's objects know of a server into words: webhook, Service, pod, node.

use hookscope::report::schema::{ClusterReport, Whom};

use super::layout::GLUE;

/// Webhooks that are named where a server may be any of them and not all fit a line.
const NAMED: usize = 5;

/// The webhook as a heading has it; where it may be several, the first and how many others.
pub(super) fn webhook(whom: Option<&Whom>) -> Option<String> {
    match whom?.webhooks.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        [one, other] => Some(format!("{one} or {other}")),
        [first, others @ ..] => Some(format!("{first} or {} others", others.len())),
    }
}

/// Where it is served: Service, pod and node, as far as they are known. `name` is what clients call it.
pub(super) fn place(whom: &Whom, name: Option<&str>) -> Option<String> {
    let service = name.filter(|_| !whom.webhooks.is_empty()).map(|name| match port(whom) {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    });
    let pod = whom.pod.as_ref().map(|pod| format!("pod {pod}"));
    let node = whom.node.as_ref().map(|node| format!("node {node}"));
    let parts: Vec<String> = [service, pod, node].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(&format!(" ·{GLUE}")))
}

/// The port of the Service.
fn port(whom: &Whom) -> Option<&str> {
    Some(whom.service.as_deref()?.rsplit_once(':')?.1)
}

/// Whether requests go on where calls fail: all webhooks that may have been called say so.
pub(super) fn is_ignored(whom: Option<&Whom>, cluster: Option<&ClusterReport>) -> bool {
    let (Some(whom), Some(cluster)) = (whom, cluster) else { return false };
    let mut called = cluster.webhooks.iter().filter(|it| whom.webhooks.contains(&it.name)).peekable();
    called.peek().is_some() && called.all(|it| it.failure_policy == "Ignore")
}

/// The webhooks that a heading has no room for.
pub(super) fn candidates(whom: &Whom, all: bool) -> Option<String> {
    let webhooks = &whom.webhooks;
    if webhooks.len() < 3 {
        return None;
    }
    let shown = if all { webhooks.len() } else { webhooks.len().min(NAMED) };
    let named = webhooks.get(..shown).unwrap_or(webhooks).join(", ");
    let rest = webhooks.len() - shown;
    let rest = if rest > 0 { format!(" and {rest} more (-v shows them)") } else { String::new() };
    Some(format!("One of the {} webhooks that are called there: {named}{rest}", webhooks.len()))
}
