//! Mean and deviation of a slice, and the gradient of normalising it.
//!
//! Sums run in f64: an f32 sum over a group's 40,960 elements loses two digits.

use std::array::from_fn;

/// Sums that run side by side, so that the loop vectorises.
const LANES: usize = 16;

/// Elements whose slopes are kept at once: a loop that sums and calls `f` would not vectorise.
const BLOCK: usize = 512;

/// What a slice is normalised by: `x̂ = (x - mean) / √(variance + ε)`.
#[derive(Debug, Clone, Copy)]
pub struct Moments {
    mean: f32,
    mean_rest: f32, // what `mean` lost by rounding
    scale: f32,     // 1 / √(variance + ε)
}

impl Moments {
    /// Of `x`, with the biased variance.
    #[inline(always)]
    pub fn of(x: &[f32], epsilon: f64) -> Self {
        let [sum, squares] = sums(x, x, |x, _| [x, x * x]);
        let mean = sum / x.len() as f64;
        let variance = (squares / x.len() as f64 - mean * mean).max(0.0);
        Self {
            mean: mean as f32,
            mean_rest: (mean - f64::from(mean as f32)) as f32,
            scale: (1.0 / (variance + epsilon).sqrt()) as f32,
        }
    }

    /// `x̂`.
    #[inline(always)]
    pub fn normalise(&self, x: f32) -> f32 {
        ((x - self.mean) - self.mean_rest) * self.scale
    }

    /// `Σ d f(x̂) x̂` and `Σ d f(x̂)`: what a scale and a shift after the normalisation learn, for
    /// the gradient `d` of `F(x̂)`, F' = f.
    #[inline(always)]
    pub fn along(&self, x: &[f32], d: &[f32], f: impl Fn(f32) -> f32) -> [f32; 2] {
        let (mut total, mut sloped) = ([0f64; 2], [0f32; BLOCK]);
        for (x, d) in x.chunks(BLOCK).zip(d.chunks(BLOCK)) {
            let sloped = &mut sloped[..x.len()];
            for ((sloped, d), x) in sloped.iter_mut().zip(d).zip(x) {
                *sloped = d * f(self.normalise(*x));
            }
            let of_block = sums(sloped, x, |d, x| [d * f64::from(self.normalise(x as f32)), d]);
            total = from_fn(|i| total[i] + of_block[i]);
        }
        total.map(|sum| sum as f32)
    }

    /// Turns the gradient `d` of `x̂` into that of `x`:
    /// `(d - mean(d) - x̂ mean(d x̂)) / √(variance + ε)`.
    #[inline(always)]
    pub fn backward(&self, x: &[f32], d: &mut [f32]) {
        let (mean, rest, scale) = (self.mean, self.mean_rest, self.scale);
        let sums = sums(d, x, |d, x| {
            let normalised = ((x as f32 - mean) - rest) * scale;
            [d, d * f64::from(normalised)]
        });
        let [along_one, along_x] = sums.map(|sum| (sum / x.len() as f64) as f32);
        for (d, &x) in d.iter_mut().zip(x) {
            *d = scale * ((*d - along_one) - self.normalise(x) * along_x);
        }
    }
}

/// The sums of both of `terms(a, b)` over all elements.
#[inline(always)]
fn sums(a: &[f32], b: &[f32], terms: impl Fn(f64, f64) -> [f64; 2]) -> [f64; 2] {
    let (mut first, mut second) = ([0f64; LANES], [0f64; LANES]);
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        let both: [_; LANES] = from_fn(|i| terms(f64::from(a[i]), f64::from(b[i])));
        first = from_fn(|i| first[i] + both[i][0]);
        second = from_fn(|i| second[i] + both[i][1]);
    }
    for (a, b) in a_rest.iter().zip(b_rest) {
        let both = terms(f64::from(*a), f64::from(*b));
        first[0] += both[0];
        second[0] += both[1];
    }
    [first.iter().sum(), second.iter().sum()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_mean_does_not_drown_the_deviation() {
        let x: Vec<f32> = (0..40_961).map(|i| 1000.0 + (i % 7) as f32 * 0.25).collect();
        let moments = Moments::of(&x, 0.0);
        let y: Vec<f64> = x.iter().map(|&x| f64::from(moments.normalise(x))).collect();
        let mean = y.iter().sum::<f64>() / y.len() as f64;
        let variance = y.iter().map(|y| y * y).sum::<f64>() / y.len() as f64;
        assert!(mean.abs() < 1e-7, "{mean:e}");
        assert!((variance - 1.0).abs() < 3e-7, "{variance}");
    }

    #[test]
    fn equal_elements_become_zero() {
        let moments = Moments::of(&[3.3; 21], 1e-5);
        assert!(moments.normalise(3.3).abs() < 1e-4);
    }

    #[test]
    fn the_gradient_has_no_part_along_the_mean_or_the_deviation() {
        let x: Vec<f32> = (0..1003).map(|i| (i as f32).sin()).collect();
        let mut d: Vec<f32> = (0..1003).map(|i| (i as f32 * 0.37).cos() + 0.5).collect();
        let moments = Moments::of(&x, 0.0);
        moments.backward(&x, &mut d);
        let sum: f32 = d.iter().sum();
        let along: f32 = d.iter().zip(&x).map(|(d, x)| d * moments.normalise(*x)).sum();
        assert!(sum.abs() < 1e-3 && along.abs() < 1e-3, "{sum} {along}");
    }
}
