//! A frozen linear layer with low-rank updates.
//!
//! `y = x W + b + Σ sᵢ (x Aᵢ) Bᵢ`. W and b never learn, so nothing is kept for
//! their gradients; the updates are a side path, so no dense `W + AB` is made.

use burn::tensor::{Tensor, module::linear};

use super::{LayerShape, LowRank};

/// `[.., d_in]` to `[.., d_out]`.
#[derive(Debug, Clone)]
pub struct Linear {
    path: String,
    weight: Tensor<2>, // [d_in, d_out], frozen
    bias: Option<Tensor<1>>,
    /// Side paths, in the order of the adapters.
    pub updates: Vec<LowRank<2>>,
}

impl Linear {
    /// A layer called `path` with `weight` `[d_in, d_out]` and `bias` `[d_out]`.
    pub fn new(path: String, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Self {
        Self { path, weight, bias, updates: Vec::new() }
    }

    /// The layer's path within its model, in diffusers' naming.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The weight's shape.
    pub fn shape(&self) -> LayerShape {
        let [d_in, d_out] = self.weight.dims();
        LayerShape::Linear { d_in, d_out }
    }

    /// The frozen weight, `[d_in, d_out]`.
    pub fn weight(&self) -> &Tensor<2> {
        &self.weight
    }

    /// `[.., d_in]` to `[.., d_out]`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mut y = linear(x.clone(), self.weight.clone(), self.bias.clone());
        for update in &self.updates {
            let low = linear(x.clone(), update.down.clone(), None) * update.scale; // [.., rank]
            y = y + linear(low, update.up.clone(), None); // [.., d_out]
        }
        y
    }

    /// Folds the updates into the weight: the same function, one matrix.
    pub fn merge(&mut self) {
        for update in self.updates.drain(..) {
            let delta = update.down.matmul(update.up) * update.scale; // [d_in, d_out]
            self.weight = self.weight.clone() + delta;
        }
    }
}
