//! Latents to pixels.

use burn::tensor::Tensor;

use super::{VaeConfig, mid::Mid, resnet::EPSILON, resnet::Resnet};
use crate::layers::{Conv2d, ConvShape, GroupNorm, doubled};
use crate::weights::Loader;

/// Doubles the size at every level but the last.
#[derive(Debug, Clone)]
pub struct Decoder {
    conv_in: Conv2d,
    mid: Mid,
    levels: Vec<(Vec<Resnet>, Option<Conv2d>)>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Decoder {
    /// Loads the decoder.
    pub fn load(at: &Loader, config: &VaeConfig) -> Self {
        let channels: Vec<_> = config.block_out_channels.iter().rev().copied().collect();
        let (first, last) = (channels[0], channels[channels.len() - 1]);
        let mut c_in = first;
        let mut levels = Vec::new();
        for (level, &c_out) in channels.iter().enumerate() {
            let here = at.at(format!("up_blocks.{level}"));
            let resnet = |i| {
                let c_in = if i == 0 { c_in } else { c_out };
                Resnet::load(&here.at(format!("resnets.{i}")), c_in, c_out, config)
            };
            let resnets = (0..=config.layers_per_block).map(resnet).collect();
            let up = (level + 1 < channels.len())
                .then(|| here.conv("upsamplers.0.conv", ConvShape::same(c_out, c_out)));
            levels.push((resnets, up));
            c_in = c_out;
        }
        Self {
            conv_in: at.conv("conv_in", ConvShape::same(config.latent_channels, first)),
            mid: Mid::load(&at.at("mid_block"), first, config),
            levels,
            norm_out: at.group_norm("conv_norm_out", last, config.norm_num_groups, EPSILON),
            conv_out: at.conv("conv_out", ConvShape::same(last, config.in_channels)),
        }
    }

    /// `[batch, latent channels, h, w]` to `[batch, 3, f h, f w]`.
    pub fn forward(&self, z: Tensor<4>) -> Tensor<4> {
        let mut h = self.mid.forward(self.conv_in.forward(z));
        for (resnets, up) in &self.levels {
            for resnet in resnets {
                h = resnet.forward(h);
            }
            if let Some(up) = up {
                h = up.forward(doubled(h));
            }
        }
        self.conv_out.forward(self.norm_out.forward_silu(h))
    }
}
