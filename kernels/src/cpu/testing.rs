//! What the tests of products and convolutions need: numbers, and plain sums in f64.

use super::windows::Geometry;

/// `length` numbers within ±1/2 that look drawn.
pub fn noise(length: usize, seed: u32) -> Vec<f32> {
    let mut x = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        x as f32 / u32::MAX as f32 - 0.5
    };
    (0..length).map(|_| next()).collect()
}

/// The convolution `[images, c_out, ..]` of `[images, c_in, ..]` as its definition has it.
pub fn convolved(
    x: &[f32],
    weight: &[f32],
    (c_out, c_in): (usize, usize),
    images: usize,
    g: Geometry,
) -> Vec<f64> {
    let mut out = Vec::with_capacity(images * c_out * g.output.0 * g.output.1);
    for image in 0..images {
        for o in 0..c_out {
            for place in 0..g.output.0 * g.output.1 {
                let window = (place / g.output.1, place % g.output.1);
                let channel = |c: usize| {
                    let plane = &x[(image * c_in + c) * g.input.0 * g.input.1..];
                    let kernel = &weight[(o * c_in + c) * g.kernel * g.kernel..];
                    at_window(plane, kernel, window, g)
                };
                out.push((0..c_in).map(channel).sum());
            }
        }
    }
    out
}

fn at_window(plane: &[f32], kernel: &[f32], (y, x): (usize, usize), g: Geometry) -> f64 {
    let mut sum = 0.0;
    for (tap, weight) in kernel[..g.kernel * g.kernel].iter().enumerate() {
        let row = (y * g.stride + tap / g.kernel).checked_sub(g.padding.0);
        let column = (x * g.stride + tap % g.kernel).checked_sub(g.padding.1);
        let inside =
            row.zip(column).filter(|(row, column)| *row < g.input.0 && *column < g.input.1);
        if let Some((row, column)) = inside {
            sum += f64::from(plane[row * g.input.1 + column]) * f64::from(*weight);
        }
    }
    sum
}

/// `Σ a b`.
pub fn inner(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// The largest difference over the largest value.
pub fn worst(got: &[f32], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let size = want.iter().fold(1e-9f64, |size, x| size.max(x.abs()));
    let differences = got.iter().zip(want).map(|(got, want)| (f64::from(*got) - want).abs());
    // A value that is no number must not pass.
    differences.fold(0.0, |most: f64, x| if x > most || x.is_nan() { x } else { most }) / size
}
