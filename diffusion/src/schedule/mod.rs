//! The noise schedule: how much of a latent is left at each timestep.
//!
//! `x_t = √ᾱ_t x_0 + √(1 - ᾱ_t) ε` with `ᾱ_t = Π (1 - β_i)`, in f64. Source: Ho et
//! al. 2020, <https://arxiv.org/abs/2006.11239>, equation 4.

mod betas;
mod config;

use burn::tensor::Tensor;

pub use config::{BetaSchedule, Prediction, ScheduleConfig, Spacing};

/// `ᾱ_t` of every training timestep.
#[derive(Debug, Clone)]
pub struct Schedule {
    config: ScheduleConfig,
    betas: Vec<f64>,
    alphas_cumprod: Vec<f64>,
}

impl Schedule {
    /// The schedule that `config` describes.
    pub fn new(config: ScheduleConfig) -> Self {
        let betas = betas::betas(&config);
        let alphas_cumprod = betas::alphas_cumprod(&betas);
        Self { config, betas, alphas_cumprod }
    }

    /// What it was made from.
    pub fn config(&self) -> &ScheduleConfig {
        &self.config
    }

    /// Number of training timesteps: 1000.
    pub fn len(&self) -> usize {
        self.alphas_cumprod.len()
    }

    /// Never: a schedule has at least one timestep.
    pub fn is_empty(&self) -> bool {
        self.alphas_cumprod.is_empty()
    }

    /// `β_t` for every `t`.
    pub fn betas(&self) -> &[f64] {
        &self.betas
    }

    /// `ᾱ_t` for every `t`.
    pub fn alphas_cumprod(&self) -> &[f64] {
        &self.alphas_cumprod
    }

    /// Signal-to-noise ratio `ᾱ_t / (1 - ᾱ_t)`.
    pub fn snr(&self, t: usize) -> f64 {
        let alpha_bar = self.alphas_cumprod[t];
        alpha_bar / (1.0 - alpha_bar)
    }

    /// `√((1 - ᾱ_t) / ᾱ_t)` for every `t`; a final `ᾱ` of zero counts as 2⁻²⁴, as diffusers has it.
    pub fn sigmas(&self) -> Vec<f64> {
        let floored = self.alphas_cumprod.iter().map(|a| a.max(2f64.powi(-24)));
        floored.map(|a| ((1.0 - a) / a).sqrt()).collect()
    }

    /// `x_t` of latents `x` `[batch, ..]` at one timestep a sample.
    pub fn add_noise(&self, x: Tensor<4>, noise: Tensor<4>, timesteps: &[usize]) -> Tensor<4> {
        let (signal, sigma) = self.factors(&x, timesteps);
        x * signal + noise * sigma
    }

    /// What the model should predict for `x` at `timesteps`: the noise, or the velocity
    /// `√ᾱ ε - √(1 - ᾱ) x` (Salimans and Ho 2022, <https://arxiv.org/abs/2202.00512>).
    pub fn target(&self, x: Tensor<4>, noise: Tensor<4>, timesteps: &[usize]) -> Tensor<4> {
        match self.config.prediction_type {
            Prediction::Epsilon => noise,
            Prediction::VPrediction => {
                let (signal, sigma) = self.factors(&x, timesteps);
                noise * signal - x * sigma
            }
        }
    }

    /// The latents that `noisy` is made of, if `predicted` is right about it: the inverse of
    /// [`Self::add_noise`] for what [`Self::target`] is.
    pub fn clean(&self, noisy: Tensor<4>, predicted: Tensor<4>, timesteps: &[usize]) -> Tensor<4> {
        let (signal, sigma) = self.factors(&noisy, timesteps);
        match self.config.prediction_type {
            Prediction::Epsilon => (noisy - predicted * sigma) / signal,
            Prediction::VPrediction => noisy * signal - predicted * sigma,
        }
    }

    /// `√ᾱ` and `√(1 - ᾱ)`, each `[batch, 1, 1, 1]`.
    fn factors(&self, x: &Tensor<4>, timesteps: &[usize]) -> (Tensor<4>, Tensor<4>) {
        let column = |f: fn(f64) -> f64| {
            let values = timesteps.iter().map(|t| f(self.alphas_cumprod[*t]) as f32);
            let values: Vec<f32> = values.collect();
            Tensor::<1>::from_floats(values.as_slice(), &x.device()).reshape([-1, 1, 1, 1])
        };
        (column(f64::sqrt), column(|a| (1.0 - a).sqrt()))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn what_is_predicted_rightly_gives_the_clean_latents_back() {
        let device = Device::flex();
        let some = |from: f32| Tensor::<1>::from_floats([from, -0.5, 1.5, 0.25], &device);
        let [x, noise] = [0.75, -1.25].map(|from| some(from).reshape([2, 2, 1, 1]));
        for prediction_type in [Prediction::Epsilon, Prediction::VPrediction] {
            let schedule = Schedule::new(ScheduleConfig { prediction_type, ..Default::default() });
            let times = [20, 700];
            let noisy = schedule.add_noise(x.clone(), noise.clone(), &times);
            let predicted = schedule.target(x.clone(), noise.clone(), &times);
            let off = schedule.clean(noisy, predicted, &times) - x.clone();
            assert!(off.abs().max().into_scalar::<f32>() < 1e-5);
        }
    }

    #[test]
    fn noise_grows_with_time() {
        let schedule = Schedule::new(ScheduleConfig::default());
        assert!(schedule.alphas_cumprod().windows(2).all(|pair| pair[1] < pair[0]));
        // SD's published schedule ends at ᾱ = 0.00466.
        assert!((schedule.alphas_cumprod()[999] - 0.00466).abs() < 1e-5);
    }

    #[test]
    fn a_zero_terminal_snr_leaves_no_signal_and_keeps_the_start() {
        let config = ScheduleConfig { rescale_betas_zero_snr: true, ..Default::default() };
        let rescaled = Schedule::new(config);
        let plain = Schedule::new(ScheduleConfig::default());
        assert!(rescaled.alphas_cumprod()[999].abs() < 1e-12);
        assert!((rescaled.alphas_cumprod()[0] - plain.alphas_cumprod()[0]).abs() < 1e-12);
    }
}
