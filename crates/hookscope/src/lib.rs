//! Says from a packet capture why calls of Kubernetes admission webhooks fail.

pub mod flow;
pub mod packet;
pub mod time;
pub mod wire;
pub mod report;
