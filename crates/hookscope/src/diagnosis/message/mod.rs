//! Findings <-> what kube-apiserver says: one table of its messages, read in both directions.
//!
//! ```text
//!  finding  -- facts --> the first wording that this code gives, its gaps filled --> message
//!  message  -- quote --> the first wording that is in it --> the codes that give it
//! ```
//!
//! The texts are those of Go's `net`, `crypto/tls`, `crypto/x509` and `net/http`, of client-go and of kube-apiserver.

pub(crate) mod facts;
mod quote;
mod table;
mod template;

pub use quote::Quote;
pub(crate) use quote::{field, unescape};

use crate::diagnosis::catalogue::page_of;
use crate::diagnosis::message::facts::Facts;
use crate::diagnosis::message::template::Template;
use crate::diagnosis::story::is_host_name;
use crate::diagnosis::verdict::Cause;
use crate::time::Elapsed;

/// One thing that kube-apiserver says, in all its wordings.
#[derive(Debug)]
struct Wording {
    /// The texts, the one of current versions first: that one is predicted.
    texts: &'static [&'static str],
    /// What the text says of a certificate.
    cause: Option<Cause>,
    /// What it means, in one sentence.
    meaning: &'static str,
    /// What gives it, the most likely first: at most three, with what looks alike.
    given_by: &'static [Giver],
    /// How to tell them apart.
    apart: &'static str,
    look: Look,
}

/// A code that gives a wording.
#[derive(Clone, Copy, Debug)]
struct Giver {
    code: &'static str,
    /// Whether a finding with this code gives this wording and no later one of the table.
    when: fn(&Facts) -> bool,
    /// Codes that differ from it only in what the packets show.
    alike: &'static [Self],
    /// Whether kube-apiserver never does so, and other clients that call webhooks do.
    by_others: bool,
}

/// Where to look next.
#[derive(Clone, Copy, Debug)]
enum Look {
    /// At the call's own packets.
    Call,
    /// At the name servers.
    Names,
    /// At the tunnel of an egress proxy.
    Tunnel,
    /// At objects: no packet tells more. A command; `{service}` and `{namespace}` are those of the URL,
    /// `{webhook}` is the one that the message names.
    Objects(&'static str),
}

/// `net/http` gives a TLS handshake this long, whatever the call's deadline.
const TLS_HANDSHAKE: Elapsed = Elapsed::from_millis(10_000);

/// A failure of `code` gives it, whatever else is known.
const fn by(code: &'static str) -> Giver {
    Giver { code, when: |_| true, alike: &[], by_others: false }
}

impl Giver {
    /// Only where `when` holds; elsewhere a later wording is predicted.
    const fn when(self, when: fn(&Facts) -> bool) -> Self {
        Self { when, ..self }
    }

    /// It can happen, and something else is more likely.
    const fn rarely(self) -> Self {
        Self { when: |_| false, ..self }
    }

    const fn alike(self, alike: &'static [Self]) -> Self {
        Self { alike, ..self }
    }

    /// kube-apiserver never does so; other clients that call webhooks do.
    const fn by_others(self) -> Self {
        Self { by_others: true, ..self }
    }

    /// It and what looks alike.
    fn all(&'static self) -> impl Iterator<Item = &'static Self> {
        std::iter::once(self).chain(self.alike)
    }
}

impl Wording {
    fn givers(&self) -> impl Iterator<Item = &'static Giver> {
        self.given_by.iter().flat_map(Giver::all)
    }

    fn gives(&self, code: &str) -> bool {
        self.givers().any(|giver| giver.code == code)
    }
}

/// What kube-apiserver says of a failure; `…` stands for what the packets do not tell. Addresses are those of the
/// packets: the message has the ClusterIP where the capture was taken behind its translation.
pub(crate) fn predict(facts: &Facts) -> Option<String> {
    let code = page_of(facts.code).map_or(facts.code, |page| page.code.name);
    let says = |wording: &&&Wording| wording.givers().any(|giver| giver.code == code && (giver.when)(facts));
    let wordings = table::all();
    let wording = wordings.iter().find(says)?;
    Some(Template(wording.texts.first()?).fill(|gap| facts.value(gap)))
}

/// What an error means and what gives it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// What the message says of the call.
    pub quote: Quote,
    /// What the error means, in one sentence; `None` where it is not known.
    pub meaning: Option<&'static str>,
    /// The codes that give it, the most likely first: at most three, none where the error is not known.
    pub candidates: Vec<Candidate>,
    /// How to tell them apart.
    pub apart: &'static str,
    /// The command to run next.
    pub next: String,
    /// Whether the command captures packets.
    pub captures: bool,
}

/// A code that gives an error.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Candidate {
    /// The code.
    pub code: &'static str,
    /// Codes that give the same error in the same phase, and that only packets tell from it.
    pub alike: Vec<&'static str>,
    /// Whether it is so only of a client that is not kube-apiserver.
    pub only_other_clients: bool,
}

/// Explains an error of kube-apiserver's, as people paste it: alone or in its whole line.
pub fn explain(text: &str) -> Explanation {
    let quote = Quote::read(text);
    let wording = recognise(&quote.error).or_else(|| recognise(&unescape(text)));
    let candidate = |giver: &Giver| Candidate {
        code: giver.code,
        alike: giver.alike.iter().map(|alike| alike.code).collect(),
        only_other_clients: giver.by_others,
    };
    let look = wording.map_or(Look::Call, |wording| wording.look);
    let (next, captures) = look.command(&quote);
    Explanation {
        meaning: wording.map(|wording| wording.meaning),
        candidates: wording
            .map(|wording| wording.given_by.iter().map(candidate).collect())
            .unwrap_or_default(),
        apart: wording.map_or("", |wording| wording.apart),
        next,
        captures,
        quote,
    }
}

impl Look {
    fn command(self, quote: &Quote) -> (String, bool) {
        let capture = |filter: &str| (format!("tcpdump -i any -s 0 -w webhooks.pcap '{filter}'"), true);
        match self {
            Self::Call => capture("tcp or icmp or icmp6 or udp port 53"),
            Self::Names => capture("port 53 or icmp or icmp6"),
            Self::Tunnel => capture("tcp port 8131 or tcp port 8132 or tcp port 6443"),
            Self::Objects(command) => {
                let host = quote.host().map_or("", |(host, _)| host);
                let mut labels = host.split('.');
                let (service, namespace) = match (labels.next(), labels.next(), labels.next()) {
                    (Some(service), Some(namespace), Some("svc")) if is_host_name(host) => {
                        (service, namespace)
                    }
                    _ => ("SERVICE", "NAMESPACE"),
                };
                // A name that a shell would read as more than a word is none of a webhook's.
                let webhook = quote.webhook.as_deref().filter(|name| !name.is_empty() && is_host_name(name));
                let command = command.replace("{service}", service).replace("{namespace}", namespace);
                (command.replace("{webhook}", webhook.unwrap_or("WEBHOOK")), false)
            }
        }
    }
}

/// The command that shows the objects which an error speaks of, where packets tell no more.
pub(crate) fn objects_to_look_at(quote: &Quote) -> Option<String> {
    let (command, captures) = recognise(&quote.error)?.look.command(quote);
    (!captures).then_some(command)
}

/// What an error in kube-apiserver's log says, to be held against what the packets show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said(Option<&'static Wording>);

impl Said {
    /// Reads an error.
    pub(crate) fn read(error: &str) -> Self {
        Self(recognise(error))
    }

    /// Whether a verdict accounts for it.
    pub(crate) fn is_given_by(self, code: &str, cause: Option<Cause>) -> bool {
        self.0.is_some_and(|wording| {
            let said = wording.cause;
            let gives = wording.gives(code) || wording.gives(ANY_ALERT) && is_alert_of_no_page(code);
            gives && (cause.is_none() || said.is_none() || cause == said)
        })
    }

    /// Whether it may be said of a call that the packets show answered.
    pub(crate) fn is_of_answered_call(self) -> bool {
        self.is_given_by("ok", None)
    }

    /// How long the call waited, if that is why it failed: its `timeout`, or what a TLS handshake is given.
    pub(crate) fn waited(self, timeout: Elapsed) -> Option<Elapsed> {
        let gives = |code: &str| self.is_given_by(code, None);
        if gives("deadline-exceeded") || gives("syn-unanswered") || gives("response-stalled") {
            Some(timeout)
        } else {
            gives("tls-no-server-hello").then_some(TLS_HANDSHAKE)
        }
    }

    /// What it means.
    pub(crate) fn meaning(self) -> Option<&'static str> {
        self.0.map(|wording| wording.meaning)
    }

    /// Whether a call of which nothing is sent may give it.
    pub(crate) fn is_of_unsent_call(self) -> bool {
        self.is_given_by("nothing-sent", None)
    }

    /// Whether hardly any other call gives it.
    pub(crate) fn is_local(self) -> bool {
        let first = self.0.and_then(|wording| wording.given_by.first());
        first.is_some_and(|giver| giver.code == "nothing-sent")
    }
}

/// The code that alerts share which have no page of their own.
const ANY_ALERT: &str = "tls-alert";

fn is_alert_of_no_page(code: &str) -> bool {
    page_of(code).is_some_and(|page| page.code.name == ANY_ALERT)
}

fn recognise(error: &str) -> Option<&'static Wording> {
    table::all().into_iter().find(|wording| wording.texts.iter().any(|text| Template(text).is_in(error)))
}

#[cfg(test)]
mod tests;
