//! Runs `hookscope live` on interfaces: each test makes a network of its own, for which it has to be root. Where it is
//! not, or there is no `ip`, tests say so and pass.

#![cfg(all(feature = "live", target_os = "linux"))]

mod evidence;
mod logs;
mod metrics;
mod network;
mod stopping;
mod verdicts;
mod watching;
