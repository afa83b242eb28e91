//! `β` and `ᾱ` of every timestep.

use std::f64::consts::FRAC_PI_2;

use super::{BetaSchedule, ScheduleConfig};

/// `β_t` for every training timestep.
pub fn betas(config: &ScheduleConfig) -> Vec<f64> {
    let n = config.num_train_timesteps;
    let betas = match config.beta_schedule {
        BetaSchedule::Linear => even(config.beta_start, config.beta_end, n),
        BetaSchedule::ScaledLinear => {
            let roots = even(config.beta_start.sqrt(), config.beta_end.sqrt(), n);
            roots.into_iter().map(|root| root * root).collect()
        }
        BetaSchedule::SquaredcosCapV2 => {
            let alpha_bar = |i: usize| {
                let t = i as f64 / n as f64;
                ((t + 0.008) / 1.008 * FRAC_PI_2).cos().powi(2)
            };
            (0..n).map(|i| (1.0 - alpha_bar(i + 1) / alpha_bar(i)).min(0.999)).collect()
        }
    };
    if config.rescale_betas_zero_snr { zero_terminal_snr(&betas) } else { betas }
}

/// `ᾱ_t = Π (1 - β_i)`.
pub fn alphas_cumprod(betas: &[f64]) -> Vec<f64> {
    let mut product = 1.0;
    let products = betas.iter().map(|beta| {
        product *= 1.0 - beta;
        product
    });
    products.collect()
}

fn even(from: f64, to: f64, n: usize) -> Vec<f64> {
    let step = (to - from) / (n.max(2) - 1) as f64;
    (0..n).map(|i| from + step * i as f64).collect()
}

/// Shifts and scales `√ᾱ` so that it starts where it did and ends at zero.
/// Source: Lin et al. 2023, <https://arxiv.org/abs/2305.08891>, algorithm 1.
fn zero_terminal_snr(betas: &[f64]) -> Vec<f64> {
    let roots: Vec<f64> = alphas_cumprod(betas).into_iter().map(f64::sqrt).collect();
    let (first, last) = (roots[0], roots[roots.len() - 1]);
    let scaled = roots.iter().map(|root| (root - last) * first / (first - last));
    let alpha_bars: Vec<f64> = scaled.map(|root| root * root).collect();
    let ratios = alpha_bars.windows(2).map(|pair| 1.0 - pair[1] / pair[0]);
    std::iter::once(1.0 - alpha_bars[0]).chain(ratios).collect()
}
