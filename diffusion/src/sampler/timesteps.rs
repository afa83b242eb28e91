//! Which training timesteps a run visits.
//!
//! Source: Lin et al. 2023, <https://arxiv.org/abs/2305.08891>, table 2, and
//! diffusers' rounding (half to even, as numpy rounds).

use super::SamplerOptions;
use crate::schedule::Spacing;

/// Timesteps of DDIM and DDPM, last first, whole numbers.
pub fn rounded(options: &SamplerOptions, train_steps: usize, steps: usize) -> Vec<f64> {
    match options.spacing {
        Spacing::Linspace => even(train_steps, steps).map(f64::round_ties_even).collect(),
        _ => by_stride(options, train_steps, steps),
    }
}

/// Timesteps of Euler's method: as [`rounded`], but evenly spaced ones stay fractions.
pub fn fractional(options: &SamplerOptions, train_steps: usize, steps: usize) -> Vec<f64> {
    match options.spacing {
        Spacing::Linspace => even(train_steps, steps).collect(),
        _ => by_stride(options, train_steps, steps),
    }
}

/// Timesteps of DPM-Solver++, whose tables count one step more.
pub fn multistep(options: &SamplerOptions, train_steps: usize, steps: usize) -> Vec<f64> {
    match options.spacing {
        Spacing::Linspace => {
            even(train_steps, steps + 1).take(steps).map(f64::round_ties_even).collect()
        }
        Spacing::Leading => {
            let stride = train_steps / (steps + 1);
            let offset = options.steps_offset;
            (1..=steps).rev().map(|i| (i * stride + offset) as f64).collect()
        }
        Spacing::Trailing => by_stride(options, train_steps, steps),
    }
}

/// `steps` numbers from `train_steps - 1` down to 0, evenly.
fn even(train_steps: usize, steps: usize) -> impl Iterator<Item = f64> {
    let step = (train_steps - 1) as f64 / (steps.max(2) - 1) as f64;
    let last = steps.saturating_sub(1);
    (0..steps).map(move |i| step * (last - i) as f64)
}

fn by_stride(options: &SamplerOptions, train_steps: usize, steps: usize) -> Vec<f64> {
    match options.spacing {
        Spacing::Trailing => {
            let stride = train_steps as f64 / steps as f64;
            let ends = (0..steps).map(|i| train_steps as f64 - stride * i as f64);
            ends.map(|t| t.round_ties_even() - 1.0).collect()
        }
        _ => {
            let stride = train_steps / steps;
            (0..steps).rev().map(|i| (i * stride + options.steps_offset) as f64).collect()
        }
    }
}
