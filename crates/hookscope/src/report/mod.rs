//! Reports: what was found, as stable data.

pub mod schema;
