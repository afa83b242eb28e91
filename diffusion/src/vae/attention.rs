//! Self-attention over all places of a feature map, one head.

use burn::tensor::Tensor;
use likeness_kernels::{AttentionOptions, attention};

use super::{VaeConfig, resnet::EPSILON};
use crate::layers::{GroupNorm, Linear};
use crate::weights::Loader;

/// `x + out(attention(q, k, v))` of the normalised `x`.
#[derive(Debug, Clone)]
pub struct SpatialAttention {
    norm: GroupNorm,
    to_q: Linear,
    to_k: Linear,
    to_v: Linear,
    to_out: Linear,
}

impl SpatialAttention {
    /// Loads attention over `channels`.
    pub fn load(at: &Loader, channels: usize, config: &VaeConfig) -> Self {
        let linear = |part| at.linear(part, channels, channels, true);
        Self {
            norm: at.group_norm("group_norm", channels, config.norm_num_groups, EPSILON),
            to_q: linear("to_q"),
            to_k: linear("to_k"),
            to_v: linear("to_v"),
            to_out: linear("to_out.0"),
        }
    }

    /// `[batch, channels, height, width]`, same shape out.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let tokens = self.norm.forward(x.clone()).reshape([batch, channels, height * width]);
        let tokens = tokens.swap_dims(1, 2); // [batch, places, channels]
        let [q, k, v] = [&self.to_q, &self.to_k, &self.to_v].map(|l| l.forward(tokens.clone()));
        let options = AttentionOptions { heads: 1, causal: false };
        let out = self.to_out.forward(attention(q, k, v, options)); // [batch, places, channels]
        x + out.swap_dims(1, 2).reshape([batch, channels, height, width])
    }
}
