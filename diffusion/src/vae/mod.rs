//! The autoencoder between pixels and latents (AutoencoderKL).
//!
//! An encoder to the mean and log-variance of a Gaussian over latents, and a
//! decoder back. Source: Rombach et al. 2022, <https://arxiv.org/abs/2112.10752>,
//! appendix G; sizes: `vae/config.json` of the published checkpoints.

mod attention;
mod config;
mod decoder;
mod encoder;
mod mid;
mod resnet;

use std::cell::RefCell;

use burn::tensor::{Device, Tensor, TensorData};

pub use config::VaeConfig;

use crate::error::Error;
use crate::layers::{Conv2d, ConvShape};
use crate::weights::{Loader, Report, Source};
use decoder::Decoder;
use encoder::Encoder;

/// Pixels to latents and back.
#[derive(Debug, Clone)]
pub struct Vae {
    config: VaeConfig,
    encoder: Encoder,
    quant: Option<Conv2d>,
    post_quant: Option<Conv2d>,
    decoder: Decoder,
}

/// A Gaussian over latents, each `[batch, latent channels, height / f, width / f]`.
#[derive(Debug, Clone)]
pub struct Moments {
    /// Its mean.
    pub mean: Tensor<4>,
    /// The logarithm of its variance, within [-30, 20].
    pub log_variance: Tensor<4>,
}

/// 8-bit RGB of `3 · width · height` bytes, rows from the top, as pixels in [-1, 1],
/// `[1, 3, height, width]`.
pub fn pixels(rgb: &[u8], width: u32, height: u32, device: &Device) -> Tensor<4> {
    let values: Vec<f32> = rgb.iter().map(|&level| f32::from(level) / 127.5 - 1.0).collect();
    let data = TensorData::new(values, [1, height as usize, width as usize, 3]);
    Tensor::<4>::from_data(data, device).permute([0, 3, 1, 2])
}

impl Vae {
    /// Loads the autoencoder from `source`.
    pub fn load(config: VaeConfig, source: &Source, device: &Device) -> Result<Self, Error> {
        let report = RefCell::new(Report::default());
        let root = Loader::new(source, device, &report);
        let latent = config.latent_channels;
        let vae = Self {
            encoder: Encoder::load(&root.at("encoder"), &config),
            quant: config
                .use_quant_conv
                .then(|| root.conv("quant_conv", ConvShape::pointwise(2 * latent, 2 * latent))),
            post_quant: config
                .use_post_quant_conv
                .then(|| root.conv("post_quant_conv", ConvShape::pointwise(latent, latent))),
            decoder: Decoder::load(&root.at("decoder"), &config),
            config,
        };
        root.finish("vae")?;
        Ok(vae)
    }

    /// Its sizes.
    pub fn config(&self) -> &VaeConfig {
        &self.config
    }

    /// Pixels in [-1, 1], `[batch, 3, height, width]`, to the moments of their latents.
    pub fn encode(&self, pixels: Tensor<4>) -> Moments {
        let mut h = self.encoder.forward(pixels);
        if let Some(quant) = &self.quant {
            h = quant.forward(h);
        }
        let [mean, log_variance] = h.chunk(2, 1).try_into().expect("2 x latent channels");
        Moments { mean, log_variance: log_variance.clamp(-30.0, 20.0) }
    }

    /// Latents (unscaled) to pixels, about within [-1, 1].
    pub fn decode(&self, latents: Tensor<4>) -> Tensor<4> {
        let z = match &self.post_quant {
            Some(post_quant) => post_quant.forward(latents),
            None => latents,
        };
        self.decoder.forward(z)
    }
}

impl Moments {
    /// `(mean + σ ε) · scaling`: a latent as the UNet wants it, for `noise` ε of its shape.
    pub fn sample(&self, noise: Tensor<4>, config: &VaeConfig) -> Tensor<4> {
        let sigma = (self.log_variance.clone() * 0.5).exp();
        (self.mean.clone() + sigma * noise) * config.scaling_factor
    }
}
