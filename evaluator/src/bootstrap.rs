//! Intervals by a hierarchical percentile bootstrap.
//!
//! Prompts are the sampling unit: a draw takes as many prompts as there are,
//! with replacement, and within each as many seeds as it has, with
//! replacement; the statistic is the mean of the prompts' means. The interval
//! runs between the percentiles of 2,000 such draws. What every image shares
//! (the references, and the scale they set) is held fixed.
//! Source: Davison and Hinkley 1997, "Bootstrap Methods and their
//! Application", sections 3.8 (hierarchical data) and 5.3.1 (percentiles).

use std::fmt;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::scale::mean;

/// A mean and the interval around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The mean of the prompts' means, in the data itself.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// `0.59 [0.47, 0.70]`, without a minus before 0.00; with a sign by `{:+}`.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let [mean, low, high] = [self.mean, self.low, self.high]
            .map(|value| if value.abs() < 0.005 { 0.0 } else { value });
        match f.sign_plus() {
            true => write!(f, "{mean:+.2} [{low:+.2}, {high:+.2}]"),
            false => write!(f, "{mean:.2} [{low:.2}, {high:.2}]"),
        }
    }
}

/// How intervals are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// Number of draws, 2,000 by default.
    pub draws: usize,
    /// Confidence level between 0 and 1, 0.95 by default.
    pub level: f64,
    /// Seed of the draws: the same seed and data give the same interval.
    pub seed: u64,
}

impl Bootstrap {
    /// 2,000 draws at 95 %.
    pub fn new(seed: u64) -> Self {
        Self { draws: 2_000, level: 0.95, seed }
    }

    /// The interval of the mean over `prompts`, each a list of one value a seed.
    ///
    /// `None` where there is no prompt or draw, a prompt without a value, or a
    /// value that is not finite.
    pub fn interval(&self, prompts: &[Vec<f64>]) -> Option<Interval> {
        let usable = |values: &Vec<f64>| !values.is_empty() && values.iter().all(|v| v.is_finite());
        if self.draws == 0 || prompts.is_empty() || !prompts.iter().all(usable) {
            return None;
        }
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut means: Vec<f64> = (0..self.draws).map(|_| draw(prompts, &mut rng)).collect();
        means.sort_by(f64::total_cmp);
        let tail = (1.0 - self.level.clamp(0.0, 1.0)) / 2.0;
        Some(Interval {
            mean: mean(&prompts.iter().map(|values| mean(values)).collect::<Vec<_>>()),
            low: quantile(&means, tail),
            high: quantile(&means, 1.0 - tail),
        })
    }
}

fn draw(prompts: &[Vec<f64>], rng: &mut ChaCha8Rng) -> f64 {
    let mut total = 0.0;
    for _ in prompts {
        let seeds = &prompts[below(prompts.len(), rng)];
        let sum: f64 = seeds.iter().map(|_| seeds[below(seeds.len(), rng)]).sum();
        total += sum / seeds.len() as f64;
    }
    total / prompts.len() as f64
}

/// An index below `n`, even to within `n / 2^64` (Lemire's multiply-shift).
fn below(n: usize, rng: &mut ChaCha8Rng) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

/// The `q`-quantile of sorted values, linear between neighbours.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    below + (above - below) * at.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_written_with_its_ends_and_no_minus_before_zero() {
        let interval = Interval { mean: -0.004, low: -0.08, high: 0.075_1 };
        assert_eq!(interval.to_string(), "0.00 [-0.08, 0.08]");
        assert_eq!(format!("{interval:+}"), "+0.00 [-0.08, +0.08]");
    }

    /// A standard normal value (Irwin-Hall of 12 uniforms).
    fn normal(rng: &mut ChaCha8Rng) -> f64 {
        (0..12).map(|_| rng.next_u64() as f64 / u64::MAX as f64).sum::<f64>() - 6.0
    }

    /// 20 prompts with 4 seeds: between prompts sd 0.13, within 0.05, about `truth`.
    fn sample(truth: f64, rng: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
        (0..20)
            .map(|_| {
                let prompt = truth + 0.13 * normal(rng);
                (0..4).map(|_| prompt + 0.05 * normal(rng)).collect()
            })
            .collect()
    }

    #[test]
    fn about_95_in_100_intervals_hold_the_truth() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let bootstrap = Bootstrap { draws: 500, ..Bootstrap::new(1) };
        let held = (0..300)
            .filter(|_| {
                let interval = bootstrap.interval(&sample(0.8, &mut rng)).expect("data");
                interval.low <= 0.8 && 0.8 <= interval.high
            })
            .count() as f64;
        assert!((0.89..=0.985).contains(&(held / 300.0)), "{held} of 300");
    }

    #[test]
    fn the_width_is_that_of_the_prompts_and_more_seeds_hardly_narrow_it() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let data = sample(0.8, &mut rng);
        let wide = Bootstrap::new(1).interval(&data).expect("data");
        let half = (wide.high - wide.low) / 2.0;
        assert!((0.035..0.09).contains(&half), "{half}"); // 0.058 expected at 20 x 4
        let twice: Vec<Vec<f64>> = data.iter().map(|v| [v.clone(), v.clone()].concat()).collect();
        let more = Bootstrap::new(1).interval(&twice).expect("data");
        assert!((more.high - more.low) > 0.85 * (wide.high - wide.low));
    }

    #[test]
    fn the_same_seed_gives_the_same_interval_and_another_a_close_one() {
        let data = sample(0.5, &mut ChaCha8Rng::seed_from_u64(5));
        let one = Bootstrap::new(1).interval(&data).expect("data");
        assert_eq!(Bootstrap::new(1).interval(&data), Some(one));
        let other = Bootstrap::new(2).interval(&data).expect("data");
        assert_ne!(one, other);
        assert!((one.low - other.low).abs() < 0.01 && one.mean == other.mean);
    }

    #[test]
    fn what_has_no_mean_has_no_interval() {
        let bootstrap = Bootstrap::new(1);
        assert_eq!(bootstrap.interval(&[]), None);
        assert_eq!(bootstrap.interval(&[vec![1.0], vec![]]), None);
        assert_eq!(bootstrap.interval(&[vec![1.0], vec![f64::NAN]]), None);
        let flat = bootstrap.interval(&[vec![0.5], vec![0.5]]).expect("flat");
        assert_eq!((flat.low, flat.high), (0.5, 0.5));
    }
}
