//! What is known of a cluster: its objects, and which address, port and name belongs to which webhook.
//!
//! Without it a report names servers by their Service at best; with it, by webhook, pod and node, and each call is held
//! against its own webhook's deadline. It is given in [`Config`](crate::Config); reading it from files is the work of
//! `hookscope-cluster`.

mod directory;
mod objects;
mod resolve;

pub use directory::{Asked, Cluster, Destination, Place, Via, WebhookId};
pub use objects::{
    CaBundle, EndpointAddress, Endpoints, FailurePolicy, Labels, Namespace, Node, ObjectName, Objects,
    Operator, Pod, PortRef, Requirement, Rule, Selector, Service, ServicePort, Target, Url, Webhook,
    WebhookKind,
};
