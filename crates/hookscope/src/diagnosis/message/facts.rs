//! A finding -> the facts on which its message depends, and what fills the message's gaps.

use crate::diagnosis::story::Story;
use crate::diagnosis::verdict::{By, Cause, Finding, Phase};
use crate::lookup::{Fate, Lookup};
use crate::side::Side;
use crate::time::{Elapsed, Timestamp};
use crate::tls::certificate::Certificate;

/// What is known of a failed call, as far as kube-apiserver's message depends on it.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) code: &'static str,
    pub(crate) phase: Phase,
    pub(crate) cause: Option<Cause>,
    pub(crate) by: Option<By>,
    pub(crate) deadline: Elapsed,
    /// Whether the call went over IPv6.
    pub(crate) is_v6: bool,
    /// Whether the RST came so early that the client was still connecting, as far as it could tell.
    pub(crate) reset_at_once: bool,
    /// Whether the client sent no server name, because it called an address.
    pub(crate) names_nobody: bool,
    /// Whether the server's certificate names in its subject what it should name as an alternative name.
    pub(crate) is_common_name: bool,
    /// The status of a response in plain HTTP.
    pub(crate) status: Option<u16>,
    gaps: Vec<(&'static str, String)>,
}

impl Facts {
    /// A client that hears of a RST this soon finds it when it looks whether it is connected.
    const AT_ONCE: Elapsed = Elapsed::from_millis(1);

    /// Those of a connection's finding.
    pub(crate) fn of(story: &Story<'_>) -> Self {
        let (case, finding) = (&story.case, story.finding);
        let connection = case.connection;
        let offered = case.tls().and_then(|session| session.offered());
        let names_nobody = offered.is_some_and(|offered| offered.server_name.is_none() && !offered.is_cut);
        let silent = connection.halves.client.data_at.is_none();
        let reset = connection.established.zip(connection.halves.server.rst_at());
        let sni = offered.and_then(|offered| offered.server_name.as_deref());
        let wanted = if names_nobody { None } else { sni.or(story.name) };
        let certificate = case.tls().and_then(|session| session.leaf());
        let certificate = certificate.and_then(Certificate::read);
        let is_named = |certificate: &Certificate| {
            let common_name = wanted.map(|wanted| format!("CN={wanted}"));
            certificate.subject.split(", ").any(|part| Some(part) == common_name.as_deref())
        };
        let server = connection.server();
        let mut facts = Self {
            is_v6: server.address.ip().is_ipv6(),
            reset_at_once: silent && reset.is_some_and(|(since, rst)| rst.since(since) < Self::AT_ONCE),
            names_nobody,
            is_common_name: certificate.as_ref().is_some_and(is_named),
            status: story
                .call
                .and_then(|call| call.http)
                .and_then(|http| http.status)
                .map(|status| status.get()),
            ..Self::bare(finding, case.deadline())
        };
        facts.gap("client", connection.client());
        facts.gap("server", server);
        facts.gap("address", server.address.ip());
        facts.gaps.extend(wanted.map(|wanted| ("name", wanted.to_owned())));
        facts.gap("now", Second(finding.at.time));
        if let Some(certificate) = certificate {
            facts.gap("not_after", Second(certificate.not_after));
            facts.gap("not_before", Second(certificate.not_before));
            facts.gap("names", certificate.names.join(", "));
        }
        let proxied = connection.application.proxied();
        if let Some(refusal) = proxied.and_then(|proxied| proxied.answer.as_ref()?.refusal.as_ref()) {
            facts.gap("reason", &refusal.reason);
        }
        facts
    }

    /// With what is proved to be wrong with the certificate, by packets or objects.
    pub(crate) fn with_cause(self, cause: Option<Cause>) -> Self {
        Self { cause, ..self }
    }

    /// Those of a lookup's finding.
    pub(crate) fn of_lookup(lookup: &Lookup, finding: &Finding, now: Timestamp, deadline: Elapsed) -> Self {
        let mut facts = Self::bare(finding, deadline);
        let attempt = match lookup.fate(now) {
            Fate::Answered(attempt, _) | Fate::Failed(attempt, _) | Fate::Silent(attempt) => Some(attempt),
            Fate::Waiting => lookup.attempts.last(),
        };
        facts.gap("name", &lookup.question.name);
        if let Some(attempt) = attempt {
            facts.gap("client", attempt.client());
            facts.gap("resolver", attempt.server);
        }
        facts
    }

    fn bare(finding: &Finding, deadline: Elapsed) -> Self {
        Self {
            code: finding.code.name,
            phase: finding.phase,
            cause: finding.cause,
            by: finding.by,
            deadline: finding.deadline.unwrap_or(deadline),
            is_v6: false,
            reset_at_once: false,
            names_nobody: false,
            is_common_name: false,
            status: None,
            gaps: Vec::new(),
        }
    }

    fn gap(&mut self, name: &'static str, value: impl ToString) {
        self.gaps.push((name, value.to_string()));
    }

    /// What stands in a message's gap.
    pub(crate) fn value(&self, gap: &str) -> Option<String> {
        self.gaps
            .iter()
            .find(|(name, value)| *name == gap && !value.is_empty())
            .map(|(_, value)| value.clone())
    }

    /// Whether a side did it.
    pub(crate) fn is_by(&self, side: Side) -> bool {
        self.by == Some(By::Side(side))
    }
}

/// A time as Go writes it in errors: RFC 3339 to the second.
struct Second(Timestamp);

impl std::fmt::Display for Second {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = self.0.to_string();
        write!(f, "{}Z", time.split('.').next().unwrap_or(&time))
    }
}
