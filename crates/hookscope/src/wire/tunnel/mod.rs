//! Tunnels: the payload of an outer packet -> the inner packet.
//!
//! One file per encapsulation. Each says whether the bytes are its own and what they carry; none goes further.

mod erspan;
pub(super) mod geneve;
pub(super) mod gre;
pub(super) mod gtp;
pub(super) mod ip_in_ip;
pub(super) mod vxlan;
