//! Bends captures without changing what their packets mean.
//!
//! Whatever a reader concludes from a capture, it has to conclude from the transformed one as well. A transformation
//! leaves a packet as it is where it does not apply: because the packet is not of the right kind, is cut short by a
//! snap length, or would become too large for IP.
