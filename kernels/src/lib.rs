//! Differentiable operations that burn lacks or does slowly, one a file.
//!
//! Each is a burn backend extension: the forward pass is the engine's own best
//! implementation, the backward pass is written once over the engine's
//! primitives and keeps as little as it can. Weights that never learn get no
//! gradient, and nothing is kept for one. On the CPU the operations between the
//! matrix products run over slices, vectorised and on every core.

#![recursion_limit = "256"]
// burn-tch is the only libtorch engine that burn 0.22 has.
#![cfg_attr(feature = "tch", allow(deprecated))]

pub mod adamw;
pub mod attention;
pub mod conv_frozen;
#[cfg(any(feature = "flex", feature = "tch"))]
#[allow(unsafe_code)] // vectors, and blocks of one output written by several threads
mod cpu;
pub mod device;
#[cfg(any(feature = "flex", feature = "tch"))]
mod elementary;
#[cfg(any(feature = "flex", feature = "tch"))]
mod elsewhere;
pub mod geglu;
pub mod group_norm;
pub mod layer_norm;
pub mod linear_frozen;
#[cfg(any(feature = "flex", feature = "tch"))]
mod moments;
mod normalised;
#[allow(unsafe_code)] // an allocator
mod pool;
mod primitives;
pub mod seeded;
#[cfg(any(feature = "flex", feature = "tch"))]
mod slices;
#[cfg(all(test, any(feature = "flex", feature = "tch")))]
mod testing;

pub use adamw::{AdamWState, AdamWStep, adamw};
pub use attention::{AttentionOptions, attention};
pub use conv_frozen::{ConvUpdate, conv, conv_frozen, lora_conv};
pub use device::{DeviceError, device};
pub use geglu::geglu;
pub use group_norm::{group_norm, group_norm_silu};
pub use layer_norm::layer_norm;
pub use linear_frozen::{LinearUpdate, linear, linear_frozen, lora_linear};
pub use pool::Pool;
pub use seeded::seeded;
