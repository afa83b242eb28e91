//! The middle of encoder and decoder: resnet, attention, resnet.

use burn::tensor::Tensor;

use super::{VaeConfig, attention::SpatialAttention, resnet::Resnet};
use crate::weights::Loader;

/// Resnet, attention, resnet at the smallest size.
#[derive(Debug, Clone)]
pub struct Mid {
    before: Resnet,
    attention: SpatialAttention,
    after: Resnet,
}

impl Mid {
    /// Loads the middle of `channels`.
    pub fn load(at: &Loader, channels: usize, config: &VaeConfig) -> Self {
        Self {
            before: Resnet::load(&at.at("resnets.0"), channels, channels, config),
            attention: SpatialAttention::load(&at.at("attentions.0"), channels, config),
            after: Resnet::load(&at.at("resnets.1"), channels, channels, config),
        }
    }

    /// `[batch, channels, height, width]`, same shape out.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.after.forward(self.attention.forward(self.before.forward(x)))
    }
}
