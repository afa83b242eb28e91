//! The time embedding.
//!
//! Sinusoids of the timestep at geometric frequencies (Vaswani et al. 2017,
//! <https://arxiv.org/abs/1706.03762>, section 3.5), then two linear layers.

use burn::tensor::{Device, Tensor, TensorData, activation::silu};

use super::UnetConfig;
use crate::layers::{LayerMut, Linear};
use crate::weights::Loader;

/// Timesteps to one vector a sample.
#[derive(Debug, Clone)]
pub struct TimeEmbedding {
    linear_1: Linear,
    linear_2: Linear,
}

impl TimeEmbedding {
    /// Loads the two layers.
    pub fn load(at: &Loader, config: &UnetConfig) -> Self {
        let (c_in, width) = (config.block_out_channels[0], config.time_width());
        Self {
            linear_1: at.linear("linear_1", c_in, width, true),
            linear_2: at.linear("linear_2", width, width, true),
        }
    }

    /// `[batch, channels]` sinusoids to `[batch, 4 channels]`.
    pub fn forward(&self, sinusoids: Tensor<2>) -> Tensor<2> {
        self.linear_2.forward(silu(self.linear_1.forward(sinusoids)))
    }

    /// The layers that an adapter may change.
    pub fn layers<'a>(&'a mut self, out: &mut Vec<LayerMut<'a>>) {
        out.extend([&mut self.linear_1, &mut self.linear_2].map(LayerMut::Linear));
    }
}

/// Sinusoids of `timesteps`, `[batch, channels]`.
///
/// In f32 like the reference: the angles reach 1000 radians, where an f32 step is
/// 6e-5, so another precision gives visibly other values.
pub fn sinusoids(timesteps: &[f64], config: &UnetConfig, device: &Device) -> Tensor<2> {
    let channels = config.block_out_channels[0];
    let half = channels / 2;
    let slope = -(10_000f32.ln()) / (half as f32 - config.freq_shift as f32);
    let frequencies: Vec<f32> =
        (0..half).map(|i| f64::from(slope * i as f32).exp() as f32).collect();
    let mut values = Vec::with_capacity(timesteps.len() * channels);
    for t in timesteps {
        let angles: Vec<f32> = frequencies.iter().map(|f| *t as f32 * f).collect();
        let sines = angles.iter().map(|a| f64::from(*a).sin() as f32);
        let cosines = angles.iter().map(|a| f64::from(*a).cos() as f32);
        match config.flip_sin_to_cos {
            true => values.extend(cosines.chain(sines)),
            false => values.extend(sines.chain(cosines)),
        }
        values.extend(std::iter::repeat_n(0.0, channels % 2));
    }
    Tensor::from_data(TensorData::new(values, [timesteps.len(), channels]), device)
}
