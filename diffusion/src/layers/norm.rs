//! Group and layer normalisation; γ and β learn where they are tracked.
//!
//! `y = (x - mean) / √(var + ε) · γ + β` with the biased variance, over groups
//! of channels (Wu and He 2018, <https://arxiv.org/abs/1803.08494>) or over the
//! last dimension (Ba et al. 2016, <https://arxiv.org/abs/1607.06450>).

use burn::tensor::Tensor;
use likeness_kernels::{group_norm, group_norm_silu, layer_norm};

/// Normalises `[batch, channels, height, width]` over groups of channels.
#[derive(Debug, Clone)]
pub struct GroupNorm {
    gamma: Tensor<1>, // [channels]
    beta: Tensor<1>,  // [channels]
    groups: usize,
    epsilon: f64,
}

impl GroupNorm {
    /// `gamma` and `beta` are `[channels]`; `groups` divides the channels.
    pub fn new(gamma: Tensor<1>, beta: Tensor<1>, groups: usize, epsilon: f64) -> Self {
        Self { gamma, beta, groups, epsilon }
    }

    /// `[batch, channels, height, width]`, same shape out.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let (gamma, beta) = (self.gamma.clone(), self.beta.clone());
        group_norm(x, gamma, beta, self.groups, self.epsilon)
    }

    /// [`GroupNorm::forward`], then SiLU.
    pub fn forward_silu(&self, x: Tensor<4>) -> Tensor<4> {
        let (gamma, beta) = (self.gamma.clone(), self.beta.clone());
        group_norm_silu(x, gamma, beta, self.groups, self.epsilon)
    }
}

/// Normalises the last dimension.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    gamma: Tensor<1>, // [width]
    beta: Tensor<1>,  // [width]
    epsilon: f64,
}

impl LayerNorm {
    /// `gamma` and `beta` have the width of the last dimension.
    pub fn new(gamma: Tensor<1>, beta: Tensor<1>, epsilon: f64) -> Self {
        Self { gamma, beta, epsilon }
    }

    /// `[.., width]`, same shape out.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        layer_norm(x, self.gamma.clone(), self.beta.clone(), self.epsilon)
    }
}
