//! DPM-Solver++ of second order, multistep.
//!
//! Source: Lu et al. 2022, <https://arxiv.org/abs/2211.01095>, algorithm 2; the last
//! step, which ends at no noise, is of first order.

use burn::tensor::Tensor;

use super::{Sampler, SamplerOptions, sigmas, timesteps};
use crate::schedule::{Prediction, Schedule};

/// Timesteps and noise levels.
pub fn table(options: &SamplerOptions, schedule: &Schedule, steps: usize) -> (Vec<f64>, Vec<f64>) {
    let all = schedule.sigmas();
    let (times, mut levels): (Vec<f64>, Vec<f64>) = if options.karras {
        let levels = sigmas::karras(all[0], all[all.len() - 1], steps);
        let times = levels.iter().map(|s| sigmas::timestep_of(&all, *s).round_ties_even());
        (times.collect(), levels)
    } else {
        let times = timesteps::multistep(options, schedule.len(), steps);
        let levels = times.iter().map(|t| sigmas::at(&all, *t)).collect();
        (times, levels)
    };
    levels.push(0.0);
    (times, levels)
}

/// `α` and `σ` of the variance-preserving process at noise level `sigma`.
fn alpha_sigma(sigma: f64) -> (f64, f64) {
    let alpha = 1.0 / (sigma * sigma + 1.0).sqrt();
    (alpha, sigma * alpha)
}

/// Half the logarithm of the signal-to-noise ratio; infinite without noise.
fn lambda(sigma: f64) -> f64 {
    -sigma.ln()
}

impl Sampler {
    pub(super) fn dpmpp_step(&mut self, i: usize, output: Tensor<4>, x: Tensor<4>) -> Tensor<4> {
        let (from, to) = (self.sigmas[i], self.sigmas[i + 1]);
        let (alpha_from, sigma_from) = alpha_sigma(from);
        let (alpha_to, sigma_to) = alpha_sigma(to);
        let x0 = match self.prediction() {
            Prediction::Epsilon => (x.clone() - output * sigma_from) / alpha_from,
            Prediction::VPrediction => x.clone() * alpha_from - output * sigma_from,
        };
        let step = lambda(to) - lambda(from);
        let shrink = (-step).exp() - 1.0; // e^-h - 1; -1 where no noise is left
        let mut next = x * (sigma_to / sigma_from) - x0.clone() * (alpha_to * shrink);
        let is_last = i + 1 == self.timesteps.len();
        if let Some(before) = self.last_x0.replace(x0.clone()).filter(|_| !is_last) {
            let last_step = lambda(from) - lambda(self.sigmas[i - 1]);
            let trend = (x0 - before) * (step / last_step);
            next = next - trend * (0.5 * alpha_to * shrink);
        }
        next
    }
}
