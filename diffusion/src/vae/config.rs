//! Sizes of an autoencoder, as `vae/config.json` gives them.

use serde::Deserialize;

/// Sizes of an autoencoder. Unknown keys in the JSON are ignored: they are diffusers' own.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct VaeConfig {
    /// Channels of a picture.
    pub in_channels: usize,
    /// Channels of a latent.
    pub latent_channels: usize,
    /// Channels of each level; every level but the last halves the size.
    pub block_out_channels: Vec<usize>,
    /// Resnets a level in the encoder; the decoder has one more.
    pub layers_per_block: usize,
    /// Groups of each group normalisation.
    pub norm_num_groups: usize,
    /// What latents are multiplied with before the UNet sees them.
    pub scaling_factor: f64,
    /// Whether a 1 x 1 convolution follows the encoder.
    pub use_quant_conv: bool,
    /// Whether a 1 x 1 convolution precedes the decoder.
    pub use_post_quant_conv: bool,
}

impl Default for VaeConfig {
    /// KL-f8 of SD 1.x and 2.x:
    /// <https://huggingface.co/stabilityai/sd-vae-ft-mse/blob/main/config.json>.
    fn default() -> Self {
        Self {
            in_channels: 3,
            latent_channels: 4,
            block_out_channels: vec![128, 256, 512, 512],
            layers_per_block: 2,
            norm_num_groups: 32,
            scaling_factor: 0.18215,
            use_quant_conv: true,
            use_post_quant_conv: true,
        }
    }
}

impl VaeConfig {
    /// Pixels a side that one latent stands for: 8 for KL-f8.
    pub fn factor(&self) -> usize {
        1 << (self.block_out_channels.len() - 1)
    }
}
