//! Objects of a cluster, reduced to what says which webhook an address belongs to and how its calls must go.
//!
//! They are plain data: `hookscope-cluster` reads them from JSON and YAML, and anyone else may fill them in. Field
//! names are those of the Kubernetes API where it has the field.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// What was collected from a cluster, in the order in which it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objects {
    /// Admission webhooks, conversion webhooks and API services that are served from outside of kube-apiserver.
    pub webhooks: Vec<Webhook>,
    /// Services.
    pub services: Vec<Service>,
    /// What stands behind Services: EndpointSlices, and Endpoints in the same form.
    pub endpoints: Vec<Endpoints>,
    /// Pods.
    pub pods: Vec<Pod>,
    /// Nodes.
    pub nodes: Vec<Node>,
    /// Namespaces, for their labels.
    pub namespaces: Vec<Namespace>,
}

impl Objects {
    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many objects there are; each webhook of a configuration counts.
    pub fn len(&self) -> usize {
        self.webhooks.len()
            + self.services.len()
            + self.endpoints.len()
            + self.pods.len()
            + self.nodes.len()
            + self.namespaces.len()
    }
}

/// A namespace and the name of an object in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl ObjectName {
    /// From both.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

/// `namespace/name`, as `kubectl` has it.
impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What kube-apiserver calls a server for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WebhookKind {
    /// A webhook of a ValidatingWebhookConfiguration.
    Validating,
    /// A webhook of a MutatingWebhookConfiguration.
    Mutating,
    /// The conversion webhook of a CustomResourceDefinition.
    Conversion,
    /// An APIService: no webhook, but called and verified in the same way.
    ApiService,
}

impl WebhookKind {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Validating => "validating",
            Self::Mutating => "mutating",
            Self::Conversion => "conversion",
            Self::ApiService => "apiservice",
        }
    }

    /// The kind of the object that configures it.
    pub const fn object(self) -> &'static str {
        match self {
            Self::Validating => "ValidatingWebhookConfiguration",
            Self::Mutating => "MutatingWebhookConfiguration",
            Self::Conversion => "CustomResourceDefinition",
            Self::ApiService => "APIService",
        }
    }

    /// The same as a resource of `kubectl`.
    pub const fn resource(self) -> &'static str {
        match self {
            Self::Validating => "validatingwebhookconfiguration",
            Self::Mutating => "mutatingwebhookconfiguration",
            Self::Conversion => "customresourcedefinition",
            Self::ApiService => "apiservice",
        }
    }
}

/// One webhook, or what is called like one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// What it is called for.
    pub kind: WebhookKind,
    /// The name of the object that configures it.
    pub configuration: String,
    /// Its own name, as kube-apiserver's log has it; that of the object where it has none of its own.
    pub name: String,
    /// Where it is called.
    pub target: Target,
    /// `timeoutSeconds`; `None` where the kind has none.
    pub timeout: Option<Duration>,
    /// What a failed call does to the request.
    pub failure_policy: FailurePolicy,
    /// Whom its server's certificate must be signed by.
    pub ca_bundle: CaBundle,
    /// Which namespaces' objects it is called for.
    pub namespace_selector: Selector,
    /// Which objects it is called for.
    pub object_selector: Selector,
    /// Which resources it is called for.
    pub rules: Vec<Rule>,
    /// How many `matchConditions` narrow it further: expressions that are not evaluated here.
    pub match_conditions: usize,
}

impl Webhook {
    /// The host that kube-apiserver calls it by, in lower case: what stands in the ClientHello, unless it is an IP
    /// address, and what the certificate must be for.
    pub fn host(&self) -> Option<String> {
        match &self.target {
            Target::Service { service, .. } => {
                Some(format!("{}.{}.svc", service.name, service.namespace).to_ascii_lowercase())
            }
            Target::Url(url) => Some(Url::read(url)?.host),
        }
    }

    /// The Service that it is called through, where it is.
    pub const fn service(&self) -> Option<&ObjectName> {
        match &self.target {
            Target::Service { service, .. } => Some(service),
            Target::Url(_) => None,
        }
    }
}

/// Where a webhook is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Through a Service: `clientConfig.service`.
    Service {
        /// The Service.
        service: ObjectName,
        /// Its port, 443 unless given.
        port: u16,
        /// The path of the URL.
        path: Option<String>,
    },
    /// At a URL: `clientConfig.url`.
    Url(String),
}

/// What matters of a webhook's URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// The host in lower case; an IPv6 address without its brackets.
    pub host: String,
    /// The port, 443 unless given.
    pub port: u16,
}

impl Url {
    /// Reads `https://host[:port][/path]`; `None` where it is something else.
    pub fn read(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        if !scheme.eq_ignore_ascii_case("https") {
            return None;
        }
        let authority = rest.split(['/', '?', '#']).next()?;
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']')?;
                (host, port.strip_prefix(':'))
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = match port {
            Some("") | None => 443,
            Some(port) => port.parse().ok()?,
        };
        (!host.is_empty()).then(|| Self { host: host.to_ascii_lowercase(), port })
    }

    /// The host, if it is an IP address.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

/// `failurePolicy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailurePolicy {
    /// The request fails with the call.
    #[default]
    Fail,
    /// The request goes on.
    Ignore,
}

impl FailurePolicy {
    /// As the API writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fail => "Fail",
            Self::Ignore => "Ignore",
        }
    }
}

/// `caBundle`: what was configured, decoded as far as it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CaBundle {
    /// None is configured: the system's CAs of kube-apiserver's host count.
    #[default]
    Empty,
    /// It is not base64.
    NotBase64,
    /// The decoded bytes: PEM, if all is well.
    Bytes(Vec<u8>),
    /// The certificate is not verified at all (`insecureSkipTLSVerify` of an APIService).
    Unverified,
}

/// A label selector. An empty one selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// `matchLabels` and `matchExpressions`, all of which must hold.
    pub requirements: Vec<Requirement>,
}

/// One requirement of a label selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The label's key.
    pub key: String,
    /// How its value is compared.
    pub operator: Operator,
    /// With what.
    pub values: Vec<String>,
}

/// How a requirement compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The value is one of these.
    In,
    /// It is none of these, or there is none.
    NotIn,
    /// There is one.
    Exists,
    /// There is none.
    DoesNotExist,
}

/// Labels of an object.
pub type Labels = BTreeMap<String, String>;

impl Selector {
    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether it selects an object with these labels.
    pub fn selects(&self, labels: &Labels) -> bool {
        self.requirements.iter().all(|requirement| {
            let value = labels.get(&requirement.key);
            let named = || value.is_some_and(|value| requirement.values.contains(value));
            match requirement.operator {
                Operator::In => named(),
                Operator::NotIn => !named(),
                Operator::Exists => value.is_some(),
                Operator::DoesNotExist => value.is_none(),
            }
        })
    }
}

/// One rule of an admission webhook: for which requests it is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// `CREATE`, `UPDATE`, …, or `*`.
    pub operations: Vec<String>,
    /// API groups, or `*`.
    pub api_groups: Vec<String>,
    /// Resources such as `pods`, `pods/status`, `*` or `*/*`.
    pub resources: Vec<String>,
    /// Whether it leaves namespaced objects out (`scope: Cluster`).
    pub cluster_only: bool,
}

impl Rule {
    /// Whether it matches requests that make a resource.
    pub fn matches_create(&self, group: &str, resource: &str) -> bool {
        let has = |list: &[String], what: &str| list.iter().any(|item| item == "*" || item == what);
        let resources = has(&self.resources, resource) || self.resources.iter().any(|item| item == "*/*");
        !self.cluster_only && has(&self.operations, "CREATE") && has(&self.api_groups, group) && resources
    }
}

/// A Service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: ObjectName,
    /// Its ClusterIPs: none where it is headless or only a name for another host.
    pub cluster_ips: Vec<IpAddr>,
    /// `externalName`, where it is nothing but a name for another host.
    pub external_name: Option<String>,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// Which pods stand behind it; empty where somebody else says so.
    pub selector: Labels,
    /// Whether endpoints count that are not ready (`publishNotReadyAddresses`).
    pub publishes_not_ready: bool,
}

/// A port of a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServicePort {
    /// Its name; empty where it has none.
    pub name: String,
    /// The port.
    pub port: u16,
    /// The port of the pods behind it.
    pub target: PortRef,
    /// Whether it is TCP.
    pub is_tcp: bool,
}

/// A port by number or by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortRef {
    /// By number.
    Number(u16),
    /// By the name of a container's port.
    Name(String),
}

impl Default for PortRef {
    fn default() -> Self {
        Self::Number(0)
    }
}

impl fmt::Display for PortRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// An EndpointSlice, or a subset of an Endpoints object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// The Service that it belongs to.
    pub service: ObjectName,
    /// Its own name.
    pub name: String,
    /// Its ports: name (that of the Service's port) and number.
    pub ports: Vec<(String, u16)>,
    /// Its addresses.
    pub addresses: Vec<EndpointAddress>,
}

/// One address behind a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointAddress {
    /// The address.
    pub ip: IpAddr,
    /// Whether it takes calls.
    pub ready: bool,
    /// The pod that has it.
    pub pod: Option<ObjectName>,
    /// The node that the pod runs on.
    pub node: Option<String>,
}

/// A pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub name: ObjectName,
    /// Its labels.
    pub labels: Labels,
    /// Its addresses.
    pub ips: Vec<IpAddr>,
    /// The node that it runs on.
    pub node: Option<String>,
    /// Whether it has its node's addresses (`hostNetwork`).
    pub host_network: bool,
    /// Whether it is ready; `None` where its status does not say.
    pub ready: Option<bool>,
    /// Ports that its containers name, all protocols but UDP and SCTP: name, if any, and number.
    pub ports: Vec<(Option<String>, u16)>,
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its addresses.
    pub ips: Vec<IpAddr>,
}

/// A namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
}
