//! One object of a kind that matters -> the objects of [`hookscope::cluster`].

mod called;
mod service;
mod workload;

use hookscope::cluster::{Objects, WebhookKind};

use crate::collect::Source;

/// Reads an object of `kind` into `objects`: `false` where the kind says nothing of webhooks, an error where the
/// object cannot be understood. Without a version, the kind alone counts.
pub(crate) fn read(
    version: Option<&str>,
    kind: &str,
    source: &Source<'_>,
    objects: &mut Objects,
) -> Result<bool, String> {
    let group = version.map(|version| version.split_once('/').map_or("", |(group, _)| group));
    let is = |name, of| kind == name && group.is_none_or(|group| group == of);
    // What v1beta1 leaves out is something else than what v1 does.
    let is_beta = version.is_some_and(|version| version.ends_with("/v1beta1"));
    if is("ValidatingWebhookConfiguration", "admissionregistration.k8s.io") {
        called::configuration(source.read()?, WebhookKind::Validating, is_beta, objects)?;
    } else if is("MutatingWebhookConfiguration", "admissionregistration.k8s.io") {
        called::configuration(source.read()?, WebhookKind::Mutating, is_beta, objects)?;
    } else if is("CustomResourceDefinition", "apiextensions.k8s.io") {
        called::conversion(source.read()?, objects)?;
    } else if is("APIService", "apiregistration.k8s.io") {
        called::api_service(source.read()?, objects);
    } else if is("Service", "") {
        objects.services.push(service::service(source.read()?));
    } else if is("EndpointSlice", "discovery.k8s.io") {
        objects.endpoints.extend(service::slice(source.read()?));
    } else if is("Endpoints", "") {
        objects.endpoints.extend(service::endpoints(source.read()?));
    } else if is("Pod", "") {
        objects.pods.push(workload::pod(source.read()?));
    } else if is("Node", "") {
        objects.nodes.push(workload::node(source.read()?));
    } else if is("Namespace", "") {
        objects.namespaces.push(workload::namespace(source.read()?));
    } else {
        return Ok(false);
    }
    Ok(true)
}
