//! Bends captures without changing what their packets mean.
//!
//! Whatever a reader concludes from a capture, it has to conclude from the transformed one as well. A transformation
//! leaves a packet as it is where it does not apply: because the packet is not of the right kind, is cut short by a
//! snap length, or would become too large for IP. Those that work on TCP or IP look behind the link header and VLAN
//! tags only; of a tunnelled packet they see the outer headers.

mod cut;
mod duplicate;
mod fragment;
mod overlay;
mod relink;
mod segment;
mod shift;
mod shift_icmp;
mod tunnel;

pub use cut::{cut, reseal, snap};
pub use duplicate::{Duplicates, duplicate_all, swap_neighbours};
pub use fragment::{FragmentOrder, fragment_ip};
pub use overlay::{Overlay, any_and_vxlan};
pub use relink::{Link, relink};
pub use segment::{one_byte_segments, segments_of};
pub use shift::shift_sequence_numbers;
pub use tunnel::{Outer, Tunnel, nest, tunnel};
