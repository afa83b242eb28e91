//! Pixels to the moments of latents.

use burn::tensor::Tensor;

use super::{VaeConfig, mid::Mid, resnet::EPSILON, resnet::Resnet};
use crate::layers::{Conv2d, ConvShape, GroupNorm};
use crate::weights::Loader;

/// Halves the size at every level but the last.
#[derive(Debug, Clone)]
pub struct Encoder {
    conv_in: Conv2d,
    levels: Vec<(Vec<Resnet>, Option<Conv2d>)>,
    mid: Mid,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Encoder {
    /// Loads the encoder.
    pub fn load(at: &Loader, config: &VaeConfig) -> Self {
        let channels = &config.block_out_channels;
        let last = channels[channels.len() - 1];
        let mut c_in = channels[0];
        let mut levels = Vec::new();
        for (level, &c_out) in channels.iter().enumerate() {
            let here = at.at(format!("down_blocks.{level}"));
            let resnet = |i| {
                let c_in = if i == 0 { c_in } else { c_out };
                Resnet::load(&here.at(format!("resnets.{i}")), c_in, c_out, config)
            };
            let resnets = (0..config.layers_per_block).map(resnet).collect();
            // One row and column of zeros after the picture, none before it.
            let halving = ConvShape::halving(c_out, (0, 1));
            let down =
                (level + 1 < channels.len()).then(|| here.conv("downsamplers.0.conv", halving));
            levels.push((resnets, down));
            c_in = c_out;
        }
        Self {
            conv_in: at.conv("conv_in", ConvShape::same(config.in_channels, channels[0])),
            levels,
            mid: Mid::load(&at.at("mid_block"), last, config),
            norm_out: at.group_norm("conv_norm_out", last, config.norm_num_groups, EPSILON),
            conv_out: at.conv("conv_out", ConvShape::same(last, 2 * config.latent_channels)),
        }
    }

    /// `[batch, 3, height, width]` to `[batch, 2 x latent channels, height / f, width / f]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut h = self.conv_in.forward(x);
        for (resnets, down) in &self.levels {
            for resnet in resnets {
                h = resnet.forward(h);
            }
            if let Some(down) = down {
                h = down.forward(h);
            }
        }
        let h = self.mid.forward(h);
        self.conv_out.forward(self.norm_out.forward_silu(h))
    }
}
