//! Writes conversations, captures and their transformations for hookscope's tests.
