//! What a rule needs to put a finding in words: the case, the finding, and the names of those involved.

use std::fmt;

use crate::call::Call;
use crate::cluster::Webhook;
use crate::diagnosis::case::Case;
use crate::diagnosis::proof::{Proof, View};
use crate::diagnosis::verdict::Finding;
use crate::time::{Elapsed, Timestamp};
use crate::tls::certificate::Certificate;

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
    /// The pod at the server's address, where the cluster's objects say it: namespace and name.
    pub(crate) pod: Option<(&'a str, &'a str)>,
    /// What the cluster's objects say of a certificate that was rejected.
    pub(crate) proof: Option<&'a Proof>,
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

    /// From the ClientHello to the end of the story: to its last packet, or to the end of watching.
    pub(crate) fn since_hello(&self) -> Option<Human> {
        let hello = self.case.tls()?.client_hello.as_ref()?.at;
        Some(Human(self.finding.end.map_or_else(|| self.case.waited(hello), |end| end.since(hello))))
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

    /// The command that shows the pod at the server's address, with its restarts and its age. For the address of a
    /// node, these are all pods on the node's own network.
    pub(crate) fn show_pods(&self) -> String {
        if let Some((namespace, pod)) = self.pod {
            return format!("`kubectl -n {namespace} get pod {pod} -o wide`");
        }
        let pods = self.kubectl("get pods");
        format!("`{pods} -o wide --field-selector status.podIP={}`", self.address())
    }

    /// The step that finds out who a server without a name is.
    pub(crate) fn find_unnamed(&self) -> String {
        format!(
            "Find its Service and namespace, then its pod (for a node's address, all pods on the host network are \
             listed): `kubectl get endpointslices -A | grep -w {}`; {}",
            self.address(),
            self.show_pods()
        )
    }

    /// The command that shows the log of the pod at the server's address.
    pub(crate) fn show_logs(&self) -> String {
        let since = self.beginning();
        let options = format!("--all-containers --timestamps --since-time={since}");
        if let Some((namespace, pod)) = self.pod {
            return format!("`kubectl -n {namespace} logs {pod} {options}`");
        }
        match self.service() {
            Some((_, namespace)) => format!(
                "`kubectl -n {namespace} logs $(kubectl -n {namespace} get pods -o name --field-selector status.podIP={}) {options}`",
                self.address()
            ),
            None => format!(
                "{} names the pod, this reads its log: `kubectl -n NAMESPACE logs POD {options}`",
                self.show_pods()
            ),
        }
    }

    /// The commands that show how much CPU and memory the pod takes, and how often its CPU limit held it back.
    pub(crate) fn show_usage(&self) -> String {
        let (top, pods) = (self.kubectl("top pod"), self.kubectl("get pods"));
        let pod = match self.service() {
            Some((_, namespace)) => format!("'namespace=\"{namespace}\"'"),
            None => "POD".to_owned(),
        };
        format!(
            "`{top} --containers`; the periods in which its CPU limit throttled it: `kubectl get --raw \
             /api/v1/nodes/$({pods} --field-selector status.podIP={} \
             -o jsonpath='{{.items[0].spec.nodeName}}')/proxy/metrics/cadvisor | grep cfs_throttled_periods | grep {pod}`",
            self.address()
        )
    }

    /// A `kubectl` command in the namespace, where it is known, else in all namespaces.
    fn kubectl(&self, command: &str) -> String {
        match self.service() {
            Some((_, namespace)) => format!("kubectl -n {namespace} {command}"),
            None => format!("kubectl {command} -A"),
        }
    }

    /// When the story begins, to the second, as `kubectl logs` takes it: captures are read long after.
    pub(crate) fn beginning(&self) -> String {
        let first = self.call.map_or(self.case.connection.first, |call| call.start).time.to_string();
        let second = first.split('.').next().unwrap_or(&first);
        format!("{second}Z")
    }

    /// The name that the server's certificate must bear, as far as the capture shows it.
    pub(crate) fn wanted_name(&self) -> String {
        let offered = self.case.tls().and_then(|session| session.offered());
        let names_nobody = offered.is_some_and(|offered| offered.server_name.is_none() && !offered.is_cut);
        match (self.service(), self.name) {
            _ if names_nobody => {
                "the IP address that was called (no name was sent: it needs an IP SAN)".to_owned()
            }
            (Some((service, namespace)), _) => format!("{service}.{namespace}.svc"),
            (None, Some(name)) => name.to_owned(),
            (None, None) => "the name that was called (the name was not captured)".to_owned(),
        }
    }

    /// The webhook whose view it is.
    pub(crate) fn webhook(&self, view: &View) -> Option<&Webhook> {
        self.case.config.cluster.as_deref()?.webhook(view.webhook)
    }

    /// The names in the server's certificate, where it is visible.
    pub(crate) fn certificate_names(&self) -> Option<String> {
        let certificate = Certificate::read(self.case.tls()?.leaf()?)?;
        Some(certificate.names.join(", "))
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

/// A point in time as people read it, to the second: `2026-11-12 15:14:40 UTC`.
pub(crate) struct Date(pub(crate) Timestamp);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.0.to_string();
        let second = time.split('.').next().unwrap_or(&time);
        write!(f, "{} UTC", second.replace('T', " "))
    }
}

/// How far apart two dates are, roughly: `10 days`, `3 hours`.
pub(crate) struct Apart(pub(crate) Elapsed);

impl fmt::Display for Apart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_nanos().unsigned_abs() / 1_000_000_000;
        let units = [("day", 86_400), ("hour", 3600), ("minute", 60)];
        let unit = units.into_iter().find(|(_, length)| seconds >= 2 * length);
        let (name, length) = unit.unwrap_or(("second", 1));
        f.write_str(&count(seconds / length, name))
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
    fn dates_are_told_to_the_second_and_distances_roughly() {
        assert_eq!(
            Date(Timestamp::from_nanos(1_792_731_967_500_000_000)).to_string(),
            "2026-10-23 05:06:07 UTC"
        );
        for (seconds, shown) in [
            (1, "1 second"),
            (119, "119 seconds"),
            (7199, "119 minutes"),
            (7200, "2 hours"),
            (-864_000, "10 days"),
        ] {
            assert_eq!(Apart(Elapsed::from_millis(seconds * 1000)).to_string(), shown);
        }
    }

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
