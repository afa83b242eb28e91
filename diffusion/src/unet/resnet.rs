//! A residual block that the time embedding enters.

use burn::tensor::{Tensor, activation::silu};

use super::UnetConfig;
use crate::layers::{Conv2d, ConvShape, GroupNorm, LayerMut, Linear};
use crate::precision::wide;
use crate::weights::Loader;

/// `x + conv(silu(norm(conv(silu(norm(x))) + time)))`.
#[derive(Debug, Clone)]
pub struct Resnet {
    norm1: GroupNorm,
    conv1: Conv2d,
    time: Linear,
    norm2: GroupNorm,
    conv2: Conv2d,
    shortcut: Option<Conv2d>,
}

impl Resnet {
    /// Loads a block from `c_in` to `c_out` channels.
    pub fn load(at: &Loader, c_in: usize, c_out: usize, config: &UnetConfig) -> Self {
        let (groups, epsilon) = (config.norm_num_groups, config.norm_eps);
        Self {
            norm1: at.group_norm("norm1", c_in, groups, epsilon),
            conv1: at.conv("conv1", ConvShape::same(c_in, c_out)),
            time: at.linear("time_emb_proj", config.time_width(), c_out, true),
            norm2: at.group_norm("norm2", c_out, groups, epsilon),
            conv2: at.conv("conv2", ConvShape::same(c_out, c_out)),
            shortcut: (c_in != c_out)
                .then(|| at.conv("conv_shortcut", ConvShape::pointwise(c_in, c_out))),
        }
    }

    /// `[batch, c_in, h, w]` and time `[batch, time width]` to `[batch, c_out, h, w]`.
    pub fn forward(&self, x: Tensor<4>, time: &Tensor<2>) -> Tensor<4> {
        let h = self.conv1.forward(self.norm1.forward_silu(x.clone()));
        let time = self.time.forward(silu(time.clone())); // [batch, c_out]
        let [batch, c_out] = time.dims();
        let h = h + time.reshape([batch, c_out, 1, 1]);
        let h = self.conv2.forward(self.norm2.forward_silu(h));
        match &self.shortcut {
            Some(shortcut) => wide(shortcut.forward(x)) + wide(h),
            None => x + wide(h),
        }
    }

    /// The layers that an adapter may change.
    pub fn layers<'a>(&'a mut self, out: &mut Vec<LayerMut<'a>>) {
        out.push(LayerMut::Conv(&mut self.conv1));
        out.push(LayerMut::Linear(&mut self.time));
        out.push(LayerMut::Conv(&mut self.conv2));
        out.extend(self.shortcut.as_mut().map(LayerMut::Conv));
    }
}
