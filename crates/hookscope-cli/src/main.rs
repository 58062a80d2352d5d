//! The command line of hookscope.
mod args;
mod text;
fn main() {}
