//! What kube-apiserver calls: admission webhooks, conversion webhooks, API services.

use std::time::Duration;

use hookscope::cluster::{CaBundle, FailurePolicy, Objects, Rule, Selector, Target, Webhook, WebhookKind};
use serde::Deserialize;

use crate::collect::Metadata;
use crate::parts::{ClientConfig, LabelSelector, ServiceReference, ca_bundle};

#[derive(Deserialize)]
pub(super) struct Configuration {
    #[serde(default)]
    metadata: Metadata,
    webhooks: Option<Vec<Hook>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hook {
    name: String,
    client_config: ClientConfig,
    timeout_seconds: Option<u32>,
    failure_policy: Option<Policy>,
    namespace_selector: Option<LabelSelector>,
    object_selector: Option<LabelSelector>,
    rules: Option<Vec<HookRule>>,
    match_conditions: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Deserialize)]
enum Policy {
    Fail,
    Ignore,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HookRule {
    operations: Option<Vec<String>>,
    api_groups: Option<Vec<String>>,
    resources: Option<Vec<String>>,
    scope: Option<String>,
}

pub(super) fn configuration(
    read: Configuration,
    kind: WebhookKind,
    is_beta: bool,
    objects: &mut Objects,
) -> Result<(), String> {
    let configuration = read.metadata.name.unwrap_or_default();
    let (default_timeout, default_policy) = if is_beta { (30, Policy::Ignore) } else { (10, Policy::Fail) };
    let mut webhooks = Vec::new();
    for (place, hook) in read.webhooks.unwrap_or_default().into_iter().enumerate() {
        let (target, ca_bundle) = hook.client_config.read(&format!("webhooks[{place}].clientConfig"))?;
        let policy = hook.failure_policy.as_ref().unwrap_or(&default_policy);
        webhooks.push(Webhook {
            kind,
            configuration: configuration.clone(),
            name: hook.name,
            target,
            timeout: Some(Duration::from_secs(hook.timeout_seconds.unwrap_or(default_timeout).max(1).into())),
            failure_policy: match policy {
                Policy::Fail => FailurePolicy::Fail,
                Policy::Ignore => FailurePolicy::Ignore,
            },
            ca_bundle,
            namespace_selector: LabelSelector::read(hook.namespace_selector),
            object_selector: LabelSelector::read(hook.object_selector),
            rules: hook.rules.unwrap_or_default().into_iter().map(rule).collect(),
            match_conditions: hook.match_conditions.map_or(0, |list| list.len()),
        });
    }
    objects.webhooks.extend(webhooks);
    Ok(())
}

fn rule(rule: HookRule) -> Rule {
    Rule {
        operations: rule.operations.unwrap_or_default(),
        api_groups: rule.api_groups.unwrap_or_default(),
        resources: rule.resources.unwrap_or_default(),
        cluster_only: rule.scope.as_deref() == Some("Cluster"),
    }
}

#[derive(Deserialize)]
pub(super) struct Definition {
    #[serde(default)]
    metadata: Metadata,
    spec: Option<DefinitionSpec>,
}

#[derive(Deserialize)]
struct DefinitionSpec {
    conversion: Option<Conversion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Conversion {
    webhook: Option<ConversionWebhook>,
    /// That of v1beta1.
    webhook_client_config: Option<ClientConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConversionWebhook {
    client_config: Option<ClientConfig>,
}

pub(super) fn conversion(read: Definition, objects: &mut Objects) -> Result<(), String> {
    let Some(conversion) = read.spec.and_then(|spec| spec.conversion) else { return Ok(()) };
    let client_config = conversion.webhook.and_then(|webhook| webhook.client_config);
    if let Some(config) = client_config.or(conversion.webhook_client_config) {
        let (target, ca_bundle) = config.read("spec.conversion.webhook.clientConfig")?;
        let name = read.metadata.name.unwrap_or_default();
        objects.webhooks.push(called(WebhookKind::Conversion, name, target, ca_bundle));
    }
    Ok(())
}

/// What is called like a webhook, and has neither deadline nor rules of its own.
fn called(kind: WebhookKind, name: String, target: Target, ca_bundle: CaBundle) -> Webhook {
    Webhook {
        kind,
        configuration: name.clone(),
        name,
        target,
        timeout: None,
        failure_policy: FailurePolicy::Fail,
        ca_bundle,
        namespace_selector: Selector::default(),
        object_selector: Selector::default(),
        rules: Vec::new(),
        match_conditions: 0,
    }
}

#[derive(Deserialize)]
pub(super) struct ApiService {
    #[serde(default)]
    metadata: Metadata,
    spec: Option<ApiServiceSpec>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiServiceSpec {
    service: Option<ServiceReference>,
    ca_bundle: Option<String>,
    #[serde(rename = "insecureSkipTLSVerify")]
    insecure: Option<bool>,
}

pub(super) fn api_service(read: ApiService, objects: &mut Objects) {
    let Some(spec) = read.spec else { return };
    // Without a Service it is kube-apiserver's own.
    let Some(service) = spec.service else { return };
    let ca_bundle = match spec.insecure {
        Some(true) => CaBundle::Unverified,
        _ => ca_bundle(spec.ca_bundle.as_deref()),
    };
    let name = read.metadata.name.unwrap_or_default();
    objects.webhooks.push(called(WebhookKind::ApiService, name, service.target(), ca_bundle));
}
