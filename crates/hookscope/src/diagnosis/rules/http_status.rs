//! A call in plain HTTP whose answer says that it failed: by its status, or by not being an AdmissionReview.

use crate::call::Call;
use crate::diagnosis::case::Case;
use crate::diagnosis::catalogue::page;
use crate::diagnosis::story::{Prose, Story};
use crate::diagnosis::verdict::{Finding, Phase};
use crate::diagnosis::{Page, Rule};
use crate::side::Side;

#[derive(Debug)]
pub(super) struct HttpStatus;

const PAGE: Page = page!(HttpError, Failure, "http-status");

impl Rule for HttpStatus {
    fn pages(&self) -> &'static [Page] {
        &[PAGE]
    }

    fn call(&self, _case: &Case<'_>, call: &Call) -> Option<Finding> {
        let response = call.http?;
        let status = response.status?;
        let note = match status.get() {
            400.. => format!("response: status {status}"),
            _ if response.lacks_review => format!("response: status {status}, no AdmissionReview in it"),
            _ => return None,
        };
        Some(
            Finding::failure(&Self, PAGE.code, Phase::Response, call.last_byte?)
                .by(Side::Server)
                .shown(call.requested, "request")
                .shown(call.first_byte, note),
        )
    }

    fn describe(&self, story: &Story<'_>) -> Prose {
        let (server, address) = (story.server(), story.case.connection.server());
        let response = story.call.and_then(|call| call.http);
        let Some(status) = response.and_then(|response| response.status) else { return Prose::default() };
        let logs = format!("Read the webhook's log at that time: {}", story.show_logs());
        let by_hand = format!(
            "Repeat the call by hand, with an AdmissionReview in review.json: `curl -sv http://{address}/PATH -H 'Content-Type: application/json' -d @review.json`"
        );
        if response.is_some_and(|response| response.lacks_review) {
            return Prose::only(format!(
                "{server} answered a call with status {status}, but without an AdmissionReview"
            ))
            .hint("Let the handler send back an AdmissionReview with the apiVersion, the kind and the uid of the request")
            .hint("See whether the path leads to the handler and not to a health or web page: `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o yaml | grep -A6 clientConfig`")
            .hint(by_hand);
        }
        let prose = Prose::only(format!("{server} answered a call with status {status}"));
        match status.get() {
            401 | 403 | 407 => prose.hint("See whether a mesh or the webhook itself wants an identity that kube-apiserver does not have: `kubectl get authorizationpolicy -A`"),
            404 | 405 => prose.hint("Compare the path with what the webhook serves: `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o yaml | grep -A6 clientConfig`"),
            413 => prose.hint(format!("The request of {} bytes is too large for the handler or a proxy before it: raise its limit", story.call.map_or(0, |call| call.request_bytes))),
            502..=504 => prose.hint(format!("A proxy or sidecar may have no backend: see whether the pods are ready: {}", story.find_pods())),
            _ => prose,
        }
        .hint(logs)
        .hint(by_hand)
    }
}
