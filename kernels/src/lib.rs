//! Differentiable operations that burn lacks or does slowly, one a file.
//!
//! Each is a burn backend extension: the forward pass is the engine's own best
//! implementation, the backward pass is written once over the engine's
//! primitives and keeps as little as it can.

#![recursion_limit = "256"]

pub mod attention;
pub mod device;

pub use attention::attention;
pub use device::{DeviceError, device};
