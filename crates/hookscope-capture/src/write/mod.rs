//! Turns chosen packets into pcapng files: which to take, what to say of them, and how much disk they may use.

mod pcapng;
mod ring;
mod rotation;
mod selection;

pub use pcapng::PcapngWriter;
pub use ring::Ring;
pub use rotation::{Every, Rotation};
pub use selection::{Chosen, Selection};
