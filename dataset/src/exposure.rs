//! How bright a face or a picture is, and how much of it is lost in black or
//! white.

use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::luminance::Plane;

/// Shares of the luminance range, all 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Exposure {
    /// The mean.
    pub mean: f64,
    /// The share of pixels at 25 or below, of 255.
    pub dark_share: f64,
    /// The share of pixels at 247 or above.
    pub bright_share: f64,
    /// The value that 5 % of the pixels lie below.
    pub p5: f64,
    /// The value that 99 % of the pixels lie below.
    pub p99: f64,
}

/// The exposure of the pixels of `image` for which `counts` holds; the shares'
/// bounds are those of OFIQ (ISO/IEC 29794-5).
pub(crate) fn of(image: &RgbImage, counts: impl Fn(usize, usize) -> bool) -> Exposure {
    let plane = Plane::of(image);
    let mut values: Vec<f32> = plane
        .places()
        .zip(&plane.values)
        .filter(|((x, y), _)| counts(*x, *y))
        .map(|(_, &value)| value)
        .collect();
    values.sort_by(f32::total_cmp);
    let count = values.len().max(1) as f64;
    let below = |limit: f32| values.partition_point(|&value| value < limit) as f64 / count;
    let at = |share: f64| {
        let index = (share * (count - 1.0)).round() as usize;
        f64::from(values.get(index).copied().unwrap_or(0.0)) / 255.0
    };
    Exposure {
        mean: values.iter().map(|&value| f64::from(value)).sum::<f64>() / count / 255.0,
        dark_share: below(25.5),
        bright_share: 1.0 - below(246.5),
        p5: at(0.05),
        p99: at(0.99),
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_half_black_half_white_picture() {
        let picture = RgbImage::from_fn(10, 10, |x, _| Rgb([if x < 5 { 0 } else { 255 }; 3]));
        let exposure = of(&picture, |_, _| true);
        assert!((exposure.mean - 0.5).abs() < 1e-6);
        assert_eq!((exposure.dark_share, exposure.bright_share), (0.5, 0.5));
        let left = of(&picture, |x, _| x < 5);
        assert_eq!((left.mean, left.p99, left.dark_share), (0.0, 0.0, 1.0));
    }
}
