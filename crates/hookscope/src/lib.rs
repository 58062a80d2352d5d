//! Says from a packet capture why calls of Kubernetes admission webhooks fail.

mod bytes;
mod call;
pub mod config;
mod connection;
pub mod diagnosis;
pub mod filter;
pub mod flow;
pub mod packet;
pub mod report;
pub mod side;
mod tcp;
pub mod time;
mod tls;
pub mod wire;
