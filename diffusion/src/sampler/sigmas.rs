//! Noise levels: between timesteps, and spaced as Karras et al. have it.

/// `sigmas[t]` at a timestep between two whole ones.
pub fn at(sigmas: &[f64], timestep: f64) -> f64 {
    let last = sigmas.len() - 1;
    let low = (timestep.max(0.0) as usize).min(last);
    let part = timestep - low as f64;
    sigmas[low] + (sigmas[(low + 1).min(last)] - sigmas[low]) * part
}

/// The timestep whose noise level is `sigma`, by interpolation in log σ.
pub fn timestep_of(sigmas: &[f64], sigma: f64) -> f64 {
    let log = sigma.max(1e-10).ln();
    let above = sigmas.partition_point(|s| s.ln() <= log);
    let low = above.saturating_sub(1).min(sigmas.len() - 2);
    let (a, b) = (sigmas[low].ln(), sigmas[low + 1].ln());
    low as f64 + ((a - log) / (a - b)).clamp(0.0, 1.0)
}

/// `steps` levels from `largest` to `smallest`, evenly in `σ^(1/7)`.
/// Source: Karras et al. 2022, <https://arxiv.org/abs/2206.00364>, equation 5, ρ = 7.
pub fn karras(smallest: f64, largest: f64, steps: usize) -> Vec<f64> {
    const RHO: f64 = 7.0;
    let (low, high) = (smallest.powf(1.0 / RHO), largest.powf(1.0 / RHO));
    let part = |i: usize| i as f64 / (steps.max(2) - 1) as f64;
    (0..steps).map(|i| (high + part(i) * (low - high)).powf(RHO)).collect()
}
