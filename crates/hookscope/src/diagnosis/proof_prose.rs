//! What is known of a rejected certificate, in words: which link broke, who was presented and who is trusted.

use crate::cluster::Webhook;
use crate::diagnosis::proof::{Opinion, Proof, View};
use crate::diagnosis::story::{Apart, Date, Prose, Story, is_host_name};
use crate::trust::{Broken, Flaw, Identity, Trust, Unusable};

/// Trusted CAs that are named.
const NAMED: usize = 3;

/// A rejected certificate in words, where the cluster's objects say more than the packets: `who` is what the client
/// rejected.
pub(crate) fn describe(story: &Story<'_>, who: &str) -> Option<Prose> {
    let proof = story.proof?;
    if let Some((view, broken)) = proof.broken() {
        let why = why(story, proof, view, broken)?;
        return Some(steps(story, view, broken, Prose::only(format!("The client rejected {who}: {why}"))));
    }
    let view = proof.culprits().next()?;
    let webhook = story.webhook(view)?;
    let bundle = format!("the caBundle of {}", webhook.name);
    let trusts = trusted(&view.trusted);
    let prose = |why: String| Prose::only(format!("The client rejected {who}: {why}"));
    let repair = repair(webhook);
    let confirm = format!(
        "Confirm: compare issuer, dates and SAN of what the server presents: {}",
        story.show_certificate()
    );
    Some(match &view.opinion {
        Opinion::Empty => prose(format!("{bundle} is empty, so only the CAs of kube-apiserver's own host are trusted"))
            .hint(repair)
            .hint(confirm),
        Opinion::NotBase64 => prose(format!("{bundle} is not base64")).hint(repair).hint(confirm),
        Opinion::Unusable(Unusable::NotPem) => prose(format!("{bundle} is not PEM")).hint(repair).hint(confirm),
        Opinion::Unusable(Unusable::NoCertificate) => {
            prose(format!("{bundle} holds no certificate that can be read")).hint(repair).hint(confirm)
        }
        Opinion::OutOfDate => prose(format!("all that {bundle} trusts was out of date then: {}", dates(&view.trusted)))
            .hint(repair)
            .hint(confirm),
        Opinion::Elsewhere(broken) => {
            let why = sentence(broken, view, &bundle);
            prose(format!("it is not visible here, but what the server presents on other connections does not verify: {why}"))
                .hint(repair)
                .hint(confirm)
        }
        Opinion::Verified(Trust::Trusted) => prose(format!(
            "{bundle} trusts it as the objects are now ({trusts}), so the caBundle was another one at that time, or kube-apiserver had not noticed the change"
        ))
        .hint(format!("See when the configuration was changed: `kubectl get {} {} -o yaml --show-managed-fields | grep -B2 -A4 'time:'`", webhook.kind.resource(), shown(&webhook.configuration)))
        .hint(confirm),
        Opinion::Verified(_) => return None,
        Opinion::Nothing => {
            let (one, other) = proof.disagreement()?;
            let other_webhook = story.webhook(other)?;
            prose(format!(
                "it is not visible, but webhooks that are called there trust different CAs, and no certificate suits all: {bundle} trusts {}, that of {} {}",
                trusted(&one.trusted),
                other_webhook.name,
                trusted(&other.trusted)
            ))
            .hint(confirm)
            .hint(repair)
        }
    })
}

/// What the objects say of whom a webhook trusts, as a step for a reader who looks at the certificate himself.
pub(crate) fn compare(story: &Story<'_>) -> Option<String> {
    let view = story.proof?.views.first().filter(|view| !view.trusted.is_empty())?;
    let webhook = story.webhook(view)?;
    Some(format!(
        "Unknown CA: compare its issuer with the caBundle of {}, which trusts {}",
        webhook.name,
        trusted(&view.trusted)
    ))
}

fn why(story: &Story<'_>, proof: &Proof, view: &View, broken: &Broken) -> Option<String> {
    let webhook = story.webhook(view)?;
    let bundle = format!("the caBundle of {}", webhook.name);
    let at = story.finding.at.time;
    let link = &broken.link;
    let it = if broken.is_leaf { "it".to_owned() } else { format!("{} above it", link.subject) };
    Some(match broken.flaw {
        Flaw::Expired => {
            format!("{it} expired at {}, {} before", Date(link.not_after), Apart(at.since(link.not_after)))
        }
        Flaw::NotYetValid => {
            format!(
                "{it} is valid only from {}, {} later",
                Date(link.not_before),
                Apart(link.not_before.since(at))
            )
        }
        Flaw::NoSan => "it has no subject alternative name, only a common name".to_owned(),
        Flaw::NameMismatch => {
            let names = story.certificate_names().unwrap_or_default();
            format!("it is for {names}, not for {}", view.host)
        }
        _ => {
            let chain = if proof.presented.len() > 1 {
                format!(" ({} certificates were presented)", proof.presented.len())
            } else {
                String::new()
            };
            format!("{}{chain}", sentence(broken, view, &bundle))
        }
    })
}

/// Which link of a chain breaks, and what `bundle` trusts instead.
fn sentence(broken: &Broken, view: &View, bundle: &str) -> String {
    let link = &broken.link;
    let it = if broken.is_leaf { "it".to_owned() } else { link.subject.clone() };
    let issuer = issuer(link);
    let trusts = trusted(&view.trusted);
    match broken.flaw {
        Flaw::Expired => format!("{it} expired at {}", Date(link.not_after)),
        Flaw::NotYetValid => format!("{it} is valid only from {}", Date(link.not_before)),
        Flaw::NoSan => format!("{it} has no subject alternative name"),
        Flaw::NameMismatch => format!("{it} is not for {}", view.host),
        Flaw::UnknownIssuer => format!("{it} is issued by {issuer}; {bundle} trusts {trusts}"),
        Flaw::OtherKey => {
            format!(
                "{it} is signed by another key of {issuer} than the one that is trusted: {bundle} trusts {trusts}"
            )
        }
        Flaw::NotCa => format!(
            "its issuer, {issuer}, is known but may not issue certificates (no CA, or no keyCertSign); {bundle} trusts {trusts}"
        ),
        Flaw::WeakSignature => {
            format!("{it} is signed with SHA-1 or MD5, which Go does not accept; its issuer is {issuer}")
        }
        Flaw::PathTooLong => {
            format!("{} allows fewer certificates below it (pathLenConstraint)", link.subject)
        }
        Flaw::NotForServers => {
            format!("{} is not for servers: its extended key usage lacks serverAuth", link.subject)
        }
    }
}

fn steps(story: &Story<'_>, view: &View, broken: &Broken, prose: Prose) -> Prose {
    let Some(webhook) = story.webhook(view) else { return prose };
    let confirm = format!("Confirm: {}", story.show_certificate());
    let namespace = story.service().map_or("NAMESPACE", |(_, namespace)| namespace);
    let renew = format!(
        "Renew it and restart the webhook's pods: with cert-manager, `cmctl renew -n {namespace} CERTIFICATE`; else rerun the job that made it"
    );
    match broken.flaw.cause().name() {
        "expired" if broken.is_leaf => prose.hint(confirm).hint(renew).hint(
            "If the date looks right: check the clocks of this host and of the issuer's (`timedatectl`)",
        ),
        "not-yet-valid" => prose
            .hint("Check the clocks of this host and of the host that issued it: `timedatectl`")
            .hint(confirm),
        "no-san" => prose
            .hint(format!("Issue it anew with the SAN {}: Go ignores the common name", view.host))
            .hint(confirm),
        "name-mismatch" => prose
            .hint(format!("If another program answers on port {}: give the webhook a port of its own (10250 is the kubelet's)", story.port()))
            .hint(format!("Else issue the certificate anew with the SAN {}", view.host))
            .hint(confirm),
        "key-usage" => prose
            .hint("Issue it anew with the extended key usage serverAuth")
            .hint(confirm),
        _ => prose
            .hint(repair(webhook))
            .hint("If the CA was rotated: restart the webhook's pods, so that they present a certificate of the CA that is trusted")
            .hint(format!("Confirm whom it trusts: {}", show_bundle(webhook))),
    }
}

/// The step that puts the right CA into a webhook's bundle.
fn repair(webhook: &Webhook) -> String {
    format!(
        "Put the CA that signed the webhook's certificate into the caBundle of {} {}: with cert-manager, check the inject-ca-from annotation and cainjector's log",
        webhook.kind.object(),
        shown(&webhook.configuration)
    )
}

/// The command that shows whom a webhook trusts.
fn show_bundle(webhook: &Webhook) -> String {
    let path = match webhook.kind {
        crate::cluster::WebhookKind::Validating | crate::cluster::WebhookKind::Mutating => {
            format!("{{.webhooks[?(@.name==\"{}\")].clientConfig.caBundle}}", shown(&webhook.name))
        }
        crate::cluster::WebhookKind::Conversion => {
            "{.spec.conversion.webhook.clientConfig.caBundle}".to_owned()
        }
        crate::cluster::WebhookKind::ApiService => "{.spec.caBundle}".to_owned(),
    };
    format!(
        "`kubectl get {} {} -o jsonpath='{path}' | base64 -d | openssl crl2pkcs7 -nocrl -certfile /dev/stdin | openssl pkcs7 -print_certs -noout`",
        webhook.kind.resource(),
        shown(&webhook.configuration)
    )
}

/// A name that can stand in a command.
fn shown(name: &str) -> &str {
    if is_host_name(name) { name } else { "NAME" }
}

/// `CN=other-ca (key 4f1c…)`.
fn issuer(link: &Identity) -> String {
    format!("{} ({})", link.issuer, key(link.authority_key_id.as_deref()))
}

/// Who is trusted: `CN=lab-ca (key 2ef2…)`.
pub(crate) fn trusted(identities: &[Identity]) -> String {
    let named =
        identities.iter().take(NAMED).map(|it| format!("{} ({})", it.subject, key(it.key_id.as_deref())));
    listed(named.collect(), identities.len())
}

fn dates(identities: &[Identity]) -> String {
    let date =
        |it: &Identity| format!("{} (valid {} to {})", it.subject, Date(it.not_before), Date(it.not_after));
    listed(identities.iter().take(NAMED).map(date).collect(), identities.len())
}

fn listed(named: Vec<String>, all: usize) -> String {
    let rest = all.saturating_sub(named.len());
    let named = named.join(", ");
    if rest > 0 { format!("{named} and {rest} more") } else { named }
}

/// A key identifier, as much of it as people compare.
fn key(id: Option<&str>) -> String {
    const COMPARED: usize = 16;
    match id {
        Some(id) if id.len() > COMPARED => format!("key id {}…", id.get(..COMPARED).unwrap_or(id)),
        Some(id) => format!("key id {id}"),
        None => "no key id".to_owned(),
    }
}
