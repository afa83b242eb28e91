//! Activations that a text encoder's config can name.

use burn::tensor::{Tensor, activation};

/// An activation function, as `hidden_act` of a CLIP config names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x sigmoid(1.702 x)`, of OpenAI's CLIP.
    QuickGelu,
    /// `x Φ(x)` with the exact error function, of OpenCLIP.
    Gelu,
}

impl Activation {
    /// Applies it to each element.
    pub fn forward<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::QuickGelu => x.clone() * activation::sigmoid(x * 1.702),
            Self::Gelu => activation::gelu(x),
        }
    }
}
