//! Euler's method on the probability flow.
//!
//! Source: Karras et al. 2022, <https://arxiv.org/abs/2206.00364>, algorithm 2 without churn.

use burn::tensor::Tensor;

use super::{Sampler, SamplerOptions, sigmas, timesteps};
use crate::schedule::{Prediction, Schedule};

/// Timesteps and noise levels, shared with the ancestral variant.
pub fn table(options: &SamplerOptions, schedule: &Schedule, steps: usize) -> (Vec<f64>, Vec<f64>) {
    let all = schedule.sigmas();
    let mut times = timesteps::fractional(options, schedule.len(), steps);
    let mut levels: Vec<f64> = times.iter().map(|t| sigmas::at(&all, *t)).collect();
    if options.karras {
        levels = sigmas::karras(levels[steps - 1], levels[0], steps);
        times = levels.iter().map(|sigma| sigmas::timestep_of(&all, *sigma)).collect();
    }
    levels.push(0.0);
    (times, levels)
}

impl Sampler {
    pub(super) fn euler_step(&self, i: usize, output: Tensor<4>, x: Tensor<4>) -> Tensor<4> {
        let slope = self.slope(i, output, x.clone());
        x + slope * (self.sigmas[i + 1] - self.sigmas[i])
    }

    /// `dx/dσ` at step `i`.
    pub(super) fn slope(&self, i: usize, output: Tensor<4>, x: Tensor<4>) -> Tensor<4> {
        let sigma = self.sigmas[i];
        match self.prediction() {
            Prediction::Epsilon => output,
            Prediction::VPrediction => {
                let squared = sigma * sigma + 1.0;
                let x0 = x.clone() / squared - output * (sigma / squared.sqrt());
                (x - x0) / sigma
            }
        }
    }
}
