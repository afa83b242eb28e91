//! Colours as the eye sees them: CIELAB under daylight.

use std::sync::LazyLock;

use image::Rgb;

/// The light of every level of sRGB, 0 to 1.
static LIGHT: LazyLock<[f64; 256]> =
    LazyLock::new(|| std::array::from_fn(|level| linear(level as f64 / 255.0)));

const STEPS: f64 = 4096.0; // of the table from 0 to 1
/// Roots of every step, a little beyond 1: white's sums are not exact.
static ROOTS: LazyLock<[f64; 4100]> = LazyLock::new(|| {
    const LEAST: f64 = 0.008_856;
    let root = |x: f64| if x > LEAST { x.cbrt() } else { 7.787 * x + 16.0 / 116.0 };
    std::array::from_fn(|step| root(step as f64 / STEPS))
});

/// Lightness (0 to 100), green to red and blue to yellow (about -100 to 100) of an sRGB colour:
/// CIE 15:2004, with the white of D65.
pub(crate) fn of(pixel: &Rgb<u8>) -> [f64; 3] {
    let [r, g, b] = pixel.0.map(|value| LIGHT[usize::from(value)]);
    let x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505;
    let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    let z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089;
    let [x, y, z] = [x, y, z].map(root);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

fn linear(value: f64) -> f64 {
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

/// The cube root, linear near 0, between two entries of a table: off by 4e-6 at the most.
fn root(value: f64) -> f64 {
    let at = value.max(0.0) * STEPS;
    let first = (at as usize).min(ROOTS.len() - 2);
    let (a, b) = (ROOTS[first], ROOTS[first + 1]);
    a + (b - a) * (at - first as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colours() {
        for (pixel, meant) in [
            ([255, 255, 255], [100.0, 0.0, 0.0]),
            ([255, 0, 0], [53.24, 80.09, 67.2]),
            ([0, 0, 255], [32.3, 79.19, -107.86]),
            ([0, 0, 0], [0.0, 0.0, 0.0]),
        ] {
            let found = of(&Rgb(pixel));
            assert!(found.iter().zip(meant).all(|(a, b)| (a - b).abs() < 0.1), "{found:?}");
        }
    }
}
