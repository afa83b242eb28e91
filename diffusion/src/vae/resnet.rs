//! A residual block without time embedding.

use burn::tensor::Tensor;

use super::VaeConfig;
use crate::layers::{Conv2d, ConvShape, GroupNorm};
use crate::weights::Loader;

/// Epsilon of every normalisation in the autoencoder.
pub const EPSILON: f64 = 1e-6;

/// `x + conv(silu(norm(conv(silu(norm(x))))))`.
#[derive(Debug, Clone)]
pub struct Resnet {
    norm1: GroupNorm,
    conv1: Conv2d,
    norm2: GroupNorm,
    conv2: Conv2d,
    shortcut: Option<Conv2d>,
}

impl Resnet {
    /// Loads a block from `c_in` to `c_out` channels.
    pub fn load(at: &Loader, c_in: usize, c_out: usize, config: &VaeConfig) -> Self {
        let groups = config.norm_num_groups;
        Self {
            norm1: at.group_norm("norm1", c_in, groups, EPSILON),
            conv1: at.conv("conv1", ConvShape::same(c_in, c_out)),
            norm2: at.group_norm("norm2", c_out, groups, EPSILON),
            conv2: at.conv("conv2", ConvShape::same(c_out, c_out)),
            shortcut: (c_in != c_out)
                .then(|| at.conv("conv_shortcut", ConvShape::pointwise(c_in, c_out))),
        }
    }

    /// `[batch, c_in, height, width]` to `[batch, c_out, height, width]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let h = self.conv1.forward(self.norm1.forward_silu(x.clone()));
        let h = self.conv2.forward(self.norm2.forward_silu(h));
        match &self.shortcut {
            Some(shortcut) => shortcut.forward(x) + h,
            None => x + h,
        }
    }
}
