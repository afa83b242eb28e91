//! A linear layer with low-rank updates.
//!
//! `y = x Wᵀ + b + Σ sᵢ (x Aᵢᵀ) Bᵢᵀ`. Where W and b are frozen nothing is kept for
//! their gradients; the updates are a side path, so no dense `W + BA` is made. W and b
//! learn where they are tracked: when a model is trained from scratch.

use burn::tensor::{FloatDType, Tensor};
use likeness_kernels::{LinearUpdate, linear, lora_linear};

use super::{LayerShape, LowRank};
use crate::precision::cast;

/// `[.., d_in]` to `[.., d_out]`.
#[derive(Debug, Clone)]
pub struct Linear {
    path: String,
    weight: Tensor<2>, // [d_out, d_in], in the file's float type
    bias: Option<Tensor<1>>,
    computed_in: FloatDType,
    /// Side paths, in the order of the adapters.
    pub updates: Vec<LowRank<2>>,
}

impl Linear {
    /// A layer called `path` with `weight` `[d_out, d_in]` and `bias` `[d_out]`.
    pub fn new(path: String, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Self {
        Self { path, weight, bias, computed_in: FloatDType::F32, updates: Vec::new() }
    }

    /// The same layer, computed in `dtype`: f32 at first.
    pub fn computed_in(self, dtype: FloatDType) -> Self {
        Self { computed_in: dtype, ..self }
    }

    /// The layer's path within its model, in diffusers' naming.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The weight's shape.
    pub fn shape(&self) -> LayerShape {
        let [d_out, d_in] = self.weight.dims();
        LayerShape::Linear { d_in, d_out }
    }

    /// The weight, `[d_out, d_in]`.
    pub fn weight(&self) -> &Tensor<2> {
        &self.weight
    }

    /// `[.., d_in]` to `[.., d_out]`, in what it is computed in.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let x = cast(x, self.computed_in);
        let (weight, bias) = (self.weight.clone(), self.bias.clone());
        let Some((first, others)) = self.updates.split_first() else {
            return linear(x, weight, bias);
        };
        let LowRank { down, up, scale } = first.clone();
        let y = lora_linear(x.clone(), weight, bias, LinearUpdate { down, up, scale });
        others.iter().fold(y, |y, update| {
            let low = linear(x.clone(), update.down.clone(), None) * update.scale; // [.., rank]
            y + linear(low, update.up.clone(), None) // [.., d_out]
        })
    }

    /// Folds the updates into the weight: the same function, one matrix.
    pub fn merge(&mut self) {
        if self.updates.is_empty() {
            return;
        }
        let mut weight = self.weight.clone().cast(FloatDType::F32);
        for update in self.updates.drain(..) {
            weight = weight + update.up.matmul(update.down) * update.scale; // [d_out, d_in]
        }
        self.weight = weight;
    }
}
