//! What a rule needs to put a finding in words: the case, the finding, and the names of those involved.

use std::fmt;

use crate::call::Call;
use crate::diagnosis::case::Case;
use crate::diagnosis::verdict::Finding;
use crate::time::Elapsed;

/// A finding and everything around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Story<'a> {
    pub(crate) case: Case<'a>,
    pub(crate) finding: &'a Finding,
    /// The call that it is about, where it is about one.
    pub(crate) call: Option<&'a Call>,
    /// The server's name, where one is known.
    pub(crate) name: Option<&'a str>,
    /// How many connections to the same server were answered with a SYN-ACK.
    pub(crate) answered: u64,
}

/// A finding in words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prose {
    /// One sentence.
    pub(crate) summary: String,
    /// What to do next, a step each.
    pub(crate) hints: Vec<String>,
}

impl Prose {
    /// A sentence without anything to do.
    pub(crate) fn only(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), hints: Vec::new() }
    }

    /// Adds a step.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl Story<'_> {
    /// The server as a person calls it: by name and address.
    pub(crate) fn server(&self) -> String {
        let server = self.case.connection.server();
        match self.name {
            Some(name) => format!("{name} ({server})"),
            None => server.to_string(),
        }
    }

    /// The server's IP address alone.
    pub(crate) fn address(&self) -> String {
        self.case.connection.server().address.ip().to_string()
    }

    /// The server's port.
    pub(crate) fn port(&self) -> u16 {
        self.case.connection.server().port
    }

    /// The Service and its namespace, if the name is `<service>.<namespace>.svc`.
    pub(crate) fn service(&self) -> Option<(&str, &str)> {
        let (service, rest) = self.name?.split_once('.')?;
        let namespace =
            rest.strip_suffix(".svc").or_else(|| rest.split_once(".svc.").map(|(before, _)| before))?;
        (!namespace.contains('.')).then_some((service, namespace))
    }

    /// The command that shows which pods stand behind the server.
    pub(crate) fn find_pods(&self) -> String {
        match self.service() {
            Some((service, namespace)) => format!(
                "`kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={service} -o wide`"
            ),
            None => format!("`kubectl get pods -A -o wide --field-selector status.podIP={}`", self.address()),
        }
    }

    /// The command that shows the logs of the pods behind the server.
    pub(crate) fn show_logs(&self) -> String {
        match self.service() {
            Some((service, namespace)) => {
                format!(
                    "`kubectl -n {namespace} logs service/{service} --timestamps --since-time={}`",
                    self.beginning()
                )
            }
            None => format!(
                "`kubectl get pods -A --field-selector status.podIP={}` names the pod, this reads its log: `kubectl -n NAMESPACE logs POD --timestamps --since-time={}`",
                self.address(),
                self.beginning()
            ),
        }
    }

    /// The command that shows how much CPU and memory the pods behind the server take.
    pub(crate) fn show_usage(&self) -> String {
        let namespace =
            self.service().map_or_else(|| "-A".to_owned(), |(_, namespace)| format!("-n {namespace}"));
        format!("`kubectl top pod {namespace} --containers`")
    }

    /// When the story begins, to the second, as `kubectl logs` takes it: captures are read long after.
    fn beginning(&self) -> String {
        let first = self.call.map_or(self.case.connection.first, |call| call.start).time.to_string();
        let second = first.split('.').next().unwrap_or(&first);
        format!("{second}Z")
    }

    /// The command that shows the certificate that the server presents.
    pub(crate) fn show_certificate(&self) -> String {
        let server = self.case.connection.server();
        let name = self.name.map(|name| format!(" -servername {name}")).unwrap_or_default();
        format!(
            "`openssl s_client -connect {server}{name} </dev/null 2>/dev/null | openssl x509 -noout -subject -issuer -dates -ext subjectAltName`"
        )
    }
}

/// Whether a name can stand in a command that people copy: a client may put anything into its ClientHello.
pub(crate) fn is_host_name(name: &str) -> bool {
    let allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_');
    !name.starts_with('-') && name.chars().all(allowed)
}

/// A duration as people read it: `3.2 ms`, `10.03 s`.
pub(crate) struct Human(pub(crate) Elapsed);

impl fmt::Display for Human {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds.abs() {
            s if s >= 100.0 => write!(f, "{seconds:.0} s"),
            s if s >= 1.0 => write!(f, "{seconds:.2} s"),
            s if s >= 0.1 => write!(f, "{:.0} ms", seconds * 1e3),
            s if s >= 0.001 => write!(f, "{:.1} ms", seconds * 1e3),
            _ => write!(f, "{:.0} µs", seconds * 1e6),
        }
    }
}

/// `1 SYN`, `2 SYNs`.
pub(crate) fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_without_meaning_to_a_shell_are_put_into_commands() {
        for name in ["webhook.ns.svc", "a_b-1.example", "10.0.0.1"] {
            assert!(is_host_name(name), "{name}");
        }
        for name in ["-o.ns.svc", "a;reboot.ns.svc", "$(id).ns.svc", "a b", "`id`", "a'b", "a|b", "ä.ns.svc"]
        {
            assert!(!is_host_name(name), "{name}");
        }
    }
}
