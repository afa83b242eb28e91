//! exp, the logistic function and erf without branches, so that loops over them vectorise.
//!
//! Within two units of the last place (2.4e-7, relative), like the C library's, which
//! are called an element at a time.
//! Sources: exp, Cephes, <https://netlib.org/cephes/> (`expf.c`); erf, N. Juffa's
//! minimax polynomials, <https://stackoverflow.com/a/35148199>.

use std::f32::consts::{FRAC_1_SQRT_2, LOG2_E};

/// Adding it rounds to an integer, which is then in the low bits: 1.5 · 2²³.
const ROUND: f32 = 12_582_912.0;
/// 1 / √(2π).
const FRAC_1_SQRT_2PI: f32 = 0.398_942_3;

/// `eˣ`; x is held within [-87, 88], where the result is a normal number.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * 0.693_359_4) + n * 2.121_944_4e-4; // x - n ln 2, in two parts
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23); // 2ⁿ
    (p * (r * r) + r + 1.0) * power
}

/// `1 / (1 + e⁻ˣ)`.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// `x σ(x)`.
#[inline(always)]
pub fn silu(x: f32) -> f32 {
    x * sigmoid(x)
}

/// The derivative of [`silu`]: `σ(x) (1 + x (1 - σ(x)))`.
#[inline(always)]
pub fn silu_slope(x: f32) -> f32 {
    let e = exp(-x);
    let s = 1.0 / (1.0 + e);
    s + s * (e * s) * x // 1 - σ as e σ, which does not cancel
}

/// `2 / √π ∫₀ˣ e^(-t²) dt`.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let (t, s) = (x.abs(), x * x);
    let mut tail = -1.728_534_7e-5 * t + 3.831_972e-4;
    tail = tail * s + (-3.883_964_4e-3 * t + 2.425_462_2e-2);
    tail = tail * t - 1.067_778_8e-1;
    tail = tail * t - 6.348_469e-1;
    tail = tail * t - 1.287_175_1e-1;
    let tail = (1.0 - exp(tail * t - t)).copysign(x);
    let mut near = -5.967_617e-4;
    near = near * s + 4.991_194_2e-3;
    near = near * s - 2.676_813_5e-2;
    near = near * s + 1.128_199_25e-1;
    near = near * s - 3.761_253_4e-1;
    near = near * s + 1.283_791_7e-1;
    let near = near * x + x;
    if t > 0.927_734_4 { tail } else { near }
}

/// Φ, the standard normal distribution function.
#[inline(always)]
fn normal(x: f32) -> f32 {
    0.5 + 0.5 * erf(x * FRAC_1_SQRT_2)
}

/// `x Φ(x)`.
#[inline(always)]
pub fn gelu(x: f32) -> f32 {
    x * normal(x)
}

/// [`gelu`] and its derivative `Φ(x) + x φ(x)`.
#[inline(always)]
pub fn gelu_and_slope(x: f32) -> (f32, f32) {
    let cdf = normal(x);
    let pdf = FRAC_1_SQRT_2PI * exp(-0.5 * x * x);
    (x * cdf, cdf + x * pdf)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(limit: f32) -> impl Iterator<Item = f32> {
        (-200_000i32..=200_000).map(move |i| limit * i as f32 / 200_000.0)
    }

    /// All terms of one sign: `2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!`.
    fn erf_exact(x: f64) -> f64 {
        let (mut term, mut sum, mut n) = (x, x, 1.0);
        while term.abs() > 1e-18 * sum.abs() {
            term *= 2.0 * x * x / (2.0 * n + 1.0);
            sum += term;
            n += 1.0;
        }
        std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
    }

    fn worst(limit: f32, f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64) -> f64 {
        let error = |x: f32| {
            let want = exact(f64::from(x));
            ((f64::from(f(x)) - want) / want.abs().max(f64::MIN_POSITIVE)).abs()
        };
        grid(limit).filter(|x| *x != 0.0).map(error).fold(0.0, f64::max)
    }

    #[test]
    fn they_are_within_two_units_of_the_last_place() {
        let logistic = |x: f64| 1.0 / (1.0 + (-x).exp());
        let figures = [
            ("exp", worst(86.0, exp, f64::exp)),
            ("sigmoid", worst(80.0, sigmoid, logistic)),
            ("silu", worst(80.0, silu, |x| x * logistic(x))),
            ("erf", worst(6.0, erf, erf_exact)),
        ];
        for (name, error) in figures {
            assert!(error < 2.4e-7, "{name}: {error:e}");
        }
    }

    #[test]
    fn gelu_and_the_slopes_are_within_three_units_of_the_last_place_of_one() {
        let phi = |x: f64| 0.5 + 0.5 * erf_exact(x / 2f64.sqrt());
        let bell = |x: f64| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
        for x in grid(8.0) {
            let (got, slope) = gelu_and_slope(x);
            let wide = f64::from(x);
            let size = wide.abs().max(1.0);
            assert!((f64::from(got) - wide * phi(wide)).abs() < 2.4e-7 * size, "{x}");
            let want = phi(wide) + wide * bell(wide);
            assert!((f64::from(slope) - want).abs() < 3.6e-7, "{x}");
            let s = 1.0 / (1.0 + (-wide).exp());
            let want = s * (1.0 + wide * (1.0 - s));
            assert!((f64::from(silu_slope(x)) - want).abs() < 3.6e-7, "{x}");
        }
    }

    #[test]
    fn far_out_they_saturate_and_what_is_no_number_stays_none() {
        assert_eq!(sigmoid(200.0), 1.0);
        assert!(sigmoid(-200.0) < 1e-37 && silu(-200.0).abs() < 1e-35);
        assert_eq!((gelu(20.0), gelu(-20.0)), (20.0, 0.0));
        assert_eq!(gelu_and_slope(40.0), (40.0, 1.0));
        for f in [exp, sigmoid, silu, silu_slope, erf, gelu] {
            assert!(f(f32::NAN).is_nan());
        }
    }
}
