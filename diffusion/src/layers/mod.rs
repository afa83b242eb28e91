//! The layers that models are built of: weights that are frozen or learn, and room for low-rank updates.

mod activation;
mod conv;
mod linear;
mod norm;
mod resize;
mod update;

pub use activation::Activation;
pub use conv::{Conv2d, ConvShape};
pub use linear::Linear;
pub use norm::{GroupNorm, LayerNorm};
pub use resize::{doubled, enlarged};
pub use update::{LayerMut, LayerShape, LowRank};
