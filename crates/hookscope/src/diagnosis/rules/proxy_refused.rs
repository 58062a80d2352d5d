//! A proxy that the client asked for a tunnel, and that opened none.

use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Prose, Story};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::side::Side;

#[derive(Debug)]
pub(super) struct ProxyRefused;

const PAGE: Page = page!(HttpError, Failure, "proxy-refused");

impl Rule for ProxyRefused {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn connection(&self, case: &Case<'_>) -> Option<Finding> {
        let proxied = case.connection.application.proxied()?;
        let answer = proxied.answer.as_ref()?;
        let refusal = answer.refusal.as_ref()?;
        Some(
            Finding::failure(&Self, PAGE.code, Phase::Connect, answer.at)
                .by(Side::Server)
                .shown(proxied.asked, format!("CONNECT {} to the proxy", proxied.target))
                .shown(answer.at, format!("the proxy answers {}", refusal.status)),
        )
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let proxy = story.case.connection.server();
        let proxied = story.case.connection.application.proxied();
        let Some((proxied, refusal)) =
            proxied.and_then(|proxied| Some((proxied, proxied.answer.as_ref()?.refusal.as_ref()?)))
        else {
            return Prose::default();
        };
        let target = &proxied.target;
        let said = if refusal.reason.is_empty() {
            refusal.status.to_string()
        } else {
            format!("{} {}", refusal.status, refusal.reason)
        };
        let error = if refusal.reason.is_empty() {
            String::new()
        } else {
            format!("; kube-apiserver reports that as the bare error `{}`", refusal.reason)
        };
        let host = target.rsplit_once(':').map_or(&**target, |(host, _)| host);
        let prose = Prose::only(format!(
            "The HTTP proxy {proxy} did not connect to {target}: it answered {said}{error}"
        ));
        let in_cluster = host.ends_with(".svc") || host.contains(".svc.");
        let prose = if in_cluster {
            prose.hint("Add .svc,.cluster.local and the Service and pod ranges to NO_PROXY of kube-apiserver: `grep -i -A1 proxy /etc/kubernetes/manifests/kube-apiserver.yaml`")
        } else {
            prose.hint(format!("If {host} is not meant to go through the proxy, add it to NO_PROXY of kube-apiserver: `grep -i -A1 proxy /etc/kubernetes/manifests/kube-apiserver.yaml`"))
        };
        prose
            .hint("See what kube-apiserver runs with: `tr '\\0' '\\n' < /proc/$(pgrep -o kube-apiserver)/environ | grep -i proxy`")
            .hint(format!("If the proxy is meant: ask it yourself, `curl -sv -x http://{proxy} https://{target}/`, and read its log"))
    }
}
