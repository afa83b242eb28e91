//! The tests that need more than one crate, in one binary.

#![recursion_limit = "256"]

mod parity;
