//! Reads packet captures for hookscope.
