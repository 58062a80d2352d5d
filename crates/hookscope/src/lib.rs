//! Says from a packet capture why calls of Kubernetes admission webhooks fail.

mod bytes;
mod call;
pub mod config;
mod connection;
pub mod diagnosis;
pub mod filter;
pub mod flow;
mod inspect;
mod lookup;
pub mod packet;
pub mod report;
pub mod side;
mod tcp;
pub mod time;
mod tls;
pub mod wire;

pub use config::{Config, Keep};
pub use filter::Filter;
pub use inspect::{Inspection, Inspector};
pub use packet::Packet;
