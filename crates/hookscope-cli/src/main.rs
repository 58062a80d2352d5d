//! The command line of hookscope.
fn main() {}
