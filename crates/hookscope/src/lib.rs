//! Says from a packet capture why calls of Kubernetes admission webhooks fail.

mod bytes;
pub mod config;
pub mod filter;
pub mod flow;
pub mod packet;
pub mod side;
mod tcp;
mod tls;
pub mod time;
pub mod wire;
pub mod report;
